"""Gemini's wire, for tests: a request, an answer and a stream in few words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from madang.core.events import Event
from madang.core.messages import Message, Part, Text
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects.base import Answering
from madang.dialects.gemini import GEMINI

ANSWERING = Answering(request=Request(model="house", messages=()), id="answer-1", created=1_700_000_000)


def request(*contents: object, model: str = "gemini-3-pro", **members: object) -> Request:
    """A request as the client's edge reads it."""
    body = json.dumps({"contents": list(contents) or [said("hi")], **members}).encode()
    return GEMINI.parse_request(body, model, None)


def rendered(asked: Request, model: str = "gemini-3-pro") -> Any:
    """A request as the provider gets it."""
    return json.loads(GEMINI.render_request(asked, model))


def again(asked: object, model: str = "gemini-3-pro") -> Any:
    """A body, read and written."""
    return rendered(GEMINI.parse_request(json.dumps(asked).encode(), model, None), model)


def asked(*messages: Message, **settings: Any) -> Request:
    """A request from elsewhere."""
    return Request(model="house", messages=messages or (Message("user", (Text("hi"),)),), **settings)


def said(*parts: object, role: str = "user") -> dict[str, object]:
    """A content; text may be just that."""
    return {"role": role, "parts": [{"text": part} if isinstance(part, str) else part for part in parts]}


def parts_of(found: Request) -> tuple[Part, ...]:
    """All that was said."""
    return tuple(part for message in found.messages for part in message.parts)


def answer(*parts: object, reason: str | None = "STOP", **members: object) -> Any:
    """The body of an answer."""
    candidate: dict[str, object] = {"content": said(*parts, role="model"), "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    candidate.update(members)
    return {"candidates": [candidate], "modelVersion": "gemini-3-pro", "responseId": "r-1"}


def read(body: object) -> Response:
    """An answer as the provider's edge reads it."""
    return GEMINI.parse_response(json.dumps(body).encode())


def told(response: Response, answering: Answering = ANSWERING) -> Any:
    """An answer as the client gets it."""
    return json.loads(GEMINI.render_response(response, answering))


def wire(*chunks: object) -> bytes:
    """A stream of events."""
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks)


def events(*streams: bytes) -> list[Event]:
    """The events of a stream that comes in pieces."""
    parser = GEMINI.stream_parser()
    return [event for piece in streams for event in parser.feed(piece)] + parser.end()


def chunks(stream: bytes) -> list[Any]:
    """The data of a stream's events."""
    blocks = stream.replace(b"\r\n", b"\n").split(b"\n\n")
    return [json.loads(block.removeprefix(b"data: ")) for block in blocks if block.startswith(b"data: ")]


def stream(happening: Sequence[Event], answering: Answering = ANSWERING) -> bytes:
    """Events as the client gets them."""
    renderer = GEMINI.stream_renderer(answering)
    return b"".join([renderer.render(event) for event in happening])
