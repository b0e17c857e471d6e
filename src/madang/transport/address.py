"""Where a request goes: scheme, host, port, and whether a proxy stands in between.

Pure reading of URLs and of the proxy variables; sockets are opened in `pool.py`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from madang.core.errors import ConfigError

_SCHEMES: dict[str, Literal["http", "https"]] = {"http": "http", "https": "https"}
_DEFAULT_PORT = {"http": 80, "https": 443}


class Origin(msgspec.Struct, frozen=True):
    """One server, as a connection pool knows it."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The value of a Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


class Proxy(msgspec.Struct, frozen=True):
    """A forward proxy named by the environment."""

    origin: Origin
    authorization: bytes | None = None
    """The value of Proxy-Authorization, where the URL carried credentials."""


def read_origin(url: str, where: str = "url") -> Origin:
    """The origin of an http or https URL. Raises `ConfigError` naming `where`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise ConfigError(
            where, got="an address that cannot be read", want="a URL", hint=str(problem)
        ) from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not host:
        raise ConfigError(
            where,
            got=f"{parts.scheme or 'no scheme'}://{host or ''}",
            want="an http or https URL with a host",
            hint="write https://host/v1",
        )
    return Origin(scheme, host, port or _DEFAULT_PORT[scheme])


def proxy_for(origin: Origin, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy for an origin, by the customs curl set: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.

    Lower case wins over upper case. Upper-case `HTTP_PROXY` is ignored under CGI, where a
    request header could set it (CVE-2016-5385).
    """
    url = _variable(environ, f"{origin.scheme}_proxy") or _variable(environ, "all_proxy")
    if not url or _bypassed(origin, _variable(environ, "no_proxy") or ""):
        return None
    if "://" not in url:
        url = f"http://{url}"
    parts = urlsplit(url)
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(pair.encode())
    return Proxy(read_origin(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", "proxy"), authorization)


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return environ.get(name)
    return environ.get(name) or environ.get(name.upper())


def _bypassed(origin: Origin, no_proxy: str) -> bool:
    for entry in no_proxy.split(","):
        name = entry.strip().lower().lstrip("*").lstrip(".")
        if entry.strip() == "*":
            return True
        host, _, port = name.rpartition(":") if name.count(":") == 1 else (name, "", "")
        if port and port != str(origin.port):
            continue
        host = host.strip("[]")
        if host and (origin.host.lower() == host or origin.host.lower().endswith("." + host)):
            return True
    return False
