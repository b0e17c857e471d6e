"""Reading a JSON object field by field; what is wrong is said in Google's own sentences.

Names may be written `generationConfig` or `generation_config`; errors name them the second way. What
Google would not know, it refuses.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NoReturn

import msgspec

from madang.simulator.gemini.errors import invalid, violated

_HUMP = re.compile(r"(?<!^)([A-Z])")
_BAD_JSON = "Invalid JSON payload received. {reason}"
_UNKNOWN = 'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.'


@lru_cache(1024)
def camel(name: str) -> str:
    """`generationConfig` from either spelling."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


@lru_cache(1024)
def snake(name: str) -> str:
    """`generation_config` from either spelling."""
    return _HUMP.sub(lambda found: "_" + found[1].lower(), name)


def read_object(body: bytes) -> Fields:
    """The request's body as fields. Raises ApiError if it is not a JSON object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        violated(_BAD_JSON.format(reason=str(error).partition("\n")[0][:80]))
    if not isinstance(value, dict):
        violated(_BAD_JSON.format(reason="Root element must be a message."))
    return Fields(value)


class Fields:
    """One object of a request and where it stands. Null counts as left out."""

    __slots__ = ("_path", "_sent", "_values")

    def __init__(self, values: dict[str, object], path: str = "") -> None:
        self._sent, self._path = values, path
        self._values = {camel(name): value for name, value in values.items()}

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    @property
    def where(self) -> str:
        """Where the object stands."""
        return self._path

    def path(self, name: str) -> str:
        """The field's full name, for errors."""
        return f"{self._path}.{snake(name)}" if self._path else snake(name)

    def names(self) -> list[str]:
        """The names of the fields that were sent."""
        return [name for name, value in self._values.items() if value is not None]

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises ApiError for the first field that is not known."""
        for name in self._sent:
            if camel(name) not in known:
                at = f" at '{self._path}'" if self._path else ""
                violated(_UNKNOWN.format(name=name, where=at), self._path)

    def raw(self, name: str) -> object:
        """The value as it was sent."""
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        """A string."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            self._wrong(name, "TYPE_STRING", value)
        return value

    def one_of(self, name: str, supported: Collection[str]) -> str | None:
        """One of an enum's words; Google takes them in either case."""
        value = self.text(name)
        if value is None:
            return None
        if value.upper() not in supported:
            self._wrong(name, "TYPE_ENUM", value)
        return value.upper()

    def boolean(self, name: str) -> bool:
        """True or false; false if it is left out."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            self._wrong(name, "TYPE_BOOL", value)
        return value is True

    def integer(self, name: str) -> int | None:
        """A whole number, which may come as a string."""
        value = self._values.get(name)
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            self._wrong(name, "TYPE_INT32", value)
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong(name, "TYPE_FLOAT", value)
        if not low <= value <= high:
            reach = f"{snake(name)} must be in the range [{low:.1f}, {high:.1f}]"
            invalid(f"* GenerateContentRequest.{self.path(name)}: {reach}.\n")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        items = self._array(name)
        for item in items:
            if not isinstance(item, str):
                self._wrong(name, "TYPE_STRING", item)
        return tuple(item for item in items if isinstance(item, str))

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list, each knowing where it stands; one alone is a list of one."""
        for at, item in enumerate(self._array(name)):
            where = f"{self.path(name)}[{at}]"
            if not isinstance(item, dict):
                violated(f"Invalid value at '{where}' (type.googleapis.com/Message), {_shown(item)}", where)
            yield Fields(item, where)

    def section(self, name: str) -> Fields | None:
        """An object."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._wrong(name, "type.googleapis.com/Message", value)
        return Fields(value, self.path(name))

    def mapping(self, name: str) -> dict[str, object] | None:
        """An object of any content, as it was sent."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            self._wrong(name, "type.googleapis.com/google.protobuf.Struct", value)
        return value

    def data(self, name: str) -> str | None:
        """Bytes, in either alphabet of base64; given back in the usual one."""
        value = self.text(name)
        if value is None:
            return None
        usual = value.translate(_USUAL).rstrip("=")
        try:
            base64.b64decode(usual + "=" * (-len(usual) % 4), validate=True)
        except (binascii.Error, ValueError):
            where = self.path(name)
            violated(
                f"Invalid value at '{where}' (TYPE_BYTES), Base64 decoding failed for {_shown(value)}", where
            )
        return usual + "=" * (-len(usual) % 4)

    def _array(self, name: str) -> list[object]:
        value = self._values.get(name)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def _wrong(self, name: str, wanted: str, value: object) -> NoReturn:
        where = self.path(name)
        violated(f"Invalid value at '{where}' ({wanted}), {_shown(value)}", where)


_USUAL = str.maketrans("-_", "+/")


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()[:80]
