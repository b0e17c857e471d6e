"""A secret that never prints.

Every way of turning it into text by accident (`str`, `repr`, `format`, logging, JSON)
gives a mask; `reveal()` is the one door, and easy to search for.
"""

from __future__ import annotations

MASK = "********"


class Secret:
    """A string that must not reach a log, a page, an error or a commit."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself. Call it only where bytes leave for the one who may have them."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not to be pickled")
