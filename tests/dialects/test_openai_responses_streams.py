"""The Responses API, streaming to us: what a provider sends, cut, mixed and broken."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, CallError, ProviderError
from madang.core.events import (
    Begin,
    End,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    Ping,
    StopEvent,
    collect,
    explode,
)
from madang.core.messages import Opaque, Reasoning, Text, ToolCall
from madang.core.responses import Response, Stop
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC
from tests.dialects.hub import legal
from tests.dialects.laws import events_of
from tests.dialects.openai_responses import CREATED, NAME, completed, event, read, sent
from tests.dialects.recorded import of, recordings
from tests.dialects.test_openai_responses_requests import json_values

WORDS = {"type": "output_text", "text": "so it is", "annotations": [], "logprobs": []}
SAID = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [WORDS]}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}
THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "first"}, {"type": "summary_text", "text": "then"}],
    "encrypted_content": "sealed",
}


def added(place: int, item: dict[str, Any]) -> bytes:
    begun = {**item, "status": "in_progress"}
    for name in ("content", "summary"):
        if name in begun:
            begun[name] = []
    if "arguments" in begun:
        begun["arguments"] = ""
    return event("response.output_item.added", output_index=place, item=begun)


def done(place: int, item: dict[str, Any]) -> bytes:
    return event("response.output_item.done", output_index=place, item=item)


def words(place: int, *deltas: str, index: int = 0) -> bytes:
    at = {"output_index": place, "content_index": index, "item_id": "msg_1"}
    return b"".join([event("response.output_text.delta", delta=delta, **at) for delta in deltas])


def block_added(place: int, block: dict[str, Any], index: int = 0) -> bytes:
    part = {name: "" if name in ("text", "refusal") else value for name, value in block.items()}
    return event("response.content_part.added", output_index=place, content_index=index, part=part)


def block_done(place: int, block: dict[str, Any], index: int = 0) -> bytes:
    return event("response.content_part.done", output_index=place, content_index=index, part=block)


def thought(place: int, *deltas: str, piece: int = 0) -> bytes:
    kind = "response.reasoning_summary_text.delta"
    return b"".join([event(kind, output_index=place, summary_index=piece, delta=delta) for delta in deltas])


def arguments(place: int, *deltas: str) -> bytes:
    kind = "response.function_call_arguments.delta"
    return b"".join([event(kind, output_index=place, delta=delta) for delta in deltas])


WHOLE = (
    CREATED,
    added(0, THOUGHT),
    thought(0, "fir", "st"),
    thought(0, "then", piece=1),
    done(0, THOUGHT),
    added(1, SAID),
    block_added(1, WORDS),
    words(1, "so ", "it", " is"),
    block_done(1, WORDS),
    done(1, SAID),
    added(2, CALL),
    arguments(2, '{"a"', ":1}"),
    event("response.function_call_arguments.done", output_index=2, arguments='{"a":1}'),
    done(2, CALL),
    completed(output=[THOUGHT, SAID, CALL], usage={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
)


def whole(*output: dict[str, Any], **members: object) -> Response:
    body = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": list(output)}
    return CODEC.parse_response(json.dumps({**body, **members}).encode())


def test_a_stream_says_what_the_whole_answer_says() -> None:
    events = legal(read(*WHOLE))
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    assert collect(events) == whole(THOUGHT, SAID, CALL, usage=usage)
    deltas = [one.text for one in events if isinstance(one, PartDelta) and one.text]
    assert deltas == ["fir", "st", "\n\n", "then", "so ", "it", " is", '{"a"', ":1}"]


@pytest.mark.skipif(not recordings(), reason="the recordings are not there")
def test_a_recorded_stream_says_what_the_whole_answer_at_its_end_says() -> None:
    asked = of("stream", NAME)
    assert len(asked) >= 40
    for one in asked:
        last = one.body.rstrip().rpartition(b"\n\n")[2].partition(b"data: ")[2]
        expected = CODEC.parse_response(json.dumps(json.loads(last)["response"]).encode())
        assert plain(collect(events_of(one))) == plain(expected), one.case


def plain(response: Response) -> Response:
    """Without what differs within a recorded stream: thoughts are sealed anew, tiers are decided late."""
    candidate = response.candidates[0]
    parts = [
        msgspec.structs.replace(part, signature="sealed") if isinstance(part, Reasoning) else part
        for part in candidate.parts
    ]
    own = {name: value for name, value in response.extra[NAME].items() if name != "$service_tier"}
    return msgspec.structs.replace(
        response,
        candidates=(msgspec.structs.replace(candidate, parts=tuple(parts)),),
        service_tier=None,
        extra={NAME: own},
    )


def test_a_stream_is_the_same_wherever_it_is_cut() -> None:
    stream = b"".join(WHOLE)
    expected = read(stream)
    assert read(*[stream[place : place + 1] for place in range(len(stream))]) == expected
    assert read(stream.replace(b"\n", b"\r\n")) == expected
    assert read(b": hello\n\n" + stream.replace(b"event: ", b"id: 5\nevent: ")) == expected
    bare = b"\n\n".join([block.partition(b"\n")[2] for block in stream.split(b"\n\n")])
    assert read(bare) == expected


def test_what_deltas_leave_out_is_taken_from_what_is_done() -> None:
    expected = whole(THOUGHT, SAID, CALL)
    for pieces in (
        [done(0, THOUGHT), done(1, SAID), done(2, CALL)],
        [added(0, THOUGHT), done(0, THOUGHT), added(1, SAID), done(1, SAID), added(2, CALL), done(2, CALL)],
        [
            *(added(0, THOUGHT), thought(0, "fi"), done(0, THOUGHT)),
            *(added(1, SAID), words(1, "so"), done(1, SAID)),
            *(added(2, CALL), arguments(2, "{"), done(2, CALL)),
        ],
        [
            added(0, THOUGHT),
            thought(0, "first"),
            done(0, THOUGHT),
            words(1, "so"),
            done(1, SAID),
            done(2, CALL),
        ],
        [],
    ):
        events = read(CREATED, *pieces, completed(output=[THOUGHT, SAID, CALL]))
        assert collect(legal(events)) == expected


def test_items_that_come_mixed_come_out_one_after_the_other() -> None:
    other = {**CALL, "id": "fc_2", "call_id": "call_2"}
    events = read(
        CREATED,
        added(0, CALL),
        added(1, other),
        arguments(1, '{"a"'),
        arguments(0, '{"a":1}'),
        arguments(1, ":1}"),
        done(1, other),
        done(0, CALL),
        completed(output=[CALL, other]),
    )
    assert collect(legal(events)) == whole(CALL, other)


def test_an_item_whose_end_is_left_out_does_not_hold_up_the_next() -> None:
    full = event("response.function_call_arguments.done", output_index=0, arguments='{"a":1}')
    events = read(CREATED, added(0, CALL), arguments(0, '{"a":1}'), full, added(1, SAID), words(1, "so"))
    assert [type(one) for one in events][-4:] == [PartEnd, PartStart, PartDelta, Failure]


def test_an_item_that_ends_late_is_not_said_twice() -> None:
    full = event("response.function_call_arguments.done", output_index=0, arguments='{"a":1}')
    events = read(
        CREATED,
        added(0, CALL),
        full,
        added(1, SAID),
        words(1, "so it is"),
        done(0, CALL),
        done(1, SAID),
        done(1, SAID),
        completed(output=[CALL, SAID]),
    )
    parts = collect(legal(events)).candidates[0].parts
    assert [type(part) for part in parts] == [ToolCall, Text]


def test_a_thought_whose_end_is_left_out_is_signed_by_the_whole_answer() -> None:
    events = read(CREATED, added(0, THOUGHT), thought(0, "fir"), completed(output=[THOUGHT]))
    assert collect(legal(events)) == whole(THOUGHT)


def test_blocks_of_all_kinds_stand_in_one_message() -> None:
    refusal = {"type": "refusal", "refusal": "no"}
    strange = {"type": "hologram", "x": 1}
    cited = {
        **WORDS,
        "annotations": [{"type": "url_citation", "url": "u", "title": "A", "start_index": 0, "end_index": 2}],
        "logprobs": [{"token": "so", "bytes": [115, 111], "logprob": -1.0, "top_logprobs": []}],
    }
    said = {**SAID, "phase": "final_answer", "content": [strange, cited, refusal]}
    tokens = [{"token": "so", "logprob": -1.0, "top_logprobs": []}]
    at = {"output_index": 0, "content_index": 1}
    events = read(
        CREATED,
        added(0, said),
        block_added(0, strange, 0),
        block_done(0, strange, 0),
        block_added(0, cited, 1),
        event("response.output_text.delta", delta="so it is", logprobs=tokens, **at),
        event("response.output_text.annotation.added", annotation=cited["annotations"][0], **at),
        block_done(0, cited, 1),
        block_added(0, refusal, 2),
        event("response.refusal.delta", delta="no", output_index=0, content_index=2),
        block_done(0, refusal, 2),
        done(0, said),
        completed(output=[said]),
    )
    response = collect(legal(events))
    assert response == whole(said)
    assert response.candidates[0].stop is Stop.REFUSAL
    assert sent(explode(response))[-1]["response"]["output"] == [said]


def test_thoughts_in_their_own_words_are_understood() -> None:
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "content": [{"type": "reasoning_text", "text": "hm"}],
        "summary": [],
    }
    events = read(
        CREATED,
        added(0, item),
        event("response.reasoning_text.delta", delta="hm", output_index=0, content_index=0),
        done(0, item),
        completed(output=[item]),
    )
    assert collect(legal(events)) == whole(item)


def test_items_of_a_kind_that_nobody_knows_are_passed_on_whole() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    events = read(
        CREATED,
        added(0, item),
        event("response.web_search_call.searching", output_index=0, item_id="ws_1"),
        done(0, item),
        completed(output=[item]),
    )
    assert [one.part for one in events if isinstance(one, PartStart)] == [Opaque(NAME, item)]


def test_events_that_nobody_knows_are_ignored_and_signs_of_life_are_passed_on() -> None:
    events = read(
        event("from_next_year", x=1),
        CREATED,
        b": ping\n\n",
        event("keepalive", sequence_number=3),
        event("response.from_next_year", output_index=7),
        b"event: empty\n\n",
        completed(output=[]),
        b"data: [DONE]\n\n",
        CREATED,
    )
    assert [type(one) for one in events] == [Begin, Ping, Ping, StopEvent, End]


@pytest.mark.parametrize(
    ("last", "stop"),
    [
        (completed(), Stop.END),
        (event("response.completed", response={}), Stop.END),
        (
            event("response.incomplete", response={"incomplete_details": {"reason": "content_filter"}}),
            Stop.FILTER,
        ),
        (
            event(
                "response.incomplete",
                response={"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            ),
            Stop.LENGTH,
        ),
    ],
)
def test_every_end_of_a_stream_is_understood(last: bytes, stop: Stop) -> None:
    events = legal(read(CREATED, added(0, SAID), words(0, "so"), last))
    assert [one.stop for one in events if isinstance(one, StopEvent)] == [stop]
    tap = CODEC.tap(False)
    assert tap.feed(last) == last
    assert tap.done


def failure(*pieces: bytes) -> CallError:
    events = legal(read(*pieces))
    assert isinstance(events[-1], Failure)
    return events[-1].error


def test_a_stream_that_breaks_off_is_a_failure() -> None:
    for pieces in ((), (CREATED,), (CREATED, added(0, SAID), words(0, "so")), (CREATED, b"data: [DONE]\n\n")):
        problem = failure(*pieces)
        assert isinstance(problem, BrokenAnswer)
        assert problem.code == "stream_cut"


@pytest.mark.parametrize(
    "piece",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b"data: \xff\n\n",
        event("response.completed"),
        event("response.output_item.added", output_index=0),
        event("response.output_text.delta", output_index=0, content_index=0, delta=5),
        event("response.output_text.delta", output_index=0, content_index=0, delta=["so"]),
        added(0, SAID) + event("response.content_part.added", output_index=0, part=5),
        event("response.output_item.done", output_index=0, item={"type": "function_call"}),
    ],
)
def test_a_stream_that_cannot_be_read_is_a_failure_and_then_nothing(piece: bytes) -> None:
    assert isinstance(failure(CREATED, piece, *WHOLE), BrokenAnswer)


@pytest.mark.parametrize(
    "piece",
    [
        event("error", code="rate_limit_exceeded", message="Slow down.", param=None, sequence_number=3),
        event("error", error={"code": "rate_limit_exceeded", "message": "Slow down.", "type": "tokens"}),
        b'data: {"error": {"code": "rate_limit_exceeded", "message": "Slow down."}}\n\n',
        event(
            "response.failed",
            response={"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}},
        ),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_the_providers(piece: bytes) -> None:
    for before in ((), (CREATED, added(0, SAID), words(0, "so"))):
        problem = failure(*before, piece)
        assert isinstance(problem, ProviderError)
        assert (problem.status, problem.kind) == (429, "rate_limit_error")
        assert (problem.message, problem.code) == ("Slow down.", "rate_limit_exceeded")
    tap = CODEC.tap(False)
    tap.feed(piece)
    assert tap.heard.error == "rate_limit_exceeded"


@given(
    st.lists(json_values, max_size=3), st.sampled_from(["output_item.added", "output_item.done", "completed"])
)
def test_a_stream_is_understood_or_fails_and_nothing_else(values: list[Any], kind: str) -> None:
    pieces = [event(f"response.{kind}", item=value, response=value, output_index=0) for value in values]
    pieces += [b"data: %s\n\n" % json.dumps(value).encode() for value in values]
    legal(read(CREATED, *pieces))
    tap = CODEC.tap(True)
    assert b"".join([tap.feed(piece) for piece in pieces]) + tap.rest() == b"".join(pieces)


def test_a_stream_that_passed_and_broke_ends_in_an_error_event() -> None:
    broken = CODEC.render_stream_error(BrokenAnswer("It broke off.", code="stream_cut"), "req_1")
    problem = failure(CREATED, broken)
    assert (problem.message, problem.code) == ("It broke off.", "stream_cut")


def test_the_tap_hears_the_usage_and_leaves_every_byte() -> None:
    stream = b"".join(WHOLE)
    tap = CODEC.tap(True)
    passed = (
        b"".join([tap.feed(stream[place : place + 7]) for place in range(0, len(stream), 7)]) + tap.rest()
    )
    assert passed == stream
    assert tap.heard.usage == whole(usage={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}).usage
    assert (tap.heard.stop_reason, tap.done) == ("completed", True)
    quiet = CODEC.tap(False)
    quiet.feed(words(0, 'say "response.completed" and "error"'))
    assert not quiet.done
