"""Anthropic's own SDK against the simulator, unchanged: streams, tools, thinking, parsing, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import MessageParam
from pydantic import BaseModel

from madang.simulator import Match, Rule, Scenario, Scripted, Simulator, run_in_thread
from tests.simulator.dialect_desks import WEATHER

_ASKED: list[MessageParam] = [{"role": "user", "content": "What is the weather in Seoul?"}]
_MODEL = "claude-haiku-4-5"
_BROKEN = (anthropic.APIError, httpx2.HTTPError, ValueError)
"""What the SDK raises when a stream breaks: the HTTP client's own errors come through."""


class Day(BaseModel):
    city: str
    stops: list[str]


@pytest.fixture
def client(threaded: Simulator) -> Iterator[Anthropic]:
    with Anthropic(base_url=threaded.root, api_key="any", max_retries=0) as client:
        yield client


def _text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_sync_answers_and_streams_agree(client: Anthropic) -> None:
    whole = client.messages.create(model=_MODEL, max_tokens=500, messages=_ASKED)
    with client.messages.stream(model=_MODEL, max_tokens=500, messages=_ASKED) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == _text(whole) == _text(final)
    assert final.usage.output_tokens == whole.usage.output_tokens
    assert final.stop_reason == whole.stop_reason == "end_turn"


async def test_async_streams_end_with_their_usage(simulator: Simulator) -> None:
    async with (
        AsyncAnthropic(base_url=simulator.root, api_key="any", max_retries=0) as client,
        client.messages.stream(model="sim-tokens-7", max_tokens=500, messages=_ASKED) as stream,
    ):
        final = await stream.get_final_message()
    assert final.usage.output_tokens == 7


def test_a_parsed_answer_is_an_object_of_the_class(client: Anthropic) -> None:
    parsed = client.messages.parse(model=_MODEL, max_tokens=500, messages=_ASKED, output_format=Day)
    assert isinstance(parsed.parsed_output, Day)


def test_a_loop_of_tools_with_thinking_goes_round(client: Anthropic) -> None:
    fields: Any = {
        "model": _MODEL,
        "max_tokens": 2000,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [WEATHER],
    }
    with client.messages.stream(messages=_ASKED, **fields) as stream:
        first = stream.get_final_message()
    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    call = first.content[1]
    assert call.type == "tool_use"
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": "Sunny."}
    talk: Any = [
        *_ASKED,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    assert _text(client.messages.create(messages=talk, **fields)) == "The result of weather is: Sunny."
    talk[1]["content"] = first.content[1:]
    with pytest.raises(anthropic.BadRequestError, match="must start with a thinking block"):
        client.messages.create(messages=talk, **fields)


def test_a_search_and_its_citations_are_read_and_sent_back(client: Anthropic) -> None:
    tools: Any = [{"type": "web_search_20260318", "name": "web_search"}]
    fields: Any = {"model": "claude-sonnet-5", "max_tokens": 500, "tools": tools}
    first = client.messages.create(messages=_ASKED, **fields)
    assert [block.type for block in first.content][:3] == [
        "thinking",
        "server_tool_use",
        "web_search_tool_result",
    ]
    talk: Any = [*_ASKED, {"role": "assistant", "content": first.content}, *_ASKED]
    assert client.messages.create(messages=talk, **fields).usage.server_tool_use is not None


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("sim-error-400", anthropic.BadRequestError),
        ("sim-error-401", anthropic.AuthenticationError),
        ("sim-error-403", anthropic.PermissionDeniedError),
        ("sim-error-404", anthropic.NotFoundError),
        ("sim-error-413", anthropic.RequestTooLargeError),
        ("sim-error-429", anthropic.RateLimitError),
        ("sim-error-500", anthropic.InternalServerError),
        ("sim-error-529", anthropic.OverloadedError),
        ("sim-hangup", anthropic.APIConnectionError),
        ("sim-half-head", anthropic.APIConnectionError),
        ("sim-reset", anthropic.APIConnectionError),
        ("sim-truncate", anthropic.APIConnectionError),
    ],
)
def test_errors_are_the_sdks_own(client: Anthropic, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.messages.create(model=model, max_tokens=50, messages=_ASKED)


def test_an_error_tells_the_requests_id(client: Anthropic) -> None:
    with pytest.raises(anthropic.OverloadedError) as raised:
        client.messages.create(model="sim-error-529", max_tokens=50, messages=_ASKED)
    assert raised.value.request_id == raised.value.response.headers["request-id"]


@pytest.mark.parametrize(
    "model",
    [
        "sim-cut-after-5",
        "sim-reset-after-5",
        "sim-garbage-after-5",
        "sim-error-after-5",
        "sim-bad-json-after-5",
    ],
)
def test_a_broken_stream_is_an_error_after_its_first_events(client: Anthropic, model: str) -> None:
    seen: list[str] = []
    stream = client.messages.create(model=model, max_tokens=500, messages=_ASKED, stream=True)

    def read_on() -> None:
        seen.extend(event.type for event in stream)

    with pytest.raises(_BROKEN):
        read_on()
    # Of the five the third is a ping, which the SDK keeps to itself.
    assert seen == ["message_start", "content_block_start", "content_block_delta", "content_block_delta"]


@pytest.mark.parametrize("model", ["sim-echo+shred", "sim-echo+crlf", "sim-echo+ping-1", "sim-echo+no-done"])
def test_odd_but_legal_streams_are_read(client: Anthropic, model: str) -> None:
    asked: list[MessageParam] = [{"role": "user", "content": "마당은 넓다"}]
    stream = client.messages.create(model=model, max_tokens=50, messages=asked, stream=True)
    deltas = [event.delta for event in stream if event.type == "content_block_delta"]
    assert "".join(delta.text for delta in deltas if delta.type == "text_delta") == "마당은 넓다"


def test_the_sdk_retries_an_overloaded_server_and_gets_through() -> None:
    first = Scripted(status=529, headers={"retry-after-ms": "1"})
    with (
        run_in_thread(scenario=Scenario((Rule(Match(nth=1), first),))) as simulator,
        Anthropic(base_url=simulator.root, api_key="k") as client,
    ):
        assert client.messages.create(model=_MODEL, max_tokens=50, messages=_ASKED).content
        assert [request.headers["x-stainless-retry-count"] for request in simulator.requests] == ["0", "1"]


def test_the_other_endpoints_speak_to_the_sdk(client: Anthropic) -> None:
    assert client.messages.count_tokens(model=_MODEL, messages=_ASKED).input_tokens > 5
    listed = [model.id for model in client.models.list()]
    assert "claude-opus-5" in listed
    shown = client.models.retrieve("claude-opus-5").capabilities
    assert shown is not None
    assert shown.thinking.types.adaptive.supported
