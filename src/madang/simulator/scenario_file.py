"""Reads a scenario file (YAML) and says, with line and path, what is wrong with it."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Final

import msgspec
import yaml

from madang.core.errors import ConfigError
from madang.simulator.controls import UnknownControl, read_mapping
from madang.simulator.latency import parse_duration
from madang.simulator.scenario import Match, Rule, Scenario, Scripted, ScriptedEvent


class _FileRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    match: Match = Match()
    answer: Scripted = Scripted()
    delay: str | None = None
    pace: str | None = None
    faults: dict[str, object] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[_FileRule]


_FIELDS: Final = (_File, _FileRule, Match, Scripted, ScriptedEvent)
_NAMES: Final = sorted({name for struct in _FIELDS for name in struct.__struct_fields__})
_WHERE: Final = re.compile(r"(?s)(.*?)(?: - at `\$?\.?(.*)`)?")


def load_scenario(path: Path) -> Scenario:
    """The scenario of a file. Raises ConfigError with its line."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(str(path), got=error.strerror or "an error", want="a file to read") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), got="bytes that are not UTF-8", want="a YAML file") from None
    return read_scenario(text, str(path))


def read_scenario(text: str, name: str = "scenario") -> Scenario:
    """The scenario of a text; `name` is what errors call it. Raises ConfigError with the line."""
    content, lines = _parse(text, name)
    try:
        file = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise _explained(str(error), name, lines) from None
    return Scenario(tuple(_rule(rule, f"rules[{at}]", name, lines) for at, rule in enumerate(file.rules)))


def _parse(text: str, name: str) -> tuple[object, dict[str, int]]:
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(name, got="an empty file", want="a list of rules", hint="start with `rules:`")
        lines: dict[str, int] = {}
        _number(node, "", lines, frozenset())
        return loader.construct_document(node), lines
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark is not None else name
        problem = getattr(error, "problem", None) or "nesting or values YAML cannot read"
        raise ConfigError(where, got=str(problem), want="YAML") from None


def _number(node: yaml.Node, path: str, lines: dict[str, int], above: frozenset[int]) -> None:
    """Note the line of everything in the file, by its path. An alias to its own parent ends there."""
    lines.setdefault(path, node.start_mark.line + 1)
    if id(node) in above:
        return
    above = above | {id(node)}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = f"{path}.{key.value}" if path else str(key.value)
            lines.setdefault(below, key.start_mark.line + 1)
            _number(value, below, lines, above)
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            _number(value, f"{path}[{at}]", lines, above)


def _rule(rule: _FileRule, path: str, name: str, lines: dict[str, int]) -> Rule:
    timing = {key: value for key in ("delay", "pace") if (value := getattr(rule, key)) is not None}
    for key, value in timing.items():
        try:
            parse_duration(value)
        except ValueError as error:
            raise _fault(f"{path}.{key}", name, lines, str(error), "a duration", "20ms") from None
    try:
        controls = read_mapping({**rule.faults, **timing})
    except UnknownControl as error:
        want = "controls of docs/simulator.md"
        raise _fault(f"{path}.faults", name, lines, str(error), want, "cut-after: 3") from None
    _check_answer(rule.answer, f"{path}.answer", name, lines)
    return Rule(rule.match, rule.answer, controls)


def _check_answer(answer: Scripted, path: str, name: str, lines: dict[str, int]) -> None:
    if answer.status is not None and not 200 <= answer.status <= 599:
        raise _fault(f"{path}.status", name, lines, str(answer.status), "an HTTP status from 200 to 599")
    for key, value in answer.headers.items():
        if not (key + value).isascii() or not (key + value).isprintable():
            raise _fault(f"{path}.headers", name, lines, repr(key), "printable ASCII names and values")
    for at, item in enumerate(answer.stream):
        if isinstance(item, ScriptedEvent) and item.pause is not None:
            try:
                parse_duration(item.pause)
            except ValueError as error:
                raise _fault(f"{path}.stream[{at}].pause", name, lines, str(error), "a duration") from None


def _fault(path: str, name: str, lines: dict[str, int], got: str, want: str, hint: str = "") -> ConfigError:
    return ConfigError(
        f"{_line(name, path, lines)} {path}", got=got, want=want, hint=hint and f"write {hint}"
    )


def _line(name: str, path: str, lines: dict[str, int]) -> str:
    """`file:line` of a path, or of the nearest thing around it that has a line."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return f"{name}:{lines.get(path, 1)}"


def _explained(message: str, name: str, lines: dict[str, int]) -> ConfigError:
    found = _WHERE.fullmatch(message)
    problem, path = (found[1], found[2] or "") if found else (message, "")
    if unknown := re.search(r"unknown field `(.*)`", problem):
        here = f"{path}.{unknown[1]}" if path else unknown[1]
        close = difflib.get_close_matches(unknown[1], _NAMES, 1)
        return _fault(here, name, lines, f"{unknown[1]!r}", "a field that exists", close[0] if close else "")
    if typed := re.search(r"Expected `(.*)`, got `(.*)`", problem):
        return _fault(path, name, lines, typed[2], typed[1].replace(" | null", ""))
    return _fault(path, name, lines, problem, "a list of rules: `rules:`, then `- match: …` and `answer: …`")
