"""A tree of YAML against the schema: every fault in it, in plain words, and what remains.

`msgspec.convert` stops at the first fault and speaks of types; this walk asks msgspec only what
the schema is, says what it finds itself, and leaves out what was wrong, so that the checks that
follow can look at the rest.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Final

import msgspec
from msgspec import inspect as shape

from madang.config.document import Items, Node, Scalar, Section, reading
from madang.config.errors import HIDDEN, Fault, Steps, either, shown, suggestion
from madang.config.schema import Config
from madang.core.secret import Secret

_EXAMPLES = {
    "api_key": "api_key: ${OPENAI_API_KEY}",
    "base_url": "base_url: https://host/v1",
    "default_provider": "default_provider: openai",
    "dialects": "dialects: [openai_chat]",
    "expires_days": "expires_days: 90",
    "headers": "headers: {x-team: search}",
    "include_usage": "include_usage: false",
    "models": "models: [name-1, name-2]",
    "targets": "targets: [openai/gpt-4o-mini]",
    "url": "url: sqlite:///madang.db",
}
_TRUE, _FALSE = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class _Nothing(Enum):
    FAULTY = 0


_FAULTY: Final = _Nothing.FAULTY
"""What stands for a value that was wrong, so that None stays a value."""


def decode(root: Section, faults: list[Fault]) -> Config:
    """The configuration a tree describes, without its faulty parts. Adds a fault for each of those."""
    plain = _Walk(faults).read(shape.type_info(Config), root, (), "")
    if isinstance(plain, dict):
        _inherit_timeouts(plain.get("timeouts", {}), plain.get("providers", {}))
    return msgspec.convert(plain, Config, dec_hook=_secret)


def _inherit_timeouts(common: dict[str, object], providers: dict[str, dict[str, object]]) -> None:
    """What a provider's own `timeouts` leave out is what all have, and not the schema's default."""
    for section in providers.values():
        own = section.get("timeouts")
        if isinstance(own, dict):
            section["timeouts"] = common | own


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(kind)


class _Walk:
    """Down the schema and the tree together. `name` is the field's, for hints."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults

    def read(self, kind: shape.Type, node: Node, steps: Steps, name: str, default: object = None) -> object:
        match kind:
            case shape.Metadata(type=inner):
                return self.read(inner, node, steps, name, default)
            case shape.UnionType():
                return self._either(kind, node, steps, name, default)
            case shape.StructType():
                return self._section(kind, node, steps, name)
            case shape.DictType():
                return self._names(kind, node, steps, name)
            case shape.ListType():
                return self._items(kind, node, steps, name)
            case _:
                value = _scalar(kind, node)
                return value if value is not _FAULTY else self._wrong(kind, node, steps, name, default)

    def _either(self, kind: shape.UnionType, node: Node, steps: Steps, name: str, default: object) -> object:
        if kind.includes_none and isinstance(node, Scalar) and _is_blank(node):
            return None
        kinds = [each for each in kind.types if not isinstance(each, shape.NoneType)]
        if len(kinds) == 1:
            return self.read(kinds[0], node, steps, name, default)
        section = next(each for each in kinds if isinstance(each, shape.StructType))
        if isinstance(node, Section):
            return self.read(section, node, steps, name)
        value = _scalar(shape.StrType(), node)
        return value if value is not _FAULTY else self._wrong(kind, node, steps, name, default)

    def _section(self, kind: shape.StructType, node: Node, steps: Steps, name: str) -> object:
        if isinstance(node, Scalar) and _is_blank(node):
            node = Section(node.place, {}, 1)
        if not isinstance(node, Section):
            return self._wrong(kind, node, steps, name, None)
        fields = {field.encode_name: field for field in kind.fields}
        self._unknown([each for each in node.entries if each not in fields], list(fields), steps)
        values = {
            each: self.read(fields[each].type, entry.node, (*steps, each), each, fields[each].default)
            for each, entry in node.entries.items()
            if each in fields
        }
        missing = [each for each, field in fields.items() if field.required and each not in node.entries]
        for each in missing:
            want, hint = wanted(fields[each].type), f"write {_EXAMPLES.get(each, each)}"
            self._faults.append(Fault((*steps, each), got="nothing", want=want, hint=hint))
        broken = missing or [
            each for each, value in values.items() if value is _FAULTY and fields[each].required
        ]
        return _FAULTY if broken else {each: value for each, value in values.items() if value is not _FAULTY}

    def _unknown(self, names: list[str], known: list[str], steps: Steps) -> None:
        for each in names:
            close = suggestion(each, known)
            hint = f"did you mean `{close}`?" if close else f"known here: {', '.join(known)}"
            got, want = "a name that is not known here", "one that is"
            self._faults.append(Fault((*steps, each), got=got, want=want, hint=hint, at_key=True))

    def _names(self, kind: shape.DictType, node: Node, steps: Steps, name: str) -> object:
        if isinstance(node, Scalar) and _is_blank(node):
            return {}
        if not isinstance(node, Section):
            return self._wrong(kind, node, steps, name, None)
        values = {
            each: self.read(kind.value_type, entry.node, (*steps, each), each)
            for each, entry in node.entries.items()
        }
        # A provider whose section is wrong is still a name that routes may use.
        empty: object = {} if name == "providers" else _FAULTY
        kept = {each: empty if value is _FAULTY else value for each, value in values.items()}
        return {each: value for each, value in kept.items() if value is not _FAULTY}

    def _items(self, kind: shape.ListType, node: Node, steps: Steps, name: str) -> object:
        if isinstance(node, Scalar) and _is_blank(node) and not kind.min_length:
            return []
        if not isinstance(node, Items) or len(node.nodes) < (kind.min_length or 0):
            return self._wrong(kind, node, steps, name, None)
        values = [self.read(kind.item_type, each, (*steps, i), name) for i, each in enumerate(node.nodes)]
        kept = [value for value in values if value is not _FAULTY]
        return kept if len(kept) >= (kind.min_length or 0) else _FAULTY

    def _wrong(self, kind: shape.Type, node: Node, steps: Steps, name: str, default: object) -> _Nothing:
        hint = _hint(kind, node, name, default, hidden=_hidden(kind, node, steps))
        self._faults.append(Fault(steps, got=found(kind, node, steps), want=wanted(kind), hint=hint))
        return _FAULTY


def _is_blank(node: Scalar) -> bool:
    """Nothing written, or a variable that is empty."""
    return node.kind == "nothing" or (node.filled and not node.text.strip())


def _scalar(kind: shape.Type, node: Node) -> object:
    """The value as the schema wants it, or `_FAULTY`."""
    if not isinstance(node, Scalar):
        return _FAULTY
    match kind:
        case shape.StrType() | shape.CustomType():
            return node.value if node.kind == "text" else _FAULTY
        case shape.LiteralType(values=values):
            return node.value if node.kind == "text" and node.value in values else _FAULTY
        case shape.BoolType():
            return _switch(node)
        case shape.IntType() | shape.FloatType():
            number = _number(kind, node)
            return number if number is not None and _within(kind, number) else _FAULTY
        case _:
            raise TypeError(f"the schema has a type this walk does not know: {kind!r}")


def _switch(node: Scalar) -> bool | _Nothing:
    if node.kind == "switch":
        return bool(node.value)
    word = node.text.strip().lower() if node.filled else ""
    return True if word in _TRUE else False if word in _FALSE else _FAULTY


def _number(kind: shape.IntType | shape.FloatType, node: Scalar) -> int | float | None:
    """What is written as a number, or came from the environment as the text of one."""
    value: object = node.value
    if node.filled and re.fullmatch(r"\s*[-+]?[0-9]{1,300}\s*", node.text):
        value = int(node.text)
    elif node.filled and re.fullmatch(r"\s*[-+]?[0-9]{0,300}\.?[0-9]{1,300}\s*", node.text):
        value = float(node.text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(kind, shape.IntType):
        return value if isinstance(value, int) else None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _within(kind: shape.IntType | shape.FloatType, number: float) -> bool:
    return (
        (kind.ge is None or number >= kind.ge)
        and (kind.gt is None or number > kind.gt)
        and (kind.le is None or number <= kind.le)
        and (kind.lt is None or number < kind.lt)
    )


def wanted(kind: shape.Type) -> str:
    """What the schema wants, in plain words."""
    match kind:
        case shape.Metadata(type=inner):
            return wanted(inner)
        case shape.UnionType(types=types):
            return ", or ".join(wanted(each) for each in types if not isinstance(each, shape.NoneType))
        case shape.StructType(fields=fields):
            return f"a section with {either([field.encode_name for field in fields])}"
        case shape.DictType():
            return "a section: a name and its value on each line"
        case shape.ListType(min_length=least):
            return "a list of text" + (" with at least one item" if least else "")
        case shape.LiteralType(values=values):
            return either([str(value) for value in values])
        case shape.BoolType():
            return "true or false"
        case shape.IntType():
            return "a whole number" + _bounds(kind)
        case shape.FloatType():
            return "a number" + _bounds(kind)
        case _:
            return "text"


def _bounds(kind: shape.IntType | shape.FloatType) -> str:
    if kind.ge is not None and kind.le is not None:
        return f" between {kind.ge:g} and {kind.le:g}"
    least = (
        f" of at least {kind.ge:g}"
        if kind.ge is not None
        else f" above {kind.gt:g}"
        if kind.gt is not None
        else ""
    )
    return least + (f", at most {kind.le:g}" if kind.le is not None else "")


def found(kind: shape.Type, node: Node, steps: Steps) -> str:
    """What was written, in plain words, and never a secret."""
    if isinstance(node, Section):
        return "a section"
    if isinstance(node, Items):
        return "an empty list" if not node.nodes else "a list"
    if node.kind == "nothing":
        return "nothing"
    if _hidden(kind, node, steps):
        return HIDDEN if node.filled else "a value (not shown)"
    if node.kind == "text":
        return shown(node.text) + (" in quotes" if node.quoted else "")
    return (
        f"`{node.text}`, which YAML reads as {reading(node)}"
        if _surprises(node)
        else f"the number {node.text}"
    )


def _hidden(kind: shape.Type, node: Node, steps: Steps) -> bool:
    """Whether a value may be a secret: from the environment, a key, a header, text astray among providers."""
    if not isinstance(node, Scalar):
        return False
    among_providers = node.kind == "text" and steps[:1] == ("providers",)
    return node.filled or isinstance(kind, shape.CustomType) or among_providers or "headers" in steps


def _surprises(node: Scalar) -> bool:
    return node.kind != "number" or node.text != str(node.value)


def _hint(kind: shape.Type, node: Node, name: str, default: object, *, hidden: bool) -> str:
    if isinstance(node, Scalar) and not node.filled:
        wants_text = isinstance(kind, shape.StrType | shape.LiteralType | shape.CustomType)
        if wants_text and node.kind in ("number", "switch", "odd"):
            return "put it in quotes" if hidden else f'put it in quotes: "{node.text}"'
        if node.quoted and isinstance(kind, shape.IntType | shape.FloatType | shape.BoolType):
            return "write it without quotes"
        if isinstance(kind, shape.StructType | shape.DictType):
            return "put a space after the colon" if ":" in node.text else "write its parts below it, indented"
    if isinstance(kind, shape.UnionType):
        return f"write {_EXAMPLES['targets']}"
    if name in _EXAMPLES:
        return f"write {_EXAMPLES[name]}"
    if isinstance(default, int | float | str):
        return f"write {name}: {str(default).lower() if isinstance(default, bool) else default}"
    return ""
