"""Streams of the Messages API, read from good and bad servers, and listened to."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, ProviderError
from madang.core.events import End, Event, Failure, Ping, UsageEvent, collect
from madang.core.messages import Opaque, Part, Reasoning, Text, ToolCall
from madang.core.responses import Stop, Usage
from madang.dialects.anthropic import ANTHROPIC
from tests.dialects.anthropic_wire import (
    BEGIN,
    CALL,
    LINK,
    OVER,
    STOPPED,
    TEXT,
    THINKING,
    WHOLE,
    arguments,
    delta,
    start,
    stop,
    thought,
    wire,
    words,
)
from tests.dialects.grammar import legal


def read(pieces: Iterable[bytes]) -> list[Event]:
    parser = ANTHROPIC.stream_parser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.end()


def heard(*blocks: dict[str, Any], around: bool = True) -> tuple[Part, ...]:
    """The parts of a stream with these events in its middle."""
    events = legal(read([wire(BEGIN, *blocks, STOPPED, OVER) if around else wire(*blocks)]))
    return collect(events).candidates[0].parts


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
