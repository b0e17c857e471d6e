"""A request as the socket brought it: what every layer of the simulator is handed."""

from __future__ import annotations

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One HTTP request; names of headers in lower case, repeated ones joined by commas."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool = True
    http10: bool = False
