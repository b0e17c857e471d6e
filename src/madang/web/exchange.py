"""One request to a model endpoint and its answer, on a connection.

Written straight to the transport: head and body leave in one write. It stands where uvicorn's
`RequestResponseCycle` would, and keeps the promises uvicorn's protocol relies on
(`response_complete`, `keep_alive`), so that pipelining and shutdown stay uvicorn's work.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from madang.core.clock import monotonic
from madang.core.errors import CallError, ClientError

if TYPE_CHECKING:
    from madang.web.protocol import ModelProtocol

Headers = list[tuple[bytes, bytes]]


def status_line(status: int) -> bytes:
    """The first line of an answer."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = "Overloaded" if status == 529 else ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


_NO_BODY = (204, 304)
_STATUS_LINES = {status: status_line(status) for status in range(100, 600)}


class Exchange:
    """A request as it arrives, and the means to answer it."""

    __slots__ = (
        "_body",
        "_body_here",
        "_chunked",
        "_protocol",
        "_transport",
        "arrived",
        "complete",
        "disconnected",
        "expects_continue",
        "headers",
        "keep_alive",
        "last_words",
        "length",
        "method",
        "received",
        "refusal",
        "response_complete",
        "response_started",
        "streamed",
        "task",
        "url",
        "version",
    )

    def __init__(
        self,
        protocol: ModelProtocol,
        *,
        method: bytes,
        url: bytes,
        headers: Headers,
        version: str,
        keep_alive: bool,
        length: int | None,
        expects_continue: bool,
    ) -> None:
        self._protocol = protocol
        self._transport = protocol.transport
        self.arrived = monotonic()
        self.method = method
        self.url = url
        self.headers = headers
        self.version = version
        self.keep_alive = keep_alive
        self.length = length
        """The body's length as announced; `None` for a chunked one."""
        self.expects_continue = expects_continue
        self.refusal: ClientError | None = None
        """What is wrong with the request as such, though it could be read so far."""
        self.complete = False
        """Whether the body is here."""
        self.received = 0
        self.disconnected = False
        self.response_started = False
        self.response_complete = False
        self.streamed = False
        """Whether the answer goes out as a stream of events."""
        self.last_words: Callable[[CallError], bytes] | None = None
        """What ends such a stream that is broken off, where that depends on what it has said."""
        self.task: asyncio.Task[None] | None = None
        self._body: list[bytes] = []
        self._body_here: asyncio.Future[None] | None = None
        self._chunked = False

    # The request's body.

    async def body(self) -> bytes:
        """The whole body, waiting for it; what came of it, if it was refused meanwhile."""
        self.invite()
        if not self.complete and self.refusal is None:
            self._body_here = self._protocol.loop.create_future()
            await self._body_here
        return b"".join(self._body)

    def invite(self) -> None:
        """Tell a client that waits for it to send the body."""
        if self.expects_continue and not self.complete:
            self.expects_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def take(self, piece: bytes, most: int) -> bool:
        """A piece of the body; whether it still fits."""
        self.received += len(piece)
        if self.received > most:
            self._body.clear()
            return False
        self._body.append(piece)
        return True

    def arrived_whole(self) -> None:
        """The body is here."""
        self.complete = True
        self._wake()

    def refuse(self, error: ClientError) -> None:
        """The rest of the request is not wanted."""
        if self.refusal is None:
            self.refusal = error
        self._wake()

    def _wake(self) -> None:
        if self._body_here is not None and not self._body_here.done():
            self._body_here.set_result(None)

    # The answer.

    def respond(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """A whole answer in one write."""
        if self.disconnected:
            return
        head = self._head(status, headers)
        head.append(b"\r\n" if status in _NO_BODY else b"content-length: %d\r\n\r\n" % len(body))
        if self.method != b"HEAD":
            head.append(body)
        self.response_started = True
        self._transport.write(b"".join(head))
        self._finish()

    def start(self, status: int, headers: Sequence[tuple[bytes, bytes]], length: int | None) -> None:
        """The head of an answer that comes in pieces; `length` where its size is known."""
        if self.disconnected:
            return
        framed = length is not None or status in _NO_BODY
        if not framed and self.version == "1.0":
            self.keep_alive = False  # the end of the connection is the end of the body
        head = self._head(status, headers)
        if length is not None and status not in _NO_BODY:
            head.append(b"content-length: %d\r\n" % length)
        elif not framed and self.version != "1.0":
            self._chunked = True
            head.append(b"transfer-encoding: chunked\r\n")
        head.append(b"\r\n")
        self.response_started = True
        self._transport.write(b"".join(head))

    def write(self, data: bytes) -> bool:
        """A piece of the answer; nothing is held back. Whether the client keeps up: if not, `drain`."""
        if self.disconnected:
            return True
        if self._chunked:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            self._transport.write(data)
        return not self._protocol.flow.write_paused

    def end(self) -> None:
        """The answer is whole."""
        if self.disconnected:
            return
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")
        self._finish()

    async def drain(self) -> None:
        """Wait until a slow client has taken most of what was written."""
        flow = self._protocol.flow
        if flow.write_paused:
            self._protocol.expect_reading()
            await flow.drain()
            self._protocol.expect_nothing()

    def forget_task(self) -> None:
        """The task that answers is about to end."""
        self._protocol.forget(self)

    def abort(self) -> None:
        """End the connection in the middle of the answer, so that nobody takes it for whole."""
        self.response_complete = True
        self._transport.abort()

    def _head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        if not self.complete:
            self.keep_alive = False  # the rest of the body is not read
        head = [_STATUS_LINES.get(status) or status_line(status), self._protocol.date_line()]
        head += [b"%b: %b\r\n" % pair for pair in headers]
        if not self.keep_alive:
            head.append(b"connection: close\r\n")
        elif self.version == "1.0":
            head.append(b"connection: keep-alive\r\n")
        return head

    def _finish(self) -> None:
        self.response_complete = True
        self._protocol.answered(self)
