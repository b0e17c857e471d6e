"""Small things for the tests of the Responses API's dialect: bodies, answers, streams."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from madang.core.events import Event
from madang.core.messages import Message, Part, Text
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC

NAME = "openai_responses"
ASKED = Message("user", (Text("hi"),))


def parsed(*items: object, **settings: object) -> Request:
    """What a client's request says: its items, and whatever else."""
    return CODEC.parse_request(
        json.dumps({"model": "m", "input": list(items), **settings}).encode(), None, None
    )


def rendered(*messages: Message, **settings: Any) -> dict[str, Any]:
    """What a provider is asked for a request of another dialect."""
    return asked_for(Request(model="m", messages=messages or (ASKED,), **settings))


def asked_for(request: Request) -> dict[str, Any]:
    """What a provider is asked."""
    return json.loads(CODEC.render_request(request, request.model))  # type: ignore[no-any-return]  # an object


def asked_for_turn(*parts: Part) -> list[dict[str, Any]]:
    """The items of an assistant's turn, between two of the user's, as a provider gets them."""
    items: list[dict[str, Any]] = rendered(ASKED, Message("assistant", parts), ASKED)["input"][1:-1]
    return items


def same(*items: object, **settings: object) -> None:
    """A request of this dialect comes out as it went in."""
    assert asked_for(parsed(*items, **settings)) == {"model": "m", "input": list(items), **settings}


def parts_of(request: Request) -> list[Part]:
    """Everything said in a request, in order."""
    return [part for message in request.messages for part in message.parts]


def answered(*output: object, **members: object) -> Response:
    """A provider's answer."""
    body = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": list(output)}
    return CODEC.parse_response(json.dumps({**body, **members}).encode())


def answering(**settings: Any) -> Answering:
    """For a client that asked so."""
    return Answering(
        request=Request(model="house", messages=(ASKED,), **settings), id="answer-1", created=1_700_000_000
    )


def told(*parts: Part, stop: Stop = Stop.END, **members: Any) -> dict[str, Any]:
    """What a client gets for an answer of another dialect."""
    response = Response(
        id="answer-1", model="x-1", candidates=(Candidate(parts=parts, stop=stop, **members),)
    )
    return json.loads(CODEC.render_response(response, answering()))  # type: ignore[no-any-return]  # an object


def back(answer: dict[str, Any], *more: object) -> Request:
    """What a client asks next that sends an answer's items back."""
    return parsed({"role": "user", "content": "hi"}, *answer["output"], *more)


def event(kind: str, **members: object) -> bytes:
    """An event on the wire."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members})}\n\n".encode()


CREATED = event("response.created", response={"id": "resp_1", "model": "m", "status": "in_progress"})


def completed(**members: object) -> bytes:
    """The last event."""
    response = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", **members}
    return event("response.completed", response=response)


def read(*pieces: bytes) -> list[Event]:
    """The events of a stream that comes in pieces."""
    parser = CODEC.stream_parser()
    events: list[Event] = []
    for piece in pieces:
        events += parser.feed(piece)
    return events + parser.end()


def sent(events: Iterable[Event], **settings: Any) -> list[dict[str, Any]]:
    """What a client reads of a stream."""
    renderer = CODEC.stream_renderer(answering(**settings))
    out = []
    for block in b"".join([renderer.render(one) for one in events]).split(b"\n\n"):
        if block and not block.startswith(b":"):
            name, data = block.split(b"\ndata: ")
            out.append(json.loads(data))
            assert name == b"event: " + out[-1]["type"].encode()
    return out
