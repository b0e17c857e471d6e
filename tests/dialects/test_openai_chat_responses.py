"""Answers in chat completions: whole ones, read and written; why they ended, what they used; errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, ProviderError
from madang.core.messages import Citation, Json, Media, Message, Opaque, Reasoning, Refusal, Text, ToolCall
from madang.core.record import Usage
from madang.core.requests import Request, Tool
from madang.core.responses import Candidate, Response, Stop, TokenLogprob
from madang.dialects.base import Answering
from madang.dialects.carry import unload, unwrap
from madang.dialects.openai_chat import OPENAI_CHAT
from tests.dialects.hub import responses
from tests.dialects.same_openai_chat import IMAGE, PNG

ASKED = Request(model="asked", messages=(Message("user", (Text("hi"),)),))
ANSWERING = Answering(request=ASKED, id="id-1", created=7)


def parse(body: object) -> Response:
    return OPENAI_CHAT.parse_response(body if isinstance(body, bytes) else json.dumps(body).encode())


def render(response: Response, answering: Answering = ANSWERING) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OPENAI_CHAT.render_response(response, answering))
    return found


def answer(message: object, finish_reason: str | None = "stop", **members: object) -> dict[str, object]:
    """An answer of a provider's."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**head, "choices": [choice], **members}


def told(*parts: Any, stop: Stop = Stop.END, **members: Any) -> dict[str, Any]:
    """The choice that a client gets of an answer from another dialect."""
    [choice] = render(Response(candidates=(Candidate(parts=parts, stop=stop, **members),)))["choices"]
    return dict(choice)


SAID = {"role": "assistant", "content": "hi"}
TOKEN = {"token": "안", "logprob": -0.5, "bytes": [236, 149, 136], "top_logprobs": []}
PIECE = {"token": "\\xec", "logprob": -1, "bytes": [236], "top_logprobs": []}
LIKELY = {"token": "a", "logprob": -0.25}

SAME: dict[str, object] = {
    "nothing but words": answer(SAID),
    "everything OpenAI writes": answer(
        SAID | {"refusal": None, "annotations": []},
        service_tier="default",
        system_fingerprint="fp",
        usage={
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 3, "accepted_prediction_tokens": 0},
        },
    ),
    "nothing at all": {},
    "nulls": {"id": None, "object": None, "created": None, "model": None, "choices": None, "usage": None},
    "empty names": answer(SAID) | {"id": "", "model": "", "object": ""},
    "no message": {"choices": [{"finish_reason": "content_filter"}]},
    "a null message": {"choices": [{"message": None, "finish_reason": ""}]},
    "no role": answer({"content": "hi"}),
    "another role": answer({"role": "model", "content": "hi"}),
    "two choices": {
        "choices": [
            {"index": 0, "message": SAID, "finish_reason": "stop"},
            {"index": 5, "message": SAID, "finish_reason": None},
        ]
    },
    "no words": answer({"role": "assistant", "content": None}),
    "empty words": answer({"role": "assistant", "content": ""}),
    "words in parts": answer(
        {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "new"}]}
    ),
    "a word of the provider's own": answer(SAID, "exhausted"),
    "Mistral's word": answer(SAID, "model_length"),
    "a function of old": answer(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        "function_call",
    ),
    "a forced call": answer(
        {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    ),
    "a refusal": answer({"role": "assistant", "content": None, "refusal": "no"}),
    "a refusal without words": answer({"role": "assistant", "refusal": ""}, "content_filter"),
    "a refusal that is none": answer(SAID | {"refusal": ""}),
    "what was spoken": answer(
        {
            "role": "assistant",
            "content": None,
            "audio": {"id": "audio_1", "data": "AAAA", "expires_at": 9, "transcript": "hello"},
        }
    ),
    "what was painted": answer(SAID | {"images": [IMAGE]}),
    "where it stands": answer(
        SAID
        | {
            "annotations": [
                {
                    "type": "url_citation",
                    "url_citation": {
                        "url": "u",
                        "title": "t",
                        "start_index": 0,
                        "end_index": 0,
                        "content": "q",
                    },
                },
                {
                    "type": "url_citation",
                    "url_citation": {"url": "u", "start_index": 1, "end_index": 2, "new": 1},
                },
            ]
        }
    ),
    "how likely it was": {
        "choices": [
            {
                "index": 0,
                "message": SAID,
                "logprobs": {
                    "content": [
                        TOKEN,
                        PIECE,
                        TOKEN | {"bytes": None},
                        {"token": "a", "logprob": -9999.0},
                        TOKEN
                        | {"top_logprobs": [LIKELY, LIKELY | {"bytes": [97]}, LIKELY | {"bytes": None}]},
                        TOKEN | {"top_logprobs": [LIKELY | {"bytes": [97]}]},
                    ],
                    "refusal": None,
                },
                "finish_reason": "stop",
            }
        ]
    },
    "how likely, in Together's form": {
        "choices": [{"index": 0, "message": SAID, "logprobs": {"tokens": ["a"]}, "finish_reason": "stop"}]
    },
    "xAI's usage": answer(
        SAID,
        usage={
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 10,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    ),
    "odd usage": answer(
        SAID,
        usage={"prompt_tokens": 9, "total_tokens": 99, "prompt_tokens_details": {}, "cost": 0.5},
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_an_answer_that_was_read_is_written_as_it_was(name: str) -> None:
    assert render(parse(SAME[name])) == SAME[name]


@given(responses(broken_arguments=True, opaque=("openai_chat", "anthropic")))
def test_any_answer_is_written_and_once_written_it_stays(response: Response) -> None:
    once = OPENAI_CHAT.render_response(response, ANSWERING)
    assert render(OPENAI_CHAT.parse_response(once)) == json.loads(once)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_answer_is_said_to_be_broken(body: bytes | str) -> None:
    with pytest.raises(BrokenAnswer):
        OPENAI_CHAT.parse_response(body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    "body",
    [
        {"choices": {}},
        {"choices": ["hi"]},
        {"choices": [{"message": "hi"}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"finish_reason": 5}]},
        {"choices": [{"message": {"tool_calls": [{}]}}]},
        {"usage": "many"},
    ],
)
def test_an_answer_of_the_wrong_shape_is_said_to_be_broken(body: object) -> None:
    with pytest.raises(BrokenAnswer, match="cannot be read"):
        parse(body)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        parse({"error": {"message": "filtered", "code": "content_filter", "status": 400}})
    assert (caught.value.status, caught.value.code, caught.value.message) == (
        400,
        "content_filter",
        "filtered",
    )


@pytest.mark.parametrize(
    ("finish_reason", "stop"),
    [
        ("stop", Stop.END),
        ("length", Stop.LENGTH),
        ("tool_calls", Stop.TOOL),
        ("function_call", Stop.TOOL),
        ("content_filter", Stop.FILTER),
        ("model_length", Stop.CONTEXT),
        ("insufficient_system_resource", Stop.OTHER),
        ("", None),
        (None, None),
    ],
)
def test_every_finish_reason_is_understood(finish_reason: str | None, stop: Stop | None) -> None:
    assert parse(answer(SAID, finish_reason)).candidates[0].stop is stop


def test_a_refusal_and_a_forced_call_are_told_by_what_stands_beside_them() -> None:
    for name, stop in (
        ("a refusal", "refusal"),
        ("a forced call", "tool"),
        ("a refusal that is none", "end"),
    ):
        assert parse(SAME[name]).candidates[0].stop == stop


@pytest.mark.parametrize(
    ("stop", "finish_reason"),
    [
        (Stop.END, "stop"),
        (Stop.LENGTH, "length"),
        (Stop.CONTEXT, "length"),
        (Stop.SEQUENCE, "stop"),
        (Stop.TOOL, "tool_calls"),
        (Stop.PAUSE, "stop"),
        (Stop.REFUSAL, "content_filter"),
        (Stop.FILTER, "content_filter"),
        (Stop.OTHER, "stop"),
    ],
)
def test_every_stop_has_a_finish_reason(stop: Stop, finish_reason: str) -> None:
    assert told(Text("hi"), stop=stop)["finish_reason"] == finish_reason


def test_there_is_a_finish_reason_for_all_stops() -> None:
    for stop in Stop:
        assert isinstance(told(stop=stop)["finish_reason"], str)


def test_a_refusal_says_stop_beside_its_words_and_can_do_without_them() -> None:
    spoken = told(Refusal("no"), stop=Stop.REFUSAL)
    assert (spoken["finish_reason"], spoken["message"]["refusal"]) == ("stop", "no")
    silent = told(Text("well"), stop=Stop.REFUSAL)
    assert (silent["finish_reason"], silent["message"]["refusal"]) == ("content_filter", "")
    assert parse(render(Response(candidates=(Candidate(stop=Stop.REFUSAL),)))).candidates[0].stop == "refusal"


def test_an_answer_says_its_own_name_or_ours() -> None:
    assert render(Response()) == {
        "id": "id-1",
        "object": "chat.completion",
        "created": 7,
        "model": "asked",
        "choices": [],
    }
    named = render(Response(id="msg_1", model="claude", created=5, service_tier="priority"))
    assert (named["id"], named["model"], named["created"], named["service_tier"]) == (
        "msg_1",
        "claude",
        5,
        "priority",
    )


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ((), {"content": ""}),
        ((Text("a"), Text("b")), {"content": "ab"}),
        ((Text(""),), {"content": ""}),
        ((Refusal("no"),), {"content": None, "refusal": "no"}),
        ((Reasoning(text="hm"),), {"content": None, "reasoning_content": "hm"}),
        ((Opaque("anthropic", {"type": "x"}),), {"content": ""}),
        ((Opaque("openai_chat", {"type": "x"}),), {"content": [{"type": "x"}]}),
        ((Media(kind="image", data=PNG, media_type="image/png"),), {"content": None, "images": [IMAGE]}),
        (
            (Media(kind="audio", data="AAAA", media_type="audio/wav"),),
            {"content": None, "audio": {"id": "", "data": "AAAA", "transcript": ""}},
        ),
        ((Media(kind="document", file_id="file-1"),), {"content": ""}),
        (
            (ToolCall(id="call_1", name="f"),),
            {
                "content": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
        ),
    ],
)
def test_what_another_dialect_answers_is_said_in_openais_words(parts: Any, message: dict[str, Any]) -> None:
    assert told(*parts)["message"] == {"role": "assistant", **message}


def test_citations_have_a_place_in_the_whole_answer() -> None:
    cited = told(
        Text("ab", (Citation(url="u", title="t", start=0, end=1), Citation(document=0, quote="q"))),
        Text("cd", (Citation(url="v", start=1, end=2, file_id="f"),)),
    )
    assert cited["message"]["annotations"] == [
        {"type": "url_citation", "url_citation": inner}
        for inner in (
            {"url": "u", "title": "t", "start_index": 0, "end_index": 1},
            {"url": "", "title": "", "start_index": 0, "end_index": 0, "content": "q"},
            {"url": "v", "title": "", "start_index": 3, "end_index": 4, "file_id": "f"},
        )
    ]


def test_citations_are_read_where_their_words_stand() -> None:
    annotations = [
        {"type": "url_citation", "url_citation": {"url": url, "start_index": start, "end_index": start + 1}}
        for url, start in (("u", 0), ("v", 3))
    ]
    blocks = [{"type": "text", "text": "ab"}, {"type": "new"}, {"type": "text", "text": "cd"}]
    body = answer({"role": "assistant", "content": blocks, "annotations": annotations})
    first, _, last = parse(body).candidates[0].parts
    assert isinstance(first, Text)
    assert isinstance(last, Text)
    assert [(one.url, one.start, one.end) for one in (*first.citations, *last.citations)] == [
        ("u", 0, 1),
        ("v", 1, 2),
    ]


THOUGHT = Reasoning(text="hm", signature="sig", signer="anthropic")
HIDDEN = Reasoning(signature="xyz", signer="anthropic", redacted=True)
CALL = ToolCall(id="call_1", name="f", arguments="{}", signature="gsig", signer="gemini")


def test_a_client_gets_foreign_signatures_in_entries_and_in_the_id_of_the_call() -> None:
    message = told(THOUGHT, HIDDEN, Text("so"), CALL, ToolCall(id="call_2", name="g"), stop=Stop.TOOL)[
        "message"
    ]
    assert message["reasoning_content"] == "hm"
    shown, hidden = message["reasoning_details"]
    assert (shown["type"], shown["text"], shown["index"]) == ("reasoning.text", "hm", 0)
    assert unwrap(shown["signature"], "openai_chat") == ("sig", "anthropic")
    assert (hidden["type"], hidden["index"]) == ("reasoning.encrypted", 1)
    assert unwrap(hidden["data"], "openai_chat") == ("xyz", "anthropic")
    first, second = message["tool_calls"]
    found = unload(first["id"])
    assert (found.id, found.thoughts, found.signature, found.signer) == (
        "call_1",
        (THOUGHT, HIDDEN),
        "gsig",
        "gemini",
    )
    assert second["id"] == "call_2"


def test_an_unsigned_thought_is_shown_and_not_repeated() -> None:
    message = told(Reasoning(text="hm"), Text("so"))["message"]
    assert message == {"role": "assistant", "content": "so", "reasoning_content": "hm"}
    several = told(Reasoning(text="a"), Reasoning(text="b"))["message"]
    assert several["reasoning_content"] == "ab"
    assert [entry["text"] for entry in several["reasoning_details"]] == ["a", "b"]


def test_a_providers_signature_is_its_own_and_goes_to_its_client_as_it_came() -> None:
    entry = {"type": "reasoning.text", "text": "hm", "signature": "sig"}
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = answer(
        {
            "role": "assistant",
            "content": None,
            "reasoning": "hm",
            "reasoning_details": [entry],
            "tool_calls": [call],
        },
        "tool_calls",
    )
    response = parse(body)
    thought = response.candidates[0].parts[0]
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.signature, thought.signer) == ("hm", "sig", "openai_chat")
    assert render(response) == body


def test_a_client_of_functions_gets_a_function_call() -> None:
    tool = Tool(name="f", extra={"openai_chat": {"$form": "functions"}})
    asked = Request(model="m", messages=(), tools=(tool,))
    calls = (CALL, ToolCall(id="call_2", name="f"))
    response = Response(candidates=(Candidate(parts=(Text("a"), *calls), stop=Stop.TOOL),))
    [choice] = render(response, Answering(request=asked, id="x", created=1))["choices"]
    assert choice == {
        "index": 0,
        "message": {"role": "assistant", "content": "a", "function_call": {"name": "f", "arguments": "{}"}},
        "finish_reason": "function_call",
    }


def test_log_probabilities_are_told_with_their_bytes() -> None:
    likely = TokenLogprob("안", -0.5, (("a", -1.0),))
    assert told(Text("안"), logprobs=(likely,))["logprobs"] == {
        "content": [
            {
                "token": "안",
                "logprob": -0.5,
                "bytes": [236, 149, 136],
                "top_logprobs": [{"token": "a", "logprob": -1.0, "bytes": [97]}],
            }
        ]
    }


USAGES: list[tuple[dict[str, Json], Usage]] = [
    ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}, Usage(9, 5)),
    (
        {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 2, "cache_write_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 1},
        },
        Usage(9, 5, 4, 3, 1, 2, 1),
    ),
    ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "total_tokens": 9}, Usage(9, None, 4)),
    (
        {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 10,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
        Usage(1, 9, None, 7),
    ),
    (
        {
            "prompt_tokens": 9,
            "completion_tokens": 248,
            "total_tokens": 632,
            "prompt_tokens_details": {"audio_tokens": 375},
        },
        Usage(384, 248, audio_input_tokens=375),
    ),
    (
        {
            "prompt_tokens": 10,
            "completion_tokens": 3,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 161},
        },
        Usage(171, 3, 161),
    ),
    ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 99}, Usage(9, 5)),
    ({"prompt_tokens": 9.0}, Usage(9)),
]


@pytest.mark.parametrize(("written", "usage"), USAGES)
def test_usage_is_counted_with_its_parts_by_codec_and_meter(written: dict[str, Json], usage: Usage) -> None:
    body = answer(SAID, usage=written)
    read = parse(body).usage
    assert read is not None
    assert [getattr(read, name) for name in Usage.__struct_fields__ if name != "extra"] == [
        getattr(usage, name) for name in Usage.__struct_fields__ if name != "extra"
    ]
    assert OPENAI_CHAT.hear(json.dumps(body).encode()).usage == usage
    assert render(parse(body))["usage"] == written


def test_usage_of_another_dialect_is_told_as_far_as_it_is_known() -> None:
    assert render(Response(usage=Usage(9, 5, 4)))["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    assert render(Response(usage=Usage()))["usage"] == {"total_tokens": 0}
