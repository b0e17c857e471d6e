"""What the Responses API answers: text, tools, forms, limits, searches, and what it says of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.simulator import Match, Options, Rule, Scenario, Scripted, ScriptedCall, ScriptedEvent
from madang.simulator.scenario import ScriptedUsage
from tests.simulator.desk import Desk, answer_of, chat_of, headers_of, sent
from tests.simulator.responses_desk import (
    CLOCK,
    WEATHER,
    asked,
    kinds,
    question,
    respond,
    result,
    stream,
    text_of,
)


def test_an_answer_says_the_same_whole_and_streamed(desk: Desk) -> None:
    whole = respond(desk, "What is a lantern for?")
    events = stream(desk, "What is a lantern for?")
    said = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert said == text_of(whole) == text_of(events[-1]["response"])
    assert events[-1]["response"]["usage"] == whole["usage"]


def test_it_says_what_chat_completions_say(desk: Desk) -> None:
    chat = desk.chat("What is a lantern for?", model="gpt-4.1-nano")
    assert text_of(respond(desk, "What is a lantern for?")) == chat["choices"][0]["message"]["content"]


def test_a_text_and_a_message_of_it_are_one(desk: Desk) -> None:
    parts = [{"role": "user", "content": [{"type": "input_text", "text": "Hello lantern"}]}]
    assert text_of(respond(desk, "Hello lantern")) == text_of(respond(desk, [question("Hello lantern")]))
    assert text_of(respond(desk, parts)) == text_of(respond(desk, "Hello lantern"))


def test_a_korean_question_gets_a_korean_answer(desk: Desk) -> None:
    assert "모의 답변" in text_of(respond(desk, "등대는 무엇에 쓰나요?"))


def test_instructions_cost_tokens_and_are_repeated(desk: Desk) -> None:
    plain, told = respond(desk), respond(desk, instructions="Be brief and kind.")
    assert told["instructions"] == "Be brief and kind."
    assert told["usage"]["input_tokens"] > plain["usage"]["input_tokens"]


def test_events_are_numbered_without_a_gap(desk: Desk) -> None:
    events = stream(
        desk, "weather, please", model="gpt-5-nano", tools=[WEATHER], reasoning={"summary": "detailed"}
    )
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:3]] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
    ]
    assert events[-1]["type"] == "response.completed"


def test_the_items_of_a_stream_are_those_of_its_end(desk: Desk) -> None:
    events = stream(desk, "weather and clock", tools=[WEATHER, CLOCK], model="gpt-5")
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    assert [item["type"] for item in done] == ["reasoning", "function_call", "function_call"]


def test_obfuscation_can_be_left_out(desk: Desk) -> None:
    padded = [event for event in stream(desk) if event["type"].endswith(".delta")]
    bare = stream(desk, stream_options={"include_obfuscation": False})
    assert all(event["obfuscation"] for event in padded)
    assert not any("obfuscation" in event for event in bare)


# Limits and forms.


def test_an_answer_that_is_too_long_is_incomplete(desk: Desk) -> None:
    answer = respond(desk, model="sim-tokens-100", max_output_tokens=16)
    assert answer["status"] == "incomplete"
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["completed_at"] is None
    assert answer["output"][0]["status"] == "incomplete"
    assert answer["usage"]["output_tokens"] == 16
    assert stream(desk, model="sim-tokens-100", max_output_tokens=16)[-1]["type"] == "response.incomplete"


def test_thoughts_can_use_up_all_the_room(desk: Desk) -> None:
    answer = respond(desk, model="gpt-5-nano", max_output_tokens=16)
    assert kinds(answer) == ["reasoning"]
    assert answer["status"] == "incomplete"
    assert answer["usage"]["output_tokens_details"] == {"reasoning_tokens": 16}


def test_a_call_that_is_cut_off_is_incomplete(desk: Desk) -> None:
    wide = {f"part{at}": {"type": "string"} for at in range(9)}
    schema = {"type": "object", "properties": wide, "required": [*wide], "additionalProperties": False}
    events = stream(desk, "weather", tools=[{**WEATHER, "parameters": schema}], max_output_tokens=16)
    call = events[-1]["response"]["output"][0]
    assert (call["type"], call["status"]) == ("function_call", "incomplete")
    assert "response.function_call_arguments.done" not in [event["type"] for event in events]


def test_a_schema_is_followed(desk: Desk) -> None:
    schema = {
        "type": "object",
        "properties": {
            "mood": {"enum": ["calm", "busy"]},
            "stops": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["mood", "stops"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "day", "schema": schema, "strict": True}
    answer = respond(desk, "Plan a day", text={"format": form})
    day = json.loads(text_of(answer))
    assert day["mood"] in ("calm", "busy")
    assert isinstance(day["stops"], list)
    assert answer["text"] == {"format": {**form, "description": None}, "verbosity": "medium"}


def test_json_mode_answers_in_json(desk: Desk) -> None:
    answer = respond(desk, "Answer in JSON: hello", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(text_of(answer)), dict)


def test_verbosity_makes_answers_longer(desk: Desk) -> None:
    sizes = [
        respond(desk, "Tell me of lanterns", text={"verbosity": word})["usage"]["output_tokens"]
        for word in ("low", "medium", "high")
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2]


def test_log_probabilities_come_when_included(desk: Desk) -> None:
    wanted: dict[str, Any] = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    part = respond(desk, **wanted)["output"][0]["content"][0]
    assert "".join(one["token"] for one in part["logprobs"]) == part["text"]
    assert all(len(one["top_logprobs"]) == 2 for one in part["logprobs"])
    deltas = [event for event in stream(desk, **wanted) if event["type"] == "response.output_text.delta"]
    assert [event["logprobs"][0] for event in deltas] == part["logprobs"]


def test_a_refusal_is_a_part_of_its_own(desk: Desk) -> None:
    part = respond(desk, model="sim-refuse")["output"][0]["content"][0]
    assert part == {"type": "refusal", "refusal": "I'm sorry, but I can't help with that."}
    events = [event["type"] for event in stream(desk, model="sim-refuse")]
    assert "response.refusal.delta" in events
    assert "response.refusal.done" in events
    assert not any("output_text" in event for event in events)


def test_what_was_asked_is_repeated(desk: Desk) -> None:
    wishes: dict[str, object] = {
        "metadata": {"team": "a"},
        "temperature": 0.25,
        "top_p": 0.5,
        "truncation": "auto",
        "max_tool_calls": 3,
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "user": "u",
        "store": False,
        "max_output_tokens": 500,
        "service_tier": "priority",
    }
    answer = respond(desk, **wishes)
    assert {name: answer[name] for name in wishes} == wishes


@pytest.mark.parametrize(
    ("tier", "served"), [(None, "default"), ("auto", "default"), ("fast", "priority"), ("flex", "flex")]
)
def test_the_service_tier_is_the_one_that_served(desk: Desk, tier: str | None, served: str) -> None:
    assert respond(desk, service_tier=tier)["service_tier"] == served
    assert stream(desk, service_tier=tier)[0]["response"]["service_tier"] == "auto"


# Tools.


def test_a_tool_is_called_and_its_result_is_told(desk: Desk) -> None:
    first = respond(desk, "weather in Seoul", tools=[WEATHER])
    (call,) = first["output"]
    assert call["name"] == "weather"
    assert set(json.loads(call["arguments"])) == {"city"}
    said = [question("weather in Seoul"), call, result(call)]
    assert text_of(respond(desk, said, tools=[WEATHER])) == "The result of weather is: 21 degrees"


def test_tools_are_called_in_parallel_unless_that_is_forbidden(desk: Desk) -> None:
    tools = [WEATHER, CLOCK]
    assert len(respond(desk, "weather and clock", tools=tools)["output"]) == 2
    assert len(respond(desk, "weather and clock", tools=tools, parallel_tool_calls=False)["output"]) == 1


def test_every_result_is_told(desk: Desk) -> None:
    calls = respond(desk, "weather and clock", tools=[WEATHER, CLOCK])["output"]
    said = [question("weather and clock"), *calls, *(result(call, call["name"] + "!") for call in calls)]
    assert text_of(respond(desk, said, tools=[WEATHER, CLOCK])).count("!") == 2


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("auto", ["weather"]),
        ("none", []),
        ("required", ["weather"]),
        ({"type": "function", "name": "clock"}, ["clock"]),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "clock"}]},
            ["clock"],
        ),
    ],
)
def test_the_tool_choice_is_obeyed(desk: Desk, choice: object, called: list[str]) -> None:
    answer = respond(desk, "weather in Seoul", tools=[WEATHER, CLOCK], tool_choice=choice)
    assert [item["name"] for item in answer["output"] if item["type"] == "function_call"] == called
    assert answer["tool_choice"] == choice


def test_a_function_is_strict_unless_it_says_otherwise(desk: Desk) -> None:
    optional = {"type": "object", "properties": {"city": {"type": "string"}, "when": {"type": "string"}}}
    tool = {"type": "function", "name": "weather", "parameters": optional}
    closed = respond(desk, "weather", tools=[tool])
    assert closed["tools"][0]["strict"] is True
    assert closed["tools"][0]["parameters"]["required"] == ["city", "when"]
    assert closed["tools"][0]["parameters"]["additionalProperties"] is False
    loose = respond(desk, "weather", tools=[{**tool, "strict": False}])
    assert loose["tools"][0]["parameters"] == optional
    open_ended = {**optional, "additionalProperties": True}
    assert respond(desk, "weather", tools=[{**tool, "parameters": open_ended}])["tools"][0]["strict"] is False


def test_a_picture_in_a_result_is_noticed(desk: Desk) -> None:
    call = respond(desk, "weather", tools=[WEATHER])["output"][0]
    output = [
        {"type": "input_text", "text": "a map"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
    ]
    said = text_of(respond(desk, [question("weather"), call, result(call, output)], tools=[WEATHER]))
    assert said == "The result of weather is: a map Attachments received: 2 (file, image)."


def test_pictures_and_files_are_noticed(desk: Desk) -> None:
    content = [
        {"type": "input_text", "text": "What is this lantern?"},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "input_file", "file_id": "file-1"},
    ]
    answer = respond(desk, [{"role": "user", "content": content}])
    assert text_of(answer).startswith("Attachments received: 2 (file, image). ")
    assert answer["usage"]["input_tokens"] > 170


# Searching the web.


def test_a_search_leaves_its_source(desk: Desk) -> None:
    answer = respond(
        desk,
        "Which lantern is brightest?",
        tools=[{"type": "web_search"}],
        include=["web_search_call.action.sources"],
    )
    search, message = answer["output"]
    assert search["action"]["query"] == "Which lantern is brightest?"
    (citation,) = message["content"][0]["annotations"]
    text = message["content"][0]["text"]
    cited = text[citation["start_index"] : citation["end_index"]]
    assert cited == f"([example.com]({citation['url']}))"
    assert search["action"]["sources"] == [{"type": "url", "url": citation["url"]}]
    assert answer["tool_usage"]["web_search"] == {"num_requests": 1}


def test_a_search_is_streamed_with_its_states(desk: Desk) -> None:
    events = [event["type"] for event in stream(desk, "lanterns?", tools=[{"type": "web_search"}])]
    assert events[2:7] == [
        "response.output_item.added",
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
        "response.output_item.done",
    ]
    assert events.count("response.output_text.annotation.added") == 1


def test_functions_go_before_a_search_unless_it_is_chosen(desk: Desk) -> None:
    tools = [WEATHER, {"type": "web_search_preview"}]
    assert kinds(respond(desk, "weather", tools=tools)) == ["function_call"]
    chosen = respond(desk, "weather", tools=tools, tool_choice={"type": "web_search_preview"})
    assert kinds(chosen) == ["web_search_call", "message"]


# Controls and scenarios.


def test_headers_are_those_of_the_api(desk: Desk) -> None:
    headers = headers_of(desk.plan(asked(), "/v1/responses"))
    assert headers["x-ratelimit-remaining-requests"]
    assert headers["openai-version"] == "2020-10-01"
    assert headers["x-request-id"].startswith("req_")


def test_a_response_can_be_made_to_fail(desk: Desk) -> None:
    answer = respond(desk, model="sim-finish-failed")
    assert (answer["status"], answer["output"]) == ("failed", [])
    assert answer["error"]["code"] == "server_error"
    assert stream(desk, model="sim-finish-failed")[-1]["type"] == "response.failed"


def test_an_error_in_the_middle_is_an_event_and_a_failed_response(desk: Desk) -> None:
    events = stream(desk, model="sim-error-after-4")
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(6))
    assert events[4]["error"]["type"] == "server_error"
    assert events[5]["response"]["status"] == "failed"


def test_a_rate_limit_can_strike_in_the_middle(desk: Desk) -> None:
    events = stream(desk, model="sim-error-429+error-after-4")
    assert events[4]["error"]["code"] == "rate_limit_exceeded"
    assert events[5]["response"]["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("model", "fault"),
    [("sim-cut-after-3", "cut"), ("sim-garbage-after-3", "garbage"), ("sim-stall-after-3", "stall")],
)
def test_streams_break_as_asked(desk: Desk, model: str, fault: str) -> None:
    assert desk.plan(asked(model=model, stream=True), "/v1/responses").fault == fault


def test_a_pace_is_kept_whole_and_streamed(desk: Desk) -> None:
    streamed = desk.plan(asked(model="sim-tokens-10+pace-1s", stream=True), "/v1/responses")
    whole = desk.plan(asked(model="sim-tokens-10+pace-1s"), "/v1/responses")
    assert sum(step.delay for step in streamed.steps) == sum(step.delay for step in whole.steps) == 10.0


def test_a_scenario_answers_here_too() -> None:
    rules = (
        Rule(
            Match(contains="refund"), Scripted(text="Within 14 days.", usage=ScriptedUsage(prompt_tokens=12))
        ),
        Rule(Match(contains="order"), Scripted(tool_calls=[ScriptedCall("find", {"id": "A"})])),
        Rule(
            Match(path="/responses"),
            Scripted(
                stream=["Once", ScriptedEvent(event={"type": "response.odd", "sequence_number": 1}), " upon"]
            ),
        ),
    )
    desk = Desk(scenario=Scenario(rules))
    told = respond(desk, "a refund?")
    assert text_of(told) == "Within 14 days."
    assert told["usage"]["input_tokens"] == 12
    assert respond(desk, "my order")["output"][0]["arguments"] == '{"id":"A"}'
    events = stream(desk, "a story", model="gpt-5", reasoning={"summary": "auto"})
    assert text_of(events[-1]["response"]) == "Once upon"
    at = [event["type"] for event in events].index("response.odd")
    assert (events[at - 1]["delta"], events[at + 1]["delta"]) == ("Once", " upon")


def test_frozen_time_repeats_every_byte() -> None:
    body = asked("hi " * 3000, model="gpt-5", tools=[WEATHER], include=["reasoning.encrypted_content"])
    plans = [Desk(Options(frozen_time=True)).plan(body, "/v1/responses") for _ in range(2)]
    assert sent(plans[0]) == sent(plans[1])
    desk = Desk(Options(frozen_time=True))
    assert (
        sent(desk.plan(body, "/v1/responses")).partition(b"\r\n\r\n")[2]
        == sent(desk.plan(body, "/v1/responses")).partition(b"\r\n\r\n")[2]
    )


# What a prompt costs.


def test_a_long_beginning_is_cached_the_second_time(desk: Desk) -> None:
    rules = {"role": "developer", "content": "Be kind. " * 600}
    first = respond(desk, [rules, question("One?")])["usage"]
    second = respond(desk, [rules, question("Two?")])["usage"]
    assert first["input_tokens_details"]["cached_tokens"] == 0
    assert second["input_tokens_details"]["cached_tokens"] == 1280
    other = respond(desk, [rules, question("Two?")], model="gpt-4o")["usage"]
    assert other["input_tokens_details"]["cached_tokens"] == 0


def test_chat_completions_share_the_cache(desk: Desk) -> None:
    text = "Be kind. " * 600
    respond(desk, text)
    usage = desk.chat(text, model="gpt-4.1-nano")["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1280
    assert desk.plan(chat_of(text, model="gpt-4.1-nano", stream=True)).status == 200


def test_input_tokens_can_be_counted_beforehand(desk: Desk) -> None:
    wishes = {"tools": [WEATHER], "instructions": "Be brief."}
    counted = answer_of(desk.plan(asked("How long?", **wishes), "/v1/responses/input_tokens"))
    usage = respond(desk, "How long?", **wishes)["usage"]
    assert counted == {"object": "response.input_tokens", "input_tokens": usage["input_tokens"]}
