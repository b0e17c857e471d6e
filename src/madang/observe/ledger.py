"""The ledger: where records wait until a thread has written them.

Calls only append to a list. A task takes what is there every `flush_seconds`, or at once when a
batch is full, shows it to the sinks and has the store write it. While the store fails, records
stay here and are tried again; a graceful stop loses none, a kill what came after the last flush.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from madang.core.errors import MadangError
from madang.core.record import Record

Sink = Callable[[Sequence[Record]], None]
"""Takes a batch, in the ledger's thread, one batch at a time. Must not keep or change the records."""

_LONGEST_WAIT = 5.0

_log = logging.getLogger("madang.ledger")


class Stats(msgspec.Struct, frozen=True):
    """Records since the start, but for `pending`: those waiting now."""

    written: int
    dropped: int
    pending: int


class Ledger:
    """Takes records on the event loop, hands them on in batches from one thread.

    `write` is the store: what it raises is an outage, and the same records are tried again.
    `sinks` see every record once, whatever the store does; what one raises is logged and that is all.
    At most `limit` records wait; beyond that the oldest are dropped, and counted.
    """

    def __init__(
        self,
        write: Sink,
        *,
        flush_seconds: float = 0.25,
        batch: int = 1000,
        limit: int = 200_000,
        sinks: Sequence[Sink] = (),
    ) -> None:
        self._write, self._sinks = write, tuple(sinks)
        self._flush_seconds, self._batch, self._limit = flush_seconds, min(batch, limit), limit
        self._new: deque[Record] = deque()
        self._kept: deque[Record] = deque()
        """Shown to the sinks, not yet written. Oldest first, as in `_new`."""
        self._in_hand = 0
        """Records the store is being given just now."""
        self._written = self._dropped = 0
        self._mark = self._batch
        self._wake = asyncio.Event()
        self._stopping = False
        self._wait, self._retry_at = 0.0, 0.0
        """The pause after the last failure, and when it ends; no pause: the store works."""
        self._quiet: set[int] = set()
        """Numbers of sinks whose failure has been logged and which have not worked since."""
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="madang-ledger")

    def put(self, record: Record) -> None:
        """Take a finished record. On the event loop only; it costs an append and a comparison."""
        self._new.append(record)
        if len(self._new) >= self._mark:
            self._crowded()

    def stats(self) -> Stats:
        return Stats(self._written, self._dropped, self._pending())

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="madang-ledger")

    async def stop(self, patience: float = 10.0) -> None:
        """Write what is left and end. A store that is out is tried for `patience` seconds, then given up."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
            self._task = None
        await self._drain(asyncio.get_running_loop().time() + patience)
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._flush_seconds):
                    await self._wake.wait()
            self._wake.clear()
            await self._flush()

    async def _drain(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        await self._flush()
        while self._pending() and (now := loop.time()) < deadline:
            await asyncio.sleep(min(self._retry_at, deadline) - now)
            await self._flush()
        if lost := self._pending():
            _log.error("stopped while the store is out: %d records are lost", lost)

    async def _flush(self) -> None:
        await self._show()
        loop = asyncio.get_running_loop()
        while self._kept and loop.time() >= self._retry_at:
            await self._write_batch(loop)

    async def _show(self) -> None:
        fresh, self._new = list(self._new), deque()
        self._kept.extend(fresh)
        self._trim()
        if fresh and self._sinks:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._tell, fresh)

    def _tell(self, fresh: Sequence[Record]) -> None:
        for number, sink in enumerate(self._sinks):
            try:
                sink(fresh)
                self._quiet.discard(number)
            except Exception as error:  # noqa: BLE001 - whatever it raises, the others go on
                if number not in self._quiet:
                    _log.error("a sink of records fails: %s", _reason(error))
                self._quiet.add(number)

    async def _write_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        records = [self._kept.popleft() for _ in range(min(self._batch, len(self._kept)))]
        self._in_hand = len(records)
        try:
            await loop.run_in_executor(self._thread, self._write, records)
        except BaseException as error:
            # Cancelled or failed, perhaps after all was written: the store takes a record only once.
            self._kept.extendleft(reversed(records))
            if not isinstance(error, Exception):
                raise
            self._failed(error, loop.time())
        else:
            self._written += len(records)
            self._worked()
        finally:
            self._in_hand = 0
            self._trim()

    def _failed(self, error: Exception, now: float) -> None:
        if not self._wait:
            _log.warning("records cannot be written and are kept in memory: %s", _reason(error))
        self._wait = min(max(2 * self._wait, self._flush_seconds), _LONGEST_WAIT)
        self._retry_at = now + self._wait

    def _worked(self) -> None:
        if self._wait:
            _log.info("records are written again; %d dropped since the start", self._dropped)
        self._wait = self._retry_at = 0.0

    def _crowded(self) -> None:
        """A batch is full, or the limit is reached: wake the task, and make room if need be."""
        self._wake.set()
        self._trim()

    def _trim(self) -> None:
        excess = self._pending() - self._limit
        self._dropped += max(excess, 0)
        while excess > 0 and self._kept:
            self._kept.popleft()
            excess -= 1
        while excess > 0:
            self._new.popleft()
            excess -= 1
        room = self._limit - self._in_hand - len(self._kept)
        self._mark = self._batch if len(self._new) < self._batch <= room else max(room, 0) + 1

    def _pending(self) -> int:
        return len(self._new) + len(self._kept) + self._in_hand


def _reason(error: Exception) -> str:
    # Ours are written for people and hold nothing secret; of others only the kind is known to be harmless.
    return str(error) if isinstance(error, MadangError) else type(error).__name__
