"""Reading a JSON object field by field; what is wrong is said in Anthropic's own sentences.

They are pydantic's, with the place in front: `messages.0.content.1.text.text: Field required`. Inside a
union the place names the member as well, which is why a section takes a `tag`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NoReturn

import msgspec

from madang.simulator.anthropic.errors import invalid

_BAD_JSON = "The request body is not valid JSON: {reason}"


def read_object(body: bytes) -> Fields:
    """The request's body as fields. Raises ApiError if it is not a JSON object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        invalid(_BAD_JSON.format(reason=str(error).partition("\n")[0][:80]))
    if not isinstance(value, dict):
        invalid("Input should be a valid dictionary")
    return Fields(value)


def refuse(where: str, why: str) -> NoReturn:
    """Refuse the request for what stands somewhere in it."""
    invalid(f"{where}: {why}")


def quoted(words: Sequence[str]) -> str:
    """`'a', 'b' or 'c'`."""
    shown = [f"'{word}'" for word in words]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


class Fields:
    """One object of a request and where it stands. Null counts as left out."""

    __slots__ = ("_path", "_values")

    def __init__(self, values: dict[str, object], path: str = "") -> None:
        self._values, self._path = values, path

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    @property
    def where(self) -> str:
        """Where the object stands."""
        return self._path

    @property
    def values(self) -> dict[str, object]:
        """The object as it was sent."""
        return self._values

    def path(self, name: str) -> str:
        """The field's full name, for errors."""
        return f"{self._path}.{name}" if self._path else name

    def tagged(self, tag: str) -> Fields:
        """The same object, known as a member of a union."""
        return Fields(self._values, self.path(tag))

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises ApiError for the first field that is not known."""
        for name in self._values:
            if name not in known:
                refuse(self.path(name), "Extra inputs are not permitted")

    def raw(self, name: str) -> object:
        """The value as it was sent."""
        return self._values.get(name)

    def needed(self, name: str) -> object:
        """The value of a field that has to be there."""
        if name not in self._values:
            refuse(self.path(name), "Field required")
        return self._values[name]

    def text(self, name: str) -> str:
        """A string that has to be there."""
        value = self.needed(name)
        if not isinstance(value, str):
            refuse(self.path(name), "Input should be a valid string")
        return value

    def optional_text(self, name: str) -> str | None:
        """A string that may be left out."""
        return self.text(name) if name in self else None

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """A string of a pattern."""
        value = self.text(name)
        if not pattern.fullmatch(value):
            refuse(self.path(name), f"String should match pattern '^{pattern.pattern}$'")
        return value

    def boolean(self, name: str) -> bool | None:
        """True or false."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            refuse(self.path(name), "Input should be a valid boolean")
        return value

    def integer(self, name: str, low: int | None = None) -> int | None:
        """A whole number."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            refuse(self.path(name), "Input should be a valid integer")
        if low is not None and value < low:
            refuse(self.path(name), f"Input should be greater than or equal to {low}")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse(self.path(name), "Input should be a valid number")
        if not low <= value <= high:
            refuse(self.path(name), f"range: {low:g}..{high:g}")
        return value

    def one_of(self, name: str, supported: Sequence[str]) -> str:
        """One of the supported words, which has to be there."""
        value = self.needed(name)
        if value not in supported or not isinstance(value, str):
            refuse(self.path(name), f"Input should be {quoted(supported)}")
        return value

    def tag(self, supported: Collection[str]) -> str:
        """The `type` that says which member of a union this is."""
        if not isinstance(value := self._values.get("type"), str):
            refuse(self.path("type"), "Field required")
        if value not in supported:
            tags = ", ".join(f"'{tag}'" for tag in sorted(supported))
            refuse(
                self._path,
                f"Input tag '{value}' found using 'type' does not match any of the expected tags: {tags}",
            )
        return value

    def array(self, name: str) -> list[object]:
        """A list; empty if it is left out."""
        value = self._values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            refuse(self.path(name), "Input should be a valid list")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        items = self.array(name)
        for at, item in enumerate(items):
            if not isinstance(item, str):
                refuse(f"{self.path(name)}.{at}", "Input should be a valid string")
        return tuple(item for item in items if isinstance(item, str))

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list, each knowing where it stands."""
        for at, item in enumerate(self.array(name)):
            where = f"{self.path(name)}.{at}"
            if not isinstance(item, dict):
                refuse(where, "Input should be an object")
            yield Fields(item, where)

    def section(self, name: str) -> Fields | None:
        """An object that may be left out."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            refuse(self.path(name), "Input should be an object")
        return Fields(value, self.path(name))

    def needed_section(self, name: str) -> Fields:
        """An object that has to be there."""
        self.needed(name)
        return self.section(name) or Fields({}, self.path(name))

    def mapping(self, name: str) -> dict[str, object]:
        """An object of any content, which has to be there."""
        value = self.needed(name)
        if not isinstance(value, dict):
            refuse(self.path(name), "Input should be a valid dictionary")
        return value
