"""A text that a regular expression matches, for `pattern` in a JSON schema.

Reads the expression with the standard library's own parser. Look-arounds and back-references are
passed over; a schema that leans on them may get a text that does not match.
"""

from __future__ import annotations

import importlib
import re
import string
from collections.abc import Iterable, Sequence
from typing import Any

from madang.simulator.dice import Dice

# Where `re` keeps its parser since 3.11; typeshed does not know it, and the old name
# `sre_parse` warns on import.
_parser: Any = importlib.import_module("re._parser")

_SOME_MORE = 3
"""How often beyond its minimum an open repeat is repeated, at most."""
_CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_lowercase + string.digits,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_lowercase,
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": string.ascii_lowercase,
}
_PRINTABLE = string.ascii_letters + string.digits + "-_ .,:;!?/+*#@%&="


def fill_pattern(pattern: str, dice: Dice) -> str:
    """A text that `pattern` matches; the empty text if it is not a regular expression."""
    try:
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return ""
    return "".join(_text(parsed, dice))


def _text(nodes: Iterable[tuple[object, Any]], dice: Dice) -> list[str]:
    return [_node(str(name), details, dice) for name, details in nodes]


def _node(name: str, details: Any, dice: Dice) -> str:  # noqa: ANN401 - the parser's own trees
    match name:
        case "LITERAL":
            return chr(details)
        case "NOT_LITERAL":
            return dice.pick([char for char in _PRINTABLE if char != chr(details)])
        case "ANY":
            return dice.pick(string.ascii_lowercase)
        case "IN":
            return dice.pick(_members(details))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = details
            times = low + dice.below(min(int(high) - low, _SOME_MORE) + 1)
            return "".join("".join(_text(inner, dice)) for _ in range(times))
        case "SUBPATTERN":
            return "".join(_text(details[-1], dice))
        case "BRANCH":
            return "".join(_text(dice.pick(details[1]), dice))
        case "ATOMIC_GROUP":
            return "".join(_text(details, dice))
        case _:
            return ""  # anchors take no room; the rest is named in the module's first lines


def _members(details: Sequence[tuple[object, Any]]) -> list[str]:
    members: list[str] = []
    for name, value in details:
        match str(name):
            case "LITERAL":
                members.append(chr(value))
            case "RANGE":
                members += [chr(code) for code in range(value[0], min(value[1], value[0] + 200) + 1)]
            case "CATEGORY":
                members += _CATEGORIES.get(str(value), "x")
    if str(details[0][0]) == "NEGATE":
        return [char for char in _PRINTABLE if char not in members] or ["x"]
    return members
