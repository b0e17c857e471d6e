"""One client's connection: HTTP/1 read with httptools, answers played one after the other.

Pipelined requests wait their turn. Whoever hangs up, or says that nothing more will come while an
answer is under way, has left: that answer stops and is counted.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote, urlsplit

import httptools
import msgspec

from madang.simulator.head import CONTINUE
from madang.simulator.journal import Journal, Stats
from madang.simulator.plan import End, Plan
from madang.simulator.player import Player
from madang.simulator.request import Request
from madang.simulator.service import Service
from madang.simulator.ticker import Ticker

_MOST_HEAD = 65_536
_MOST_BODY = 64 * 1024 * 1024
_MOST_WAITING = 128
_FLUSH = 0.002
"""Seconds for what was written to reach the kernel before a reset throws away the rest."""


class Exchange(msgspec.Struct, frozen=True):
    """One request and how its answer ended, for whoever keeps a log."""

    method: str
    path: str
    status: int
    outcome: str
    """`served`, `left`, or the fault done on purpose."""
    seconds: float


class Floor(msgspec.Struct):
    """What all connections of a simulator share."""

    service: Service
    journal: Journal
    stats: Stats
    loop: asyncio.AbstractEventLoop
    ticker: Ticker
    connections: set[Connection]
    log: Callable[[Exchange], None] | None = None


class Connection(asyncio.Protocol):
    """A client's connection."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._player: Player | None = None
        self._request: Request | None = None
        self._began = 0.0
        self._waiting: deque[Request] = deque()
        self._paused = self._closed = self._advancing = self._owes_continue = False
        self._last_words: bytes | None = None
        self._read_paused = False
        self._heard = 0
        self._begin_reading()

    # What the transport tells us.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast("asyncio.Transport", transport)
        _without_nagle(self._transport)
        self._floor.connections.add(self)
        self._floor.stats.connections += 1
        self._floor.stats.open_connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whoever's doing."""
        self._closed = True
        self._floor.connections.discard(self)
        self._floor.stats.open_connections -= 1
        self._leave()

    def eof_received(self) -> bool:
        """The client sends no more: it has left, as far as an HTTP server can know."""
        self._leave()
        return False

    def pause_writing(self) -> None:
        """The client is slower than the answer."""
        self._paused = True
        if self._player is not None:
            self._player.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._paused = False
        if self._player is not None:
            self._player.resume()

    def data_received(self, data: bytes) -> None:
        """Bytes of one request, or of several."""
        if self._last_words is not None:
            return
        heard = self._heard
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._stay_with_http(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(400, f"The simulator could not read the request as HTTP/1.1: {error}")
        else:
            self._check_size(len(data) if self._heard == heard else 0)
        self._advance()

    # What httptools tells us.

    def on_message_begin(self) -> None:
        """A request starts."""
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._body_size = self._head_size = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        if self._headers.get("expect", "").lower() == "100-continue":
            self._owes_continue = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._owes_continue = False
        self._body_size += len(body)
        if self._body_size <= _MOST_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole; or it offered another protocol, and its body is still to come."""
        self._owes_continue = False
        if self._parser.should_upgrade() and "upgrade" in self._headers:
            return
        path, query = _split_target(self._url)
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        parser = self._parser
        version = parser.get_http_version()
        request = Request(
            parser.get_method().decode("latin-1"), path, query, self._headers, body,
            parser.should_keep_alive(), version == "1.0",
        )  # fmt: skip
        self._waiting.append(request)
        self._heard += 1

    # Answering.

    def _begin_reading(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._in_head = False
        self._head_size = self._body_size = 0

    def _stay_with_http(self, rest: bytes) -> None:
        """Read a request that offers another protocol (`Upgrade: h2c`, as Java's client does) without it.

        The parser stops before the body of such a request; so it gets the head again, without the offer.
        """
        head = b""
        if "upgrade" in self._headers:
            kept = [line for line in self._headers.items() if line[0] not in ("upgrade", "connection")]
            lines = "".join(f"{name}: {value}\r\n" for name, value in kept)
            method, target = self._parser.get_method(), self._url
            head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, lines.encode("latin-1"))
        self._begin_reading()
        if head or rest:
            self.data_received(head + rest)

    def _check_size(self, size: int) -> None:
        """Bounds for head and body; `size` is what came, if no request became whole with it."""
        if self._in_head:
            self._head_size += size
        if self._in_head and self._head_size > _MOST_HEAD:
            self._refuse(431, f"The request's head is larger than {_MOST_HEAD} bytes.")
        elif self._body_size > _MOST_BODY:
            self._refuse(413, f"The request's body is larger than {_MOST_BODY} bytes.")

    def _refuse(self, status: int, message: str) -> None:
        """Close with an error, once the answers before it are out."""
        self._floor.stats.malformed += 1
        self._last_words = self._floor.service.malformed(status, message)

    def _advance(self) -> None:
        """Answer what waits, as far as no answer is under way."""
        if self._advancing:
            return
        self._advancing = True
        while self._waiting and self._player is None and not self._closed:
            self._answer(self._waiting.popleft())
        self._advancing = False
        self._pace_reading()
        if self._player is None and not self._closed:
            self._finish_turn()

    def _finish_turn(self) -> None:
        """Nothing is under way: say what had to wait for that."""
        if self._last_words is not None:
            self._transport.write(self._last_words)
            self._close()
        elif self._owes_continue:
            self._owes_continue = False
            self._transport.write(CONTINUE)

    def _pace_reading(self) -> None:
        if not self._read_paused and len(self._waiting) > _MOST_WAITING:
            self._read_paused = True
            self._transport.pause_reading()
        elif self._read_paused and len(self._waiting) <= _MOST_WAITING // 2 and not self._closed:
            self._read_paused = False
            self._transport.resume_reading()

    def _answer(self, request: Request) -> None:
        floor = self._floor
        plan = floor.service.plan(request)
        if not request.path.startswith(("/simulator/", "/health")):
            floor.journal.add(request)
        self._request, self._began = request, floor.loop.time()
        floor.stats.active += 1
        self._player = Player(
            plan, self._transport, floor.loop, floor.ticker, self._played, paused=self._paused
        )
        self._player.play()

    def _played(self) -> None:
        """The plan's last step is out."""
        player = self._player
        if player is None:
            return
        plan, stats = player.plan, self._floor.stats
        match plan.end:
            case End.HOLD:
                stats.stalled += 1
                return
            case End.RESET:
                stats.reset += 1
                self._end(plan.fault)
                self._closed = True
                self._floor.ticker.at(self._floor.loop.time() + _FLUSH, self._reset)
                return
            case End.CLOSE if plan.fault:
                stats.cut += 1
            case End.CLOSE | End.KEEP:
                self._count_served(plan)
        self._end(plan.fault or "served")
        if plan.end is End.CLOSE:
            self._close()
        else:
            self._advance()

    def _count_served(self, plan: Plan) -> None:
        stats = self._floor.stats
        stats.served += 1
        stats.errors += plan.status >= 400
        stats.streams += plan.stream

    def _leave(self) -> None:
        """The client has gone; if an answer was under way, it stops."""
        if self._player is not None:
            self._player.stop()
            self._floor.stats.left += 1
            self._end("left")
        self._waiting.clear()
        self._closed = True

    def _end(self, outcome: str) -> None:
        player, request = self._player, self._request
        self._player = self._request = None
        self._floor.stats.active -= 1
        if self._floor.log is not None and player is not None and request is not None:
            seconds = self._floor.loop.time() - self._began
            self._floor.log(Exchange(request.method, request.path, player.plan.status, outcome, seconds))

    def _close(self) -> None:
        self._closed = True
        self._transport.close()

    def _reset(self) -> None:
        """RST instead of FIN: lingering for no time makes the kernel drop the connection."""
        if (sock := self._transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def drop(self) -> None:
        """The simulator stops: so does this connection."""
        self._transport.abort()


def _split_target(target: bytes) -> tuple[str, str]:
    """Path (decoded) and query of a request's target, which may be a whole URL."""
    text = target.decode("latin-1")
    if not text.startswith("/"):
        parts = urlsplit(text)
        return unquote(parts.path) or "/", parts.query
    path, _, query = text.partition("?")
    return (unquote(path) if "%" in path else path), query


def _without_nagle(transport: asyncio.Transport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
