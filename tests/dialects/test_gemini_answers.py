"""Gemini's whole answers: parts, stop reasons, usage, sources, log probabilities; and the meter."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, ProviderError
from madang.core.messages import Citation, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from madang.core.record import Usage
from madang.core.responses import Candidate, Response, Stop, TokenLogprob
from madang.dialects.gemini import GEMINI
from tests.dialects import hub
from tests.dialects.gemini_wire import ANSWERING, answer, read, told
from tests.dialects.laws import difference

CALL = {"functionCall": {"name": "f", "args": {"a": 1}}}


def same(body: dict[str, Any]) -> None:
    assert difference(json.dumps(body).encode(), json.dumps(told(read(body))).encode()) is None


def one(*parts: Any, stop: Stop = Stop.END, **more: Any) -> Response:
    return Response(id="r", model="m", candidates=(Candidate(parts=parts, stop=stop, **more),))


SAME: dict[str, dict[str, Any]] = {
    "words": answer("hi"),
    "of Vertex": {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
        "createTime": "2026-08-19T14:40:36.679914Z",
        "usageMetadata": {"trafficType": "ON_DEMAND"},
        "modelVersion": "m",
        "responseId": "r",
    },
    "nothing": {},
    "no candidates": {"candidates": [], "modelVersion": "m"},
    "no content": {"candidates": [{"finishReason": "SAFETY", "safetyRatings": [{"category": "X"}]}]},
    "no parts": {"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS", "index": 0}]},
    "no role": {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "index": 0}]},
    "another role": {"candidates": [{"content": {"parts": [], "role": "user", "new": 1}}]},
    "several": {
        "candidates": [
            {"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0},
            {"content": {"parts": [{"text": "b"}], "role": "model"}, "index": 1},
        ]
    },
    "several in another order": {
        "candidates": [{"content": {"parts": []}, "index": 1}, {"content": {"parts": []}, "index": 0}]
    },
    "a blocked prompt": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r"},
    "a signed end": answer("hi", {"text": "", "thoughtSignature": "c2ln"}),
    "thoughts and calls": answer(
        {"text": "hm", "thought": True},
        {**CALL, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "g", "args": {}, "id": "x"}},
        finishMessage="Model generated function call(s).",
    ),
    "what Google ran": answer(
        {"executableCode": {"code": "1", "id": "c"}, "thoughtSignature": "c2ln"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        avgLogprobs=-0.5,
        citationMetadata={"citations": [{}]},
        urlContextMetadata={},
    ),
    "an image": answer({"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thoughtSignature": "c2ln"}),
    "log probabilities": answer(
        "hi",
        logprobsResult={
            "chosenCandidates": [{"token": "hi", "tokenId": 5, "logProbability": -0.25}],
            "topCandidates": [{"candidates": [{"token": "hi", "tokenId": 5, "logProbability": -0.25}]}],
            "logProbabilitySum": -0.25,
        },
    ),
    "unknown members": {**answer("hi", new=1), "new": {"a": None}, "modelStatus": {}},
    "a strange time": {**answer("hi"), "createTime": "yesterday"},
}


@pytest.mark.parametrize("name", SAME)
def test_an_answer_comes_out_as_it_went_in(name: str) -> None:
    same(SAME[name])


@given(hub.responses(opaque=hub.DIALECTS, shuffled=True, candidates=2, broken_arguments=True))
def test_any_answer_of_ours_is_told_as_one_that_can_be_read(response: Response) -> None:
    same(told(response))


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.just(""), st.just("STOP")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                (
                    "candidates",
                    "content",
                    "parts",
                    "text",
                    "finishReason",
                    "index",
                    "usageMetadata",
                    "promptTokenCount",
                    "promptTokensDetails",
                    "groundingMetadata",
                    "groundingSupports",
                    "groundingChunks",
                    "segment",
                    "logprobsResult",
                    "chosenCandidates",
                    "promptFeedback",
                    "createTime",
                    "error",
                )
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=16,
)


@given(_json)
def test_any_json_is_an_answer_or_a_broken_one(value: object) -> None:
    for body in (
        value,
        {"candidates": [value]},
        {"candidates": [{"content": value, "groundingMetadata": value}]},
    ):
        raw = json.dumps(body).encode()
        GEMINI.hear(raw)
        try:
            response = GEMINI.parse_response(raw)
        except (BrokenAnswer, ProviderError):
            continue
        assert GEMINI.render_response(response, ANSWERING).startswith(b"{")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"candidates": {"a": 1}}', b'{"candidates": [1]}', b'{"a":']
)
def test_an_answer_that_cannot_be_read_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        GEMINI.parse_response(body)
    assert GEMINI.hear(body).usage is None


def test_parts_are_read_as_what_they_are() -> None:
    parts = (
        read(
            answer(
                {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
                "so",
                {"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": "aGk="}},
                {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "thought": True},
                {"executableCode": {}},
                {**CALL, "thoughtSignature": "c2ln"},
            )
        )
        .candidates[0]
        .parts
    )
    assert [type(part) for part in parts] == [Reasoning, Text, Media, Opaque, Opaque, ToolCall]
    thought, _, sound, _, _, call = parts
    assert isinstance(thought, Reasoning)
    assert (thought.text, thought.signature, thought.signer) == ("hm", "c2ln", "gemini")
    assert isinstance(sound, Media)
    assert (sound.kind, sound.media_type) == ("audio", "audio/L16;codec=pcm;rate=24000")
    assert isinstance(call, ToolCall)
    assert (call.arguments, call.signature, call.signer) == ('{"a":1}', "c2ln", "gemini")


def test_calls_without_ids_get_some_that_differ() -> None:
    calls = read(answer(CALL, CALL, {"functionCall": {"name": "f", "id": "x"}})).candidates[0].parts
    ids = [part.id for part in calls if isinstance(part, ToolCall)]
    assert len(set(ids)) == 3
    assert ids[2] == "x"
    assert all(id_ and id_.replace("_", "").isalnum() for id_ in ids)


STOPS = [
    ("STOP", Stop.END),
    ("MAX_TOKENS", Stop.LENGTH),
    ("SAFETY", Stop.FILTER),
    ("RECITATION", Stop.FILTER),
    ("BLOCKLIST", Stop.FILTER),
    ("PROHIBITED_CONTENT", Stop.FILTER),
    ("SPII", Stop.FILTER),
    ("IMAGE_SAFETY", Stop.FILTER),
    ("IMAGE_PROHIBITED_CONTENT", Stop.FILTER),
    ("IMAGE_RECITATION", Stop.FILTER),
    ("LANGUAGE", Stop.OTHER),
    ("OTHER", Stop.OTHER),
    ("MALFORMED_FUNCTION_CALL", Stop.OTHER),
    ("UNEXPECTED_TOOL_CALL", Stop.OTHER),
    ("TOO_MANY_TOOL_CALLS", Stop.OTHER),
    ("NO_IMAGE", Stop.OTHER),
    ("FINISH_REASON_UNSPECIFIED", Stop.OTHER),
    ("SOMETHING_NEW", Stop.OTHER),
]


@pytest.mark.parametrize(("word", "stop"), STOPS)
def test_every_finish_reason_is_known_and_goes_back(word: str, stop: Stop) -> None:
    body = answer("hi", reason=word)
    assert read(body).candidates[0].stop is stop
    same(body)


def test_stop_with_calls_means_that_tools_are_awaited() -> None:
    assert read(answer(CALL)).candidates[0].stop is Stop.TOOL
    assert read(answer(CALL, reason="MAX_TOKENS")).candidates[0].stop is Stop.LENGTH
    assert read(answer("hi", reason=None)).candidates[0].stop is None


WORDS = [
    (Stop.END, "STOP"),
    (Stop.TOOL, "STOP"),
    (Stop.SEQUENCE, "STOP"),
    (Stop.LENGTH, "MAX_TOKENS"),
    (Stop.CONTEXT, "MAX_TOKENS"),
    (Stop.FILTER, "SAFETY"),
    (Stop.REFUSAL, "SAFETY"),
    (Stop.PAUSE, "OTHER"),
    (Stop.OTHER, "OTHER"),
]


def test_every_stop_has_its_word() -> None:
    assert {stop for stop, _ in WORDS} == set(Stop)
    for stop, word in WORDS:
        assert told(one(Text("hi"), stop=stop))["candidates"][0]["finishReason"] == word


def test_a_word_that_is_no_longer_true_is_not_repeated() -> None:
    candidate = msgspec.structs.replace(read(answer("hi", reason="SPII")).candidates[0], stop=Stop.LENGTH)
    assert told(Response(candidates=(candidate,)))["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_a_blocked_prompt_is_a_filtered_candidate() -> None:
    response = read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})
    (candidate,) = response.candidates
    assert (candidate.stop, candidate.parts) == (Stop.FILTER, ())
    assert read({"promptFeedback": {}}).candidates == ()


def test_an_answer_from_elsewhere_is_told_whole() -> None:
    response = Response(
        id="chatcmpl-1",
        model="gpt",
        created=1_700_000_000,
        candidates=(
            Candidate(
                parts=(
                    Reasoning(text="hm"),
                    Reasoning(),
                    Text("so"),
                    Refusal("no"),
                    Opaque("anthropic", {"a": 1}),
                ),
                stop=Stop.END,
            ),
            Candidate(parts=(ToolCall(id="call_1", name="f", arguments='{"a":1}'),), stop=Stop.TOOL),
        ),
        usage=Usage(input_tokens=10, output_tokens=5, reasoning_tokens=2, cached_tokens=4),
        service_tier="default",
    )
    first = [{"thought": True, "text": "hm"}, {"text": "so"}, {"text": "no"}]
    second = [{"functionCall": {"name": "f", "args": {"a": 1}, "id": "call_1"}}]
    assert told(response) == {
        "candidates": [
            {"content": {"parts": first, "role": "model"}, "finishReason": "STOP", "index": 0},
            {"content": {"parts": second, "role": "model"}, "finishReason": "STOP", "index": 1},
        ],
        "usageMetadata": {
            "promptTokenCount": 10,
            "candidatesTokenCount": 3,
            "totalTokenCount": 15,
            "cachedContentTokenCount": 4,
            "thoughtsTokenCount": 2,
            "serviceTier": "default",
        },
        "modelVersion": "gpt",
        "createTime": "2023-11-14T22:13:20Z",
        "responseId": "chatcmpl-1",
    }


def test_what_an_answer_lacks_is_said_for_it() -> None:
    body = told(Response(candidates=(Candidate(stop=Stop.END),)))
    assert (body["responseId"], body["modelVersion"]) == ("answer-1", "house")
    assert body["candidates"][0]["content"] == {"parts": [], "role": "model"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T23:59:59Z", 951_868_799),
        ("2026-08-19T14:40:36Z", 1_787_150_436),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
    ],
)
def test_a_moment_is_the_same_both_ways(text: str, seconds: int) -> None:
    assert read({**answer("hi"), "createTime": text}).created == seconds
    assert told(msgspec.structs.replace(one(Text("hi")), created=seconds))["createTime"] == text


USAGES: list[tuple[dict[str, Any], Usage]] = [
    (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 22},
        Usage(input_tokens=10, output_tokens=12, reasoning_tokens=7),
    ),
    (
        {"promptTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 17},
        Usage(input_tokens=10, output_tokens=7, reasoning_tokens=7),
    ),
    ({"promptTokenCount": 10, "totalTokenCount": 10}, Usage(input_tokens=10)),
    ({"promptTokenCount": 10, "candidatesTokenCount": 0}, Usage(input_tokens=10, output_tokens=0)),
    (
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 99},
        Usage(input_tokens=10, output_tokens=5),
    ),
    (
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 5,
            "toolUsePromptTokenCount": 100,
            "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
            "totalTokenCount": 115,
        },
        Usage(input_tokens=110, output_tokens=5),
    ),
    (
        {
            "promptTokenCount": 10,
            "cachedContentTokenCount": 8,
            "candidatesTokenCount": 24,
            "totalTokenCount": 34,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 4},
                {"modality": "AUDIO", "tokenCount": 6},
            ],
            "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 8}],
            "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 24}],
        },
        Usage(
            input_tokens=10, output_tokens=24, cached_tokens=8, audio_input_tokens=6, audio_output_tokens=24
        ),
    ),
    ({"trafficType": "ON_DEMAND"}, Usage()),
    ({"promptTokenCount": "10", "candidatesTokenCount": True}, Usage()),
    ({}, Usage()),
]


@pytest.mark.parametrize(("wire", "wanted"), USAGES)
def test_usage_adds_up_and_goes_back(wire: dict[str, Any], wanted: Usage) -> None:
    body = {**answer("hi"), "usageMetadata": wire}
    usage = read(body).usage
    assert usage is not None
    assert msgspec.structs.replace(usage, extra={}) == wanted
    same(body)


def test_the_meter_hears_what_the_codec_reads() -> None:
    for wire, wanted in USAGES:
        heard = GEMINI.hear(json.dumps({**answer(CALL), "usageMetadata": wire}).encode())
        if isinstance(wire.get("promptTokenCount"), int):
            assert heard.usage == wanted
            assert heard.stop_reason == "STOP"
        else:
            assert heard.usage is None
    assert GEMINI.hear(b'{"error": {"code": 503, "status": "UNAVAILABLE"}}').error == "UNAVAILABLE"
    assert GEMINI.hear(b'{"promptFeedback": {"blockReason": "SAFETY"}}').stop_reason == "SAFETY"


TEXT = "서울은 맑음. It is sunny."
GROUNDING: dict[str, Any] = {
    "webSearchQueries": ["weather"],
    "groundingChunks": [
        {"web": {"uri": "https://a.b", "title": "a"}},
        {"retrievedContext": {"uri": "https://c.d", "text": "sunny all day"}},
    ],
    "groundingSupports": [
        {"segment": {"endIndex": 17, "text": "서울은 맑음."}, "groundingChunkIndices": [0, 1, 9]},
        {"segment": {"startIndex": 18, "endIndex": 30, "text": "It is sunny."}, "groundingChunkIndices": [1]},
        {"segment": {"startIndex": 18, "endIndex": 20, "text": "something else"}, "confidenceScores": [1]},
    ],
}


def test_sources_become_citations_in_characters() -> None:
    (text,) = read(answer(TEXT, groundingMetadata=GROUNDING)).candidates[0].parts
    assert isinstance(text, Text)
    assert text.citations == (
        Citation(url="https://a.b", title="a", start=0, end=7),
        Citation(url="https://c.d", quote="sunny all day", start=0, end=7),
        Citation(url="https://c.d", quote="sunny all day", start=8, end=20),
    )
    assert [TEXT[one.start : one.end] for one in text.citations][1:] == ["서울은 맑음.", "It is sunny."]


def test_sources_go_back_as_they_came() -> None:
    same(answer(TEXT, groundingMetadata=GROUNDING))
    same(answer({"text": "hm", "thought": True}, TEXT, groundingMetadata={"searchEntryPoint": {}}))
    same(answer(TEXT, groundingMetadata={"groundingSupports": [1], "groundingChunks": 2}))


def test_sources_show_nothing_of_a_text_that_was_rewritten() -> None:
    response = read(answer(TEXT, groundingMetadata=GROUNDING))
    (text,) = response.candidates[0].parts
    assert isinstance(text, Text)
    rewritten = msgspec.structs.replace(
        response.candidates[0], parts=(msgspec.structs.replace(text, text="[…]"),)
    )
    body = json.dumps(told(msgspec.structs.replace(response, candidates=(rewritten,))), ensure_ascii=False)
    assert "맑음" not in body
    assert "It is sunny" not in body


def test_citations_from_elsewhere_are_told_as_sources() -> None:
    cited = Text(
        TEXT,
        (
            Citation(url="https://a.b", title="a", start=0, end=7),
            Citation(url="https://c.d", quote="sunny", start=0, end=7),
            Citation(url="https://a.b", title="a"),
        ),
    )
    body = told(one(Reasoning(text="hm"), cited))
    assert body["candidates"][0]["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://a.b", "title": "a"}},
            {"retrievedContext": {"uri": "https://c.d", "text": "sunny"}},
        ],
        "groundingSupports": [
            {
                "segment": {"partIndex": 1, "endIndex": 17, "text": "서울은 맑음."},
                "groundingChunkIndices": [0, 1],
            },
            {"segment": {"partIndex": 1}, "groundingChunkIndices": [0]},
        ],
    }
    again = read(body).candidates[0]
    assert again.parts[1] == cited
    assert "groundingMetadata" not in again.extra.get("gemini", {})


def test_log_probabilities_go_both_ways() -> None:
    tokens = (TokenLogprob("a", -0.5, (("a", -0.5), ("b", -1.0))), TokenLogprob("b", 0.0))
    body = told(one(Text("ab"), logprobs=tokens))
    assert read(body).candidates[0].logprobs == tokens
    chosen = [{"token": "a", "logProbability": -0.5}, {"token": "b", "logProbability": 0.0}]
    assert body["candidates"][0]["logprobsResult"]["chosenCandidates"] == chosen


def test_the_service_tier_is_told_with_the_usage() -> None:
    body = {
        **answer("hi"),
        "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1, "serviceTier": "flex"},
    }
    assert read(body).service_tier == "flex"
    same(body)
    assert told(msgspec.structs.replace(one(Text("a")), service_tier="flex"))["usageMetadata"] == {
        "serviceTier": "flex"
    }
