"""Connections kept for the next call, by origin; and how a new one is made.

Last in, first out, so that what is not needed ages and is let go. A closed connection takes
itself out at once: the loop is always reading. There is no cap on connections: a cap turns a
slow provider into a stopped gateway; limits on calls are another room's work.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from madang.core.errors import ConnectFailed, UpstreamTimeout
from madang.transport.address import Origin, Proxy, proxy_for
from madang.transport.connection import Connection, Response, StaleConnection
from madang.transport.deadlines import Timeouts
from madang.transport.tunnel import open_tunnel

_KEEP_IDLE = 55.0
"""Seconds; most providers and load balancers close idle connections after 60."""


class Pool:
    """The connections to one origin."""

    def __init__(
        self,
        origin: Origin,
        proxy: Proxy | None,
        tls: Callable[[], ssl.SSLContext],
        busy: set[Connection],
    ) -> None:
        self.origin = origin
        self.proxy = proxy
        plain = proxy if origin.scheme == "http" else None
        self.target_prefix = f"http://{origin.authority}".encode() if plain else b""
        """What goes before the path in the request line: a proxy for plain http wants the whole URL."""
        self.proxy_headers = (
            b"proxy-authorization: %s\r\n" % plain.authorization if plain and plain.authorization else b""
        )
        self._tls = tls
        self._idle: list[Connection] = []
        self._busy = busy

    async def ask(self, request: tuple[bytes, ...], timeouts: Timeouts) -> Response:
        """Ask on a kept connection, or on a new one.

        A kept connection that closes at once and without a word was let go by the provider while
        the request was on its way; asking again on another is what browsers do as well.
        """
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                self._busy.add(connection)
                try:
                    return await connection.ask(request, timeouts)
                except StaleConnection:
                    continue
        connection = await self._connect(timeouts)
        self._busy.add(connection)
        try:
            return await connection.ask(request, timeouts)
        except StaleConnection:
            raise ConnectFailed(f"{self.origin.authority} closed the connection at once.") from None

    def idle(self) -> int:
        """How many connections wait for a call."""
        return len(self._idle)

    def expire(self, now: float) -> None:
        """Let go of what has been idle for long."""
        for connection in [c for c in self._idle if now - c.idle_since > _KEEP_IDLE]:
            self._idle.remove(connection)
            connection.close()

    def close(self) -> None:
        """Let go of everything idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _rest(self, connection: Connection) -> None:
        self._busy.discard(connection)
        self._idle.append(connection)

    def _lost(self, connection: Connection) -> None:
        self._busy.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    async def _connect(self, timeouts: Timeouts) -> Connection:
        try:
            async with asyncio.timeout(timeouts.connect):
                return await self._open()
        except TimeoutError:
            raise UpstreamTimeout(
                f"{self.origin.authority} could not be reached within {timeouts.connect:g} s.",
                code="connect_timeout",
            ) from None
        except (OSError, ssl.SSLError, UnicodeError) as problem:
            raise ConnectFailed(
                f"{self.origin.authority} could not be reached: {_reason(problem)}."
            ) from problem

    async def _open(self) -> Connection:
        loop = asyncio.get_running_loop()
        make = partial(Connection, loop, self._rest, self._lost)
        tls = self._tls() if self.origin.scheme == "https" else None
        if self.proxy is not None:
            return await open_tunnel(self.origin, self.proxy, tls, self._tls, make)
        _, connection = await loop.create_connection(
            make,
            self.origin.host,
            self.origin.port,
            ssl=tls,
            server_hostname=self.origin.host if tls else None,
        )
        return connection


class Http:
    """Every pool of this process, and the deadlines of every call under way."""

    def __init__(self, environ: Mapping[str, str], tls: ssl.SSLContext | None = None) -> None:
        self._environ = environ
        self._context = tls
        self._pools: dict[Origin, Pool] = {}
        self.busy: set[Connection] = set()

    def pool(self, origin: Origin) -> Pool:
        """The pool of an origin, made on first use."""
        pool = self._pools.get(origin)
        if pool is None:
            proxy = proxy_for(origin, self._environ)
            pool = self._pools[origin] = Pool(origin, proxy, self._tls, self.busy)
        return pool

    def __iter__(self) -> Iterator[Connection | Pool]:
        """Everything with a deadline, for `Deadlines`."""
        yield from self.busy
        yield from self._pools.values()

    def close(self) -> None:
        """End every connection."""
        for pool in self._pools.values():
            pool.close()
        for connection in tuple(self.busy):
            connection.abandon()

    def _tls(self) -> ssl.SSLContext:
        # Reading the system's certificates takes some 20 ms: done on the first https call, not at start.
        if self._context is None:
            self._context = ssl.create_default_context()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context


def _reason(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({problem.verify_message})"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror.lower()
    return str(problem) or type(problem).__name__
