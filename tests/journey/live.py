"""A whole Madang over real sockets, and providers that say what a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from madang.app import App
from madang.config.schema import Config, Provider, Server, Store
from madang.core.record import Outcome, Record
from madang.web.server import Server as WebServer
from madang.web.server import listen

KEY = "sk-test-a-key-for-the-journey-0123456789"
Headers = list[tuple[str, str]]


class Heard(msgspec.Struct):
    """A request as the provider got it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Say(msgspec.Struct):
    """What a provider answers: the head's status and headers, then the pieces, each in a write of its own."""

    status: int = 200
    headers: Headers = []
    pieces: list[bytes] = []
    chunked: bool = False
    raw: bool = False
    """Write the pieces as they are, head and all."""
    then: str = "keep"
    """`keep`, `close`, `reset` or `hang` after the last piece."""
    between: Callable[[], bool] | None = None
    """Asked before each piece but the first; waits until it says yes."""


class Upstream:
    """A provider of OpenAI's API that answers from a script, in a thread and loop of its own."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.left = 0
        """Connections the other side closed while an answer was still to be finished."""
        self.connections = 0
        self.answer: Callable[[Heard], Say] = lambda _: json_answer({"choices": []})
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                heard = await _read_request(reader)
                self.heard.append(heard)
                if not await self._say(self.answer(heard), reader, writer):
                    break
        writer.transport.abort()

    async def _say(self, say: Say, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if not say.raw:
            writer.write(_head(say))
        for number, piece in enumerate(say.pieces):
            if number and say.between is not None:
                await self._wait(say.between, reader)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if say.chunked and not say.raw else piece)
            await writer.drain()
        if say.then == "hang":
            await self._wait(lambda: False, reader)
        if say.then == "reset":
            writer.transport.abort()
        if say.then == "close":
            writer.close()
        elif say.chunked and not say.raw:
            writer.write(b"0\r\n\r\n")
        return say.then == "keep"

    async def _wait(self, until: Callable[[], bool], reader: asyncio.StreamReader) -> None:
        while not until():
            if reader.at_eof():
                self.left += 1
                raise ConnectionResetError
            await asyncio.sleep(0.005)


async def _read_request(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, target, _ = line.split(" ")
    return Heard(method, target, headers, body)


def _head(say: Say) -> bytes:
    lines = [f"HTTP/1.1 {say.status} Something", *(f"{name}: {value}" for name, value in say.headers)]
    if say.chunked:
        lines.append("transfer-encoding: chunked")
    elif say.then != "close":
        lines.append(f"content-length: {sum(map(len, say.pieces))}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def json_answer(said: object, status: int = 200, headers: Headers | None = None) -> Say:
    """A JSON body, whole."""
    body = said if isinstance(said, bytes) else msgspec.json.encode(said)
    return Say(status, [("content-type", "application/json"), *(headers or [])], [body])


def stream_answer(
    events: list[bytes], *, then: str = "keep", between: Callable[[], bool] | None = None
) -> Say:
    """Server-sent events, each in a chunk of its own."""
    headers = [("content-type", "text/event-stream; charset=utf-8")]
    return Say(200, headers, events, chunked=True, then=then, between=between)


def chunk(text: str | None = None, *, finish: str | None = None, usage: object = None) -> bytes:
    """One event of a chat stream."""
    delta = {} if text is None else {"content": text}
    choices = [] if usage is not None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    said = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, "usage": usage}
    return b"data: " + msgspec.json.encode(said) + b"\n\n"


DONE = b"data: [DONE]\n\n"


class Live:
    """A Madang that serves, in a thread and loop of its own."""

    def __init__(self, config: Config, environ: Mapping[str, str] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name) / "data"
        config = msgspec.structs.replace(
            config, store=msgspec.structs.replace(config.store, data_dir=str(folder))
        )
        self.sock = listen("127.0.0.1", 0)
        self.port: int = self.sock.getsockname()[1]
        self.app = App(config, {"MADANG_ADMIN_KEY": KEY, **(environ or {})})
        self.server = WebServer(self.app, announce=lambda: self._ready.set())
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.sock]}, daemon=True)
        self._thread.start()
        assert self._ready.wait(20), "Madang did not start"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def stop(self) -> None:
        """Stop gracefully."""
        self.server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive(), "Madang did not stop"
        self._folder.cleanup()

    def left(self) -> list[Record]:
        """The calls whose client hung up, newest first."""
        return [record for record in self.app.store.calls.recent(200) if record.outcome == Outcome.LEFT]

    def record(self, call_id: str) -> Record:
        """The record of one call, once it is written."""
        found: list[Record] = []

        def there() -> bool:
            found[:] = [record for record in self.app.store.calls.recent(200) if record.id == call_id]
            return bool(found)

        wait_until(there)
        return found[0]

    def ask(
        self,
        body: bytes | object,
        path: str = "/v1/chat/completions",
        *,
        method: str = "POST",
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            given = {"content-type": "application/json", **(headers or {})}
            if key is not None:
                given["authorization"] = f"Bearer {key}"
            connection.request(method, path, sent or None, given)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def raw(self, data: bytes, *, whole: bool = False) -> bytes:
        """Bytes on a bare socket, and what comes back: one answer of a known length, or all until the end."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while (whole or not _is_whole(got)) and (piece := sock.recv(65536)):
                    got += piece
            return got


def _is_whole(got: bytes) -> bool:
    head, blank, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(blank) and length is not None and len(body) >= int(length[1])


class Answer(msgspec.Struct):
    """What a client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def call_id(self) -> str:
        return self.headers["x-request-id"]


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that happens elsewhere; fails the test if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def config_for(upstream: Upstream, **sections: Any) -> Config:
    """A configuration with one provider, `up`, and quick records."""
    fields: dict[str, Any] = {
        "providers": {"up": Provider(base_url=upstream.url, models=["gpt-*"])},
        "store": Store(flush_seconds=0.02),
        "server": Server(shutdown_seconds=5.0),
    }
    return Config(**{**fields, **sections})


def alive(config: Config, environ: Mapping[str, str] | None = None) -> Iterator[Live]:
    """For fixtures: a Madang that is stopped afterwards."""
    live = Live(config, environ)
    try:
        yield live
    finally:
        live.stop()
