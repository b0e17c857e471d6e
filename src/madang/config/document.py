"""YAML text to a tree in which every value knows where it stood.

What the values ought to be is `decode.py`'s business. Built from the parser's events and not with
PyYAML's composer: that one recurses in C and a deeply nested file crashes the process (6.0.3,
seen 2026-11-20). Aliases share the node they name, so a file of them costs what it says, and
`size` counts what it would unfold to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import msgspec
import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from madang.config.errors import Fault, Steps

_DEEPEST = 32
_LARGEST = 100_000
_TAG = "tag:yaml.org,2002:"

Kind: TypeAlias = Literal["text", "number", "switch", "nothing", "odd"]


class Scalar(msgspec.Struct, frozen=True):
    """One value. `text` is how it was written, `reads` what YAML makes of it where that surprises."""

    place: tuple[int, int]
    kind: Kind
    value: str | int | float | bool | None
    text: str
    reads: str = ""
    quoted: bool = False
    filled: bool = False
    """Whether any of it came from the environment."""
    size: int = 1


class Items(msgspec.Struct, frozen=True):
    """A list."""

    place: tuple[int, int]
    nodes: tuple[Node, ...]
    size: int


class Entry(msgspec.Struct, frozen=True):
    """A name in a section, where it stood, and its value."""

    place: tuple[int, int]
    node: Node


class Section(msgspec.Struct, frozen=True):
    """Names and values."""

    place: tuple[int, int]
    entries: dict[str, Entry]
    size: int


Node: TypeAlias = Scalar | Items | Section


class Unreadable(Exception):
    """The text is not YAML, or more of it than we take; carries the fault."""

    def __init__(self, got: str, want: str, hint: str = "", place: tuple[int, int] | None = None) -> None:
        super().__init__(got)
        self.fault = Fault((), got=got, want=want, hint=hint, place=place)


def read_document(text: str, faults: list[Fault]) -> Section | None:
    """The top-level section; None for a file that says nothing. Adds faults; raises `Unreadable`."""
    try:
        root = _Reader(text, faults).document()
    except yaml.YAMLError as problem:
        raise _not_yaml(problem, text) from None
    if root is None or (isinstance(root, Scalar) and root.kind == "nothing"):
        return None
    if not isinstance(root, Section):
        raise Unreadable(
            "a list" if isinstance(root, Items) else "one value",
            "sections",
            "write server: or routes:",
            root.place,
        )
    return root


def locate(root: Node | None, steps: Steps, *, at_key: bool) -> tuple[int, int] | None:
    """Where a path stands in the file, or the nearest thing above it."""
    place = root.place if root is not None else None
    node = root
    for number, step in enumerate(steps, start=1):
        if isinstance(node, Section) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            place = entry.place if at_key and number == len(steps) else entry.node.place
            # A section begins on the line below its name; people look for the name.
            place = entry.place if isinstance(entry.node, Section) else place
            node = entry.node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            node = node.nodes[step]
            place = node.place
        else:
            break
    return place


def node_at(root: Node, steps: Steps) -> Node | None:
    """What stands at a path."""
    node: Node | None = root
    for step in steps:
        if isinstance(node, Section) and isinstance(step, str) and step in node.entries:
            node = node.entries[step].node
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.nodes):
            node = node.nodes[step]
        else:
            return None
    return node


class _Reader:
    """One pass over the events of one document."""

    def __init__(self, text: str, faults: list[Fault]) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=loader))
        self._anchors: dict[str, Node] = {}
        self._faults = faults
        self._depth = 0
        # PyYAML's stubs leave it untyped.
        self._resolve: Callable[[type, str, tuple[bool, bool]], object] = Resolver().resolve
        self._constructor = SafeConstructor()

    def document(self) -> Node | None:
        """The node of the only document."""
        root: Node | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Unreadable("a second document (`---`)", "one", "remove the `---`", _place(event))
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, ())
        return root

    def _node(self, event: yaml.Event, steps: Steps) -> Node:
        # Counted, and not the length of the path: names may be sections too (`? {a: b}`).
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unreadable("sections nested too deep", f"at most {_DEEPEST} levels", place=_place(event))
        node = self._sized(event, steps)
        self._depth -= 1
        return node

    def _sized(self, event: yaml.Event, steps: Steps) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            raise Unreadable("an unfinished section", "YAML", place=_place(event))
        node = self._read(event, steps)
        if node.size > _LARGEST:
            want = f"at most {_LARGEST} values"
            raise Unreadable(
                "aliases that unfold to too much", want, "write out what the aliases stand for", node.place
            )
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _read(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, steps: Steps) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, steps)
        if event.tag is not None:
            self._faults.append(_tagged(event, steps))
        return (
            self._items(event, steps)
            if isinstance(event, yaml.SequenceStartEvent)
            else self._section(event, steps)
        )

    def _aliased(self, event: yaml.AliasEvent) -> Node:
        node = self._anchors.get(event.anchor or "")
        if node is None:
            want = "an alias to an anchor (`&name`) that is complete above it"
            raise Unreadable(
                "an alias (`*name`) to nothing", want, "put text that starts with * in quotes", _place(event)
            )
        return node

    def _items(self, start: yaml.Event, steps: Steps) -> Items:
        nodes: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            nodes.append(self._node(event, (*steps, len(nodes))))
        return Items(_place(start), tuple(nodes), 1 + sum(node.size for node in nodes))

    def _section(self, start: yaml.Event, steps: Steps) -> Section:
        entries: dict[str, Entry] = {}
        merged: list[Section] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._name(event, steps)
            node = self._node(next(self._events), (*steps, name or ""))
            if name is None and isinstance(event, yaml.ScalarEvent) and _is_merge(event):
                merged += self._merged(node, steps)
            elif name in entries:
                self._faults.append(_twice((*steps, name), _place(event), entries[name]))
            elif name is not None:
                entries[name] = Entry(_place(event), node)
        for section in merged:
            entries = {**section.entries, **entries}
        return Section(_place(start), entries, 1 + sum(entry.node.size for entry in entries.values()))

    def _merged(self, node: Node, steps: Steps) -> list[Section]:
        """The sections a `<<:` takes in, the first one last so that it wins."""
        nodes = node.nodes if isinstance(node, Items) else (node,)
        sections = [each for each in nodes if isinstance(each, Section)]
        if len(sections) < len(nodes):
            hint = "write <<: *name"
            self._faults.append(
                Fault((*steps, "<<"), got="a value", want="a section to merge", hint=hint, place=node.place)
            )
        return sections

    def _name(self, event: yaml.Event, steps: Steps) -> str | None:
        """The text of a key; None where it is none, after saying so."""
        if isinstance(event, yaml.ScalarEvent):
            if _is_merge(event):
                return None
            key = self._scalar(event, steps)
            if key.kind == "text":
                return key.text
            got, hint = f"`{key.text}`, which YAML reads as {reading(key)}", f'write "{key.text}"'
            steps = (*steps, key.text)
        else:
            self._node(event, steps)
            got, hint = "a list or a section as a name", "write name: value"
        self._faults.append(Fault(steps, got=got, want="a name", hint=hint, place=_place(event)))
        return None

    def _scalar(self, event: yaml.ScalarEvent, steps: Steps) -> Scalar:
        place, text = _place(event), event.value
        quoted = event.style in ("'", '"')
        if event.tag is not None and event.tag not in ("!", f"{_TAG}str"):
            self._faults.append(_tagged(event, steps))
        if event.tag is not None or not event.implicit[0]:
            return Scalar(place, "text", text, text, quoted=quoted)
        tag = str(self._resolve(yaml.ScalarNode, text, (True, False))).removeprefix(_TAG)
        match tag:
            case "null":
                return Scalar(place, "nothing", None, text)
            case "bool":
                return Scalar(place, "switch", self._constructor.bool_values[text.lower()], text)
            case "int" | "float":
                return self._number(place, text, tag)
            case "timestamp":
                return Scalar(place, "odd", None, text, reads="a date")
            case _:
                return Scalar(place, "text", text, text)

    def _number(self, place: tuple[int, int], text: str, tag: str) -> Scalar:
        """A number; odd where YAML 1.1 reads another one than most people wrote."""
        node = yaml.ScalarNode(f"{_TAG}{tag}", text)
        try:
            value: int | float = (
                self._constructor.construct_yaml_int(node)
                if tag == "int"
                else self._constructor.construct_yaml_float(node)
            )
        except (ValueError, IndexError, OverflowError):
            return Scalar(place, "odd", None, text, reads="a number that cannot be read")
        if ":" in text:
            return Scalar(place, "odd", None, text, reads=f"the number {value} in base 60")
        if re.match(r"[-+]?0[0-7_]+$", text):
            return Scalar(place, "odd", None, text, reads=f"the octal number {value}")
        return Scalar(place, "number", value, text)


def reading(scalar: Scalar) -> str:
    """What YAML makes of a value that was written without quotes."""
    if scalar.reads:
        return scalar.reads
    match scalar.kind:
        case "switch":
            return "true" if scalar.value else "false"
        case "nothing":
            return "nothing"
        case _:
            return "a number"


def _is_merge(event: yaml.ScalarEvent) -> bool:
    return event.value == "<<" and not event.style and event.tag is None


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _tagged(event: yaml.Event, steps: Steps) -> Fault:
    return Fault(
        steps, got="a YAML tag (`!name`)", want="a plain value", hint="remove the tag", place=_place(event)
    )


def _twice(steps: Steps, place: tuple[int, int], first: Entry) -> Fault:
    got = f"the same name as on line {first.place[0]}"
    return Fault(
        steps,
        got=got,
        want="every name once in a section",
        hint="keep one of the two",
        place=place,
        at_key=True,
    )


def _not_yaml(problem: yaml.YAMLError, text: str) -> Unreadable:
    """The parser's complaint without what it quotes from the file, which may be a secret."""
    if isinstance(problem, yaml.reader.ReaderError):
        before = text[: problem.position] if isinstance(problem.position, int) else ""
        place = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Unreadable("a character that YAML does not allow", "printable text", place=place)
    mark = getattr(problem, "problem_mark", None) or getattr(problem, "context_mark", None)
    place_ = (mark.line + 1, mark.column + 1) if mark is not None else None
    said = re.sub(
        r"'[^']{2,}'", "…", str(getattr(problem, "problem", None) or "something that cannot be read")
    )
    lines = text.splitlines()
    at_tab = place_ is not None and "\t" in "".join(lines[place_[0] - 1 : place_[0]])
    hint = "indent with spaces, not tabs" if at_tab else "check the indentation and the quotes above it"
    return Unreadable(f"text that is not YAML ({said})", "YAML", hint, place_)
