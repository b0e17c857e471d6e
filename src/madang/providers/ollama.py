"""Where Ollama listens, read from `OLLAMA_HOST` as its own programs read it.

`host`, `host:port`, `:port`, with or without a scheme and a path. Ollama's server uses the same
variable for the address it binds to, so "every address" is read as this machine.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_PORT = 11434
_SCHEME_PORT = {"http": 80, "https": 443}
_EVERY_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound to


def read_host(value: str) -> str:
    """The base URL that a value of `OLLAMA_HOST` means. Never fails: Ollama too falls back to its port."""
    text = value.strip().strip("\"'")
    scheme, marked, rest = text.partition("://")
    if not marked or scheme not in _SCHEME_PORT:
        scheme, rest = "http", rest if marked else text
    authority, _, path = rest.partition("/")
    if authority.count(":") > 1 and not authority.startswith("["):
        authority = f"[{authority}]"
    parts = urlsplit(f"//{authority}") if _closed(authority) else urlsplit("//")
    host = parts.hostname or ""
    host = _EVERY_ADDRESS.get(host, host)
    port = _port(parts.netloc) or (_SCHEME_PORT.get(scheme, _PORT) if marked else _PORT)
    named = f"[{host}]" if ":" in host else host
    return f"{scheme}://{named}:{port}" + (f"/{path}".rstrip("/"))


def _closed(authority: str) -> bool:
    """Whether brackets, if any, are those of an IPv6 address; `urlsplit` raises on others."""
    try:
        urlsplit(f"//{authority}")
    except ValueError:
        return False
    return True


def _port(netloc: str) -> int | None:
    digits = netloc.rpartition("]")[2].rpartition(":")[2] if ":" in netloc.rpartition("]")[2] else ""
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < int(digits) <= 65535 else None
