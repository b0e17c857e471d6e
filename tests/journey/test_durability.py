"""What a stop may lose: nothing when asked politely, at most the last flush when killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from madang.core.record import Outcome
from madang.store.store import Store
from tests.journey.live import DONE, KEY, Heard, Say, Upstream, chunk, json_answer, stream_answer

FLUSH = 0.1
"""Seconds between two flushes; a kill may lose that much and the write under way (docs/records.md)."""
LOSS = 5 * FLUSH
PATIENCE = 1.5
"""Seconds a stop waits for calls under way: long for the load here, short for a stream that hangs."""


class Process:
    """`madang serve` as an operator runs it."""

    def __init__(self, folder: Path, upstream: Upstream) -> None:
        config = {
            "providers": {"up": {"base_url": upstream.url, "models": ["gpt-*"]}},
            "store": {"flush_seconds": FLUSH},
            "server": {"shutdown_seconds": PATIENCE},
        }
        (folder / "madang.yaml").write_bytes(msgspec.json.encode(config))  # JSON is YAML
        self.folder = folder
        environ = {**os.environ, "MADANG_ADMIN_KEY": KEY, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "madang", "serve", "--port", "0"],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while "Admin key" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)/", said)[1])  # type: ignore[index]  # the banner names it

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, out

    def store(self) -> Store:
        return Store.open(f"sqlite:///{self.folder / '.madang' / 'madang.db'}")


@pytest.fixture
def process(tmp_path: Path, provider: Upstream) -> Iterator[Process]:
    running = Process(tmp_path, provider)
    yield running
    running.process.kill()
    running.process.wait()
    assert running.process.stdout is not None
    running.process.stdout.close()


class Load:
    """Clients that ask again and again until the server is gone."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered: list[tuple[str, float]] = []
        """Call id and the moment its answer was whole."""
        self.broken: list[str] = []
        """Answers that began and did not end."""

    async def run(self, clients: int) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(clients):
                group.create_task(self._client(stream=number % 2 == 0))

    async def _client(self, *, stream: bool) -> None:
        body = msgspec.json.encode({"model": "gpt-4o", "messages": [], "stream": stream})
        request = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode() + body
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return
        got = b""
        try:
            while True:
                got = b""
                writer.write(request)
                end = b"0\r\n\r\n" if stream else b"}"
                while not got.endswith(end):
                    piece = await reader.read(65536)
                    if not piece:
                        return
                    got += piece
                self.answered.append((_id(got), time.monotonic()))
                if b"connection: close" in got:
                    return
        except ConnectionError:
            return
        finally:
            if got and not got.endswith((b"0\r\n\r\n", b"}")):
                self.broken.append(_id(got))
            writer.close()


def _id(got: bytes) -> str:
    found = re.search(rb"x-request-id: (\S+)", got)
    return found[1].decode() if found else "?"


def script(heard: Heard) -> Say:
    if heard.json()["stream"]:
        return stream_answer([chunk("a"), chunk("b"), chunk(finish="stop"), DONE])
    return json_answer({"choices": []})


async def loaded(process: Process, provider: Upstream, stop: signal.Signals) -> tuple[Load, float]:
    """Load until 400 answers are in, then the signal; the moment it was sent."""
    provider.answer = script
    load = Load(process.port)
    running = asyncio.ensure_future(load.run(16))
    deadline = time.monotonic() + 30
    begun = time.monotonic()
    while len(load.answered) < 400 or time.monotonic() - begun < 2 * LOSS:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    sent = time.monotonic()
    process.process.send_signal(stop)
    await running
    return load, sent


async def test_a_kill_under_load_leaves_a_sound_database_and_loses_only_the_last_flush(
    process: Process, provider: Upstream, tmp_path: Path
) -> None:
    load, sent = await loaded(process, provider, signal.SIGKILL)
    process.process.wait()
    with sqlite3.connect(tmp_path / ".madang" / "madang.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    store = process.store()
    kept = {record.id for record in store.calls.recent(100_000)}
    store.close()
    old = {call for call, at in load.answered if at < sent - LOSS}
    assert old
    assert old <= kept
    again = Process(tmp_path, provider)
    try:
        with socket.create_connection(("127.0.0.1", again.port), timeout=5) as sock:
            sock.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        again.process.terminate()
        again.end()


async def test_a_graceful_stop_under_load_loses_no_record_and_no_answer(
    process: Process, provider: Upstream
) -> None:
    load, _ = await loaded(process, provider, signal.SIGTERM)
    code, said = process.end()
    assert (code, load.broken) == (0, [])
    assert KEY not in said
    store = process.store()
    kept = {record.id for record in store.calls.recent(100_000)}
    store.close()
    assert {call for call, _ in load.answered} == kept


async def streaming(process: Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, bytes]:
    """A client whose stream has begun, and what it has got of it."""
    body = b'{"model":"gpt-4o","messages":[],"stream":true}'
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return reader, writer, await reader.readuntil(b"\n\n")


async def test_a_stop_that_ran_out_of_patience_says_so_and_is_recorded(
    process: Process, provider: Upstream
) -> None:
    provider.answer = lambda _: stream_answer([chunk("a")], then="hang")
    reader, writer, got = await streaming(process)
    process.process.send_signal(signal.SIGTERM)
    got += await reader.read()
    writer.close()
    assert b'"code":"unavailable"' in got
    assert got.endswith(b"0\r\n\r\n")
    assert process.end()[0] == 0
    store = process.store()
    record = store.calls.recent(1)[0]
    store.close()
    assert (record.outcome, record.error, record.status) == (Outcome.CUT, "shutdown", 200)


async def test_a_stream_under_way_is_finished_before_a_stop(process: Process, provider: Upstream) -> None:
    go_on: list[bool] = []
    provider.answer = lambda _: stream_answer([chunk("a"), chunk("b"), DONE], between=lambda: bool(go_on))
    reader, writer, got = await streaming(process)
    process.process.send_signal(signal.SIGTERM)
    while process.process.poll() is None:
        try:  # the listener is closed once the stop has begun
            socket.create_connection(("127.0.0.1", process.port), timeout=1).close()
        except OSError:
            break
        await asyncio.sleep(0.01)
    go_on.append(True)
    got += await reader.read()
    writer.close()
    assert got.endswith(b"0\r\n\r\n")
    assert b"[DONE]" in got
    assert process.end()[0] == 0
