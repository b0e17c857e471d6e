"""A door: the way to send a request to one provider and hear its answer."""

from __future__ import annotations

import logging
import os
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

from madang import __version__
from madang.core.errors import UpstreamError
from madang.providers.base import Provider
from madang.providers.compatible import key_header_for, url_for
from madang.transport.address import Origin, read_origin
from madang.transport.pool import Http, Pool

_log = logging.getLogger("madang.providers")

Headers = list[tuple[bytes, bytes]]

_CACHED_PATHS = 256
_UNREACHED = ("connect_failed", "connect_timeout")


class Reply(Protocol):
    """A provider's answer, from its head on."""

    status: int
    headers: Headers

    @property
    def whole(self) -> bool:
        """Whether everything has arrived, though perhaps not been read."""

    async def next(self) -> bytes:
        """What has arrived since the last time, waiting if that is nothing; `b""` at the end."""

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        """Give pieces to `sink` as they come, until the end (true) or until it gives false."""

    async def read(self) -> bytes:
        """The whole (or the rest) of the body."""

    def close(self) -> None:
        """Done with it; a provider that is still speaking is told to stop."""


class Door(Protocol):
    """Sends one request. Raises `CallError` where no answer came."""

    passes: bool
    """Whether bytes pass through it, or something of ours behind it reads them."""

    async def send(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> Reply:
        """`path` is the operation's, below `/v1`; `headers` are the client's that may go on."""


def _reason(problem: BaseException | None) -> str:
    """Why no connection came about, without an address."""
    match problem:
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted"
        case socket.gaierror():
            return "its name is not known"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
        case _:
            return ""


class HttpDoor:
    """A provider behind HTTP. What is the same in every request is written once."""

    passes = True

    def __init__(self, provider: Provider, http: Http) -> None:
        self._provider = provider
        self._http = http
        self._fixed: dict[tuple[str, str], tuple[Pool, bytes]] = {}
        row = provider.row.headers
        self._defaults = [
            (name.lower().encode(), value.encode())
            for name, value in row.items()
            if provider.headers.get(name) in (None, value)
        ]
        """What the row sends unless the client says otherwise: an API version, say."""

    async def send(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> Reply:
        """Ask the provider. Raises `UpstreamError` where it gave no answer."""
        fixed = self._fixed.get((method, path))
        if fixed is None:
            fixed = self._write_head(method, path)
        pool, head = fixed
        if query:
            line, space, rest = head.partition(b" HTTP/1.1\r\n")
            head = line + b"?" + query + space + rest
        lines = b"".join([b"%s: %s\r\n" % pair for pair in headers])
        for name, value in self._defaults:
            if not any(given == name for given, _ in headers):
                lines += b"%s: %s\r\n" % (name, value)
        if body or method not in ("GET", "DELETE"):
            lines += b"content-length: %d\r\n" % len(body)
        try:
            return await pool.ask((b"%s%s\r\n" % (head, lines), body), self._provider.timeouts)
        except UpstreamError as problem:
            if problem.code in _UNREACHED:
                raise self._unreached(problem) from problem
            raise

    def _unreached(self, problem: UpstreamError) -> UpstreamError:
        """Where a provider stands is told to the operator, and not to everybody who calls."""
        name = self._provider.name
        _log.warning("provider %s: %s", name, problem.message)
        reason = _reason(problem.__cause__) or "this server's log says more"
        return type(problem)(f"The provider '{name}' could not be reached: {reason}.", code=problem.code)

    def _write_head(self, method: str, path: str) -> tuple[Pool, bytes]:
        url = url_for(self._provider, path)
        origin = read_origin(url, f"providers.{self._provider.name}.base_url")
        pool = self._http.pool(origin)
        target = url.partition("://")[2].partition("/")[2]
        lines = [b"%s %s/%s HTTP/1.1" % (method.encode(), pool.target_prefix, target.encode())]
        lines += [b"%s: %s" % pair for pair in self._headers(origin, path)]
        head = b"\r\n".join([*lines, pool.proxy_headers])
        if len(self._fixed) >= _CACHED_PATHS:
            self._fixed.clear()  # paths with ids in them are many
        self._fixed[method, path] = pool, head
        return pool, head

    def _headers(self, origin: Origin, path: str) -> Headers:
        key = key_header_for(self._provider, path)
        own = {
            b"host": origin.authority.encode(),
            b"user-agent": b"madang/" + __version__.encode(),
            # The tap reads what passes; a compressed answer would pass unheard.
            b"accept-encoding": b"identity",
        }
        if key is not None:
            own[key[0].lower()] = key[1]
        for name, value in self._provider.headers.items():
            if self._provider.row.headers.get(name) == value:
                continue  # a default, sent where the client says nothing else
            own[name.lower().encode()] = value.encode()
        return list(own.items())
