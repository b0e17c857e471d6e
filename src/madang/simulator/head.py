"""The head of a response, as bytes."""

from __future__ import annotations

from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def build_head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Status line and headers. A name given twice counts as it was given last."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in dict(headers).items()])
    return f"{_status_line(status)}{lines}\r\n".encode("latin-1", "replace")


@lru_cache(128)
def _status_line(status: int) -> str:
    known = {entry.value: entry.phrase for entry in HTTPStatus}
    return f"HTTP/1.1 {status} {known.get(status, 'Unknown')}\r\n"


@lru_cache(8)
def http_date(second: int) -> str:
    """The `date` header of a second."""
    return formatdate(second, usegmt=True)
