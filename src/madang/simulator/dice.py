"""Chance that repeats: the same seeds throw the same dice, on every machine.

`random.Random` costs ten times as much to seed, and a request seeds one or two.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

# Knuth's MMIX generator; the high bits are the good ones.
_FACTOR, _STEP, _MASK = 6364136223846793005, 1442695040888963407, (1 << 64) - 1


class Dice:
    """A small generator of reproducible chance."""

    __slots__ = ("_state",)

    def __init__(self, *seeds: object) -> None:
        text = "\x1f".join(map(str, seeds)).encode("utf-8", "surrogatepass")
        self._state = int.from_bytes(blake2b(text, digest_size=8).digest(), "big")

    def throw(self) -> int:
        """31 fresh bits."""
        self._state = (self._state * _FACTOR + _STEP) & _MASK
        return self._state >> 33

    def below(self, limit: int) -> int:
        """A whole number from 0 up to and not including `limit` (at most 2**31)."""
        return self.throw() % limit

    def unit(self) -> float:
        """A number from 0 up to and not including 1."""
        return self.throw() / 2147483648.0

    def pick(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.below(len(values))]
