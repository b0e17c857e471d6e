"""One timer for everything that waits.

Wake-ups are gathered into slots of a millisecond, and the event loop is asked for the earliest
slot alone: five thousand paced streams cost one timer per millisecond, not one per chunk.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

_SLOTS_PER_SECOND = 1000


class Ticker:
    """Calls back at the given time of the loop's clock, at most a slot later, never earlier."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._order: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0

    def at(self, due: float, wake: Callable[[], None]) -> None:
        """Call `wake` once it is `due`."""
        slot = int(due * _SLOTS_PER_SECOND) + 1
        waiting = self._slots.get(slot)
        if waiting is not None:
            waiting.append(wake)
            return
        self._slots[slot] = [wake]
        heapq.heappush(self._order, slot)
        if self._timer is None or slot < self._next:
            self._wait_for(slot)

    def stop(self) -> None:
        """Forget everything that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._slots.clear()
        self._order.clear()

    def _wait_for(self, slot: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = slot
        self._timer = self._loop.call_at(slot / _SLOTS_PER_SECOND, self._tick)

    def _tick(self) -> None:
        self._timer, self._next = None, 0
        # Timers may fire a clock's resolution early; what is due within it is due.
        now = int(self._loop.time() * _SLOTS_PER_SECOND + 0.5)
        try:
            while self._order and self._order[0] <= now:
                for wake in self._slots.pop(heapq.heappop(self._order)):
                    wake()
        finally:
            if self._order:
                self._wait_for(self._order[0])
