"""What the simulator's tests have in common: a service without sockets, and a client that speaks bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from madang.simulator import Options, Scenario, Simulator
from madang.simulator.options import DEFAULTS
from madang.simulator.plan import Plan
from madang.simulator.request import Request
from madang.simulator.scenario import NO_RULES
from madang.simulator.service import Service


class FakeClock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """Asks a service without sockets, and reads what it plans."""

    def __init__(self, options: Options = DEFAULTS, scenario: Scenario = NO_RULES, seed: int = 0) -> None:
        self.clock = FakeClock()
        self.service = Service(options, scenario, seed, {}, self.clock, lambda: 1_800_000_000_000_000)

    def plan(self, body: object, path: str = "/v1/chat/completions", **headers: str) -> Plan:
        """The plan of the answer to a POST."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"authorization": "Bearer k", **{n.replace("_", "-"): v for n, v in headers.items()}}
        return self.service.plan(Request("POST", path, "", named, data))

    def get(self, path: str, method: str = "GET") -> Plan:
        """The plan of the answer to a GET."""
        return self.service.plan(Request(method, path, "", {"authorization": "Bearer k"}, b""))

    def chat(self, text: str = "Hello", **fields: object) -> Any:
        """The JSON answer to a question."""
        return answer_of(self.plan(chat_of(text, **fields)))


def chat_of(text: str = "Hello", **fields: object) -> dict[str, object]:
    """A request with one user message."""
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}], **fields}


def sent(plan: Plan) -> bytes:
    """All bytes of a plan."""
    return b"".join(step.data for step in plan.steps)


def answer_of(plan: Plan) -> Any:
    """The JSON body of a plan."""
    return json.loads(sent(plan).partition(b"\r\n\r\n")[2])


def headers_of(plan: Plan) -> dict[str, str]:
    """The headers of a plan's answer."""
    lines = sent(plan).partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def unchunked(data: bytes) -> bytes:
    """A chunked body's content; fails where the framing is broken."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert data == b"\r\n"
            return content
        content += data[:length]
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]


def events_of(plan: Plan) -> list[Any]:
    """The events of a stream, decoded; the last one is `[DONE]`."""
    body = unchunked(sent(plan).partition(b"\r\n\r\n")[2]).decode()
    lines = [line.removeprefix("data: ") for line in body.split("\n\n") if line]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


class Wire:
    """A client that speaks bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def to(cls, simulator: Simulator, limit: int = 1 << 16) -> AsyncIterator[Wire]:
        """A connection, closed in the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port, limit=limit)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def post(self, body: object, *lines: str, path: str = "/v1/chat/completions") -> None:
        """Send a POST request with extra header lines."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [
            f"POST {path} HTTP/1.1",
            "host: x",
            "authorization: Bearer k",
            f"content-length: {len(data)}",
            *lines,
        ]
        self.writer.write("\r\n".join([*head, "", ""]).encode() + data)

    async def head(self) -> bytes:
        """A response's head."""
        return await self.reader.readuntil(b"\r\n\r\n")

    async def whole(self) -> tuple[bytes, bytes]:
        """Head and body of a response with a length."""
        head = await self.head()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await self.reader.readexactly(int(length.split(b":")[1]))

    async def rest(self) -> bytes:
        """Everything until the simulator closes."""
        return await self.reader.read()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something the simulator does in its own time; fails after five seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
