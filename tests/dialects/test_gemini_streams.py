"""Gemini's streams: read wherever they are cut, written as its clients want them, and heard in passing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, ProviderError, Unavailable
from madang.core.events import (
    Begin,
    End,
    Event,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    Ping,
    StopEvent,
    UsageEvent,
    collect,
    explode,
)
from madang.core.messages import Citation, Opaque, Reasoning, Text, ToolCall
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.gemini import GEMINI
from tests.dialects import hub
from tests.dialects.gemini_wire import ANSWERING, answer, chunks, events, read, stream, told, wire
from tests.dialects.grammar import legal
from tests.dialects.laws import difference

LIST = msgspec.structs.replace(ANSWERING, as_list=True)
CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}


def piece(*parts: object, reason: str | None = None, **members: object) -> Any:
    return answer(*parts, reason=reason, **members)


def counted(chunk: Any, **counts: object) -> Any:
    return {**chunk, "usageMetadata": counts}


THINKING = (
    counted(
        piece({"text": "Let me ", "thought": True}), promptTokenCount=9, totalTokenCount=9, serviceTier="flex"
    ),
    piece({"text": "think.", "thought": True}),
    piece("It is "),
    piece("서울 ☂️.", {"text": "", "thoughtSignature": "ZW5k"}),
    piece(CALL, {"functionCall": {"name": "g"}}),
    counted(
        piece({"text": ""}, reason="STOP", finishMessage="done"),
        promptTokenCount=9,
        candidatesTokenCount=5,
        thoughtsTokenCount=3,
        totalTokenCount=17,
    ),
)


def test_pieces_are_joined_to_parts() -> None:
    found = collect(legal(events(wire(*THINKING))))
    whole = answer(
        {"text": "Let me think.", "thought": True},
        {"text": "It is 서울 ☂️.", "thoughtSignature": "ZW5k"},
        CALL,
        {"functionCall": {"name": "g"}},
        finishMessage="done",
    )
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 17}
    assert found == read({**whole, "usageMetadata": {**usage, "serviceTier": "flex"}})


def test_a_stream_is_the_same_wherever_it_is_cut() -> None:
    for data in (wire(*THINKING), wire(*THINKING).replace(b"\r\n", b"\n")):
        whole = events(data)
        for cut in range(len(data)):
            assert events(data[:cut], data[cut:]) == whole
        assert events(*[data[at : at + 1] for at in range(len(data))]) == whole


def test_comments_names_and_lines_of_data_are_read() -> None:
    head = b': hi\n\nevent: x\nid: 1\ndata: {"candidates": [{"content":\n'
    data = head + b'data: {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]}'
    assert collect(events(data)).candidates[0].parts == (Text("a"),)


def test_a_signature_closes_the_words_that_it_signs() -> None:
    found = collect(events(wire(piece({"text": "a", "thoughtSignature": "c2ln"}), piece("b", reason="STOP"))))
    assert found.candidates[0].parts == (Text("a", extra={"gemini": {"thoughtSignature": "c2ln"}}), Text("b"))


def test_a_signature_after_a_call_is_a_part_of_its_own() -> None:
    end = {"text": "", "thoughtSignature": "c2ln"}
    found = collect(events(wire(piece(CALL), piece(end, reason="STOP")))).candidates[0]
    assert found.parts[1:] == (Opaque("gemini", end),)
    assert found.stop is Stop.TOOL


def test_a_thought_may_be_signed_at_its_end_or_be_nothing_but_signed() -> None:
    thought = {"thought": True, "thoughtSignature": "c2ln"}
    ended = collect(events(wire(piece({"text": "a", "thought": True}), piece(thought, reason="STOP"))))
    alone = collect(events(wire(piece(thought), piece({"text": "b"}, reason="STOP"))))
    first, second = ended.candidates[0].parts[0], alone.candidates[0].parts[0]
    assert isinstance(first, Reasoning)
    assert isinstance(second, Reasoning)
    assert (first.text, first.signature, first.redacted) == ("a", "c2ln", False)
    assert (second.text, second.signature, second.redacted) == ("", "c2ln", True)


def test_a_finish_reason_on_every_chunk_stops_only_once() -> None:
    """Gemini 1.5 said STOP in each of its chunks."""
    happening = legal(events(wire(piece("a", reason="STOP"), piece("b", reason="STOP"))))
    assert [event for event in happening if isinstance(event, StopEvent)] == [StopEvent(0, Stop.END)]
    assert collect(happening).candidates[0].parts == (Text("ab"),)


def test_usage_is_heard_as_it_grows() -> None:
    happening = events(wire(*THINKING))
    assert [event.usage.output_tokens for event in happening if isinstance(event, UsageEvent)] == [None, 8]


def test_several_candidates_come_mixed() -> None:
    def of(number: int, text: str, **more: object) -> Any:
        return {"content": {"parts": [{"text": text}], "role": "model"}, "index": number, **more}

    data = wire(
        {"candidates": [of(0, "a"), of(1, "x")], "responseId": "r", "modelVersion": "m"},
        {"candidates": [of(1, "y", finishReason="MAX_TOKENS")]},
        {"candidates": [of(0, "b", finishReason="STOP")]},
    )
    found = collect(legal(events(data)))
    assert [(one.parts, one.stop) for one in found.candidates] == [
        ((Text("ab"),), Stop.END),
        ((Text("xy"),), Stop.LENGTH),
    ]


def test_a_blocked_prompt_is_a_filtered_candidate() -> None:
    data = wire({"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r", "modelVersion": "m"})
    found = collect(legal(events(data)))
    assert found == read(
        {"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r", "modelVersion": "m"}
    )
    assert chunks(stream(list(explode(found)))) == [
        {"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r", "modelVersion": "m"}
    ]


CUT = [
    wire(),
    wire({}),
    wire(piece("a")),
    wire(piece("a", reason="STOP"))[:-40],
    wire({"promptFeedback": {}}),
]


@pytest.mark.parametrize("data", CUT)
def test_a_stream_that_ends_too_early_is_cut(data: bytes) -> None:
    failure = legal(events(data))[-1]
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, BrokenAnswer)
    assert failure.error.code in ("stream_cut", "broken_answer")


BROKEN = [
    b"data: {\r\n\r\n",
    b"data: \xff\r\n\r\n",
    wire({"candidates": {"a": 1}}),
    wire({"candidates": [1]}),
    wire({"candidates": [{"content": 1}]}),
    wire({"candidates": [{"content": {"parts": [1]}}]}),
    wire({"candidates": [{"content": {"parts": [{"functionCall": 1}]}}]}),
    wire({"candidates": [{"content": {"parts": [{"text": 1}]}}]}),
]


@pytest.mark.parametrize("data", BROKEN)
def test_what_cannot_be_read_is_a_failure_and_then_nothing(data: bytes) -> None:
    happening = legal(events(wire(piece("a")) + data + wire(piece("b", reason="STOP"))))
    assert isinstance(happening[-1], Failure)
    assert isinstance(happening[-1].error, BrokenAnswer)


ERROR = {"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
ERRORS = [
    wire(ERROR),
    wire([ERROR]),
    json.dumps(ERROR).encode(),
    json.dumps(ERROR, indent=2).encode() + b"\n",
    json.dumps([ERROR]).encode(),
]


@pytest.mark.parametrize("data", ERRORS)
def test_an_error_in_the_middle_is_understood(data: bytes) -> None:
    failure = legal(events(wire(piece("a")) + data))[-1]
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, ProviderError)
    problem = failure.error
    assert (problem.status, problem.kind, problem.message) == (
        503,
        "overloaded_error",
        "The model is overloaded.",
    )


@given(
    st.lists(st.sampled_from((*THINKING, {}, {"candidates": []}, ERROR)), max_size=5), st.binary(max_size=6)
)
def test_any_stream_is_legal(happened: list[Any], noise: bytes) -> None:
    legal(events(noise + wire(*happened)))
    legal(events(wire(*happened) + noise))


def test_chunks_are_written_as_googles_sdks_read_them() -> None:
    response = Response(
        id="r",
        model="m",
        candidates=(
            Candidate(
                parts=(
                    Reasoning(text="hm", signature="s", signer="anthropic"),
                    Text("so"),
                    ToolCall(id="a", name="f", arguments='{"a":1}'),
                ),
                stop=Stop.TOOL,
            ),
        ),
        usage=Usage(input_tokens=3, output_tokens=4, reasoning_tokens=1),
        service_tier="flex",
    )
    data = stream(list(explode(response)))
    assert data.count(b"data: ") == len(chunks(data)) == 4
    assert data.endswith(b"}\r\n\r\n")
    for chunk in chunks(data):
        (candidate,) = chunk["candidates"]
        assert candidate["content"]["parts"], "a chunk without parts spoils the history of Google's SDKs"
        assert candidate["content"]["role"] == "model"
        assert (chunk["responseId"], chunk["modelVersion"], candidate["index"]) == ("r", "m", 0)
    parts = [chunk["candidates"][0]["content"]["parts"][0] for chunk in chunks(data)]
    assert parts[0].keys() == {"thought", "text", "thoughtSignature"}
    assert parts[0]["text"] == "hm"
    assert parts[1:] == [
        {"text": "so"},
        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "a"}},
        {"text": ""},
    ]
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks(data)] == [None] * 3 + ["STOP"]
    assert [chunk.get("usageMetadata") for chunk in chunks(data)] == [
        {"serviceTier": "flex"},
        None,
        None,
        {
            "promptTokenCount": 3,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 1,
            "totalTokenCount": 7,
            "serviceTier": "flex",
        },
    ]


def test_a_stream_without_events_is_one_json_list() -> None:
    response = read(answer("a", CALL))
    data = stream(list(explode(response)), LIST)
    assert data.startswith(b"[{")
    assert data.endswith(b"}\n]")
    assert json.loads(data) == chunks(stream(list(explode(response))))
    assert json.loads(stream(list(explode(Response())), LIST)) == [
        {"modelVersion": "house", "responseId": "answer-1"}
    ]


def test_a_piece_goes_out_as_soon_as_it_comes() -> None:
    renderer = GEMINI.stream_renderer(ANSWERING)
    assert renderer.render(Begin(id="r", model="m")) == b""
    assert renderer.render(PartStart(0, 0, Text(""))) == b""
    assert b'"text":"a"' in renderer.render(PartDelta(0, 0, "a"))
    assert renderer.render(Ping()) == b"", "Google's SDK for Python takes a comment for an answer"
    assert renderer.render(PartEnd(0, 0)) == b""
    assert renderer.render(StopEvent(0, Stop.END)) == b""
    assert renderer.render(UsageEvent(Usage(input_tokens=1))) == b""
    assert b'"promptTokenCount":1' in renderer.render(End())


def test_a_signature_comes_with_the_last_words_of_its_thought() -> None:
    """LlamaIndex drops a thought of no words, and its signature with it."""
    renderer = GEMINI.stream_renderer(ANSWERING)
    renderer.render(Begin(id="r", model="m"))
    renderer.render(PartStart(0, 0, Reasoning(text="")))
    assert renderer.render(PartDelta(0, 0, "h")) == b""
    assert b'"text":"h"}' in renderer.render(PartDelta(0, 0, "m"))
    assert renderer.render(PartDelta(0, 0, signature="s", signer="anthropic")) == b""
    assert b'"text":"m","thoughtSignature":' in renderer.render(PartEnd(0, 0))


def test_words_that_were_held_back_are_told_before_a_failure() -> None:
    failure = Failure(Unavailable("Come back later."))
    happening: list[Event] = [Begin(), PartStart(0, 0, Reasoning(text="")), PartDelta(0, 0, "hm"), failure]
    assert b'"text":"hm"' in stream(happening)


def test_a_failure_is_told_to_every_reader() -> None:
    failure = Failure(Unavailable("Come back later."))
    happening: list[Event] = [Begin(), PartStart(0, 0, Text("")), PartDelta(0, 0, "a"), failure]
    data = stream(happening)
    event, bare = data.split(b"\r\n\r\n")[1:3]
    assert event == b"data: " + bare
    assert bare.startswith(b'{"error":'), "Google's SDK for Python looks for just that"
    error = json.loads(bare)["error"]
    assert (error["code"], error["status"], error["message"]) == (503, "UNAVAILABLE", "Come back later.")
    assert json.loads(stream(happening, LIST))[1]["error"] == error
    assert json.loads(stream([Failure(Unavailable("no"))], LIST))[0]["error"]["code"] == 503
    assert isinstance(events(data)[-1], Failure)


def test_parts_of_a_kind_that_follow_each_other_stay_apart() -> None:
    parts = (Reasoning(text="a"), Reasoning(text="b"), Text("c"), Text("d"), Text("e"))
    response = Response(candidates=(Candidate(parts=parts, stop=Stop.END),))
    found = collect(legal(events(stream(list(explode(response))))))
    assert [getattr(part, "text", None) for part in found.candidates[0].parts] == ["a", "b", "c", "d", "e"]


def test_sources_come_with_the_text_that_they_are_about() -> None:
    cited = Text("맑음.", (Citation(url="https://a.b", start=0, end=3),))
    call = ToolCall(id="a", name="f", arguments="{}")
    response = Response(id="r", candidates=(Candidate(parts=(Text("a"), cited, call), stop=Stop.TOOL),))
    found = collect(legal(events(stream(list(explode(response))))))
    assert found.candidates == response.candidates


def test_googles_own_sources_are_kept_and_cited_once() -> None:
    metadata = {
        "webSearchQueries": ["weather"],
        "groundingChunks": [{"web": {"uri": "https://a.b"}}],
        "groundingSupports": [{"segment": {"endIndex": 2, "text": "ab"}, "groundingChunkIndices": [0]}],
    }
    data = wire(
        piece("ab"), piece("c", groundingMetadata=metadata), piece(reason="STOP", groundingMetadata=metadata)
    )
    found = collect(legal(events(data)))
    (text,) = found.candidates[0].parts
    assert isinstance(text, Text)
    assert text.citations == (Citation(url="https://a.b", start=0, end=2),)
    assert told(found)["candidates"][0]["groundingMetadata"] == metadata
    assert chunks(stream(list(explode(found))))[-1]["candidates"][0]["groundingMetadata"] == metadata


def test_log_probabilities_are_gathered_from_the_chunks() -> None:
    def tokens(*words: str) -> Any:
        return {"chosenCandidates": [{"token": word, "logProbability": -0.5} for word in words]}

    data = wire(piece("a", logprobsResult=tokens("a")), piece("b", reason="STOP", logprobsResult=tokens("b")))
    found = collect(legal(events(data)))
    assert [one.token for one in found.candidates[0].logprobs] == ["a", "b"]
    assert collect(events(stream(list(explode(found))))) == found


@given(hub.streams(opaque=hub.DIALECTS, candidates=2, shuffled=True))
def test_any_stream_says_what_the_whole_answer_says(happening: list[Event]) -> None:
    response = collect(happening)
    found = collect(legal(events(stream(happening))))
    whole = read(told(response))
    assert difference(_words(whole), _words(found)) is None


def _words(response: Response) -> bytes:
    """An answer without the notes on its form."""
    bare = [
        msgspec.structs.replace(candidate, extra={}, parts=tuple(_bare(part) for part in candidate.parts))
        for candidate in response.candidates
    ]
    return msgspec.json.encode(msgspec.structs.replace(response, candidates=tuple(bare)))


def _bare(part: Any) -> Any:
    if isinstance(part, Opaque):
        return part
    if isinstance(part, Reasoning):
        part = msgspec.structs.replace(part, id=None)  # its signature, and the id with it, comes too late
    return msgspec.structs.replace(part, extra={})


def test_the_tap_hears_events_and_lists_and_changes_nothing() -> None:
    usage = Usage(input_tokens=9, output_tokens=8, reasoning_tokens=3)
    for data in (wire(*THINKING), json.dumps(THINKING, indent=1).encode(), json.dumps(THINKING).encode()):
        for size in (1, 7, len(data)):
            tap = GEMINI.tap(False)
            passed = b"".join([tap.feed(data[at : at + size]) for at in range(0, len(data), size)])
            assert passed + tap.rest() == data
            assert (tap.heard.usage, tap.heard.stop_reason, tap.done) == (usage, "STOP", True)


def test_the_tap_hears_errors_and_never_raises() -> None:
    for data in ERRORS:
        tap = GEMINI.tap(False)
        tap.feed(wire(piece("a")) + data)
        tap.rest()
        assert tap.heard.error == "UNAVAILABLE"
        assert not tap.done
    for data in (b"", *BROKEN):
        tap = GEMINI.tap(True)
        assert tap.feed(data) + tap.rest() == data
