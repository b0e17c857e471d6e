"""Counting a request's tokens before it is asked: `POST /v1/messages/count_tokens`."""

from __future__ import annotations

import msgspec

from madang.core.requests import Request
from madang.dialects.anthropic.requests import read, write
from madang.dialects.reading import Members, read_object, reading_answer, write_json

_NOT_COUNTED = frozenset(
    (
        "container",
        "inference_geo",
        "max_tokens",
        "metadata",
        "service_tier",
        "stop_sequences",
        "stream",
        "temperature",
        "top_k",
        "top_p",
    )
)
"""What only a request for an answer may have; here the API refuses it."""


class _Count(msgspec.Struct):
    input_tokens: int


_count = msgspec.json.Decoder(_Count)


def parse_count_request(body: bytes) -> Request:
    """A request whose tokens are to be counted. Raises `BadRequest`."""
    return read(Members(read_object(body)))


def render_count_request(request: Request, model: str) -> bytes:
    """The body that asks a provider to count."""
    whole = write(request, model)
    return write_json({name: value for name, value in whole.items() if name not in _NOT_COUNTED})


@reading_answer
def parse_count(body: bytes) -> int:
    """A provider's count. Raises `BrokenAnswer`."""
    return _count.decode(body).input_tokens


def render_count(count: int) -> bytes:
    """A count for a client."""
    return write_json({"input_tokens": count})
