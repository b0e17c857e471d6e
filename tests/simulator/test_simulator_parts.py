"""The journal's bounds and the ticker's timing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from madang.simulator.journal import Journal
from madang.simulator.request import Request
from madang.simulator.ticker import Ticker


def _request(body: bytes) -> Request:
    return Request("POST", "/x", "", {}, body)


def test_the_journal_forgets_the_oldest_beyond_its_bounds() -> None:
    journal = Journal(most=3, most_bytes=10)
    for body in (b"1", b"2", b"3", b"4"):
        journal.add(_request(body))
    assert [request.body for request in journal.all()] == [b"2", b"3", b"4"]
    journal.add(_request(b"12345678"))
    assert [request.body for request in journal.all()] == [b"3", b"4", b"12345678"]
    journal.add(_request(b"x" * 99))
    assert [len(request.body) for request in journal.all()] == [99]


class _Timer:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class _Loop:
    """A loop whose time is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None], _Timer]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, due: float, wake: Callable[[], None]) -> Any:
        timer = _Timer()
        self.timers.append((due, wake, timer))
        return timer

    def move_to(self, now: float) -> None:
        self.now = now
        while due := [entry for entry in self.timers if entry[0] <= now and not entry[2].cancelled]:
            self.timers.remove(due[0])
            due[0][1]()


def _ticker() -> tuple[_Loop, Ticker]:
    loop = _Loop()
    return loop, Ticker(cast("asyncio.AbstractEventLoop", loop))


def test_a_thousand_waits_in_one_millisecond_cost_one_timer() -> None:
    loop, ticker = _ticker()
    woken: list[int] = []
    for at in range(1000):
        ticker.at(0.0101 + at * 1e-7, lambda at=at: woken.append(at))  # type: ignore[misc]  # a default binds the number
    assert len(loop.timers) == 1
    loop.move_to(0.0099)
    assert woken == []
    loop.move_to(0.0111)
    assert woken == list(range(1000))


def test_an_earlier_wait_goes_first_and_new_ones_may_come_while_it_fires() -> None:
    loop, ticker = _ticker()
    woken: list[str] = []
    ticker.at(0.05, lambda: woken.append("late"))

    def early() -> None:
        woken.append("early")
        ticker.at(0.02, lambda: woken.append("again"))

    ticker.at(0.01, early)
    loop.move_to(0.012)
    assert woken == ["early"]
    loop.move_to(0.06)
    assert woken == ["early", "again", "late"]


def test_a_stopped_ticker_wakes_nobody() -> None:
    loop, ticker = _ticker()
    woken: list[str] = []
    ticker.at(0.01, lambda: woken.append("x"))
    ticker.stop()
    loop.move_to(1.0)
    assert woken == []
