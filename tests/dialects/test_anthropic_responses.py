"""Answers of the Messages API, whole: read, told to clients, heard by the meter; and its errors."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import (
    BadRequest,
    BrokenAnswer,
    CallError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    ProviderError,
    TooLarge,
    Unavailable,
    UpstreamTimeout,
)
from madang.core.messages import Citation, Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.base import Answering
from madang.dialects.carry import unload, unwrap
from tests.dialects.laws import difference

ANSWERING = Answering(request=Request(model="house", messages=()), id="req_7", created=1)
SAID: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def answer(**members: Any) -> bytes:
    return json.dumps({**SAID, **members}).encode()


def parse(**members: Any) -> Response:
    return ANTHROPIC.parse_response(answer(**members))


def told(*parts: Part, **candidate: Any) -> dict[str, Any]:
    """What a client gets of an answer from elsewhere."""
    response = Response(id="chatcmpl-1", model="gpt", candidates=(Candidate(parts=parts, **candidate),))
    body: dict[str, Any] = json.loads(ANTHROPIC.render_response(response, ANSWERING))
    return body


USAGES: list[dict[str, Any]] = [
    {"input_tokens": 3, "output_tokens": 2},
    {"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 2},
    {
        "input_tokens": 3,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 11},
        "server_tool_use": {"web_search_requests": 1},
        "service_tier": "priority",
        "inference_geo": "us",
    },
    {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 0, "other": 1}},
    {"input_tokens": 3, "output_tokens": 2, "output_tokens_details": None, "cache_read_input_tokens": None},
    {"input_tokens": 0, "output_tokens": 0},
    {"input_tokens": 0, "output_tokens": 0, "service_tier": "standard"},
]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"content": []},
        {"content": [{"type": "text", "text": ""}], "container": None, "stop_details": None},
        {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        {
            "stop_reason": "refusal",
            "stop_details": {"type": "refusal", "category": "bio", "explanation": None},
        },
        {"stop_reason": "bored", "container": {"id": "c", "expires_at": "2026-11-20T00:00:00Z"}},
        {"stop_reason": None},
        {"diagnostics": {"a": 1}, "context_management": None},
        *[{"usage": usage} for usage in USAGES],
        {
            "content": [
                {"type": "thinking", "thinking": "", "signature": "EqQB"},
                {"type": "redacted_thinking", "data": "Emwk"},
                {
                    "type": "server_tool_use",
                    "id": "srvtoolu_1",
                    "name": "web_search",
                    "input": {"query": "a"},
                },
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
                {"type": "text", "text": "a", "citations": None},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}, "caller": {"type": "direct"}},
            ]
        },
    ],
)
def test_an_answer_comes_out_as_it_went_in(members: dict[str, Any]) -> None:
    body = answer(**members)
    assert difference(body, ANTHROPIC.render_response(ANTHROPIC.parse_response(body), ANSWERING)) is None


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", Stop.END),
        ("max_tokens", Stop.LENGTH),
        ("model_context_window_exceeded", Stop.CONTEXT),
        ("stop_sequence", Stop.SEQUENCE),
        ("tool_use", Stop.TOOL),
        ("pause_turn", Stop.PAUSE),
        ("refusal", Stop.REFUSAL),
        ("bored", Stop.OTHER),
        (None, None),
    ],
)
def test_every_stop_reason_is_read(word: str | None, stop: Stop | None) -> None:
    assert parse(stop_reason=word).candidates[0].stop is stop


@pytest.mark.parametrize(
    ("stop", "word"),
    [
        (Stop.END, "end_turn"),
        (Stop.LENGTH, "max_tokens"),
        (Stop.CONTEXT, "model_context_window_exceeded"),
        (Stop.SEQUENCE, "stop_sequence"),
        (Stop.TOOL, "tool_use"),
        (Stop.PAUSE, "pause_turn"),
        (Stop.REFUSAL, "refusal"),
        (Stop.FILTER, "refusal"),
        (Stop.OTHER, "end_turn"),
        (None, None),
    ],
)
def test_every_stop_is_told_in_a_word_that_clients_know(stop: Stop | None, word: str | None) -> None:
    assert told(Text("a"), stop=stop)["stop_reason"] == word


def test_totals_hold_what_was_cached_and_the_wire_does_not() -> None:
    usage = parse(usage=USAGES[2]).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (15, 7, 5)
    assert (usage.output_tokens, usage.reasoning_tokens) == (20, 11)
    counted = Usage(
        input_tokens=15, output_tokens=20, cached_tokens=7, cache_write_tokens=5, reasoning_tokens=11
    )
    body = json.loads(ANTHROPIC.render_response(Response(usage=counted), ANSWERING))
    assert body["usage"] == {
        "input_tokens": 3,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 7,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 11},
    }


def test_a_part_that_is_larger_than_its_total_makes_no_count_negative() -> None:
    odd = Response(usage=Usage(input_tokens=10, output_tokens=1, cached_tokens=161))
    assert json.loads(ANTHROPIC.render_response(odd, ANSWERING))["usage"]["input_tokens"] >= 0


def test_usage_that_nobody_counted_is_told_as_zero_and_read_as_unknown() -> None:
    body = ANTHROPIC.render_response(Response(service_tier="default"), ANSWERING)
    assert json.loads(body)["usage"] == {"input_tokens": 0, "output_tokens": 0, "service_tier": "standard"}
    again = ANTHROPIC.parse_response(body)
    assert (again.usage, again.service_tier) == (None, "standard")


@pytest.mark.parametrize("usage", USAGES)
def test_the_meter_hears_what_the_codec_reads(usage: dict[str, Any]) -> None:
    heard = ANTHROPIC.hear(answer(usage=usage))
    read = parse(usage=usage).usage or Usage(input_tokens=0, output_tokens=0)
    names = [name for name in Usage.__struct_fields__ if name != "extra"]
    assert heard.usage is not None
    assert [getattr(heard.usage, name) for name in names] == [getattr(read, name) for name in names]
    assert heard.stop_reason == "end_turn"


def test_the_meter_hears_an_error_and_nothing_in_what_it_cannot_read() -> None:
    assert ANTHROPIC.hear(b'{"type":"error","error":{"type":"overloaded_error"}}').error == "overloaded_error"
    for body in (b"", b"[]", b"\xff", b'{"usage": 3}'):
        heard = ANTHROPIC.hear(body)
        assert (heard.usage, heard.stop_reason, heard.error) == (None, None, None)


class TestTold:
    """An answer from another dialect, for a client of this one."""

    def test_it_has_a_head_that_clients_know(self) -> None:
        body = told(Text("a"), stop=Stop.END)
        assert (body["id"], body["type"], body["role"], body["model"]) == (
            "msg_chatcmpl-1",
            "message",
            "assistant",
            "gpt",
        )
        bare = json.loads(ANTHROPIC.render_response(Response(), ANSWERING))
        assert (bare["id"], bare["model"], bare["content"]) == ("msg_req_7", "house", [])

    def test_an_unsigned_thought_has_the_empty_signature_that_every_sdk_wants(self) -> None:
        assert told(Reasoning(text="hm"))["content"] == [
            {"type": "thinking", "thinking": "hm", "signature": ""}
        ]
        assert told(Reasoning())["content"] == []

    def test_a_foreign_signature_is_wrapped_in_the_native_field(self) -> None:
        thought = Reasoning(text="hm", signature="gAAA", signer="openai_responses", id="rs_1")
        [block] = told(thought)["content"]
        assert unwrap(block["signature"], "anthropic")[1] == "openai_responses"
        [part] = ANTHROPIC.parse_response(answer(content=[block])).candidates[0].parts
        assert part == thought

    def test_a_foreign_thought_that_is_hidden_stays_hidden(self) -> None:
        thought = Reasoning(signature="x", signer="gemini", redacted=True)
        [block] = told(thought)["content"]
        assert block["type"] == "redacted_thinking"
        assert ANTHROPIC.parse_response(answer(content=[block])).candidates[0].parts == (thought,)

    def test_a_signed_call_carries_its_signature_in_its_id(self) -> None:
        [block] = told(ToolCall(id="call_1", name="f", signature="sig", signer="gemini"))["content"]
        found = unload(block["id"])
        assert (found.id, found.signature, found.signer) == ("call_1", "sig", "gemini")
        assert block["id"].replace("_", "").replace("-", "").isalnum()

    def test_an_unsigned_call_keeps_its_id(self) -> None:
        [block] = told(ToolCall(id="call_1", name="f", arguments='{"a":1}'))["content"]
        assert block == {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}

    def test_a_refusal_is_text_and_a_stop_reason(self) -> None:
        body = told(Refusal("no"), stop=Stop.END)
        assert (body["content"], body["stop_reason"]) == ([{"type": "text", "text": "no"}], "refusal")

    def test_a_link_is_told_and_known_again_and_a_mere_quote_is_not(self) -> None:
        link = Citation(url="https://example.com/a", title="t", quote="q", start=0, end=1)
        [block] = told(Text("a", (link, Citation(file_id="f", quote="q"))))["content"]
        assert [one["type"] for one in block["citations"]] == ["web_search_result_location"]
        [text] = ANTHROPIC.parse_response(answer(content=[block])).candidates[0].parts
        assert text == Text("a", (Citation(url="https://example.com/a", title="t", quote="q"),))

    def test_what_an_answer_cannot_hold_is_left_out(self) -> None:
        parts = (
            Media(kind="image", data="AA=="),
            Opaque("gemini", {}),
            ToolResult(call_id="c"),
            Text(""),
            Text("a"),
        )
        assert told(*parts)["content"] == [{"type": "text", "text": "a"}]

    def test_only_the_first_of_several_answers_is_told(self) -> None:
        two = Response(candidates=(Candidate(parts=(Text("a"),)), Candidate(parts=(Text("b"),))))
        assert b'"b"' not in ANTHROPIC.render_response(two, ANSWERING)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b"{}",
        b"\xff",
        answer(content=7),
        answer(content=[7]),
        answer(usage=7),
        answer(id=7),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_broken_one(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        ANTHROPIC.parse_response(body)


def test_an_answer_that_lacks_what_it_can_lack_is_read() -> None:
    assert ANTHROPIC.parse_response(b'{"type":"message"}') == Response(candidates=(Candidate(),))
    assert ANTHROPIC.parse_response(b'{"content":"hi"}').candidates[0].parts == (Text("hi"),)


@given(
    st.binary(max_size=40)
    | st.recursive(
        st.none() | st.text(max_size=4) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from((*SAID, "text", "input", "signature")), inner, max_size=4)
        ),
    ).map(lambda value: json.dumps({"content": value, "usage": value, "error": value}).encode())
)
def test_any_body_is_an_answer_or_a_broken_one(body: bytes) -> None:
    with contextlib.suppress(BrokenAnswer):
        ANTHROPIC.parse_response(body)
    assert ANTHROPIC.parse_error(500, body).message
    ANTHROPIC.hear(body)


WORDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    502: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@pytest.mark.parametrize(("status", "word"), WORDS.items())
def test_every_status_has_its_word_both_ways(status: int, word: str) -> None:
    problem = ANTHROPIC.parse_error(status, b"<html>")
    assert (problem.status, problem.kind, problem.message) == (
        status,
        word,
        f"The provider answered with status {status}.",
    )
    assert json.loads(ANTHROPIC.render_error(problem, "req_1")) == {
        "type": "error",
        "error": {"type": word, "message": problem.message},
        "request_id": "req_1",
    }
    assert ANTHROPIC.error_status(problem) == status


@pytest.mark.parametrize(
    ("problem", "status", "word"),
    [
        (BadRequest("x", param="messages"), 400, "invalid_request_error"),
        (NotAuthenticated("x"), 401, "authentication_error"),
        (NotAllowed("x"), 403, "permission_error"),
        (NotFound("x"), 404, "not_found_error"),
        (TooLarge("x"), 413, "request_too_large"),
        (Unavailable("x"), 503, "api_error"),
        (UpstreamTimeout("x"), 504, "timeout_error"),
        (ProviderError("x", status=503, kind="overloaded_error"), 529, "overloaded_error"),
        (ProviderError("x", status=400, kind="billing_error"), 400, "billing_error"),
        (ProviderError("x", status=401, kind="invalid_request_error"), 401, "authentication_error"),
        (ProviderError("x", status=418, kind="teapot"), 418, "invalid_request_error"),
    ],
)
def test_errors_of_ours_and_of_others_are_told_in_anthropics_words(
    problem: CallError, status: int, word: str
) -> None:
    assert ANTHROPIC.error_status(problem) == status
    assert json.loads(ANTHROPIC.render_error(problem, "r"))["error"]["type"] == word


@pytest.mark.parametrize(
    ("body", "message", "kind", "code"),
    [
        (
            {"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}},
            "slow",
            "rate_limit_error",
            "rate_limit_error",
        ),
        (
            {
                "error": {
                    "type": "invalid_request_error",
                    "message": "prompt is too long: 9 tokens > 8 maximum",
                }
            },
            "prompt is too long: 9 tokens > 8 maximum",
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (
            {"error": {"type": "made_up", "message": "m"}},
            "m",
            "invalid_request_error",
            "invalid_request_error",
        ),
        ({"error": "words"}, "words", "invalid_request_error", "invalid_request_error"),
        ({"message": "Bedrock says no"}, "Bedrock says no", "invalid_request_error", "invalid_request_error"),
    ],
)
def test_an_error_is_understood_however_it_is_written(
    body: object, message: str, kind: str, code: str
) -> None:
    problem = ANTHROPIC.parse_error(400, json.dumps(body).encode())
    assert (problem.status, problem.message, problem.kind, problem.code) == (400, message, kind, code)
