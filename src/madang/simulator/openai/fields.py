"""Reading a JSON object field by field; what is wrong is said in OpenAI's own sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NoReturn

import msgspec

from madang.simulator.openai.errors import BAD_JSON
from madang.simulator.vocabulary import ApiError


def read_object(body: bytes) -> Fields:
    """The request's body as fields. Raises ApiError if it is not a JSON object."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ApiError(400, BAD_JSON) from None
    if not isinstance(value, dict):
        raise ApiError(400, BAD_JSON)
    return Fields(value)


def invalid(message: str, param: str | None, code: str | None = None) -> NoReturn:
    """Refuse the request."""
    raise ApiError(400, message, param=param, code=code)


class Fields:
    """One object of a request and where it stands; null counts as left out, as OpenAI has it."""

    __slots__ = ("_path", "_values")

    def __init__(self, values: dict[str, object], path: str = "") -> None:
        self._values, self._path = values, path

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    @property
    def values(self) -> dict[str, object]:
        """All fields as they were sent."""
        return self._values

    def size(self) -> int:
        """How many fields were sent."""
        return len(self._values)

    def raw(self, name: str) -> object:
        """The value as it was sent."""
        return self._values.get(name)

    def path(self, name: str) -> str:
        """The field's full name, for errors."""
        return f"{self._path}.{name}" if self._path else name

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raises ApiError for the first field that is not known."""
        for name in self._values:
            if name not in known:
                invalid(f"Unknown parameter: '{self.path(name)}'.", self.path(name), "unknown_parameter")

    def required(self, name: str) -> None:
        """Raises ApiError if the field is left out."""
        if name not in self._values:
            where = self.path(name)
            invalid(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")

    def text(self, name: str) -> str | None:
        """A string."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            wrong_type(self.path(name), "a string", value)
        return value

    def longest(self, name: str, most: int) -> None:
        """Raises ApiError if a string has more than so many characters."""
        value, where = self.text(name), self.path(name)
        if value is not None and len(value) > most:
            invalid(
                f"Invalid '{where}': string too long. Expected a string with maximum length {most}, but got "
                f"a string with length {len(value)} instead.",
                where,
                "string_above_max_length",
            )

    def boolean(self, name: str) -> bool | None:
        """True or false."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            wrong_type(self.path(name), "a boolean", value)
        return value

    def integer(self, name: str, low: int | None = None, high: int | None = None) -> int | None:
        """A whole number within bounds."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            wrong_type(self.path(name), "an integer", value)
        self._bounded(name, "integer", value, low, high)
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            wrong_type(self.path(name), "a decimal", value)
        self._bounded(name, "decimal", value, low, high)
        return value

    def one_of(self, name: str, supported: Sequence[str]) -> str | None:
        """One of the supported words."""
        value = self.text(name)
        if value is not None and value not in supported:
            message = f"Invalid value: '{value}'. Supported values are: {listed(supported)}."
            invalid(message, self.path(name), "invalid_value")
        return value

    def array(
        self, name: str, of: str = "an array", most: int | None = None, least: int = 0
    ) -> list[object] | None:
        """An array with so many items."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            wrong_type(self.path(name), of, value)
        where = self.path(name)
        if least and not value:
            invalid(
                f"Invalid '{where}': empty array. Expected an array with minimum length {least}, but got an "
                "empty array instead.",
                where,
                "empty_array",
            )
        if most is not None and len(value) > most:
            invalid(
                f"Invalid '{where}': array too long. Expected an array with maximum length {most}, but got "
                f"an array with length {len(value)} instead.",
                where,
                "array_above_max_length",
            )
        return value

    def objects(
        self, name: str, of: str = "an array of objects", *, most: int | None = None, least: int = 0
    ) -> Iterator[Fields]:
        """The objects of an array, each knowing where it stands."""
        for at, item in enumerate(self.array(name, of, most, least) or ()):
            where = f"{self.path(name)}[{at}]"
            if not isinstance(item, dict):
                wrong_type(where, "an object", item)
            yield Fields(item, where)

    def section(self, name: str) -> Fields | None:
        """An object."""
        value = self.mapping(name)
        return None if value is None else Fields(value, self.path(name))

    def mapping(self, name: str) -> dict[str, object] | None:
        """An object as it was sent."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            wrong_type(self.path(name), "an object", value)
        return value

    def _bounded(self, name: str, kind: str, value: float, low: float | None, high: float | None) -> None:
        where = self.path(name)
        if low is not None and value < low:
            invalid(
                f"Invalid '{where}': {kind} below minimum value. Expected a value >= {low}, but got {value} "
                "instead.",
                where,
                f"{kind}_below_min_value",
            )
        if high is not None and value > high:
            invalid(
                f"Invalid '{where}': {kind} above maximum value. Expected a value <= {high}, but got {value} "
                "instead.",
                where,
                f"{kind}_above_max_value",
            )


def wrong_type(where: str, wanted: str, value: object) -> NoReturn:
    """Refuse a value of another type than wanted."""
    message = f"Invalid type for '{where}': expected {wanted}, but got {_type_name(value)} instead."
    invalid(message, where, "invalid_type")


def listed(words: Sequence[str]) -> str:
    """`'a', 'b', and 'c'`."""
    quoted = [f"'{word}'" for word in words]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + f", and {quoted[-1]}"


def _type_name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case list():
            return "an array"
        case _:
            return "an object"
