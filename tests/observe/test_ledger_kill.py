"""kill -9 in the middle of writing: the database is sound, and only the last moment is missing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from madang.store.store import Store

FLUSH = 0.05
# From being taken to being committed: a write that is under way, on a machine busy with other tests.
WRITING = 2.0

# Puts some 5,000 records a second, with the time of putting as their `started_at`. Says when it has begun.
PROGRAM = """
import asyncio, sys
from madang.core.clock import Ids, now_us
from madang.core.record import Record
from madang.observe.ledger import Ledger
from madang.store import Store

async def main(url, flush, seconds):
    ids = Ids("call")
    with Store.open(url) as store:
        ledger = Ledger(store.calls.write, flush_seconds=flush)
        await ledger.start()
        print("begun", flush=True)
        until, count = now_us() + seconds * 1e6, 0
        while now_us() < until:
            for _ in range(25):
                ledger.put(Record(id=ids(), started_at=now_us(), operation="files", duration_us=count))
                count += 1
            await asyncio.sleep(0.005)
        await ledger.stop()
        print(count, flush=True)

asyncio.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
"""


def start(url: str, seconds: float) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, url, str(FLUSH), str(seconds)]
    program = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "begun\n"
    return program


@pytest.mark.parametrize("after", [0.3, 1.61])
def test_a_kill_under_load_loses_only_what_came_after_the_last_flush(tmp_path: Path, after: float) -> None:
    path = tmp_path / "madang.db"
    program = start(f"sqlite:///{path}", 60.0)
    with Store.open(f"sqlite:///{path}") as store:
        while not store.calls.count():
            time.sleep(0.01)
    time.sleep(after)
    program.send_signal(signal.SIGKILL)
    killed_us = time.time_ns() // 1000
    program.communicate(timeout=20)
    assert program.returncode == -signal.SIGKILL

    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        numbers = [number for (number,) in connection.execute("SELECT duration_us FROM calls ORDER BY seq")]
        [(newest,)] = connection.execute("SELECT max(started_at) FROM calls")
    connection.close()
    # Numbered as they were put: without a gap, nothing older than the newest one is missing.
    assert numbers == list(range(len(numbers)))
    assert newest is not None
    assert killed_us - newest < (FLUSH + WRITING) * 1e6
    with Store.open(f"sqlite:///{path}") as store:
        assert store.calls.count() == len(numbers)


def test_a_graceful_stop_under_load_loses_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'madang.db'}"
    program = start(url, 0.4)
    said, _ = program.communicate(timeout=20)
    with Store.open(url) as store:
        assert store.calls.count() == int(said) > 0
