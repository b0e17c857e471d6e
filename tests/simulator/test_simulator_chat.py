"""What the imitated model answers, and in which shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.simulator import Options
from tests.simulator.desk import Desk, answer_of, chat_of, events_of, headers_of, sent

_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}
_TIME = {"type": "function", "function": {"name": "get_time", "description": "The time somewhere"}}


def test_a_completion_has_the_recorded_fields_in_the_recorded_order(desk: Desk) -> None:
    body = desk.chat()
    assert list(body) == [
        "id",
        "object",
        "created",
        "model",
        "choices",
        "usage",
        "service_tier",
        "system_fingerprint",
    ]
    assert list(body["choices"][0]) == ["index", "message", "logprobs", "finish_reason"]
    assert list(body["choices"][0]["message"]) == ["role", "content", "refusal", "annotations"]
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert len(body["id"]) == len("chatcmpl-DPTCK253i6lgLWAYNGcPCKvwuZthn")


def test_the_headers_are_those_of_the_recordings(desk: Desk) -> None:
    headers = headers_of(desk.plan(chat_of()))
    assert headers["content-type"] == "application/json"
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-processing-ms"] == "0"
    assert len(headers["x-request-id"]) == len("req_7c57fbccf7204078932188550872a1f9")


def test_a_stream_has_the_recorded_events(desk: Desk) -> None:
    events = events_of(desk.plan(chat_of(stream=True, stream_options={"include_usage": True})))
    first, *middle, finish, usage, done = events
    assert list(first) == [
        "id",
        "object",
        "created",
        "model",
        "service_tier",
        "system_fingerprint",
        "choices",
        "usage",
        "obfuscation",
    ]
    assert first["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "", "refusal": None},
            "logprobs": None,
            "finish_reason": None,
        }
    ]
    assert all(
        event["usage"] is None and list(event["choices"][0]["delta"]) == ["content"] for event in middle
    )
    assert finish["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(middle)
    assert done == "[DONE]"


def test_without_include_usage_no_event_speaks_of_usage(desk: Desk) -> None:
    events = events_of(desk.plan(chat_of(stream=True, stream_options={"include_obfuscation": False})))
    assert all("usage" not in event and "obfuscation" not in event for event in events[:-1])
    assert events[-2]["choices"][0]["finish_reason"] == "stop"


def _streamed_text(desk: Desk, **fields: object) -> str:
    events = events_of(desk.plan(chat_of("Tell me about courtyards", stream=True, **fields)))
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events[:-1])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"max_tokens": 5},
        {"stop": ["courtyards"]},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "object"}},
            }
        },
    ],
)
def test_a_stream_says_what_the_whole_answer_says(desk: Desk, fields: dict[str, object]) -> None:
    whole = desk.chat("Tell me about courtyards", **fields)
    assert _streamed_text(desk, **fields) == whole["choices"][0]["message"]["content"]


def test_same_request_and_seed_give_the_same_answer() -> None:
    first, second, other = Desk(seed=1), Desk(seed=1), Desk(seed=2)
    asked = "Why do houses have courtyards?"
    said = [desk.chat(asked)["choices"][0]["message"]["content"] for desk in (first, second, other)]
    assert said[0] == said[1]
    assert said[0] != said[2]
    assert first.chat(asked, seed=5) != first.chat(asked, seed=6)


@pytest.mark.parametrize("stream", [False, True])
def test_frozen_time_makes_the_same_bytes(stream: bool) -> None:
    body = chat_of(stream=stream)
    plans = [Desk(Options(frozen_time=True)).plan(body) for _ in range(2)]
    assert sent(plans[0]) == sent(plans[1])
    assert b"1700000000" in sent(plans[0])


def test_without_frozen_time_no_id_comes_twice(desk: Desk) -> None:
    assert desk.chat()["id"] != desk.chat()["id"]


def test_a_korean_question_gets_a_korean_answer(desk: Desk) -> None:
    text = desk.chat("한옥의 마당은 무엇에 쓰나요?")["choices"][0]["message"]["content"]
    assert "모의 답변" in text
    assert "simulated answer" in desk.chat("What is a courtyard?")["choices"][0]["message"]["content"]


def test_max_tokens_cut_the_answer_and_are_counted(desk: Desk) -> None:
    for body in (desk.chat(max_tokens=3), desk.chat(max_completion_tokens=3)):
        assert body["choices"][0]["finish_reason"] == "length"
        assert body["usage"]["completion_tokens"] == 3


def test_a_stop_sequence_ends_the_answer_before_itself(desk: Desk) -> None:
    body = desk.chat("Tell me about courtyards", stop=["answer", "zebra"])
    assert body["choices"][0]["message"]["content"] == "Here is a simulated "
    assert body["choices"][0]["finish_reason"] == "stop"


def test_several_choices_are_all_given_and_all_paid_for(desk: Desk) -> None:
    body = desk.chat(n=3)
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert body["usage"]["completion_tokens"] > desk.chat()["usage"]["completion_tokens"]
    events = events_of(desk.plan(chat_of(n=3, stream=True)))[:-1]
    assert [event["choices"][0]["index"] for event in events[:6]] == [0, 1, 2, 0, 1, 2]
    assert sum(event["choices"][0]["finish_reason"] is not None for event in events) == 3


def test_a_tool_is_called_with_arguments_its_schema_accepts(desk: Desk) -> None:
    choice = desk.chat("What is the weather in Busan?", tools=[_TIME, _WEATHER])["choices"][0]
    [call] = choice["message"]["tool_calls"]
    arguments = json.loads(call["function"]["arguments"])
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert call["function"]["name"] == "get_weather"
    assert call["id"].startswith("call_")
    assert len(call["id"]) == len("call_71FAIAnscNq3dy3NBIYEal4I")
    assert arguments.keys() == {"city", "unit"}
    assert arguments["unit"] in ("c", "f")


def test_tools_that_are_named_are_called_together_unless_forbidden(desk: Desk) -> None:
    asked = "Use get_weather and get_time for Busan"
    called = desk.chat(asked, tools=[_WEATHER, _TIME])["choices"][0]["message"]["tool_calls"]
    assert [call["function"]["name"] for call in called] == ["get_weather", "get_time"]
    assert len({call["id"] for call in called}) == 2
    single = desk.chat(asked, tools=[_WEATHER, _TIME], parallel_tool_calls=False)
    assert len(single["choices"][0]["message"]["tool_calls"]) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_streamed_tool_calls_add_up_to_the_whole_ones(count: int) -> None:
    body = chat_of("weather in Busan", tools=[_WEATHER, _TIME], model=f"sim-tool-calls-{count}")
    frozen = [Desk(Options(frozen_time=True)) for _ in range(2)]
    whole = answer_of(frozen[0].plan(body))["choices"][0]["message"]["tool_calls"]
    assert _collected(events_of(frozen[1].plan({**body, "stream": True}))) == [
        (call["type"], call["function"]["name"], call["function"]["arguments"]) for call in whole
    ]


def _collected(events: list[Any]) -> list[tuple[str, str, str]]:
    calls: dict[int, list[str]] = {}
    for event in events[:-1]:
        for part in event["choices"][0]["delta"].get("tool_calls", []):
            if "id" in part:
                calls[part["index"]] = [part["type"], part["function"]["name"], ""]
            calls[part["index"]][2] += part["function"]["arguments"]
    return [(kind, name, arguments) for kind, name, arguments in calls.values()]


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", None),
        ("required", "get_weather"),
        ({"type": "function", "function": {"name": "get_time"}}, "get_time"),
    ],
)
def test_tool_choice_is_obeyed(desk: Desk, choice: object, called: str | None) -> None:
    message = desk.chat("weather", tools=[_WEATHER, _TIME], tool_choice=choice)["choices"][0]["message"]
    assert (message["tool_calls"][0]["function"]["name"] if called else message.get("tool_calls")) == called


def test_after_a_tool_result_the_answer_quotes_it(desk: Desk) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "17 degrees, {rain}"},
    ]
    body = answer_of(desk.plan({"model": "m", "messages": messages, "tools": [_WEATHER]}))
    assert body["choices"][0]["message"]["content"] == "The result of get_weather is: 17 degrees, {rain}"


def test_json_mode_gives_an_object_and_a_schema_its_value(desk: Desk) -> None:
    body = desk.chat("Answer in JSON", response_format={"type": "json_object"})
    assert isinstance(json.loads(body["choices"][0]["message"]["content"]), dict)
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 18, "maximum": 20}},
        "required": ["age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}}
    value = json.loads(desk.chat(response_format=form)["choices"][0]["message"]["content"])
    assert value.keys() == {"age"}
    assert 18 <= value["age"] <= 20


def test_log_probabilities_cover_every_token(desk: Desk) -> None:
    body = desk.chat(logprobs=True, top_logprobs=2, max_tokens=4)
    listed = body["choices"][0]["logprobs"]["content"]
    assert "".join(entry["token"] for entry in listed) == body["choices"][0]["message"]["content"]
    assert all(len(entry["top_logprobs"]) == 2 and entry["logprob"] <= 0 for entry in listed)
    events = events_of(desk.plan(chat_of(logprobs=True, max_tokens=4, stream=True)))
    assert all(len(event["choices"][0]["logprobs"]["content"]) == 1 for event in events[1:5])


def test_reasoning_is_counted_and_takes_from_the_limit(desk: Desk) -> None:
    usage = desk.chat(reasoning_effort="low")["usage"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 64
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    short = desk.chat(reasoning_effort="high", max_completion_tokens=50)
    assert short["choices"][0]["message"]["content"] == ""
    assert short["choices"][0]["finish_reason"] == "length"
    assert short["usage"]["completion_tokens"] == 50


def test_pictures_are_taken_and_counted(desk: Desk) -> None:
    text = {"type": "text", "text": "What is this?"}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with_picture = answer_of(
        desk.plan({"model": "m", "messages": [{"role": "user", "content": [text, picture]}]})
    )
    without = answer_of(desk.plan({"model": "m", "messages": [{"role": "user", "content": [text]}]}))
    assert with_picture["usage"]["prompt_tokens"] - without["usage"]["prompt_tokens"] == 85
    assert with_picture["choices"][0]["message"]["content"].startswith("Attachments received: 1 (image).")


def test_prompt_tokens_follow_the_documented_rule(desk: Desk) -> None:
    assert desk.chat("x" * 41)["usage"]["prompt_tokens"] == 3 + 4 + 11
    assert desk.chat("가나다")["usage"]["prompt_tokens"] == 3 + 4 + 3


def test_a_refusal_is_a_refusal_whole_and_streamed(desk: Desk) -> None:
    message = desk.chat(model="sim-refuse")["choices"][0]["message"]
    assert message["content"] is None
    assert message["refusal"].startswith("I'm sorry")
    events = events_of(desk.plan(chat_of(model="sim-refuse", stream=True)))[1:-2]
    assert "".join(event["choices"][0]["delta"]["refusal"] for event in events) == message["refusal"]


def test_service_tier_and_fingerprint_are_said(desk: Desk) -> None:
    assert desk.chat(service_tier="auto")["service_tier"] == "default"
    assert desk.chat(service_tier="flex")["service_tier"] == "flex"
    assert desk.chat()["system_fingerprint"] == desk.chat()["system_fingerprint"]
