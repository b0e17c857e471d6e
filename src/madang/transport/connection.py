"""One HTTP/1.1 connection to a provider; which connection to use is decided in `pool.py`.

What the provider sends is gathered per read and handed on in one piece, so that a burst of a
hundred chunks costs one wake-up, not a hundred. A slow reader stops the socket, a broken
answer is an exception at the reader. Deadlines are not timers here: `deadlines.py` looks at
every connection in use now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import cast

import httptools

from madang.core.errors import BrokenAnswer, UpstreamError, UpstreamTimeout
from madang.transport.deadlines import Timeouts

_HIGH_WATER = 256 * 1024
"""Bytes of an answer held for a slow reader before the socket is left unread."""
_HEAD_LIMIT = 256 * 1024
_NO_BODY = (204, 304)
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_STALE_WITHIN = 1.0
"""Seconds within which a kept connection that closes without a word was closed before we asked."""

Headers = list[tuple[bytes, bytes]]


class StaleConnection(Exception):
    """A kept-alive connection was closed by the provider before it said a word: ask on another."""


class _Body(Enum):
    AWAITED = auto()
    COMING = auto()
    WHOLE = auto()


class Response:
    """An answer, from its head on. The body comes in the pieces the network gave."""

    __slots__ = (
        "_body",
        "_connection",
        "_failure",
        "_held",
        "_pieces",
        "_sink",
        "_waiter",
        "headers",
        "status",
    )

    def __init__(self, connection: Connection, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        self._connection: Connection | None = connection
        self._pieces: list[bytes] = []
        self._held = 0
        self._body = _Body.COMING
        self._failure: UpstreamError | None = None
        self._sink: Callable[[bytes], bool] | None = None
        self._waiter: asyncio.Future[bool] | None = None

    @property
    def whole(self) -> bool:
        """Whether everything has arrived, though perhaps not been read."""
        return self._body is _Body.WHOLE

    async def next(self) -> bytes:
        """All that has arrived since the last time, waiting if that is nothing; `b""` at the end.

        Raises `UpstreamError` where the answer broke off or took too long; what came before
        that is given out first.
        """
        while not self._pieces:
            if self._body is _Body.WHOLE:
                return b""
            if self._failure is not None:
                raise self._failure
            await self._more(None)
        return self._take()

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        """Give pieces to `sink` until the end (then true), or until it says no by giving false.

        A piece that arrives later is given from where it arrives: no task is woken for it, which is
        half of what passing it on costs. Raises as `next`, and what `sink` raises.
        """
        going = True
        while going:
            if self._pieces:
                going = sink(self._take())
            elif self._body is _Body.WHOLE:
                return True
            elif self._failure is not None:
                raise self._failure
            else:
                going = await self._more(sink)
        return False

    async def _more(self, sink: Callable[[bytes], bool] | None) -> bool:
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiter, self._sink = waiter, sink
        try:
            return await waiter
        finally:
            self._waiter = self._sink = None

    def _take(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if self._held > _HIGH_WATER and self._connection is not None:
            self._connection.resume()
        self._held = 0
        return data

    async def read(self) -> bytes:
        """The whole (or the rest) of the body."""
        first = await self.next()
        if self._body is _Body.WHOLE and not self._pieces:
            return first
        parts = [first]
        while piece := await self.next():
            parts.append(piece)
        return b"".join(parts)

    def close(self) -> None:
        """Done with it. If the provider is still sending, the connection ends, and so does its work."""
        if self._connection is not None:
            self._connection.abandon()
            self._connection = None

    # What the connection tells it.

    def _arrived(self, piece: bytes) -> bool:
        """Take a piece; whether it is now more than we hold for a slow reader."""
        self._pieces.append(piece)
        self._held += len(piece)
        return self._held > _HIGH_WATER

    def _finished(self) -> None:
        self._body = _Body.WHOLE
        self._connection = None

    def _failed(self, failure: UpstreamError) -> None:
        if self._body is not _Body.WHOLE:
            self._failure = failure
        self._connection = None

    def _wake(self) -> None:
        waiter, going = self._waiter, True
        if waiter is None or waiter.done():
            return
        if self._sink is not None and self._pieces:
            try:
                going = self._sink(self._take())
            except Exception as problem:  # noqa: BLE001 - it belongs to whoever poured, not to this connection
                waiter.set_exception(problem)
                return
            if going and self._body is _Body.COMING and self._failure is None:
                return
        waiter.set_result(going)


class Connection(asyncio.Protocol):
    """A protocol that asks one thing at a time and may be kept for the next."""

    __slots__ = (
        "_asked_at",
        "_framed",
        "_head",
        "_head_bytes",
        "_heard_at",
        "_loop",
        "_on_idle",
        "_on_lost",
        "_parser",
        "_paused",
        "_response",
        "_silent",
        "_timeouts",
        "_transport",
        "_until_eof",
        "_waiter",
        "idle_since",
        "used",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_idle: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self._loop = loop
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._head: Headers = []
        self._head_bytes = 0
        self._response: Response | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._framed = self._until_eof = self._paused = False
        self._silent = True
        self._timeouts = Timeouts()
        self._asked_at = self._heard_at = 0.0
        self.used = False
        """Whether it has served an answer before, so that silence may mean it was closed meanwhile."""
        self.idle_since = 0.0

    @property
    def alive(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: tuple[bytes, ...], timeouts: Timeouts) -> Response:
        """Send a request and wait for the head of its answer.

        Raises `StaleConnection` if the connection was closed without a word after earlier use,
        else `UpstreamError`.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise StaleConnection
        self._timeouts = timeouts
        self._asked_at = self._heard_at = self._loop.time()
        self._silent = True
        waiter: asyncio.Future[Response] = self._loop.create_future()
        self._waiter = waiter
        # An empty piece would stay in asyncio's buffer for ever (CPython 3.12 to 3.13) and hold the close.
        transport.writelines(request if request[-1] else request[:-1])
        try:
            return await waiter
        except asyncio.CancelledError:
            # The answer may have come in the same turn of the loop, and the connection with it
            # gone on to somebody else: then only the answer is ours to end.
            if self._waiter is waiter:
                self.abandon()
            elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                waiter.result().close()
            raise

    def resume(self) -> None:
        """Read from the socket again, after the reader caught up."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard_at = self._loop.time()
            self._transport.resume_reading()

    def abandon(self) -> None:
        """End the connection at once: nobody wants the rest."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End it politely (when idle)."""
        if self._transport is not None:
            self._transport.close()

    def expire(self, now: float) -> None:
        """End it if the provider has taken longer than it is given."""
        limits = self._timeouts
        if now - self._asked_at > limits.whole:
            self._give_up("whole_timeout", f"gave no whole answer within {limits.whole:g} s")
        elif self._response is None:
            if now - self._asked_at > limits.first_byte:
                self._give_up("first_byte_timeout", f"said nothing for {limits.first_byte:g} s")
        elif not self._paused and now - self._heard_at > limits.between_bytes:
            self._give_up("between_bytes_timeout", f"fell silent for {limits.between_bytes:g} s")

    def _give_up(self, code: str, what: str) -> None:
        self._fail(UpstreamTimeout(f"The provider {what}.", code=code))
        self.abandon()

    def _fail(self, failure: UpstreamError | StaleConnection) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(failure)
        if self._response is not None:
            if isinstance(failure, UpstreamError):
                self._response._failed(failure)
            self._response._wake()
            self._response = None

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None and self._response is None:
            # Nobody asked: whatever this is, it must not become the answer to the next question.
            self.abandon()
            return
        self._silent = False
        self._heard_at = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._break("switched protocols unasked")
        except httptools.HttpParserError as problem:
            self._break(f"sent what is not HTTP ({problem})")
        response = self._response
        if response is not None:
            response._wake()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        response = self._response
        if response is not None and self._until_eof and exc is None:
            response._finished()
            response._wake()
            self._response = None
        elif self.used and self._silent and self._loop.time() - self._asked_at < _STALE_WITHIN:
            self._fail(StaleConnection())
        else:
            self._fail(BrokenAnswer("The provider closed the connection before its answer was whole."))
        self._on_lost(self)

    def _break(self, what: str) -> None:
        self._fail(BrokenAnswer(f"The provider {what}."))
        self.abandon()

    # The parser's side.

    def on_message_begin(self) -> None:
        self._head = []
        self._head_bytes = 0
        self._framed = False
        if self._waiter is None or self._waiter.done():
            # A second answer to one question.
            self.abandon()

    def on_status(self, reason: bytes) -> None:
        self._head_bytes += len(reason) + 1

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._head.append((name, value))
        self._head_bytes += len(name) + len(value) + 64
        if self._head_bytes > _HEAD_LIMIT:
            self._break("sent headers without end")
        elif name in _FRAMING:
            self._framed = True
            if name == b"transfer-encoding" and value.lower() != b"chunked":
                # Taken off by the parser as if it were none; the client would get bytes it cannot read.
                self._break("used a transfer coding nobody asked for")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        head, self._head = self._head, []  # headers that come behind the body are not the answer's
        if 100 <= status < 200:
            return  # 100 Continue, 103 Early Hints: the answer is still to come
        if status < 100:
            self._break(f"answered with status {status}")
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        self._until_eof = not self._framed and status not in _NO_BODY
        self._response = Response(self, status, head)
        self._waiter = None
        waiter.set_result(self._response)

    def on_body(self, body: bytes) -> None:
        response = self._response
        if response is not None and response._arrived(body) and not self._paused:
            self._paused = True
            cast(asyncio.Transport, self._transport).pause_reading()

    def on_message_complete(self) -> None:
        response = self._response
        if response is None:
            return  # an interim answer, or one nobody waits for
        self.resume()
        response._finished()
        response._wake()
        self._response = None
        self.used = True
        transport = self._transport
        if transport is None:
            return
        if self._parser.should_keep_alive() and not transport.get_write_buffer_size():
            self.idle_since = self._loop.time()
            self._on_idle(self)
        else:
            # Told to close, or answered before it had read the question.
            transport.abort()
