"""A whole answer is the fold of its stream, however that was cut, mixed and interrupted."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings

from madang.core.errors import BrokenAnswer
from madang.core.events import (
    Begin,
    Collector,
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
    merge,
)
from madang.core.messages import (
    Citation,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, TokenLogprob, Usage
from tests.dialects.hub import DIALECTS, legal, requests, responses, streams

TOKEN = TokenLogprob("맑", -0.5, (("맑", -0.5), ("흐", -1.5)))


@settings(max_examples=50)
@given(responses(candidates=3, shuffled=True, opaque=DIALECTS, broken_arguments=True))
def test_an_exploded_answer_is_legal_and_collects_to_itself(response: Response) -> None:
    assert collect(legal(explode(response))) == response


@settings(max_examples=50)
@given(streams(candidates=3))
def test_a_stream_collects_to_the_same_answer_however_it_was_cut(events: list[Event]) -> None:
    response = collect(legal(events))
    assert collect(explode(response)) == response
    assert response.usage == next((e.usage for e in reversed(events) if isinstance(e, UsageEvent)), None)


@settings(max_examples=50)
@given(responses(candidates=2))
def test_what_has_come_so_far_is_an_answer_at_every_event(response: Response) -> None:
    collector = Collector()
    for event in explode(response):
        collector.add(event)
        assert len(collector.response().candidates) <= max(1, len(response.candidates))
    assert collector.response() == response


@pytest.mark.parametrize(
    "response",
    [
        Response(),
        Response(id="a", model="m", created=1, service_tier="flex", extra={"gemini": {"promptFeedback": {}}}),
        Response(candidates=(Candidate(),)),
        Response(candidates=(Candidate(logprobs=(TOKEN,)),)),
        Response(candidates=(Candidate(), Candidate(parts=(Text("둘"),), stop=Stop.END))),
        Response(
            candidates=(Candidate(parts=(Text(""), Reasoning(), Refusal(""), ToolCall(id="a", name="f"))),)
        ),
        Response(candidates=(Candidate(parts=(Reasoning(text="음"), Text("네")), logprobs=(TOKEN, TOKEN)),)),
        Response(
            candidates=(Candidate(parts=(ToolCall(id="a", name="f", arguments="{"),), logprobs=(TOKEN,)),)
        ),
        Response(candidates=(Candidate(parts=(Text("a", extra={"anthropic": {"b": 1}}),)),)),
        Response(
            candidates=(Candidate(parts=(Media(kind="image", data="AA=="), Opaque("gemini", {"a": 1}))),)
        ),
        Response(candidates=(Candidate(parts=(ToolResult(call_id="a", parts=(Text("b"),)),)),)),
        Response(candidates=(Candidate(stop=Stop.OTHER, extra={"openai_chat": {"finish_reason": "x"}}),)),
    ],
    ids=str,
)
def test_odd_answers_explode_and_collect_too(response: Response) -> None:
    assert collect(legal(explode(response))) == response


def test_a_delta_brings_citations_and_a_late_signature() -> None:
    source, other = Citation(url="https://example.com/1"), Citation(url="https://example.com/2")
    response = collect(
        legal(
            [
                Begin(id="a"),
                PartStart(0, 0, Reasoning(text="음", signature="early", signer="gemini")),
                PartDelta(0, 0, "…", signature="late", signer="anthropic"),
                PartEnd(0, 0, extra={"anthropic": {"status": "completed"}}),
                PartStart(0, 1, Text("비", citations=(source,))),
                PartDelta(0, 1, "가 와요", citations=(other,), logprobs=(TOKEN,)),
                PartEnd(0, 1),
                StopEvent(0, Stop.END),
                End(),
            ]
        )
    )
    assert response.candidates[0] == Candidate(
        parts=(
            Reasoning(
                text="음…",
                signature="late",
                signer="anthropic",
                extra={"anthropic": {"status": "completed"}},
            ),
            Text("비가 와요", citations=(source, other)),
        ),
        stop=Stop.END,
        logprobs=(TOKEN,),
    )


def test_a_delta_without_a_signature_leaves_the_signature_that_was_there() -> None:
    call = ToolCall(id="a", name="f", signature="s", signer="gemini")
    events: list[Event] = [
        Begin(),
        PartStart(0, 0, call),
        PartDelta(0, 0, "{}"),
        PartEnd(0, 0),
        StopEvent(0, Stop.TOOL),
        End(),
    ]
    assert collect(legal(events)).candidates[0].parts == (msgspec.structs.replace(call, arguments="{}"),)


def test_later_usage_replaces_earlier_usage() -> None:
    events: list[Event] = [
        Begin(candidates=0),
        UsageEvent(Usage(input_tokens=9)),
        UsageEvent(Usage(output_tokens=1)),
        End(),
    ]
    assert collect(legal(events)).usage == Usage(output_tokens=1)


def test_a_failure_is_raised_and_what_came_before_is_kept() -> None:
    collector = Collector()
    collector.add(Begin(id="a"))
    collector.add(PartStart(0, 0, Text("bef")))
    collector.add(PartDelta(0, 0, "ore"))
    with pytest.raises(BrokenAnswer, match="gone"):
        collector.add(Failure(BrokenAnswer("gone")))
    assert collector.response().candidates == (Candidate(parts=(Text("before"),)),)


def test_what_is_known_only_at_the_end_joins_what_was_known_at_the_beginning() -> None:
    begin, end = (
        Begin(extra={"anthropic": {"a": 1, "b": 1}}),
        End(extra={"anthropic": {"b": 2}, "gemini": {"c": 3}}),
    )
    expected = {"anthropic": {"a": 1, "b": 2}, "gemini": {"c": 3}}
    assert collect([begin, end]).extra == expected
    assert merge(begin.extra, end.extra) == expected
    assert begin.extra == {"anthropic": {"a": 1, "b": 1}}


TEXT = PartStart(0, 0, Text(""))


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([], "neither"),
        ([Begin()], "neither"),
        ([End()], "before `Begin`"),
        ([TEXT], "before `Begin`"),
        ([Begin(), Begin()], "twice"),
        ([Begin(), End(), Ping()], "after the end"),
        ([Failure(BrokenAnswer("")), End()], "after the end"),
        ([Begin(), PartStart(0, 1, Text(""))], "index should be 0"),
        ([Begin(), TEXT, PartStart(0, 1, Text(""))], "still open"),
        ([Begin(), TEXT, StopEvent(0, None)], "still open"),
        ([Begin(), TEXT, PartEnd(0, 0), StopEvent(0, None), PartStart(0, 1, Text(""))], "has stopped"),
        ([Begin(), TEXT, PartEnd(0, 0), PartDelta(0, 0, "a")], "open"),
        ([Begin(), TEXT, PartDelta(0, 1, "a")], "open"),
        ([Begin(), TEXT, PartDelta(1, 0, "a")], "open"),
        ([Begin(), TEXT, PartEnd(0, 1)], "open"),
        ([Begin(), PartEnd(0, 0)], "open"),
        ([Begin(), TEXT, PartDelta(0, 0, signature="s")], "has no signature"),
        (
            [Begin(), PartStart(0, 0, Refusal("")), PartDelta(0, 0, citations=(Citation(),))],
            "has no citations",
        ),
        ([Begin(), PartStart(0, 0, Opaque("gemini", {})), PartDelta(0, 0, "a")], "has no text"),
        ([Begin(), StopEvent(0, None), StopEvent(0, None)], "stops twice"),
        ([Begin(), StopEvent(0, None), PartDelta(0, 0, logprobs=(TOKEN,))], "has stopped"),
        ([Begin(), TEXT, PartEnd(0, 0), End()], "not stopped"),
    ],
)
def test_the_checker_finds_what_is_no_legal_stream(events: list[Event], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        legal(events)


def test_the_checker_lets_a_stream_break_off_anywhere() -> None:
    legal([Failure(BrokenAnswer("at once"))])
    legal([Begin(), TEXT, PartDelta(0, 0, "half"), Failure(BrokenAnswer("mid-word"))])


@settings(max_examples=50)
@given(requests(opaque=DIALECTS, broken_arguments=True))
def test_made_up_conversations_answer_every_call(request: Request) -> None:
    calls = [part.id for message in request.messages for part in message.parts if isinstance(part, ToolCall)]
    results = [
        part.call_id for message in request.messages for part in message.parts if isinstance(part, ToolResult)
    ]
    assert calls == results
    assert request.messages[-1].role in ("user", "tool")
