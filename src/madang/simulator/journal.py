"""What the simulator remembers: the last requests, and counts of how answers ended."""

from __future__ import annotations

import re
from collections import deque

import msgspec

from madang.core.secret import MASK
from madang.simulator.request import Request

_SECRET_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key")
)


_KEY_IN_QUERY = re.compile(r"((?:^|&)key=)[^&]*")


class Stats(msgspec.Struct):
    """Counts since the start."""

    served: int = 0
    """Answers sent in full, errors included."""
    streams: int = 0
    """Of those: event streams."""
    errors: int = 0
    """Of those: with a status of 400 or more."""
    cut: int = 0
    """Broken off on purpose: cut, hung up, garbled framing."""
    reset: int = 0
    """Connections reset on purpose."""
    stalled: int = 0
    """Answers that fell silent on purpose."""
    left: int = 0
    """Clients that hung up before their answer had ended (waiting out a stall counts)."""
    malformed: int = 0
    """What was no HTTP."""
    active: int = 0
    """Answers under way."""
    connections: int = 0
    """Connections accepted."""
    open_connections: int = 0


class Journal:
    """The last requests, bounded in number and in bytes of body."""

    def __init__(self, most: int = 1000, most_bytes: int = 64_000_000) -> None:
        self._requests: deque[Request] = deque()
        self._most, self._most_bytes, self._bytes = most, most_bytes, 0

    def add(self, request: Request) -> None:
        """Remember a request, and forget the oldest beyond the bounds."""
        requests = self._requests
        requests.append(request)
        self._bytes += len(request.body)
        while len(requests) > self._most or (self._bytes > self._most_bytes and len(requests) > 1):
            self._bytes -= len(requests.popleft().body)

    def all(self) -> list[Request]:
        """Oldest first."""
        return list(self._requests)

    def as_json(self) -> bytes:
        """For `GET /simulator/requests`: keys masked, bodies as text."""
        return msgspec.json.encode({"requests": [_shown(request) for request in self._requests]})


def _shown(request: Request) -> dict[str, object]:
    headers = {name: MASK if name in _SECRET_HEADERS else value for name, value in request.headers.items()}
    return {
        "method": request.method,
        "path": request.path,
        "query": _KEY_IN_QUERY.sub(rf"\1{MASK}", request.query),
        "headers": headers,
        "body": request.body.decode("utf-8", "replace"),
    }
