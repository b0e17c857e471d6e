"""Streams of the Messages API: read from good and bad servers, told to clients, listened to."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, ProviderError
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
from madang.core.messages import Citation, Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.base import Answering
from madang.dialects.carry import unload, unwrap
from tests.dialects.grammar import legal

ANSWERING = Answering(request=Request(model="house", messages=()), id="req_7", created=1)
BEGIN = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 2},
    },
}
STOPPED = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 9},
}
OVER = {"type": "message_stop"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
LINK = {
    "type": "web_search_result_location",
    "cited_text": "q",
    "url": "u",
    "title": None,
    "encrypted_index": "E",
}


def wire(*events: dict[str, Any]) -> bytes:
    """Events as they come."""
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events
    )


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def words(index: int, text: str) -> dict[str, Any]:
    return delta(index, "text_delta", text=text)


def thought(index: int, text: str) -> dict[str, Any]:
    return delta(index, "thinking_delta", thinking=text)


def arguments(index: int, text: str) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=text)


TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def read(pieces: Iterable[bytes]) -> list[Event]:
    parser = ANTHROPIC.stream_parser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.end()


def heard(*blocks: dict[str, Any], around: bool = True) -> tuple[Part, ...]:
    """The parts of a stream with these events in its middle."""
    events = legal(read([wire(BEGIN, *blocks, STOPPED, OVER) if around else wire(*blocks)]))
    return collect(events).candidates[0].parts


def rendered(*events: Event, begin: Begin = Begin(id="chatcmpl-1", model="gpt")) -> list[dict[str, Any]]:
    """What a client hears."""
    renderer = ANTHROPIC.stream_renderer(ANSWERING)
    out = b"".join([renderer.render(event) for event in (begin, *events)])
    found = []
    for block in out.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        said = json.loads(data.removeprefix("data: "))
        assert name == f"event: {said['type']}"
        found.append(said)
    return found


def told(*parts: Part, stop: Stop | None = Stop.END) -> list[dict[str, Any]]:
    """What a client hears of a whole answer, without its head and its end."""
    response = Response(id="x", candidates=(Candidate(parts=parts, stop=stop),))
    events = rendered(*list(explode(response))[1:])
    assert events[0]["type"] == "message_start"
    assert [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"]
    return events[1:-2]


WHOLE = wire(
    BEGIN,
    {"type": "ping"},
    start(0, THINKING),
    thought(0, "h"),
    thought(0, "m"),
    delta(0, "signature_delta", signature="EqQB"),
    stop(0),
    start(1, TEXT),
    words(1, "서울"),
    delta(1, "citations_delta", citation=LINK),
    stop(1),
    start(2, {**CALL, "caller": {"type": "direct"}}),
    arguments(2, ""),
    arguments(2, '{"a": '),
    arguments(2, "1}"),
    stop(2),
    {**STOPPED, "delta": {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None}},
    OVER,
)


class TestReading:
    """From a provider's bytes to events."""

    def test_a_stream_is_the_answer_it_would_have_been(self) -> None:
        body = {
            **{name: value for name, value in BEGIN["message"].items() if name != "usage"},  # type: ignore[attr-defined]  # a dict
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "EqQB"},
                {"type": "text", "text": "서울", "citations": [LINK]},
                {**CALL, "input": {"a": 1}, "caller": {"type": "direct"}},
            ],
            "stop_reason": "tool_use",
            "stop_details": None,
            "usage": {"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": 2},
        }
        streamed = collect(legal(read([WHOLE])))
        whole = ANTHROPIC.parse_response(json.dumps(body).encode().replace(b'{"a": 1}', b'{"a":1}'))
        assert repr(streamed).replace('{"a": 1}', '{"a":1}') == repr(whole)

    def test_a_stream_cut_at_every_byte_is_the_same_stream(self) -> None:
        events = read([WHOLE])
        assert read([WHOLE[number : number + 1] for number in range(len(WHOLE))]) == events

    @pytest.mark.parametrize("seed", range(8))
    def test_a_stream_cut_at_chance_places_is_the_same_stream(self, seed: int) -> None:
        places = sorted(random.Random(seed).sample(range(len(WHOLE)), 9))
        pieces = [WHOLE[one:other] for one, other in zip([0, *places], [*places, len(WHOLE)], strict=True)]
        assert read(pieces) == read([WHOLE])

    def test_other_line_ends_comments_and_long_data_change_nothing(self) -> None:
        assert read([WHOLE.replace(b"\n", b"\r\n")]) == read([WHOLE])
        assert read([b": hello\n\n" + WHOLE.replace(b"event: ", b": ")]) == read([WHOLE])
        assert read([WHOLE.replace(b', "index"', b',\ndata: "index"')]) == read([WHOLE])

    def test_counts_come_first_and_in_the_end_and_do_not_add_up(self) -> None:
        usages = [event.usage for event in read([WHOLE]) if isinstance(event, UsageEvent)]
        assert [(usage.input_tokens, usage.output_tokens, usage.cached_tokens) for usage in usages] == [
            (7, 1, 2),
            (7, 9, 2),
        ]

    def test_a_ping_is_a_ping(self) -> None:
        assert sum(isinstance(event, Ping) for event in read([WHOLE])) == 1

    def test_what_ran_at_anthropic_is_told_whole(self) -> None:
        search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
        found = {
            "type": "web_search_tool_result",
            "tool_use_id": "s",
            "content": [{"type": "web_search_result"}],
        }
        assert heard(
            start(0, search),
            arguments(0, '{"query"'),
            arguments(0, ': "a"}'),
            stop(0),
            start(1, found),
            stop(1),
        ) == (
            Opaque("anthropic", {**search, "input": {"query": "a"}}),
            Opaque("anthropic", found),
        )

    def test_a_block_of_an_unknown_kind_grows_by_whatever_comes(self) -> None:
        summary = {"type": "compaction", "content": None}
        grown = heard(
            start(0, summary),
            delta(0, "compaction_delta", content="a"),
            delta(0, "compaction_delta", content="b"),
            stop(0),
        )
        assert grown == (Opaque("anthropic", {"type": "compaction", "content": "ab"}),)

    def test_a_hidden_thought_is_read(self) -> None:
        assert heard(start(0, {"type": "redacted_thinking", "data": "Emwk"}), stop(0)) == (
            Reasoning(signature="Emwk", signer="anthropic", redacted=True),
        )


class TestBadServers:
    """What gateways and likenesses are known to send."""

    def test_a_second_beginning_is_not_heard(self) -> None:
        again = {
            "type": "message_start",
            "message": {"id": "msg_2", "usage": {"input_tokens": 0, "output_tokens": 0}},
        }
        events = legal(read([wire(BEGIN, again, start(0, TEXT), words(0, "a"), stop(0), STOPPED, OVER)]))
        response = collect(events)
        assert (response.id, response.usage and response.usage.input_tokens) == ("msg_1", 7)

    def test_a_thought_in_a_block_of_text_is_a_thought(self) -> None:
        assert heard(
            start(0, TEXT),
            thought(0, "hm"),
            delta(0, "signature_delta", signature="s"),
            words(0, "a"),
            stop(0),
        ) == (
            Reasoning(text="hm", signature="s", signer="anthropic"),
            Text("a"),
        )

    def test_words_in_a_block_of_thoughts_are_words(self) -> None:
        assert heard(start(0, THINKING), thought(0, "hm"), words(0, "a"), thought(0, "so"), stop(0)) == (
            Reasoning(text="hm"),
            Text("a"),
            Reasoning(text="so"),
        )

    def test_a_signature_that_comes_with_the_start_is_kept(self) -> None:
        assert heard(start(0, {"type": "thinking", "thinking": "hm", "signature": "s"}), stop(0)) == (
            Reasoning(text="hm", signature="s", signer="anthropic"),
        )

    def test_a_signature_alone_is_kept(self) -> None:
        assert heard(start(0, THINKING), delta(0, "signature_delta", signature="s"), stop(0)) == (
            Reasoning(signature="s", signer="anthropic"),
        )

    @pytest.mark.parametrize(
        ("begun", "pieces", "whole"),
        [
            ({"a": 1}, [], '{"a":1}'),
            ({}, ['{"a": 1}'], '{"a": 1}'),
            ({"a": 1}, ['{"a": 1}'], '{"a": 1}'),
            ({}, [""], "{}"),
            ({}, [], "{}"),
            (None, [], "{}"),
            ('{"a": 1}', [], '{"a": 1}'),
            ({}, ['{"a": '], '{"a": '),
        ],
    )
    def test_arguments_are_heard_however_they_come(self, begun: Any, pieces: list[str], whole: str) -> None:
        [call] = heard(
            start(0, {**CALL, "input": begun}), *[arguments(0, piece) for piece in pieces], stop(0)
        )
        assert isinstance(call, ToolCall)
        assert call.arguments == whole

    def test_two_calls_at_once_are_told_one_after_the_other(self) -> None:
        other = {**CALL, "id": "toolu_2", "name": "g"}
        mixed = (
            start(0, CALL),
            start(1, other),
            arguments(0, '{"a"'),
            arguments(1, '{"b"'),
            arguments(0, ":1}"),
            arguments(1, ":2}"),
        )
        expected = (
            ToolCall(id="toolu_1", name="f", arguments='{"a":1}'),
            ToolCall(id="toolu_2", name="g", arguments='{"b":2}'),
        )
        assert heard(*mixed, stop(0), stop(1)) == expected
        assert heard(*mixed, stop(1), stop(0)) == expected
        assert heard(*mixed) == expected

    def test_a_block_that_never_began_is_heard(self) -> None:
        assert heard(words(0, "a"), words(0, "b"), thought(3, "hm")) == (Text("ab"), Reasoning(text="hm"))

    def test_an_index_used_twice_is_two_blocks(self) -> None:
        assert heard(start(0, TEXT), words(0, "a"), start(0, CALL), stop(0)) == (
            Text("a"),
            ToolCall(id="toolu_1", name="f", arguments="{}"),
        )

    def test_a_stream_without_a_beginning_is_heard(self) -> None:
        assert heard(start(0, TEXT), words(0, "a"), stop(0), STOPPED, OVER, around=False) == (Text("a"),)

    def test_a_stop_before_the_usage_and_a_second_stop_do_no_harm(self) -> None:
        late = {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens"},
            "usage": {"output_tokens": 11},
        }
        response = collect(legal(read([wire(BEGIN, {**STOPPED, "usage": {}}, late, words(0, "late"), OVER)])))
        assert response.candidates[0].stop is Stop.END
        assert response.usage is not None
        assert response.usage.output_tokens == 11

    def test_what_nobody_knows_is_passed_over(self) -> None:
        odd = [
            {"type": "weather"},
            delta(0, "smell_delta", smell="x"),
            start(1, {**CALL}),
            words(1, "in a call"),
            stop(9),
        ]
        assert heard(start(0, TEXT), words(0, "a"), *odd) == (
            Text("a"),
            ToolCall(id="toolu_1", name="f", arguments="{}"),
        )

    def test_a_stream_that_stopped_needs_no_end_mark(self) -> None:
        assert isinstance(read([wire(BEGIN, STOPPED)])[-1], End)
        assert isinstance(read([wire(BEGIN, STOPPED)[:-2]])[-1], End)

    @pytest.mark.parametrize(
        "cut", [b"", wire(BEGIN), wire(BEGIN, start(0, TEXT), words(0, "a")), wire(BEGIN, STOPPED)[:-9]]
    )
    def test_a_stream_that_breaks_off_is_a_failure(self, cut: bytes) -> None:
        last = legal(read([cut]))[-1]
        assert isinstance(last, Failure)
        assert (type(last.error), last.error.code) == (BrokenAnswer, "stream_cut")

    @pytest.mark.parametrize(
        "bad",
        [
            b"data: {oops\n\n",
            b"data: \xff\n\n",
            b'data: {"type": "content_block_delta", "index": 0}\n\n',
            b'data: {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use"}}\n\n',
            b'data: {"type": "content_block_start", "content_block": 7}\n\n',
            b'data: {"type": "message_delta", "delta": {"stop_reason": 7}}\n\n',
        ],
    )
    def test_what_cannot_be_read_is_a_failure_and_then_nothing(self, bad: bytes) -> None:
        events = legal(read([wire(BEGIN) + bad + wire(STOPPED, OVER)]))
        assert isinstance(events[-1], Failure)
        assert isinstance(events[-1].error, BrokenAnswer)

    @pytest.mark.parametrize(
        ("error", "status", "kind"),
        [
            ({"type": "overloaded_error", "message": "Overloaded"}, 529, "overloaded_error"),
            ({"type": "rate_limit_error", "message": "slow"}, 429, "rate_limit_error"),
            ({"type": "made_up"}, 500, "api_error"),
            ("words", 500, "api_error"),
            (None, 500, "api_error"),
        ],
    )
    def test_an_error_in_the_stream_is_its_providers(self, error: Any, status: int, kind: str) -> None:
        last = legal(read([wire(BEGIN, {"type": "error", "error": error}, OVER)]))[-1]
        assert isinstance(last, Failure)
        assert isinstance(last.error, ProviderError)
        assert (last.error.status, last.error.kind) == (status, kind)
        assert last.error.message

    @given(
        st.lists(
            st.sampled_from(
                (
                    BEGIN,
                    STOPPED,
                    OVER,
                    start(0, TEXT),
                    start(1, CALL),
                    start(0, THINKING),
                    words(0, "a"),
                    thought(0, "b"),
                    arguments(1, "{}"),
                    stop(0),
                    stop(1),
                    delta(0, "signature_delta", signature="s"),
                    {"type": "ping"},
                )
            ),
            max_size=12,
        )
    )
    def test_any_order_of_events_is_a_legal_stream(self, events: list[dict[str, Any]]) -> None:
        legal(read([wire(*events)]))

    @given(st.binary(max_size=60))
    def test_any_bytes_end_in_a_failure(self, data: bytes) -> None:
        assert isinstance(legal(read([data]))[-1], Failure)


class TestTelling:
    """From events to a client's bytes."""

    def test_text_comes_in_the_order_that_clients_insist_on(self) -> None:
        response = Response(
            id="chatcmpl-1", candidates=(Candidate(parts=(Text("a"),), stop=Stop.LENGTH),), usage=Usage(5, 2)
        )
        assert rendered(*list(explode(response))[1:]) == [
            {
                "type": "message_start",
                "message": {
                    "id": "msg_chatcmpl-1",
                    "type": "message",
                    "role": "assistant",
                    "model": "gpt",
                    "content": [],
                    "stop_reason": None,
                    "stop_sequence": None,
                    "usage": {"input_tokens": 0, "output_tokens": 0},
                },
            },
            start(0, TEXT),
            words(0, "a"),
            stop(0),
            {
                "type": "message_delta",
                "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
                "usage": {"input_tokens": 5, "output_tokens": 2},
            },
            OVER,
        ]

    def test_a_beginning_of_anthropics_own_waits_for_its_counts(self) -> None:
        renderer = ANTHROPIC.stream_renderer(ANSWERING)
        assert renderer.render(Begin(id="msg_1")) == b""
        assert b'"input_tokens":5' in renderer.render(UsageEvent(Usage(5, 1)))
        renderer = ANTHROPIC.stream_renderer(ANSWERING)
        assert renderer.render(Begin(id="msg_1")) == b""
        assert renderer.render(Ping()).count(b"event: ") == 2

    def test_a_thought_is_signed_at_its_end(self) -> None:
        assert told(Reasoning(text="hm", signature="s", signer="anthropic")) == [
            start(0, THINKING),
            thought(0, "hm"),
            delta(0, "signature_delta", signature="s"),
            stop(0),
        ]

    def test_a_signature_that_comes_late_is_told_and_a_foreign_one_wrapped(self) -> None:
        late = PartDelta(0, 0, signature="t", signer="gemini")
        events = rendered(PartStart(0, 0, Reasoning()), late, PartDelta(0, 0, "hm"), PartEnd(0, 0), End())
        assert [event["type"] for event in events[1:5]] == [
            "content_block_start",
            *["content_block_delta"] * 2,
            "content_block_stop",
        ]
        assert unwrap(events[3]["delta"]["signature"], "anthropic")[1] == "gemini"

    def test_an_unsigned_thought_has_no_signature_but_the_empty_one(self) -> None:
        assert told(Reasoning(text="hm")) == [start(0, THINKING), thought(0, "hm"), stop(0)]

    def test_a_hidden_thought_is_told_whole(self) -> None:
        assert told(Reasoning(signature="r", signer="anthropic", redacted=True)) == [
            start(0, {"type": "redacted_thinking", "data": "r"}),
            stop(0),
        ]

    def test_a_call_is_told_at_once_and_its_arguments_as_they_come(self) -> None:
        assert told(ToolCall(id="c", name="f", arguments='{"a":'), stop=Stop.TOOL) == [
            start(0, {**CALL, "id": "c"}),
            arguments(0, '{"a":'),
            stop(0),
        ]
        assert told(ToolCall(id="c", name="f")) == [start(0, {**CALL, "id": "c"}), stop(0)]

    def test_a_signed_call_carries_its_signature_in_its_id(self) -> None:
        [begun, *_] = told(ToolCall(id="c", name="f", signature="s", signer="gemini"))
        assert unload(begun["content_block"]["id"]).signature == "s"

    def test_a_refusal_is_words_and_the_stop_says_so(self) -> None:
        events = rendered(
            *list(explode(Response(candidates=(Candidate(parts=(Refusal("no"),), stop=Stop.END),))))[1:]
        )
        assert events[1:4] == [start(0, TEXT), words(0, "no"), stop(0)]
        assert events[4]["delta"]["stop_reason"] == "refusal"

    def test_links_are_told_after_the_words_they_are_of(self) -> None:
        [_, _, cited, _] = told(Text("a", (Citation(url="u"), Citation(quote="nowhere"))))
        assert cited["delta"]["citation"]["url"] == "u"
        assert cited["delta"]["citation"]["encrypted_index"] == ""

    def test_what_ran_at_anthropic_is_told_as_anthropic_does(self) -> None:
        search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "a"}}
        found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
        assert told(Opaque("anthropic", search), Opaque("anthropic", found)) == [
            start(0, {**search, "input": {}}),
            arguments(0, '{"query":"a"}'),
            stop(0),
            start(1, found),
            stop(1),
        ]

    def test_what_a_client_could_not_read_is_left_out_and_blocks_are_counted_without_it(self) -> None:
        parts = (Media(kind="image", data="AA=="), Opaque("gemini", {}), Text(""), Reasoning(), Text("a"))
        assert told(*parts) == [start(0, TEXT), words(0, "a"), stop(0)]

    def test_only_the_first_candidate_is_told(self) -> None:
        events = rendered(
            PartStart(1, 0, Text("")),
            PartStart(0, 0, Text("")),
            PartDelta(1, 0, "b"),
            PartDelta(0, 0, "a"),
            PartEnd(1, 0),
            PartEnd(0, 0),
            StopEvent(1, Stop.LENGTH),
            StopEvent(0, Stop.END),
            End(),
        )
        assert [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"] == ["a"]
        assert events[-2]["delta"]["stop_reason"] == "end_turn"

    def test_a_failure_is_the_last_event_and_an_error_as_clients_raise_it(self) -> None:
        problem = ProviderError("Overloaded", status=529, kind="overloaded_error")
        events = rendered(PartStart(0, 0, Text("")), PartDelta(0, 0, "a"), Failure(problem))
        assert events[-1] == {
            "type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded"},
            "request_id": "req_7",
        }
        assert ANTHROPIC.render_stream_error(problem, "req_7") == wire(events[-1]).replace(
            b'": ', b'":'
        ).replace(b', "', b',"')

    def test_a_ping_is_told_as_anthropic_does(self) -> None:
        assert rendered(Ping())[1:] == [{"type": "ping"}]


class TestListening:
    """The tap, while the bytes pass."""

    @pytest.mark.parametrize("withhold", [True, False])
    def test_the_bytes_pass_as_they_came_and_the_counts_are_heard(self, withhold: bool) -> None:
        tap = ANTHROPIC.tap(withhold)
        pieces = [WHOLE[number : number + 7] for number in range(0, len(WHOLE), 7)]
        assert b"".join([tap.feed(piece) for piece in pieces]) + tap.rest() == WHOLE
        assert tap.heard.usage == Usage(input_tokens=7, output_tokens=9, cached_tokens=2)
        assert (tap.heard.stop_reason, tap.heard.error, tap.done) == ("tool_use", None, True)

    def test_an_error_is_heard(self) -> None:
        tap = ANTHROPIC.tap(False)
        tap.feed(wire(BEGIN, {"type": "error", "error": {"type": "overloaded_error"}}))
        assert (tap.heard.error, tap.done) == ("overloaded_error", False)

    def test_noise_is_passed_over(self) -> None:
        tap = ANTHROPIC.tap(False)
        for noise in (b"data: {oops\n\n", b": comment\n\n", b"data: \xff\n\n", b'data: {"usage": 7}\n\n'):
            assert tap.feed(noise) == noise
        assert (tap.heard.usage, tap.done) == (None, False)
