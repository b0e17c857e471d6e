"""The ledger: nothing is lost while it can be kept, and what is lost is counted."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from madang.core.errors import StoreError
from madang.core.record import Record
from madang.observe.ledger import Ledger, Stats

FAST = 0.001
NEVER = 3600.0


def records(count: int, start: int = 0) -> list[Record]:
    return [
        Record(id=f"call_{number}", started_at=number, operation="x")
        for number in range(start, start + count)
    ]


class Memory:
    """A store that keeps batches, and fails or stands still when told to."""

    def __init__(self) -> None:
        self.batches: list[list[Record]] = []
        self.tried: list[int] = []
        self.error: Exception | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.entered = threading.Event()
        self.threads: set[str] = set()

    def has(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.all) == count

    def was_tried(self, times: int) -> Callable[[], bool]:
        return lambda: len(self.tried) >= times

    def write(self, batch: Sequence[Record]) -> None:
        self.threads.add(threading.current_thread().name)
        self.tried.append(len(batch))
        self.entered.set()
        assert self.may_go_on.wait(20)
        if self.error is not None:
            raise self.error
        self.batches.append(list(batch))

    @property
    def all(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]


async def until(reached: Callable[[], object]) -> None:
    """Let the loop turn until `reached`; a test that waits in vain fails."""
    async with asyncio.timeout(20):
        while not reached():
            await asyncio.sleep(FAST)


def put_all(ledger: Ledger, batch: Sequence[Record]) -> None:
    for record in batch:
        ledger.put(record)


async def test_a_record_is_written_soon_without_more_coming() -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    [record] = records(1)
    ledger.put(record)
    await until(lambda: store.all == [record])
    await ledger.stop()
    assert ledger.stats() == Stats(written=1, dropped=0, pending=0)


async def test_a_full_batch_does_not_wait_for_the_interval() -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=NEVER, batch=10)
    await ledger.start()
    put_all(ledger, records(9))
    await asyncio.sleep(0)
    assert store.tried == []
    put_all(ledger, records(1, start=9))
    await until(store.has(10))
    await ledger.stop()


async def test_records_are_written_in_order_and_in_batches_from_one_thread() -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=FAST, batch=100)
    await ledger.start()
    every = records(1050)
    put_all(ledger, every)
    await ledger.stop()
    assert store.all == every
    assert max(store.tried) == 100
    assert len(store.threads) == 1
    assert threading.current_thread().name not in store.threads


async def test_a_graceful_stop_loses_none_of_what_was_put_until_then() -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=FAST, batch=7)
    await ledger.start()
    every = records(2000)
    for record in every:
        ledger.put(record)
        if record.started_at % 100 == 0:
            await asyncio.sleep(0)
    await ledger.stop()
    assert store.all == every
    assert ledger.stats() == Stats(written=2000, dropped=0, pending=0)


async def test_a_stop_waits_for_the_batch_in_hand() -> None:
    store = Memory()
    store.may_go_on.clear()
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    put_all(ledger, records(3))
    await until(store.entered.is_set)
    put_all(ledger, records(2, start=3))
    assert ledger.stats().pending == 5
    stopping = asyncio.get_running_loop().create_task(ledger.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    store.may_go_on.set()
    await stopping
    assert store.all == records(5)


async def test_a_ledger_that_never_started_still_writes_when_stopped() -> None:
    store = Memory()
    ledger = Ledger(store.write)
    put_all(ledger, records(3))
    await ledger.stop()
    assert store.all == records(3)


async def test_an_idle_ledger_leaves_the_store_alone() -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    await asyncio.sleep(10 * FAST)
    await ledger.stop()
    assert store.tried == []


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("prompt of a customer")])
async def test_an_outage_keeps_records_in_order_until_the_store_is_back(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = Memory()
    store.error = error
    ledger = Ledger(store.write, flush_seconds=FAST, batch=10)
    await ledger.start()
    put_all(ledger, records(25))
    await until(store.was_tried(4))
    put_all(ledger, records(5, start=25))
    assert ledger.stats() == Stats(written=0, dropped=0, pending=30)
    store.error = None
    await until(store.has(30))
    await ledger.stop()
    assert store.all == records(30)
    warnings = [line.getMessage() for line in caplog.records if line.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "prompt" not in warnings[0]


async def test_each_outage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    store = Memory()
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    for outage in (1, 2):
        store.error = StoreError("the server does not answer")
        tried = len(store.tried)
        put_all(ledger, records(3, start=10 * outage))
        await until(store.was_tried(tried + 3))
        store.error = None
        await until(lambda: ledger.stats().pending == 0)
    await ledger.stop()
    assert [line.name for line in caplog.records if line.levelno == logging.WARNING] == ["madang.ledger"] * 2
    assert caplog.text.count("does not answer") == 2


async def test_tries_during_an_outage_grow_rarer() -> None:
    store = Memory()
    store.error = StoreError("out")
    ledger = Ledger(store.write, flush_seconds=0.004)
    await ledger.start()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    ledger.put(records(1)[0])
    await until(lambda: len(store.tried) == 6)
    # 4 + 8 + 16 + 32 + 64 ms between six tries; without the doubling it would be 20.
    assert loop.time() - begun > 0.1
    store.error = None
    await ledger.stop()


async def test_beyond_the_limit_the_oldest_are_dropped_and_counted() -> None:
    store = Memory()
    store.error = StoreError("out")
    ledger = Ledger(store.write, flush_seconds=FAST, batch=10, limit=50)
    await ledger.start()
    for start in range(0, 80, 10):
        put_all(ledger, records(10, start=start))
        await asyncio.sleep(FAST)
    await until(lambda: ledger.stats() == Stats(written=0, dropped=30, pending=50))
    store.error = None
    await ledger.stop()
    assert store.all == records(50, start=30)
    assert ledger.stats() == Stats(written=50, dropped=30, pending=0)


async def test_a_store_that_stands_still_does_not_let_memory_grow() -> None:
    store = Memory()
    store.may_go_on.clear()
    ledger = Ledger(store.write, flush_seconds=FAST, batch=10, limit=50)
    await ledger.start()
    put_all(ledger, records(10))
    await until(store.entered.is_set)
    for start in range(10, 1000):
        ledger.put(records(1, start=start)[0])
        assert ledger.stats().pending <= 50
    store.may_go_on.set()
    await ledger.stop()
    assert store.all == records(10) + records(40, start=960)
    assert ledger.stats() == Stats(written=50, dropped=950, pending=0)


@pytest.mark.parametrize("limit", [1, 5])
async def test_a_limit_below_the_batch_size_holds_as_well(limit: int) -> None:
    store = Memory()
    ledger = Ledger(store.write, batch=10, limit=limit)
    put_all(ledger, records(20))
    assert ledger.stats() == Stats(written=0, dropped=20 - limit, pending=limit)
    await ledger.stop()
    assert store.all == records(limit, start=20 - limit)


async def test_a_stop_during_an_outage_waits_for_the_store_to_come_back() -> None:
    store = Memory()
    store.error = StoreError("out")
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    put_all(ledger, records(5))
    stopping = asyncio.get_running_loop().create_task(ledger.stop())
    await until(store.was_tried(3))
    store.error = None
    await stopping
    assert store.all == records(5)


async def test_a_stop_gives_up_after_its_patience_and_says_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Memory()
    store.error = StoreError("out")
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    put_all(ledger, records(5))
    await ledger.stop(patience=0.02)
    assert "5 records are lost" in caplog.text
    assert ledger.stats().pending == 5


async def test_every_sink_sees_every_record_once_in_order() -> None:
    store, one, other = Memory(), Memory(), Memory()
    ledger = Ledger(store.write, flush_seconds=FAST, batch=10, sinks=[one.write, other.write])
    await ledger.start()
    put_all(ledger, records(35))
    await ledger.stop()
    assert store.all == one.all == other.all == records(35)


async def test_a_failing_sink_stops_neither_the_others_nor_the_store(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, broken, well = Memory(), Memory(), Memory()
    broken.error = ValueError("prompt of a customer")
    ledger = Ledger(store.write, flush_seconds=FAST, sinks=[broken.write, well.write])
    await ledger.start()
    for start in range(0, 30, 10):
        put_all(ledger, records(10, start=start))
        await until(store.has(start + 10))
    await ledger.stop()
    assert store.all == well.all == records(30)
    assert len(broken.tried) == 3
    assert caplog.text.count("a sink of records fails") == 1
    assert "prompt" not in caplog.text


async def test_an_outage_of_the_store_stops_no_sink_and_repeats_nothing() -> None:
    store, sink = Memory(), Memory()
    store.error = StoreError("out")
    ledger = Ledger(store.write, flush_seconds=FAST, sinks=[sink.write])
    await ledger.start()
    for start in range(0, 30, 10):
        put_all(ledger, records(10, start=start))
        await until(sink.has(start + 10))
    store.error = None
    await ledger.stop()
    assert sink.all == store.all == records(30)


async def _cancelled(ledger: Ledger) -> None:
    task = ledger._task
    assert task is not None
    task.cancel()
    ledger._task = None
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_cancelled_while_writing_still_leaves_its_batch_to_the_stop() -> None:
    """A loop that is torn down cancels every task; the store ignores what it has already."""
    store = Memory()
    store.may_go_on.clear()
    ledger = Ledger(store.write, flush_seconds=FAST)
    await ledger.start()
    put_all(ledger, records(4))
    await until(store.entered.is_set)
    cancelled: Awaitable[None] = _cancelled(ledger)
    await cancelled
    store.may_go_on.set()
    await ledger.stop()
    assert store.batches[-1] == records(4)
