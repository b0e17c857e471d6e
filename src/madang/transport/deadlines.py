"""How long a provider may take, and the one clock that watches over it.

A timer per phase per call costs 3 to 5 µs each (performance.md); looking at every connection
in use twenty times a second costs next to nothing and is never more than one tick late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec

TICK = 0.05
"""Seconds between two looks."""


class Timeouts(msgspec.Struct, frozen=True, gc=False):
    """Seconds a provider is given, by phase."""

    connect: float = 10.0
    first_byte: float = 600.0
    between_bytes: float = 120.0
    whole: float = 3600.0


class Watched(Protocol):
    """Something with deadlines of its own."""

    def expire(self, now: float) -> None:
        """Give up if `now` (the loop's time) is past a deadline."""


class Deadlines:
    """Calls `expire` on everything `watched` yields, every `TICK` seconds."""

    def __init__(self, watched: Iterable[Watched], tick: float = TICK) -> None:
        self._watched = watched
        self._tick = tick
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look; needs a running loop."""
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._tick, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        # The next look first: a fault in this one must not be the end of all deadlines.
        self._timer = self._loop.call_later(self._tick, self._look)
        now = self._loop.time()
        for one in tuple(self._watched):
            one.expire(now)
