"""Reading JSON that somebody else wrote: each member is taken once, what nobody takes is left over.

An error names the place (`messages.0.content.1.text`) and what was found there. What is left over
goes into `extra`, so that a round trip through the same dialect loses nothing; a `null` counts as
not said, and stays among what is left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from madang.core.errors import BadRequest, BrokenAnswer
from madang.core.messages import Extra, Json
from madang.dialects.json_body import JsonBody

T = TypeVar("T")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_UNREADABLE = (
    BadRequest,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What comes of reading what is not of the shape its dialect promises."""


def read_object(body: bytes) -> dict[str, Json]:
    """A request body that is a JSON object. Raises `BadRequest`."""
    try:
        return _object(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        said = str(problem)
        JsonBody(body)  # says better what is wrong
    if "range" in said:
        raise BadRequest("The request body holds a number that is too large.", code="invalid_json")
    raise BadRequest(
        "The request body holds text that is no Unicode (half of a surrogate pair); it can be passed on to "
        "a provider of the same dialect, but not translated.",
        code="invalid_encoding",
    )


def read_json(text: str | bytes) -> Json:
    """A JSON value. Raises `ValueError`."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ValueError(str(problem)) from None


def write_json(value: Json) -> bytes:
    """A JSON value as bytes."""
    return _encode(value)


def json_text(value: Json) -> str:
    """A JSON value as text."""
    return _encode(value).decode()


def kind(value: Json) -> str:
    """What a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"


class Members:
    """An object being read. Raises `BadRequest` where a member is of the wrong type."""

    __slots__ = ("left", "path")

    def __init__(self, value: Json, path: str = "") -> None:
        if not isinstance(value, dict):
            raise wrong(path, value, "an object")
        self.left: dict[str, Json] = value.copy()
        """What nobody has taken yet."""
        if "$" in "".join(value):  # our notes are named so, and no dialect has such members
            self.left = {name: one for name, one in value.items() if not name.startswith("$")}
        self.path = path

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def any(self, name: str) -> Json:
        """Whatever it is; `None` where it is absent or null."""
        left = self.left
        return left.pop(name) if left.get(name) is not None else None

    def text(self, name: str) -> str | None:
        """A string, or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise wrong(self.at(name), value, "a string")
        del self.left[name]
        return value

    def need_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise missing(self.at(name), "a string")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or `None`; `3.0` is one."""
        value = self.left.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
            raise wrong(self.at(name), value, "a whole number")
        del self.left[name]
        return int(value)

    def number(self, name: str) -> float | None:
        """A number, or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong(self.at(name), value, "a number")
        del self.left[name]
        return value

    def flag(self, name: str) -> bool | None:
        """True or false, or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        if not isinstance(value, bool):
            raise wrong(self.at(name), value, "true or false")
        del self.left[name]
        return value

    def members(self, name: str) -> Members | None:
        """An object to be read in its turn, or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        found = Members(value, self.at(name))
        del self.left[name]
        return found

    def object(self, name: str) -> dict[str, Json] | None:
        """An object as it is (a JSON schema, say), or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise wrong(self.at(name), value, "an object")
        del self.left[name]
        return value

    def items(self, name: str) -> list[Json] | None:
        """A list as it is, or `None`."""
        value = self.left.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            raise wrong(self.at(name), value, "a list")
        del self.left[name]
        return value

    def each(self, name: str) -> Iterator[Members]:
        """The objects of a list; none where it is absent."""
        for number, value in enumerate(self.items(name) or ()):
            yield Members(value, f"{self.at(name)}.{number}")

    def extra(self, dialect: str, **notes: Json) -> Extra:
        """What is left over, as an `extra`; `notes` are put with it, their names with a `$` before."""
        left = self.left
        for name, note in notes.items():
            if note is not None:
                left[f"${name}"] = note
        return {dialect: left} if left else {}


def put(out: dict[str, Json], extra: Extra, dialect: str) -> dict[str, Json]:
    """A rendered object with its leftovers put back; what was rendered wins."""
    left = extra.get(dialect)
    if left:
        for name, value in left.items():
            if name not in out and not name.startswith("$"):
                out[name] = value
    return out


def note(extra: Extra, dialect: str, name: str) -> Json:
    """A note on the form, without its `$`; `None` where there is none."""
    left = extra.get(dialect)
    return left.get(f"${name}") if left else None


def wrong(path: str, value: Json, want: str) -> BadRequest:
    """The error for a value of the wrong type."""
    where = f"'{path}'" if path else "The request body"
    return BadRequest(
        f"{where} must be {want}, but is {kind(value)}.", code="invalid_type", param=path or None
    )


def missing(path: str, want: str) -> BadRequest:
    """The error for a member that must be there."""
    return BadRequest(f"'{path}' is missing; it must be {want}.", code="missing_parameter", param=path)


def bad_value(path: str, value: str, want: str) -> BadRequest:
    """The error for a value that is none of those known."""
    return BadRequest(f"'{path}' must be {want}, but is '{value[:100]}'.", code="invalid_value", param=path)


def reading_answer(read: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """The same reader for what a provider wrote: what is wrong there is nobody's bad request."""

    def guarded(body: bytes) -> T:
        try:
            return read(body)
        except _UNREADABLE as problem:
            raise BrokenAnswer(f"The provider's answer cannot be read: {problem}") from None

    return guarded
