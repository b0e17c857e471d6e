"""Time and ids: the one place where chance and the wall clock enter."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

# Crockford's base 32: no letter that is read as another one.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


monotonic = time.perf_counter
"""Seconds that only go forward, fine enough to time a call. uvloop's time ticks in ms."""


def now_us() -> int:
    """Wall clock, in microseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1000


def _base32(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 32)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


class Ids:
    """Ids that sort by process start and then by order of making; unique across replicas.

    A counter under a random prefix: `uuid4` costs ten times as much and sorts by nothing.
    """

    __slots__ = ("_count", "_prefix")

    def __init__(self, kind: str, entropy: Callable[[int], int] = secrets.randbits) -> None:
        self._prefix = f"{kind}_{_base32(time.time_ns() // 1_000_000_000, 7)}{_base32(entropy(40), 8)}"
        self._count = 0

    def __call__(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count:08x}"
