"""Reaching an origin through a forward proxy: CONNECT for https, the proxy itself for http."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

from madang.core.errors import ConnectFailed
from madang.transport.address import Origin, Proxy
from madang.transport.connection import Connection

_HEAD_LIMIT = 64 * 1024


async def open_tunnel(
    origin: Origin,
    proxy: Proxy,
    tls: ssl.SSLContext | None,
    proxy_tls: Callable[[], ssl.SSLContext],
    make: Callable[[], Connection],
) -> Connection:
    """A connection to `origin` by way of `proxy`. Raises `ConnectFailed` or `OSError`."""
    loop = asyncio.get_running_loop()
    to_proxy = proxy_tls() if proxy.origin.scheme == "https" else None
    name = proxy.origin.host if to_proxy else None
    if tls is None:
        _, connection = await loop.create_connection(
            make, proxy.origin.host, proxy.origin.port, ssl=to_proxy, server_hostname=name
        )
        return connection
    transport, greeting = await loop.create_connection(
        lambda: _Greeting(loop), proxy.origin.host, proxy.origin.port, ssl=to_proxy, server_hostname=name
    )
    try:
        transport.write(_connect_request(origin, proxy))
        await greeting.accepted
        connection = make()
        secured = await loop.start_tls(transport, connection, tls, server_hostname=origin.host)
    except BaseException:
        transport.abort()
        raise
    connection.connection_made(cast(asyncio.Transport, secured))
    return connection


def _connect_request(origin: Origin, proxy: Proxy) -> bytes:
    target = f"{origin.host}:{origin.port}" if ":" not in origin.host else f"[{origin.host}]:{origin.port}"
    lines = [f"CONNECT {target} HTTP/1.1".encode(), b"host: " + target.encode()]
    if proxy.authorization is not None:
        lines.append(b"proxy-authorization: " + proxy.authorization)
    return b"\r\n".join([*lines, b"", b""])


class _Greeting(asyncio.Protocol):
    """Waits for the proxy's yes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.accepted: asyncio.Future[None] = loop.create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self.accepted.done() or (b"\r\n\r\n" not in self._head and len(self._head) < _HEAD_LIMIT):
            return
        status = self._head.split(b" ", 2)[1:2]
        if self._head.startswith(b"HTTP/1.") and status and status[0][:1] == b"2":
            self.accepted.set_result(None)
        else:
            said = self._head.split(b"\r\n", 1)[0][:100].decode("latin-1")
            self.accepted.set_exception(ConnectFailed(f"The proxy refused the connection: {said}"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.accepted.done():
            self.accepted.set_exception(ConnectFailed("The proxy closed the connection."))
