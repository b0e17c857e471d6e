"""The Responses API, answering: what a provider says, and what a client is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from openai.types.responses import Response as SdkResponse

from madang.core.errors import (
    BrokenAnswer,
    ProviderError,
)
from madang.core.messages import (
    Citation,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from madang.core.record import Usage
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.core.responses import Candidate, Response, Stop, TokenLogprob
from madang.dialects.base import Answering
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC
from tests.dialects.hub import responses
from tests.dialects.laws import response_of
from tests.dialects.openai_responses import ASKED, NAME, answered, answering, back, parsed, parts_of, told
from tests.dialects.recorded import of, recordings
from tests.dialects.test_openai_responses_requests import json_values

WORDS = {"type": "output_text", "text": "so", "annotations": [], "logprobs": []}
SAID = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [WORDS]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}


def same(*output: object, **members: object) -> None:
    """An answer of this dialect comes out as it went in."""
    body = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", **members}
    body["output"] = list(output)
    response = CODEC.parse_response(json.dumps(body).encode())
    assert json.loads(CODEC.render_response(response, answering())) == body


# From a provider


def test_an_answer_is_understood() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
    response = answered(thought, SAID, CALL, created_at=1_700_000_000.0, service_tier="flex")
    assert (response.id, response.model, response.created) == ("resp_1", "m", 1_700_000_000)
    assert response.service_tier == "flex"
    candidate = response.candidates[0]
    assert [type(part) for part in candidate.parts] == [Reasoning, Text, ToolCall]
    assert candidate.stop is Stop.TOOL
    signed = candidate.parts[0]
    assert isinstance(signed, Reasoning)
    assert (signed.id, signed.signature, signed.signer) == ("rs_1", "sealed", NAME)


@pytest.mark.parametrize(
    ("members", "output", "stop"),
    [
        ({"status": "completed"}, SAID, Stop.END),
        ({"status": "completed", "incomplete_details": None}, CALL, Stop.TOOL),
        ({"status": "completed"}, {**SAID, "content": [{"type": "refusal", "refusal": "no"}]}, Stop.REFUSAL),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, SAID, Stop.LENGTH),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, SAID, Stop.FILTER),
        ({"status": "incomplete", "incomplete_details": {"reason": "steered", "x": 1}}, SAID, Stop.OTHER),
        ({"status": "incomplete", "incomplete_details": None}, SAID, None),
        ({"status": "queued", "background": True}, SAID, None),
        ({"status": "cancelled"}, SAID, None),
    ],
    ids=str,
)
def test_every_end_of_an_answer_is_understood(
    members: dict[str, object], output: dict[str, object], stop: Stop | None
) -> None:
    assert answered(output, **members).candidates[0].stop is stop
    same(output, **members)


def test_an_answer_that_leaves_things_out_is_understood() -> None:
    response = CODEC.parse_response(b'{"output": [{"role": "assistant", "content": "hi"}]}')
    assert response.candidates[0].parts[0] == Text("hi", extra={NAME: {"$item": {"form": "text"}}})
    assert response.candidates[0].stop is Stop.END
    assert CODEC.parse_response(b"{}").candidates[0].parts == ()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"output": {}}', b'{"output": [1]}', b"\xff", b"<html>"]
)
def test_an_answer_that_cannot_be_read_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        CODEC.parse_response(body)


def test_an_answer_that_failed_is_an_error_of_the_providers() -> None:
    for code, status, kind in (
        ("server_error", 500, "api_error"),
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("invalid_prompt", 400, "invalid_request_error"),
        ("image_too_large", 400, "invalid_request_error"),
        ("vector_store_timeout", 504, "timeout_error"),
    ):
        with pytest.raises(ProviderError) as caught:
            answered(status="failed", error={"code": code, "message": "It broke."})
        problem = caught.value
        assert (problem.status, problem.kind, problem.code, problem.message) == (
            status,
            kind,
            code,
            "It broke.",
        )


def test_unknown_items_and_blocks_stay_what_they_were() -> None:
    same(
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {**SAID, "content": [{"type": "hologram"}, WORDS], "phase": "commentary"},
        {**SAID, "content": [], "id": "msg_2"},
        {**SAID, "content": None, "id": "msg_3"},
        {**SAID, "role": "critic", "id": "msg_4"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "", "item_id": "fc_1"},
        usage=None,
        tools=[],
        moderation=None,
        billing={"payer": "developer"},
    )


def test_usage_keeps_every_count() -> None:
    counted = {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20, "image_tokens": 5},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 30},
        "total_tokens": 150,
        "cost_in_usd_ticks": 7,
    }
    usage = answered(usage=counted).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (100, 50)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (60, 20, 30)
    assert CODEC.hear(json.dumps({"usage": counted}).encode()).usage == usage
    ways: tuple[dict[str, object], ...] = (
        counted,
        {},
        {"input_tokens": 1, "output_tokens": 2, "total_tokens": 4},
        {"input_tokens": "many", "input_tokens_details": None, "output_tokens_details": {}},
        {"input_tokens_details": {"cached_tokens": 0}, "total_tokens": 0},
    )
    for one in ways:
        same(SAID, usage=one)


def test_the_meter_hears_how_it_ended_and_never_raises() -> None:
    heard = CODEC.hear(b'{"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}')
    assert (heard.stop_reason, heard.error) == ("content_filter", None)
    assert CODEC.hear(b'{"status": "completed", "error": null}').stop_reason == "completed"
    assert CODEC.hear(b'{"status": "failed", "error": {"code": "server_error"}}').error == "server_error"
    for odd in (b"", b"{", b"[]", b'{"status": 5, "usage": 5, "error": 5, "incomplete_details": []}'):
        assert CODEC.hear(odd).usage is None


@pytest.mark.skipif(not recordings(), reason="the recordings are not there")
def test_a_recorded_answer_keeps_its_settings_out_of_what_is_lost() -> None:
    visible = {name for one in of("answer", NAME) for name in response_of(one).extra[NAME] if name[0] != "$"}
    assert visible.isdisjoint(("tools", "instructions", "temperature", "error", "text"))
    assert "completed_at" in visible


# To a client


def test_an_answer_of_another_dialect_is_written_as_openai_would() -> None:
    asked = parsed(
        {"role": "user", "content": "hi"},
        instructions="be brief",
        temperature=0.5,
        max_output_tokens=99,
        tools=[{"type": "function", "name": "f"}, {"type": "web_search"}],
        tool_choice="auto",
        reasoning={"effort": "low"},
        text={"verbosity": "low"},
        metadata={"a": "b"},
        parallel_tool_calls=False,
        user="u",
    )
    response = Response(
        id="msg_01",
        model="claude",
        candidates=(Candidate(parts=(Text("so"),), stop=Stop.END),),
        usage=Usage(10, 5, cached_tokens=3),
    )
    body = json.loads(
        CODEC.render_response(response, Answering(request=asked, id="x", created=1_700_000_000))
    )
    assert body == {
        "id": "msg_01",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": "claude",
        "status": "completed",
        "incomplete_details": None,
        "output": [{**SAID, "id": "msg_msg_01_0"}],
        "usage": {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 15,
        },
        "background": False,
        "error": None,
        "instructions": "be brief",
        "max_output_tokens": 99,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "low", "summary": None},
        "service_tier": None,
        "store": False,
        "temperature": 0.5,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "auto",
        "tools": [
            {"type": "function", "name": "f", "description": None, "parameters": None, "strict": True},
            {"type": "web_search"},
        ],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": "u",
    }


@given(responses())
def test_every_answer_fits_the_sdks_model(response: Response) -> None:
    asked = answering(
        output=OutputFormat(kind="schema", name="x", schema={"type": "object"}),
        reasoning=ReasoningAsk(enabled=False),
        tools=(Tool(name="f"),),
        tool_choice=ToolChoice(mode="required", names=("f",)),
    )
    body = json.loads(CODEC.render_response(response, asked))
    found = SdkResponse.model_validate(body)
    assert found.output_text == "".join(
        part.text for part in response.candidates[0].parts if isinstance(part, Text)
    )


@pytest.mark.parametrize(
    ("stop", "parts", "status", "reason"),
    [
        (Stop.END, (Text("so"),), "completed", None),
        (Stop.SEQUENCE, (Text("so"),), "completed", None),
        (Stop.TOOL, (ToolCall(id="c", name="f"),), "completed", None),
        (Stop.REFUSAL, (Refusal("no"),), "completed", None),
        (Stop.REFUSAL, (Text("so"),), "incomplete", {"reason": "content_filter"}),
        (Stop.FILTER, (Text("so"),), "incomplete", {"reason": "content_filter"}),
        (Stop.LENGTH, (Text("so"),), "incomplete", {"reason": "max_output_tokens"}),
        (Stop.CONTEXT, (Text("so"),), "incomplete", {"reason": "max_output_tokens"}),
        (Stop.PAUSE, (Text("so"),), "incomplete", {"reason": "max_output_tokens"}),
        (Stop.OTHER, (Text("so"),), "completed", None),
        (None, (Text("so"),), "incomplete", None),
    ],
)
def test_every_reason_to_stop_is_told(
    stop: Stop, parts: tuple[Part, ...], status: str, reason: dict[str, object] | None
) -> None:
    body = told(*parts, stop=stop)
    assert (body["status"], body["incomplete_details"]) == (status, reason)
    assert body["output"][-1]["status"] == status
    SdkResponse.model_validate(body)


def test_only_the_first_of_several_answers_is_told() -> None:
    several = Response(candidates=(Candidate(parts=(Text("a"),)), Candidate(parts=(Text("b"),))))
    body = json.loads(CODEC.render_response(several, answering()))
    assert [item["content"][0]["text"] for item in body["output"]] == ["a"]
    assert json.loads(CODEC.render_response(Response(), answering()))["output"] == []


def test_words_that_follow_each_other_are_one_message() -> None:
    body = told(Text("a"), Refusal("b"), ToolCall(id="c", name="f"), Text("d"))
    assert [item["type"] for item in body["output"]] == ["message", "function_call", "message"]
    assert [block["type"] for block in body["output"][0]["content"]] == ["output_text", "refusal"]
    assert [item["id"] for item in body["output"]] == ["msg_answer-1_0", "fc_answer-1_1", "msg_answer-1_2"]


def test_ids_are_such_as_openai_takes_back() -> None:
    response = Response(id=f"chatcmpl-{'é/' * 60}", candidates=(Candidate(parts=(Text("a"), Reasoning())),))
    body = json.loads(CODEC.render_response(response, answering()))
    for item in body["output"]:
        assert len(item["id"]) <= 64
        assert item["id"].replace("-", "").replace("_", "").isalnum()
        assert item["id"].isascii()


def test_a_call_without_arguments_has_an_empty_object_of_them() -> None:
    assert told(ToolCall(id="c", name="f"))["output"][0]["arguments"] == "{}"
    same({**CALL, "arguments": ""})


def test_images_are_told_as_those_that_a_tool_made() -> None:
    image = Media(kind="image", data="AAAA", media_type="image/webp")
    body = told(Text("here"), image, Media(kind="audio", data="AAAA"), Opaque("gemini", {"x": 1}))
    assert body["output"][1] == {
        "type": "image_generation_call",
        "id": "ig_answer-1_1",
        "status": "completed",
        "output_format": "webp",
        "result": "AAAA",
    }
    assert len(body["output"]) == 2
    again = parts_of(back(body))[2]
    assert isinstance(again, Media)
    assert (again.data, again.media_type) == ("AAAA", "image/webp")


def test_citations_tell_their_page_or_their_document_and_their_place() -> None:
    citations = (
        Citation(url="https://example.com", title="A", quote="words", start=1, end=2),
        Citation(url="https://example.com"),
        Citation(document=0, title="B.pdf", quote="words"),
    )
    body = told(Text("so it is", citations))
    SdkResponse.model_validate(body)
    assert body["output"][0]["content"][0]["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://example.com",
            "title": "A",
            "start_index": 1,
            "end_index": 2,
        },
        {"type": "url_citation", "url": "https://example.com", "title": "", "start_index": 0, "end_index": 8},
        {
            "type": "container_file_citation",
            "container_id": "",
            "file_id": "",
            "filename": "B.pdf",
            "start_index": 0,
            "end_index": 8,
        },
    ]


def test_tokens_stand_with_the_text_they_are_of() -> None:
    tokens = (TokenLogprob("맑", -0.25, (("비", -2.0),)), TokenLogprob("음", -0.5))
    body = told(Text("a"), Text("맑음"), logprobs=tokens)
    first, second = body["output"][0]["content"]
    assert first["logprobs"] == []
    assert second["logprobs"] == [
        {
            "token": "맑",
            "bytes": [235, 167, 145],
            "logprob": -0.25,
            "top_logprobs": [{"token": "비", "bytes": [235, 185, 132], "logprob": -2.0}],
        },
        {"token": "음", "bytes": [236, 157, 140], "logprob": -0.5, "top_logprobs": []},
    ]
    assert answered(*body["output"]).candidates[0].logprobs == tokens


@pytest.mark.parametrize(
    "logprobs",
    [
        [{"token": "a", "bytes": None, "logprob": -1, "top_logprobs": []}],
        [
            {"token": "a", "logprob": -1},
            {"token": "b", "bytes": [98], "logprob": 0, "top_logprobs": [], "x": 1},
        ],
        [{"token": 5}],
        [{"token": "a", "logprob": -1, "top_logprobs": [{"token": "b"}]}],
        "none",
        None,
    ],
    ids=str,
)
def test_tokens_written_in_another_way_come_out_as_they_went_in(logprobs: object) -> None:
    words = {**WORDS, "logprobs": logprobs}
    same({**SAID, "content": [words, WORDS]}, {**SAID, "id": "msg_2", "content": [{**words, "text": "b"}]})


# Whatever comes


@given(json_values)
def test_an_answer_is_understood_or_broken_and_nothing_else(value: Any) -> None:
    for body in (value, {"output": value}, {"output": [value, SAID], "usage": value, "status": value}):
        raw = json.dumps(body).encode()
        CODEC.hear(raw)
        CODEC.parse_error(500, raw)
        try:
            response = CODEC.parse_response(raw)
        except (BrokenAnswer, ProviderError):
            continue
        CODEC.render_response(response, answering())


def test_a_request_is_echoed_whatever_dialect_it_came_in() -> None:
    asked = Request(
        model="house", messages=(Message("system", (Text("be brief"),)), ASKED), max_tokens=5, seed=1
    )
    body = json.loads(CODEC.render_response(Response(), Answering(request=asked, id="x", created=1)))
    assert (body["model"], body["instructions"], body["max_output_tokens"]) == ("house", None, 5)
    SdkResponse.model_validate(body)
