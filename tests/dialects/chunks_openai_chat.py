"""Chunks of chat completions, for tests: made, read into events, and rendered from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from madang.core.errors import BrokenAnswer, ProviderError
from madang.core.events import (
    Event,
    Failure,
    collect,
    explode,
)
from madang.core.messages import (
    Json,
    Message,
    Text,
)
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.openai_chat import OPENAI_CHAT
from madang.dialects.sse import Splitter, data_of
from tests.dialects.hub import legal

ASKED = Request(model="asked", messages=(Message("user", (Text("hi"),)),), stream=True)
ANSWERING = Answering(request=ASKED, id="id-1", created=7)
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
DONE = "[DONE]"


def chunk(
    delta: Json = None, finish_reason: str | None = None, index: int = 0, **members: Json
) -> dict[str, Any]:
    return {
        **HEAD,
        "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish_reason}],
        **members,
    }


def stream(*chunks: Json) -> bytes:
    return b"".join(
        b"data: "
        + (DONE.encode() if one == DONE else one if isinstance(one, bytes) else json.dumps(one).encode())
        + b"\n\n"
        for one in chunks
    )


def events(data: bytes) -> list[Event]:
    parser = OPENAI_CHAT.stream_parser()
    return legal(parser.feed(data) + parser.end())


def read(*chunks: Json) -> Response:
    return collect(events(stream(*chunks)))


def parts(*deltas: Json) -> tuple[Any, ...]:
    """What the first choice of a stream with these deltas says."""
    return read(*[chunk(delta) for delta in deltas], chunk(None, "stop"), DONE).candidates[0].parts


def failure(data: bytes) -> BrokenAnswer | ProviderError:
    [*_, last] = events(data)
    assert isinstance(last, Failure)
    assert isinstance(last.error, BrokenAnswer | ProviderError)
    return last.error


def rendered(heard: Iterable[Event], answering: Answering = ANSWERING) -> list[Any]:
    """The chunks a client gets, and the end mark."""
    renderer = OPENAI_CHAT.stream_renderer(answering)
    data = [
        data_of(event) for event in Splitter().feed(b"".join([renderer.render(event) for event in heard]))
    ]
    return [DONE if one == b"[DONE]" else json.loads(one) for one in data]


def deltas(*said: Any, stop: Stop = Stop.END, answering: Answering = ANSWERING) -> list[Any]:
    """The deltas in which a client gets an answer."""
    response = Response(candidates=(Candidate(parts=said, stop=stop),))
    chunks = rendered(explode(response), answering)
    return [one["choices"][0]["delta"] for one in chunks if one != DONE and one["choices"]]


USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
