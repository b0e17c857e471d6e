"""Anthropic's Messages without sockets: text, streams, stops, usage, caching, citations, search."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from madang.simulator import Match, Options, Rule, Scenario, Scripted, ScriptedCall, ScriptedEvent
from madang.simulator.request import Request
from madang.simulator.scenario import ScriptedUsage
from tests.simulator.desk import answer_of, headers_of, sent
from tests.simulator.dialect_desks import ASKED, CLOCK, PIXEL, WEATHER, AnthropicDesk, events

_DOCUMENT = {
    "type": "document",
    "title": "facts.txt",
    "citations": {"enabled": True},
    "source": {"type": "text", "media_type": "text/plain", "data": "The sea is wide. The sky is high."},
}
_SEARCH = {"type": "web_search_20260318", "name": "web_search"}


@pytest.fixture
def desk() -> AnthropicDesk:
    return AnthropicDesk()


def _said(user: str, *blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*blocks, {"type": "text", "text": user}]}]


def _text(message: Any) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def _folded(desk: AnthropicDesk, asked: Any = None, **fields: Any) -> Any:
    """The message a stream adds up to, put together as Anthropic's page on streaming says."""
    message: Any = {}
    partial = ""
    for name, data in events(desk.messages(asked, stream=True, **fields)):
        event = json.loads(data)
        assert event["type"] == name
        match name:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
                partial = ""
            case "content_block_delta":
                partial = _fold(message["content"][event["index"]], event["delta"], partial)
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
            case "content_block_stop" | "message_stop" | "ping":
                pass
            case _:
                raise AssertionError(name)
    return message


def _fold(block: Any, delta: Any, partial: str) -> str:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "citations_delta":
            block["citations"].append(delta["citation"])
        case "input_json_delta":
            partial += delta["partial_json"]
            block["input"] = json.loads(partial) if partial.endswith("}") else {}
        case _:
            raise AssertionError(delta)
    return partial


def _without_ids(message: Any) -> Any:
    text = re.sub(r'"(id|tool_use_id)": "[a-z]+_[^"]*"', r'"\1": "x"', json.dumps(message))
    return json.loads(text)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": "claude-sonnet-5"},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"model": "claude-opus-4-6", "thinking": {"type": "adaptive"}, "tools": [WEATHER, CLOCK]},
        {"tools": [WEATHER, CLOCK], "asked": "weather and clock"},
        {"tools": [_SEARCH]},
        {"asked": _said("What?", _DOCUMENT)},
        {"model": "sim-redact+reasoning-5"},
        {"model": "sim-refuse"},
        {"model": "sim-tokens-30", "max_tokens": 7},
        {"stop_sequences": ["about"]},
    ],
)
def test_a_stream_adds_up_to_the_whole_answer(fields: dict[str, Any]) -> None:
    frozen = AnthropicDesk(Options(frozen_time=True))
    assert _without_ids(_folded(frozen, **fields)) == _without_ids(frozen.message(**fields))


def test_the_same_question_gets_the_same_words(desk: AnthropicDesk) -> None:
    assert _text(desk.message()) == _text(desk.message()) == _text(AnthropicDesk().message())
    assert _text(desk.message()) != _text(AnthropicDesk(seed=7).message("What is the weather in Seoul?"))


def test_korean_is_answered_in_korean(desk: AnthropicDesk) -> None:
    assert "모의 답변" in _text(desk.message("마당이 무엇인가요"))


def test_the_answer_has_as_many_tokens_as_asked_for(desk: AnthropicDesk) -> None:
    message = desk.message(model="sim-tokens-12")
    assert message["usage"]["output_tokens"] == 12
    assert message["stop_reason"] == "end_turn"


def test_max_tokens_ends_an_answer_and_is_named(desk: AnthropicDesk) -> None:
    message = desk.message(model="sim-tokens-50", max_tokens=5)
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == 5
    assert desk.message(max_tokens=0)["content"] == []


def test_the_stop_sequence_that_was_met_is_named(desk: AnthropicDesk) -> None:
    message = desk.message("one two three", model="sim-echo", stop_sequences=["four", "three", " two"])
    assert (_text(message), message["stop_reason"], message["stop_sequence"]) == (
        "one",
        "stop_sequence",
        " two",
    )
    assert desk.message(stop_sequences=["zebra"])["stop_sequence"] is None


def test_a_refusal_says_why_and_has_no_content(desk: AnthropicDesk) -> None:
    message = desk.message(model="sim-refuse")
    assert message["stop_reason"] == message["stop_details"]["type"] == "refusal"
    assert message["content"] == []
    assert message["stop_details"]["explanation"]


@pytest.mark.parametrize("reason", ["pause_turn", "model_context_window_exceeded", "refusal"])
def test_any_stop_reason_can_be_asked_for(desk: AnthropicDesk, reason: str) -> None:
    assert desk.message(model=f"sim-finish-{reason}")["stop_reason"] == reason


def test_structured_output_follows_the_schema_by_either_name(desk: AnthropicDesk) -> None:
    schema = {
        "type": "object",
        "properties": {"age": {"type": "integer", "minimum": 3, "maximum": 4}},
        "required": ["age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "schema": schema}
    for fields in ({"output_config": {"format": form}}, {"output_format": form}):
        assert json.loads(_text(desk.message(**fields)))["age"] in (3, 4)


def test_pictures_and_documents_are_noticed(desk: AnthropicDesk) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    page = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    assert "Attachments received: 2 (file, image)." in _text(desk.message(_said("What?", image, page)))


def test_a_document_is_cited_where_it_was_said_to(desk: AnthropicDesk) -> None:
    first = desk.message(_said("What?", _DOCUMENT))["content"][0]
    assert first["text"] == "The sea is wide."
    assert first["citations"][0] == {
        "type": "char_location",
        "cited_text": "The sea is wide. ",
        "document_index": 0,
        "document_title": "facts.txt",
        "start_char_index": 0,
        "end_char_index": 17,
    }
    uncited = {**_DOCUMENT, "citations": {"enabled": False}}
    assert all("citations" not in block for block in desk.message(_said("What?", uncited))["content"])


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"type": "base64", "media_type": "application/pdf", "data": "aGk="}, "page_location"),
        ({"type": "content", "content": [{"type": "text", "text": "Blue. Red."}]}, "content_block_location"),
        ({"type": "file", "file_id": "f"}, "page_location"),
    ],
)
def test_what_is_cited_depends_on_the_document(desk: AnthropicDesk, source: Any, kind: str) -> None:
    block = {"type": "document", "citations": {"enabled": True}, "source": source}
    assert desk.message(_said("What?", block))["content"][0]["citations"][0]["type"] == kind


def test_a_search_is_made_answered_and_counted(desk: AnthropicDesk) -> None:
    message = desk.message("Search the web for kimchi", tools=[_SEARCH])
    use, found, cited, *_ = message["content"]
    assert (use["type"], use["name"]) == ("server_tool_use", "web_search")
    assert found["tool_use_id"] == use["id"]
    assert cited["citations"][0]["url"] == found["content"][0]["url"]
    assert message["usage"]["server_tool_use"]["web_search_requests"] == 1


def test_a_search_is_left_out_where_it_was_not_wanted(desk: AnthropicDesk) -> None:
    kinds = {
        block["type"] for block in desk.message(tools=[_SEARCH], tool_choice={"type": "none"})["content"]
    }
    assert kinds == {"text"}
    both = desk.message(tools=[_SEARCH, WEATHER])
    assert both["content"][0]["type"] == "tool_use"
    forced = desk.message(tools=[_SEARCH, WEATHER], tool_choice={"type": "tool", "name": "web_search"})
    assert forced["content"][0]["type"] == "server_tool_use"


def test_what_a_search_found_can_be_said_again_but_not_made_up(desk: AnthropicDesk) -> None:
    message = desk.message("Search for kimchi", tools=[_SEARCH])
    talk = [*ASKED, {"role": "assistant", "content": message["content"]}, *ASKED]
    assert desk.message(talk, tools=[_SEARCH])
    talk[1]["content"][1]["content"][0]["encrypted_content"] = "bWFkZSB1cA=="
    assert "Invalid `encrypted_content` in `search_result` block" in desk.refusal(talk, tools=[_SEARCH])


def test_a_paused_turn_is_taken_up_where_it_stopped(desk: AnthropicDesk) -> None:
    paused = desk.message("Search for kimchi", model="sim-finish-pause_turn", tools=[_SEARCH])
    assert [block["type"] for block in paused["content"]] == ["server_tool_use", "web_search_tool_result"]
    talk = [*ASKED, {"role": "assistant", "content": paused["content"]}]
    assert _text(desk.message(talk, model="claude-sonnet-5", tools=[_SEARCH]))


def test_a_prompt_is_written_to_the_cache_and_read_from_it(desk: AnthropicDesk) -> None:
    system = [{"type": "text", "text": "Be kind. " * 40, "cache_control": {"type": "ephemeral"}}]
    first, second = desk.message(system=system)["usage"], desk.message("And now?", system=system)["usage"]
    written = first["cache_creation_input_tokens"]
    assert written > 80
    assert first["cache_read_input_tokens"] == second["cache_creation_input_tokens"] == 0
    assert second["cache_read_input_tokens"] == written
    assert first["cache_creation"]["ephemeral_5m_input_tokens"] == written
    assert second["input_tokens"] < written


def test_a_longer_conversation_reads_what_is_cached_and_writes_the_rest(desk: AnthropicDesk) -> None:
    def turn(text: str, *, marked: bool) -> dict[str, Any]:
        hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}} if marked else {}
        return {"role": "user", "content": [{"type": "text", "text": text * 50, **hour}]}

    one, two = turn("one ", marked=True), turn("two ", marked=True)
    first = desk.message([one])["usage"]
    second = desk.message([one, {"role": "assistant", "content": "Yes."}, two])["usage"]
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["cache_creation"]["ephemeral_1h_input_tokens"] == second["cache_creation_input_tokens"] > 40


def test_another_model_or_tool_finds_nothing_in_the_cache(desk: AnthropicDesk) -> None:
    fields: Any = {"system": "Be kind.", "cache_control": {"type": "ephemeral"}}
    assert desk.message(**fields)["usage"]["cache_creation_input_tokens"] > 0
    assert desk.message(**fields)["usage"]["cache_read_input_tokens"] > 0
    assert desk.message(**fields, model="claude-opus-4-6")["usage"]["cache_read_input_tokens"] == 0
    assert desk.message(**fields, tools=[WEATHER])["usage"]["cache_read_input_tokens"] == 0


def test_counting_tokens_counts_what_an_answer_reports(desk: AnthropicDesk) -> None:
    body = {"model": "claude-haiku-4-5", "messages": ASKED, "tools": [WEATHER]}
    counted = answer_of(desk.post(body, "/v1/messages/count_tokens"))
    assert counted == {"input_tokens": desk.message(tools=[WEATHER])["usage"]["input_tokens"]}


def test_models_are_listed_in_the_shape_asked_for(desk: AnthropicDesk) -> None:
    assert "object" in answer_of(desk.get("/v1/models"))
    headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
    listed = answer_of(desk.service.plan(Request("GET", "/v1/models", "", headers, b"")))
    assert listed["first_id"] == listed["data"][0]["id"]
    shown = answer_of(desk.service.plan(Request("GET", "/v1/models/claude-haiku-4-5", "", headers, b"")))
    assert shown["capabilities"]["thinking"]["types"]["adaptive"] == {"supported": False}


def test_a_scenario_scripts_text_calls_and_usage() -> None:
    rules = (
        Rule(Match(contains="refund", path="/messages"), Scripted(text="Within 14 days.")),
        Rule(Match(contains="order"), Scripted(tool_calls=[ScriptedCall("find", {"id": "A-17"})])),
        Rule(
            Match(contains="count"),
            Scripted(text="one two", usage=ScriptedUsage(prompt_tokens=5, completion_tokens=9)),
        ),
    )
    desk = AnthropicDesk(scenario=Scenario(rules))
    assert _text(desk.message("a refund")) == "Within 14 days."
    called = desk.message("an order")
    assert called["content"][0]["input"] == {"id": "A-17"}
    assert called["stop_reason"] == "tool_use"
    usage = desk.message("count")["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (5, 9)


def test_a_scripted_stream_keeps_its_order() -> None:
    script = Scripted(stream=["Once", " upon", ScriptedEvent(event={"type": "odd"}), " a", " time"])
    desk = AnthropicDesk(scenario=Scenario((Rule(Match(), script),)))
    thinking = {"type": "enabled", "budget_tokens": 1024}
    found = [
        name if name != "content_block_delta" else json.loads(data)["delta"].get("text", "…")
        for name, data in events(desk.messages(stream=True, thinking=thinking))
    ]
    told = found[found.index("Once") :]
    assert told[:5] == ["Once", " upon", "odd", " a", " time"]
    assert told[5:] == ["content_block_stop", "message_delta", "message_stop"]


def test_a_stream_pings_and_can_be_made_to_ping_more(desk: AnthropicDesk) -> None:
    plain = [name for name, _ in events(desk.messages(stream=True))]
    assert plain[:3] == ["message_start", "content_block_start", "ping"]
    assert plain.count("ping") == 1
    often = [name for name, _ in events(desk.messages(stream=True, model="sim-ping-1"))]
    assert often[::2].count("ping") == len(often) // 2


def test_a_stream_can_break_off_or_end_in_an_error(desk: AnthropicDesk) -> None:
    *_, (name, data) = events(desk.messages(stream=True, model="sim-error-after-4+error-529"))
    assert name == "error"
    assert json.loads(data)["error"] == {"type": "overloaded_error", "message": "Overloaded"}
    assert b"message_stop" not in sent(desk.messages(stream=True, model="sim-no-done"))
    assert desk.messages(stream=True, model="sim-cut-after-3").fault == "cut"
    assert b'"del\n' in sent(desk.messages(stream=True, model="sim-bad-json-after-3"))


def test_every_answer_says_what_is_left_of_the_limits() -> None:
    desk = AnthropicDesk(Options(rpm=2, tpm=100_000))
    headers = headers_of(desk.messages())
    assert headers["anthropic-ratelimit-requests-remaining"] == "1"
    assert headers["anthropic-ratelimit-requests-reset"] == "2027-01-15T08:00:30Z"
    assert headers["anthropic-ratelimit-input-tokens-remaining"] == "99985"
    assert headers["request-id"].startswith("req_")
    desk.messages()
    third = desk.messages()
    assert third.status == 429
    assert headers_of(third)["retry-after"] == "30"
    assert "rate limit of 2 requests per minute" in answer_of(third)["error"]["message"]
