"""OpenAI's own SDK speaks to the simulator's Responses API, unchanged, over sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response, ResponseReasoningItem
from pydantic import BaseModel

from madang.simulator import Match, Options, Rule, Scenario, Scripted, Simulator, run_in_thread
from tests.simulator.responses_desk import CLOCK, SEALED, WEATHER

_TOOLS: Any = [WEATHER, CLOCK]


class Day(BaseModel):
    city: str
    mood: Literal["calm", "busy"]
    stops: list[str]
    budget: int | None


@pytest.fixture
def client(threaded: Simulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=threaded.url, api_key="any", max_retries=0) as client:
        yield client


def _checked(response: Response) -> Response:
    """The response, if it is all the SDK's types say, leaving nothing out."""
    Response.model_validate_json(response.model_dump_json(warnings="error"), strict=False)
    return response


def test_sync_answers_and_streams_agree(client: OpenAI) -> None:
    whole = _checked(client.responses.create(model="gpt-4.1", input="Plan a day in Seoul"))
    with client.responses.create(model="gpt-4.1", input="Plan a day in Seoul", stream=True) as stream:
        events = list(stream)
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == whole.output_text
    assert events[-1].type == "response.completed"
    assert _checked(events[-1].response).output_text == whole.output_text


async def test_async_answers_and_streams_agree(simulator: Simulator) -> None:
    async with AsyncOpenAI(base_url=simulator.url, api_key="any", max_retries=0) as client:
        whole = await client.responses.create(model="gpt-5-nano", input="Hello lantern")
        stream = await client.responses.create(model="gpt-5-nano", input="Hello lantern", stream=True)
        events = [event async for event in stream]
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == whole.output_text
    assert whole.usage is not None
    assert whole.usage.output_tokens_details.reasoning_tokens == 192


def test_the_stream_helper_gathers_the_response(client: OpenAI) -> None:
    with client.responses.stream(
        model="gpt-5", input="weather and clock", tools=_TOOLS, reasoning={"summary": "detailed"}
    ) as stream:
        summed = "".join(
            event.delta for event in stream if event.type == "response.reasoning_summary_text.delta"
        )
        final = stream.get_final_response()
    thought, *calls = final.output
    assert isinstance(thought, ResponseReasoningItem)
    assert "".join(part.text for part in thought.summary) == summed
    assert [call.name for call in calls if call.type == "function_call"] == ["weather", "clock"]


def test_a_parsed_answer_is_an_object_of_the_class(client: OpenAI) -> None:
    parsed = client.responses.parse(model="gpt-4.1", input="Plan a day", text_format=Day)
    assert isinstance(parsed.output_parsed, Day)
    with client.responses.stream(model="gpt-4.1", input="Plan a day", text_format=Day) as stream:
        stream.until_done()
        assert stream.get_final_response().output_parsed == parsed.output_parsed


def test_tools_of_a_class_are_parsed(client: OpenAI) -> None:
    tool: Any = openai.pydantic_function_tool(Day, name="plan_day")
    parsed = client.responses.parse(model="gpt-4.1", input="plan_day!", tools=[tool])
    (call,) = parsed.output
    assert call.type == "function_call"
    assert isinstance(call.parsed_arguments, Day)


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5-nano", "gpt-5.6-luna"])
def test_a_conversation_with_tools_ends_in_text(client: OpenAI, model: str, store: bool) -> None:
    thinks = model.startswith("gpt-5")
    wishes: Any = {"model": model, "tools": _TOOLS, "store": store, "include": SEALED if thinks else []}
    said: list[Any] = [{"role": "user", "content": "weather and clock"}]
    first = _checked(client.responses.create(input=said, **wishes))
    said += [item.to_dict() for item in first.output]
    for item in first.output:
        if item.type == "function_call":
            assert set(json.loads(item.arguments)) == {"city"}
            said.append({"type": "function_call_output", "call_id": item.call_id, "output": f"{item.name}!"})
    second = _checked(client.responses.create(input=said, **wishes))
    assert second.output_text == "The result of weather is: weather! The result of clock is: clock!"


def test_a_conversation_goes_on_by_id(client: OpenAI) -> None:
    first = client.responses.create(model="o3", input="weather", tools=_TOOLS)
    (call,) = (item for item in first.output if item.type == "function_call")
    output: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "warm"}]
    second = client.responses.create(model="o3", input=output, tools=_TOOLS, previous_response_id=first.id)
    assert second.output_text == "The result of weather is: warm"
    listed = list(client.responses.input_items.list(second.id, limit=1))
    assert [item.type for item in listed] == ["function_call_output", "function_call", "reasoning", "message"]
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_a_background_response_is_polled_and_cancelled(client: OpenAI) -> None:
    begun = client.responses.create(model="gpt-5", input="Hello", background=True)
    polled = [client.responses.retrieve(begun.id).status for _ in range(2)]
    assert (begun.status, polled) == ("queued", ["in_progress", "completed"])
    other = client.responses.create(model="gpt-5", input="Hello", background=True)
    assert client.responses.cancel(other.id).status == "cancelled"
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(client.responses.create(model="gpt-5", input="Hello").id)


def test_a_background_stream_is_resumed(client: OpenAI) -> None:
    with client.responses.create(model="gpt-4.1", input="Hello", background=True, stream=True) as stream:
        events = list(stream)
    assert events[0].type == "response.created"
    again = client.responses.retrieve(events[0].response.id, stream=True, starting_after=2)
    assert [event.sequence_number for event in again] == [event.sequence_number for event in events[3:]]


def test_tokens_are_counted(client: OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="gpt-4.1", input="Hello")
    assert counted.input_tokens == 9


def test_a_search_is_read_by_the_sdk(client: OpenAI) -> None:
    answer = _checked(client.responses.create(model="gpt-4.1", input="News?", tools=[{"type": "web_search"}]))
    search, message = answer.output
    assert search.type == "web_search_call"
    assert message.type == "message"
    assert message.content[0].type == "output_text"
    assert message.content[0].annotations[0].type == "url_citation"
    with client.responses.stream(model="gpt-4.1", input="News?", tools=[{"type": "web_search"}]) as stream:
        assert stream.get_final_response().output_text == answer.output_text


def test_a_refusal_is_read_by_the_sdk(client: OpenAI) -> None:
    message = client.responses.create(model="sim-refuse", input="Hello").output[0]
    assert message.type == "message"
    assert message.content[0].type == "refusal"
    with client.responses.stream(model="sim-refuse", input="Hello") as stream:
        said = "".join(event.delta for event in stream if event.type == "response.refusal.delta")
    assert said == message.content[0].refusal


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("sim-error-400", openai.BadRequestError),
        ("sim-error-401", openai.AuthenticationError),
        ("sim-error-429", openai.RateLimitError),
        ("sim-error-500", openai.InternalServerError),
        ("sim-hangup", openai.APIConnectionError),
        ("sim-truncate", openai.APIConnectionError),
    ],
)
def test_errors_are_the_sdks_own(client: OpenAI, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.responses.create(model=model, input="Hello")


@pytest.mark.parametrize(
    "model", ["sim-cut-after-5", "sim-reset-after-5", "sim-garbage-after-5", "sim-error-after-5"]
)
def test_a_broken_stream_is_an_error_after_its_first_events(client: OpenAI, model: str) -> None:
    seen = 0
    stream = client.responses.create(model=model, input="Hello", stream=True)

    def read_on() -> None:
        nonlocal seen
        for _ in stream:
            seen += 1

    with pytest.raises(openai.APIError):
        read_on()
    assert seen == 5


@pytest.mark.parametrize("model", ["sim-echo+shred", "sim-echo+crlf", "sim-echo+ping-1"])
def test_odd_but_legal_streams_are_read(client: OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input="마당은 넓다") as stream:
        assert stream.get_final_response().output_text == "마당은 넓다"


def test_the_sdk_retries_as_told_and_gets_through() -> None:
    rule = Rule(Match(path="/responses", nth=1), Scripted(status=429, headers={"retry-after-ms": "1"}))
    with run_in_thread(scenario=Scenario((rule,))) as simulator:
        with OpenAI(base_url=simulator.url, api_key="k") as client:
            assert client.responses.create(model="m", input="Hello").output_text
        assert [request.headers["x-stainless-retry-count"] for request in simulator.requests] == ["0", "1"]


def test_strict_simulators_take_all_the_sdk_sends() -> None:
    with (
        run_in_thread(options=Options(strict=True)) as simulator,
        OpenAI(base_url=simulator.url, api_key="k", max_retries=0) as client,
    ):
        first = client.responses.create(model="gpt-5", input="weather", tools=_TOOLS, include=SEALED)  # type: ignore[arg-type]  # a plain list of strings
        (call,) = (item for item in first.output if item.type == "function_call")
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "warm"}
        said: Any = [*(item.to_dict() for item in first.output), output]
        second = client.responses.create(model="gpt-5", input=said, tools=_TOOLS, store=False)
        assert second.output_text == "The result of weather is: warm"
