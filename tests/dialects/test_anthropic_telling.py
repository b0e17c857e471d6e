"""Streams of the Messages API, told to clients in the order that they insist on."""

from __future__ import annotations

import json
from typing import Any

from madang.core.errors import ProviderError
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
    explode,
)
from madang.core.messages import Citation, Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.base import Answering
from madang.dialects.carry import unload, unwrap
from tests.dialects.anthropic_wire import (
    CALL,
    OVER,
    TEXT,
    THINKING,
    arguments,
    delta,
    start,
    stop,
    thought,
    wire,
    words,
)

ANSWERING = Answering(request=Request(model="house", messages=()), id="req_7", created=1)
BEGUN = Begin(id="chatcmpl-1", model="gpt")


def rendered(*events: Event) -> list[dict[str, Any]]:
    """What a client hears."""
    renderer = ANTHROPIC.stream_renderer(ANSWERING)
    out = b"".join([renderer.render(event) for event in (BEGUN, *events)])
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

    def test_links_are_told_with_the_words_they_are_of(self) -> None:
        [_, cited, _, _] = told(Text("a", (Citation(url="u"), Citation(quote="nowhere"))))
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
