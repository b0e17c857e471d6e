"""The model endpoints, answered below ASGI; every other path goes on to the ordinary app.

A subclass of uvicorn's own protocol: parsing, pipelining, signals and shutdown stay uvicorn's.
What is ours: no scope, no receive and send, no event per message (16 µs a call,
docs/decisions/0002-below-asgi.md); limits on heads and bodies; deadlines without timers; and
errors in the caller's dialect even where the request was not HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from madang.core.errors import (
    BadRequest,
    CallError,
    ClientError,
    HeadersTooLarge,
    MethodNotAllowed,
    RequestTimeout,
    TooLarge,
)
from madang.dialects.every import DIALECTS
from madang.gateway.paths import edge_of
from madang.web.exchange import Exchange, status_line

_log = logging.getLogger("madang.web")

_HEAD_LIMIT = 64 * 1024
_HEADER_WEIGHT = 256
_TELLING = frozenset((b"content-length", b"transfer-encoding", b"upgrade", b"expect"))
"""Headers that decide how the request is read."""
_SMALL_BODY = 64 * 1024
"""Bytes of a body that is simply waited for; before a larger one is taken, its sender must be known."""
_QUEUED = 8
"""Requests a client may send ahead; up to there it is still read from, so that its end is seen."""
_AHEAD = 1024 * 1024
"""Bytes of a body that may be sent ahead so."""
_IDLE = 75.0
_HEAD_WITHIN = 30.0
_BODY_WITHIN = 30.0
_READ_WITHIN = 120.0
_LINGER = 1.0
"""Seconds for which what a client still sends is thrown away, so that it may read why."""
_DRAIN = 0.4
"""Seconds an idle connection is kept at shutdown, for a request that is on its way."""
_NEVER = float("inf")

_ABSOLUTE = re.compile(rb"^https?://[^/?#]*", re.IGNORECASE)
_BARE = re.compile(
    rb"/(?:chat/completions|completions|embeddings|models|messages|moderations|images|audio|files|batches"
    rb"|responses|rerank)(?:[/?]|$)|/v1beta/|/v1alpha/|/upload/v1beta/|/(?:openai|anthropic|gemini|google)/(?:v1|upload/v1beta/)"
)
"""Paths besides `/v1/` that are answered here: without it, with Google's, with a dialect's name before."""


class ModelProtocol(HttpToolsProtocol):
    """A client's connection."""

    # An Exchange or uvicorn's own cycle: what both have is all that is used without asking.
    cycle: Any
    pipeline: deque[tuple[Any, Any]]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        answer: Callable[[Exchange], Coroutine[None, None, None]],
        max_body: int,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._answer = answer
        self._max_body = max_body
        self._head_size = 0
        self._length: int | None = None
        self._offer = self._without_offer = b""
        self._turn: Any = None
        """The cycle that is answered now or was last; `cycle` is the one that arrived last."""
        self._unread = False
        """Whether the client has to read before its next request is begun."""
        self._lingering = False
        self._draining = False
        self.deadline = self.loop.time() + _HEAD_WITHIN

    # Deadlines; `expire` is called by the server's watch over all connections.

    def expire(self, now: float) -> None:
        """Act if the client has taken longer than it is given."""
        if now < self.deadline:
            return
        self.deadline = _NEVER
        exchange = self.cycle
        if self._unread or self.transport.is_closing():
            self.transport.abort()
        elif self._is_busy():
            if isinstance(exchange, Exchange) and exchange is self._turn and not exchange.complete:
                exchange.refuse(
                    RequestTimeout(f"The request's body did not arrive within {_BODY_WITHIN:g} s.")
                )
                self._begin(exchange)
            else:
                self.transport.abort()
        elif self._head_size and not self._lingering:
            self._refuse(RequestTimeout(f"The request's head did not arrive within {_HEAD_WITHIN:g} s."))
        else:
            self._close()

    def expect_reading(self) -> None:
        """The client has to take what was written, or be gone."""
        self.deadline = self.loop.time() + _READ_WITHIN

    def expect_nothing(self) -> None:
        """It is our turn to work."""
        self.deadline = _NEVER

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # The transport's side.

    def data_received(self, data: bytes) -> None:
        try:
            while data and not self._lingering:
                data = self._feed(data)
        except httptools.HttpParserCallbackError:
            _log.exception("a request could not be taken in")
            self._refuse(CallError("This server failed to take in the request."))
        except httptools.HttpParserError as problem:
            self._refuse(BadRequest(f"This is not an HTTP request: {problem}.", code="invalid_http"))

    def _feed(self, data: bytes) -> bytes:
        """Parse; what is left where a request asks to switch protocols, which is not done here.

        Java's client asks every server for HTTP/2 so, and is content with an answer in HTTP/1.1. The
        parser takes the body of such a request for another protocol's bytes (llhttp 9, httptools
        0.9): it gets the request once more, without the offer.
        """
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            again, self._without_offer = self._without_offer, b""
            if again:
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            return again + data[switch.args[0] :]
        return b""

    def connection_lost(self, exc: Exception | None) -> None:
        # All that uvicorn's does, and for every request: the one under way need not be the latest.
        self.deadline = _NEVER
        for cycle in {self._turn, self.cycle, *(cycle for cycle, _ in self.pipeline)}:
            if cycle is not None and not cycle.response_complete:
                self._let_go(cycle)
        self.pipeline.clear()
        self.connections.discard(self)
        self.flow.resume_writing()
        self.parser = None  # type: ignore[assignment]  # as uvicorn's: no more bytes come

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread:
            self._unread = False
            self.on_response_complete()

    def shutdown(self) -> None:
        """The server stops: finish what is under way, then close."""
        self._draining = True
        if self._is_busy():
            self.cycle.keep_alive = False
        elif not self._unread and not self.transport.is_closing():
            self.deadline = self.loop.time() + _DRAIN

    # The parser's side.

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head_size = 1
        self._length = 0
        self._offer = b""
        if not self._is_busy():
            self.deadline = self.loop.time() + _HEAD_WITHIN

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._head_size += len(url)
        if self._head_size > _HEAD_LIMIT:
            self._refuse_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._head_size:
            return  # it comes after the body, where nobody has any business to say anything
        name = name.lower()
        self.headers.append((name, value))
        # A header weighs more than its bytes: two hundred short ones are a flood as well.
        self._head_size += len(name) + len(value) + _HEADER_WEIGHT
        if self._head_size > _HEAD_LIMIT:
            self._refuse_head()
        elif name in _TELLING:
            self._note(name, value)

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self._length = int(value) if value.isdigit() else 0
        elif name == b"transfer-encoding":
            self._length = None
        elif name == b"upgrade":
            self._offer = value.lower()
        elif value.lower() == b"100-continue":
            self.expect_100_continue = True

    def _refuse_head(self) -> None:
        self.headers = []
        self._refuse(
            HeadersTooLarge(
                f"The request's line and headers are too many or too long; {_HEAD_LIMIT} bytes are taken."
            )
        )

    def on_headers_complete(self) -> None:
        if self._lingering:
            return
        self._head_size = 0
        if self.parser.get_method() == b"CONNECT":
            self._refuse(MethodNotAllowed("CONNECT is not offered here; this is no proxy."))
            return
        if not self.parser.should_upgrade():
            self._offer = b""  # perhaps named, but not in Connection: not an offer
        elif self._offer != b"websocket":
            self._without_offer = self._head_without_offer()
            return
        url = self.url if self.url.startswith(b"/") else _ABSOLUTE.sub(b"", self.url) or b"/"
        if url.startswith(b"/v1/") or _BARE.match(url):
            self._arrive(url)
        else:
            self._pass_on(url)

    def on_body(self, body: bytes) -> None:
        exchange = self.cycle
        if not isinstance(exchange, Exchange):
            if exchange is not None and not self._lingering:
                super().on_body(body)
            return
        if exchange.response_complete or exchange.refusal is not None or self._lingering:
            return
        if exchange.task is not None:
            self.deadline = self.loop.time() + _BODY_WITHIN
        if not exchange.take(body, self._max_body):
            self._refuse_size(exchange)
        elif exchange is not self._turn and exchange.received > _AHEAD:
            self.flow.pause_reading()

    def on_message_complete(self) -> None:
        exchange = self.cycle
        if not isinstance(exchange, Exchange):
            if exchange is not None and not self._lingering and not self._without_offer:
                if exchange is self._turn:
                    self.deadline = _NEVER
                super().on_message_complete()
            return
        if self._lingering or self._without_offer:
            return
        exchange.arrived_whole()
        if not self._waits(exchange):
            self._begin(exchange)

    # Model endpoints.

    def _arrive(self, url: bytes) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(
                BadRequest("Only versions 1.0 and 1.1 of HTTP are spoken here.", code="invalid_http")
            )
            return
        exchange = Exchange(
            self,
            method=self.parser.get_method(),
            url=url,
            headers=self.headers,
            version=version,
            keep_alive=self.parser.should_keep_alive() and not self._draining,
            length=self._length,
            expects_continue=self.expect_100_continue and version == "1.1",
        )
        if self._offer:
            exchange.refuse(BadRequest("WebSockets are not offered here yet.", code="upgrade_refused"))
        previous = self.cycle
        self.cycle = exchange
        if previous is not None and not previous.response_complete:
            self.pipeline.appendleft((exchange, self.app))
            if len(self.pipeline) > _QUEUED:
                self.flow.pause_reading()
        else:
            self._receive(exchange)

    def _receive(self, exchange: Exchange) -> None:
        """It is this request's turn: wait for its body, or begin already."""
        self._turn = exchange
        length = exchange.length
        if length is not None and length > self._max_body:
            self._refuse_size(exchange)
        elif exchange.complete or exchange.refusal is not None or length is None or length > _SMALL_BODY:
            self.deadline = self.loop.time() + _BODY_WITHIN
            self._begin(exchange)
        elif length:
            self.deadline = self.loop.time() + _BODY_WITHIN
            exchange.invite()

    def _head_without_offer(self) -> bytes:
        kept = [
            pair for pair in self.headers if pair[0] not in (b"upgrade", b"connection", b"http2-settings")
        ]
        line = b"%b %b HTTP/%b\r\n" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        return line + b"".join([b"%b: %b\r\n" % pair for pair in kept]) + b"\r\n"

    def _refuse_size(self, exchange: Exchange) -> None:
        exchange.refuse(
            TooLarge(f"The request body is larger than the {self._max_body / 1e6:g} MB this server takes.")
        )
        if not self._waits(exchange):
            self._begin(exchange)

    def _begin(self, exchange: Exchange) -> None:
        if exchange.complete:
            self.deadline = _NEVER
        if exchange.task is None and not exchange.response_complete:
            exchange.task = self.loop.create_task(self._answer(exchange))
            self.tasks.add(exchange.task)

    def _waits(self, exchange: Exchange) -> bool:
        """Whether an earlier request on this connection is still being answered."""
        return bool(self.pipeline) and any(cycle is exchange for cycle, _ in self.pipeline)

    def forget(self, exchange: Exchange) -> None:
        """Its task is about to end; a callback for that would cost a turn of the loop a call."""
        self.tasks.discard(exchange.task)

    def answered(self, exchange: Exchange) -> None:
        """An exchange is over: close, or go on with the next."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if not exchange.keep_alive:
            if exchange.complete:
                self._close()
            else:
                self._linger()
            return
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Begin what was pipelined, or wait for the next request."""
        if self.transport.is_closing():
            self.expect_reading()
            return
        if self.flow.write_paused:
            # Answers must not pile up here for a client that asks and does not read.
            self._unread = True
            self.flow.pause_reading()
            self.expect_reading()
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            if isinstance(cycle, Exchange):
                self._receive(cycle)
            else:
                self._take_turn(cycle)
                self._start_asgi_task(cycle, app)
        else:
            self.deadline = self.loop.time() + (_DRAIN if self._draining else _IDLE)

    def _let_go(self, cycle: Exchange | RequestResponseCycle) -> None:
        cycle.disconnected = True
        if not isinstance(cycle, Exchange):
            cycle.message_event.set()
        elif cycle.task is not None:
            cycle.task.cancel()
            # Cancelled before its first step, it never comes to forget itself.
            cycle.task.add_done_callback(self.tasks.discard)

    # Everything else.

    def _pass_on(self, url: bytes) -> None:
        """Hand the request to uvicorn's own cycle, as if it had never been looked at."""
        headers, expect, queued = self.headers, self.expect_100_continue, self._is_busy()
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers.extend(headers)
        try:
            super().on_headers_complete()
        except httptools.HttpParserInvalidURLError:
            self._refuse(BadRequest("The request's address cannot be read.", code="invalid_path"))
            return
        if not queued:
            self._take_turn(self.cycle)
        elif len(self.pipeline) <= _QUEUED:
            self.flow.resume_reading()

    def _take_turn(self, cycle: RequestResponseCycle) -> None:
        """It is the turn of a request of uvicorn's."""
        self._turn = cycle
        self.deadline = self.loop.time() + _BODY_WITHIN if cycle.more_body else _NEVER

    def _refuse(self, error: CallError) -> None:
        """Answer what is no request. In the middle of another answer, only that one is finished."""
        if self._lingering:
            return
        last = self.cycle
        ours = isinstance(last, Exchange)
        if self._is_busy() and not (ours and last.task is None and last is self._turn):
            if ours and not last.complete and isinstance(error, ClientError):
                last.refuse(error)
            last.keep_alive = False
            self._lingering = True
            return
        dialect = DIALECTS[edge_of(self.url or b"/v1", self.headers or ())]
        body = dialect.render_error(error, "")
        self.transport.write(
            b"%b%bcontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (status_line(error.status), self.date_line(), len(body), body)
        )
        if isinstance(self.cycle, Exchange):
            self.cycle.response_complete = True
        self._linger()

    def _close(self) -> None:
        """End it, once the client has taken what was written; but not wait for that for ever."""
        self.transport.close()
        self.expect_reading()

    def _linger(self) -> None:
        self._lingering = True
        self.flow.resume_reading()
        self.deadline = self.loop.time() + _LINGER

    def date_line(self) -> bytes:
        """The Date header, made once a second by uvicorn."""
        for name, value in self.server_state.default_headers:
            if name == b"date":
                return b"date: %b\r\n" % value
        return b""
