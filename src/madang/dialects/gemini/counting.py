"""Counting a request's tokens before it is asked: `countTokens`.

The body is `{"contents": …}`, or holds a whole request under `generateContentRequest`, which the
Gemini API wants for what is more than contents.
"""

from __future__ import annotations

import msgspec

from madang.core.events import merge
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects.gemini.requests import parse_object, render_object
from madang.dialects.gemini.spelling import NAME, Spelled
from madang.dialects.reading import note, read_object, reading_answer, write_json

_WHOLE = "generateContentRequest"


class _Count(msgspec.Struct, rename="camel"):
    total_tokens: int = 0
    """Zero is left out."""


_count = msgspec.json.Decoder(_Count)


def parse_count_request(body: bytes, model: str | None) -> Request:
    """A request whose tokens are to be counted. Raises `BadRequest`."""
    value = read_object(body)
    top = Spelled(value)
    whole = top.left.get(_WHOLE)
    if whole is None:
        request, form = parse_object(value, "", model, stream=False), "contents"
    else:
        request, form = parse_object(whole, top.at(_WHOLE), model, stream=False), "whole"
    return msgspec.structs.replace(request, extra=merge(request.extra, {NAME: {"$count": form}}))


def render_count_request(request: Request, model: str) -> bytes:
    """The body that asks a provider to count."""
    whole = render_object(request, model)
    form = note(request.extra, NAME, "count")
    if form == "contents" or (form is None and whole.keys() == {"contents"}):
        return write_json(whole)
    named: dict[str, Json] = {"model": f"models/{model.removeprefix('models/')}"}
    return write_json({_WHOLE: {**whole, **named}})


@reading_answer
def parse_count(body: bytes) -> int:
    """A provider's count. Raises `BrokenAnswer`."""
    return _count.decode(body).total_tokens


def render_count(count: int) -> bytes:
    """A count for a client."""
    return write_json({"totalTokens": count})
