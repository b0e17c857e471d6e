"""A small, strict reader of `.env` files.

`NAME=VALUE` a line, `export` before it if you like, quotes single or double, comments after `#`.
No interpolation and no values over several lines: what looks like them is refused, not guessed at.
"""

from __future__ import annotations

import re

from madang.config.errors import Fault

_LINE = re.compile(r"(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(?P<rest>.*)")
_SINGLE = re.compile(r"'(?P<value>[^']*)'(?P<after>.*)")
_DOUBLE = re.compile(r'"(?P<value>(?:[^"\\]|\\.)*)"(?P<after>.*)')
_AFTER = re.compile(r"[ \t]*(#.*)?")
_COMMENT = re.compile(r"(^|[ \t]+)#.*")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_dotenv(text: str, faults: list[Fault]) -> dict[str, str]:
    """The variables of a `.env` file; a later line wins. Adds a fault for every line that is malformed."""
    found: dict[str, str] = {}
    for number, raw in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            name, value = _assignment(line)
        except ValueError as problem:
            faults.append(_fault(number, str(problem)))
        else:
            found[name] = value
    return found


def _assignment(line: str) -> tuple[str, str]:
    matched = _LINE.fullmatch(line)
    if matched is None:
        raise ValueError("a line that is not an assignment (not shown)")
    value = _value(matched["rest"])
    if "\0" in value:
        raise ValueError("a NUL character")
    return matched["name"], value


def _value(rest: str) -> str:
    if not rest.startswith(("'", '"')):
        return _COMMENT.sub("", rest).strip()
    quoted = (_SINGLE if rest.startswith("'") else _DOUBLE).fullmatch(rest)
    if quoted is None:
        raise ValueError("a quote that is not closed on its line")
    if not _AFTER.fullmatch(quoted["after"]):
        raise ValueError("more text after the closing quote")
    if rest.startswith("'"):
        return quoted["value"]
    return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted["value"])


def _fault(line: int, got: str) -> Fault:
    return Fault((), got=got, want="NAME=VALUE", hint="write NAME='a value with spaces'", place=(line, 1))
