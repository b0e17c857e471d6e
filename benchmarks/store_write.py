"""What writing records costs the event loop: five ways to insert, measured beside a busy loop.

    PYTHONPATH=src python benchmarks/store_write.py
    PYTHONPATH=src python benchmarks/store_write.py --postgres postgresql://postgres@127.0.0.1/postgres

A uvloop echoes over a socket pair, with a few µs of Python for each message, as fast as it can.
A thread beside it writes 20 batches a second of 1,000 records, as the ledger does at 20,000 calls
a second. Rounds are interleaved; medians are printed:

    alone us    wall time of one record, nothing else running
    cpu us      processor time of the writing thread for one record, beside the loop
    stolen us   loop time lost per record: how much less was echoed, in time
    batch ms    wall time of a batch beside the loop
    gap ms      the longest that the loop stood still, 99th percentile of its 10 ms windows
    rec/s       written; fewer than 20,000 means it fell behind
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import socketpair
from typing import cast

import msgspec
import uvloop
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from madang.core.clock import Ids
from madang.core.record import Attempt, Record, Usage
from madang.store import batches
from madang.store.address import read_url
from madang.store.database import Database, connect
from madang.store.rows import COLUMNS, USAGE, row_of
from madang.store.schema import prepare
from madang.store.tables import calls

BATCH, PER_SECOND, SECONDS = 1000, 20, 2.0

Insert = Callable[[Connection, Sequence[Record]], None]
_encode = msgspec.json.Encoder().encode
_HEAD = f"INSERT INTO calls ({', '.join(COLUMNS)})"
_ONCE = "ON CONFLICT (id) DO NOTHING"


def typed_row(connection: Connection, record: Record) -> tuple[object, ...]:
    """PostgreSQL wants true and false where SQLite takes 1 and 0."""
    row = row_of(record)
    if connection.dialect.name == "sqlite":
        return row
    at = COLUMNS.index("passed")
    return (*row[:at], record.passed, record.streamed, *row[at + 2 :])


def core(connection: Connection, records: Sequence[Record]) -> None:
    """Core's insert, executemany over dictionaries."""
    kind = sqlite if connection.dialect.name == "sqlite" else postgresql
    rows = [dict(zip(COLUMNS, typed_row(connection, record), strict=True)) for record in records]
    connection.execute(kind.insert(calls).on_conflict_do_nothing(), rows)


def driver_many(connection: Connection, records: Sequence[Record]) -> None:
    """The SQL text itself, executemany over tuples."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    sql = f"{_HEAD} VALUES ({', '.join([mark] * len(COLUMNS))}) {_ONCE}"
    connection.exec_driver_sql(sql, [typed_row(connection, record) for record in records])


def many_rows(connection: Connection, records: Sequence[Record]) -> None:
    """Statements of up to 256 rows each."""
    if connection.dialect.name == "sqlite":
        batches.insert_rows(connection, records)
        return
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    for start in range(0, len(records), 250):
        rows = [typed_row(connection, record) for record in records[start : start + 250]]
        values = tuple(value for row_values in rows for value in row_values)
        connection.exec_driver_sql(f"{_HEAD} VALUES {', '.join([row] * len(rows))} {_ONCE}", values)


def json_objects(connection: Connection, records: Sequence[Record]) -> None:
    """One JSON text of objects, taken apart by the database."""
    if connection.dialect.name != "sqlite":
        batches.insert_json(connection, records)
        return
    paths = [f"$.usage.{name}" if name in USAGE else f"$.{name}" for name in COLUMNS]
    taken = ", ".join(f"value->>'{path}'" for path in paths)
    sql = f"{_HEAD} SELECT {taken} FROM json_each(?) WHERE true {_ONCE}"
    connection.exec_driver_sql(sql, (_encode(records).decode(),))


def json_arrays(connection: Connection, records: Sequence[Record]) -> None:
    """One JSON text of arrays."""
    rows = _encode([typed_row(connection, record) for record in records]).decode()
    if connection.dialect.name == "sqlite":
        taken = ", ".join(f"value->>{index}" for index in range(len(COLUMNS)))
        sql = f"{_HEAD} SELECT {taken} FROM json_each(?) WHERE true {_ONCE}"
    else:
        types = [batches.sql_type(name) for name in COLUMNS]
        taken = ", ".join(f"(value->>{index})::{kind}" for index, kind in enumerate(types))
        sql = f"{_HEAD} SELECT {taken} FROM json_array_elements(%s::json) AS value {_ONCE}"
    connection.exec_driver_sql(sql, (rows,))


WAYS: tuple[Insert, ...] = (core, driver_many, many_rows, json_objects, json_arrays)


def make_records(count: int, ids: Ids) -> list[Record]:
    usage, now = Usage(123, 45, 0, 0), time.time_ns() // 1000
    return [
        Record(
            id=ids(),
            started_at=now + number,
            operation="chat.completions",
            dialect="openai_chat",
            key_id="key_0123456789abcdefghijkl",
            key_name="team-a",
            owner="platform",
            route="fast",
            provider="openai",
            model="gpt-4o-mini",
            attempts=[Attempt("openai", "gpt-4o-mini", 200, None, 532_000)],
            passed=True,
            streamed=True,
            status=200,
            stop_reason="stop",
            usage=usage,
            first_byte_us=210_000,
            duration_us=532_100,
            request_bytes=1024,
            response_bytes=612,
            upstream_id="req_0123456789abcdef0123",
        )
        for number in range(count)
    ]


class Round(msgspec.Struct):
    """What one round beside the loop gave."""

    echoes: float
    gap_ms: float
    cpu_us: float = 0.0
    batch_ms: float = 0.0
    records: float = 0.0


def write_all(
    database: Database, way: Insert, load: list[list[Record]], seen: list[float], stop: float
) -> None:
    """Write the batches of `load` at their pace until `stop`; append CPU seconds, then times per batch."""
    start, cpu = time.perf_counter(), time.thread_time()
    for number, records in enumerate(load):
        time.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
        begun = time.perf_counter()
        if begun > stop:
            break
        with database.writing() as connection:
            way(connection, records)
        seen.append(time.perf_counter() - begun)
    seen.insert(0, time.thread_time() - cpu)


class Echo(asyncio.Protocol):
    """Sends back what comes, after some work, and notes how long the loop stood still."""

    def __init__(self, stop: float) -> None:
        self.count, self.stop, self.last = 0, stop, time.perf_counter()
        self.windows: list[float] = []
        self.window = -1
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        sum(range(600))
        self.count += 1
        now = time.perf_counter()
        self._note(now)
        if now < self.stop:
            self.transport.write(data)
        elif not self.done.done():
            self.done.set_result(None)

    def _note(self, now: float) -> None:
        gap, window = now - self.last, int((self.stop - now) * 100)
        self.last = now
        if self.window == window:
            self.windows[-1] = max(self.windows[-1], gap)
        else:
            self.windows.append(gap)
            self.window = window


async def beside_loop(database: Database | None, way: Insert, ids: Ids) -> Round:
    load = [make_records(BATCH, ids) for _ in range(int(PER_SECOND * SECONDS))] if database else []
    gc.collect()
    gc.freeze()
    loop, (one, other) = asyncio.get_running_loop(), socketpair()
    stop, seen = time.perf_counter() + SECONDS, list[float]()
    _, left = await loop.create_connection(lambda: Echo(stop), sock=one)
    _, right = await loop.create_connection(lambda: Echo(stop), sock=other)
    writer = threading.Thread(target=write_all, args=(database, way, load, seen, stop))
    writer.start()
    begun = time.perf_counter()
    left.transport.write(b"x" * 1000)
    await asyncio.wait([left.done, right.done], return_when=asyncio.FIRST_COMPLETED)
    echoes = (left.count + right.count) / (time.perf_counter() - begun)
    await asyncio.to_thread(writer.join)
    left.transport.close()
    right.transport.close()
    gap = statistics.quantiles(left.windows, n=100)[98]
    cpu, written = (seen[0], seen[1:]) if database else (0.0, [])
    if not written:
        return Round(echoes, gap * 1e3)
    records = len(written) * BATCH
    each = statistics.median(written) * 1e3
    return Round(echoes, gap * 1e3, cpu / records * 1e6, each, records / SECONDS)


def alone_us(database: Database, way: Insert, ids: Ids) -> float:
    times = []
    for _ in range(10):
        records = make_records(BATCH, ids)
        begun = time.perf_counter()
        with database.writing() as connection:
            way(connection, records)
        times.append((time.perf_counter() - begun) / BATCH * 1e6)
    return statistics.median(times)


def fresh(url: str, folder: Path) -> Database:
    if url:
        database = connect(read_url(url))
        prepare(database)
        with database.writing() as connection:
            connection.exec_driver_sql("TRUNCATE calls")
        return database
    database = connect(read_url(f"sqlite:///{tempfile.mkdtemp(dir=folder)}/bench.db"))
    prepare(database)
    return database


def measure(url: str, folder: Path, rounds: int) -> None:
    ids, found = Ids("call"), {way: list[Round]() for way in WAYS}
    alone: dict[Insert, list[float]] = {way: [] for way in WAYS}
    idle: list[Round] = []
    for _ in range(rounds):
        idle.append(uvloop.run(beside_loop(None, core, ids)))
        for way in WAYS:
            database = fresh(url, folder)
            alone[way].append(alone_us(database, way, ids))
            found[way].append(uvloop.run(beside_loop(database, way, ids)))
            database.close()
    show(idle, alone, found)


def median(rounds: list[Round], field: str) -> float:
    return statistics.median(float(getattr(one, field)) for one in rounds)


def show(idle: list[Round], alone: dict[Insert, list[float]], found: dict[Insert, list[Round]]) -> None:
    free = median(idle, "echoes")
    print(f"loop alone: {free:,.0f} echoes/s, gap {median(idle, 'gap_ms'):.2f} ms")
    print(f"{'':14}{'alone us':>10}{'cpu us':>10}{'stolen us':>11}{'batch ms':>10}{'gap ms':>9}{'rec/s':>11}")
    for way in WAYS:
        rounds = found[way]
        records = median(rounds, "records")
        stolen = (1 - median(rounds, "echoes") / free) / records * 1e6
        print(
            f"{way.__name__:14}{statistics.median(alone[way]):10.2f}{median(rounds, 'cpu_us'):10.2f}"
            f"{stolen:11.2f}{median(rounds, 'batch_ms'):10.1f}{median(rounds, 'gap_ms'):9.2f}{records:11,.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--postgres", default="", metavar="URL", help="measure there; its table calls is EMPTIED"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one-core", action="store_true", help="loop and writer share one core")
    options = parser.parse_args()
    if options.one_core:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    folder = Path(tempfile.mkdtemp(prefix="madang-bench-"))
    try:
        measure(options.postgres, folder, options.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
