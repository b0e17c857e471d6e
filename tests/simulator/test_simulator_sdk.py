"""OpenAI's own SDK against the simulator, unchanged: sync, async, streams, tools, parsing, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from madang.simulator import Match, Options, Rule, Scenario, Scripted, Simulator, run_in_thread

_ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Plan a day in Seoul"}]


class Day(BaseModel):
    city: str
    mood: Literal["calm", "busy"]
    stops: list[str]
    budget: int | None


@pytest.fixture
def client(threaded: Simulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=threaded.url, api_key="any", max_retries=0) as client:
        yield client


def test_sync_answers_and_streams_agree(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-4o-mini", messages=_ASKED)
    with client.chat.completions.create(model="gpt-4o-mini", messages=_ASKED, stream=True) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == whole.choices[0].message.content
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


async def test_async_streams_end_with_their_usage(simulator: Simulator) -> None:
    async with AsyncOpenAI(base_url=simulator.url, api_key="any", max_retries=0) as client:
        stream = await client.chat.completions.create(
            model="sim-tokens-7", messages=_ASKED, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 7


def test_a_parsed_answer_is_an_object_of_the_class(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(model="gpt-4o", messages=_ASKED, response_format=Day)
    assert isinstance(parsed.choices[0].message.parsed, Day)


def test_a_tool_round_trip_ends_in_text(client: OpenAI) -> None:
    tool = openai.pydantic_function_tool(Day, name="plan_day")
    first = client.chat.completions.parse(model="gpt-4o", messages=_ASKED, tools=[tool])
    message = first.choices[0].message
    assert message.tool_calls
    assert isinstance(message.tool_calls[0].function.parsed_arguments, Day)
    call = message.tool_calls[0]
    function = {"name": call.function.name, "arguments": call.function.arguments}
    messages = [
        *_ASKED,
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": call.id, "content": "all booked"},
    ]
    last = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[tool])  # type: ignore[arg-type]  # a plain dict is a message too
    assert last.choices[0].message.content == "The result of plan_day is: all booked"


def test_the_stream_helper_gathers_tool_calls(client: OpenAI) -> None:
    tool = openai.pydantic_function_tool(Day, name="plan_day")
    with client.chat.completions.stream(model="gpt-4o", messages=_ASKED, tools=[tool]) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls
    assert isinstance(final.choices[0].message.tool_calls[0].function.parsed_arguments, Day)


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("sim-error-400", openai.BadRequestError),
        ("sim-error-401", openai.AuthenticationError),
        ("sim-error-404", openai.NotFoundError),
        ("sim-error-429", openai.RateLimitError),
        ("sim-error-500", openai.InternalServerError),
        ("sim-hangup", openai.APIConnectionError),
        ("sim-half-head", openai.APIConnectionError),
        ("sim-reset", openai.APIConnectionError),
        ("sim-truncate", openai.APIConnectionError),
    ],
)
def test_errors_are_the_sdks_own(client: OpenAI, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=_ASKED)


@pytest.mark.parametrize(
    "model", ["sim-cut-after-3", "sim-reset-after-3", "sim-garbage-after-3", "sim-error-after-3"]
)
def test_a_broken_stream_is_an_error_after_its_first_events(client: OpenAI, model: str) -> None:
    seen = 0
    stream = client.chat.completions.create(model=model, messages=_ASKED, stream=True)

    def read_on() -> None:
        nonlocal seen
        for _ in stream:
            seen += 1

    with pytest.raises(openai.APIError):
        read_on()
    assert seen == 3


@pytest.mark.parametrize("model", ["sim-echo+shred", "sim-echo+crlf", "sim-echo+ping-1", "sim-echo+no-done"])
def test_odd_but_legal_streams_are_read(client: OpenAI, model: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": "마당은 넓다"}]
    stream = client.chat.completions.create(model=model, messages=messages, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "마당은 넓다"


def test_the_sdk_retries_as_told_and_gets_through() -> None:
    scenario = Scenario((Rule(Match(nth=1), Scripted(status=429, headers={"retry-after-ms": "1"})),))
    with run_in_thread(scenario=scenario) as simulator, OpenAI(base_url=simulator.url, api_key="k") as client:
        assert client.chat.completions.create(model="m", messages=_ASKED).choices
        assert [request.headers["x-stainless-retry-count"] for request in simulator.requests] == ["0", "1"]


def test_rate_limits_reach_the_sdk_with_their_headers() -> None:
    with (
        run_in_thread(options=Options(rpm=1)) as simulator,
        OpenAI(base_url=simulator.url, api_key="k", max_retries=0) as client,
    ):
        first = client.chat.completions.with_raw_response.create(model="m", messages=_ASKED)
        assert first.headers["x-ratelimit-remaining-requests"] == "0"
        with pytest.raises(openai.RateLimitError, match="Limit 1, Used 1, Requested 1") as raised:
            client.chat.completions.create(model="m", messages=_ASKED)
        assert int(raised.value.response.headers["retry-after"]) in range(50, 61)


def test_the_other_endpoints_speak_to_the_sdk(client: OpenAI) -> None:
    vector = client.embeddings.create(model="text-embedding-3-small", input="hello").data[0].embedding
    assert len(vector) == 1536
    assert client.moderations.create(input="I will kill you").results[0].categories.violence
    assert "gpt-4o" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").owned_by == "madang-simulator"
