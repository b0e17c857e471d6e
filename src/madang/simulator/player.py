"""Plays a plan on a connection: each step when it is due, none while the client cannot take more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from madang.simulator.plan import Plan
from madang.simulator.ticker import Ticker

_MOST_AT_ONCE = 65_536


class Player:
    """One answer under way. A step that comes late does not delay those after it."""

    __slots__ = (
        "_armed",
        "_at",
        "_done",
        "_due",
        "_loop",
        "_paused",
        "_scheduled",
        "_steps",
        "_stopped",
        "_ticker",
        "_transport",
        "plan",
    )

    def __init__(
        self,
        plan: Plan,
        transport: asyncio.WriteTransport,
        loop: asyncio.AbstractEventLoop,
        ticker: Ticker,
        done: Callable[[], None],
        *,
        paused: bool,
    ) -> None:
        self.plan, self._steps = plan, plan.steps
        self._transport, self._loop, self._ticker, self._done = transport, loop, ticker, done
        self._at, self._due = 0, loop.time()
        self._armed = self._scheduled = self._stopped = False
        self._paused = paused

    def pause(self) -> None:
        """Write nothing more for now."""
        self._paused = True

    def resume(self) -> None:
        """Go on where it stopped."""
        self._paused = False
        if not self._scheduled:
            self.play()

    def stop(self) -> None:
        """Write nothing more, ever."""
        self._stopped = True

    def play(self) -> None:
        """Write what is due; then wait for what comes next, or say that it is done."""
        batch: list[bytes] = []
        size = 0
        while self._at < len(self._steps) and not (self._stopped or self._paused):
            step = self._steps[self._at]
            if not self._armed:
                self._due += step.delay
                self._armed = True
            if (step.delay and self._due > self._loop.time()) or (step.apart and batch):
                break
            self._at, self._armed = self._at + 1, False
            batch.append(step.data)
            size += len(step.data)
            if step.apart or size >= _MOST_AT_ONCE:
                break
        if batch:
            self._transport.write(batch[0] if len(batch) == 1 else b"".join(batch))
        self._go_on()

    def _go_on(self) -> None:
        if self._stopped:
            return
        if self._at == len(self._steps):
            self._stopped = True
            self._done()
        elif not self._paused:
            self._scheduled = True
            if self._armed and self._due > self._loop.time():
                self._ticker.at(self._due, self._wake)
            else:
                self._loop.call_soon(self._wake)

    def _wake(self) -> None:
        self._scheduled = False
        self.play()
