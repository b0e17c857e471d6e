"""An answer becomes chunks, in the order that OpenAI's clients insist on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer
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
from madang.core.messages import (
    Citation,
    Json,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.record import Usage
from madang.core.requests import Request, Tool
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.carry import unload
from madang.dialects.openai_chat import OPENAI_CHAT
from tests.dialects.chunks_openai_chat import (
    ANSWERING,
    ASKED,
    DONE,
    USAGE,
    deltas,
    events,
    rendered,
)
from tests.dialects.hub import responses, streams
from tests.dialects.same_openai_chat import IMAGE, PNG


def test_a_client_gets_role_words_reason_usage_and_end_mark_in_this_order() -> None:
    response = Response(
        id="msg_1",
        model="claude",
        created=5,
        candidates=(Candidate(parts=(Text("hi"),), stop=Stop.END),),
        usage=Usage(3, 4),
    )
    head = {"id": "msg_1", "object": "chat.completion.chunk", "created": 5, "model": "claude"}

    def choice(delta: Json, finish_reason: str | None = None) -> dict[str, Json]:
        one = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**head, "choices": [one]}

    assert rendered(explode(response)) == [
        choice({"role": "assistant", "content": ""}),
        choice({"content": "hi"}),
        choice({}, "stop"),
        {**head, "choices": [], "usage": USAGE},
        DONE,
    ]


def test_usage_is_told_to_who_asked_for_it_alone() -> None:
    unasked = Answering(request=ASKED, id="x", created=1, asks_usage=False)
    response = Response(candidates=(Candidate(stop=Stop.END),), usage=Usage(3, 4))
    assert not any("usage" in one for one in rendered(explode(response), unasked))


def test_an_early_usage_is_replaced_by_the_last() -> None:
    heard: list[Event] = [
        Begin(),
        UsageEvent(Usage(3, 1)),
        StopEvent(0, Stop.END),
        UsageEvent(Usage(3, 4)),
        End(),
    ]
    assert rendered(heard)[-2]["usage"] == USAGE


def test_the_head_is_ours_where_the_provider_gave_none() -> None:
    first = rendered([Begin(), End()])[0]
    assert (first["id"], first["model"], first["created"]) == ("id-1", "asked", 7)


def test_each_choice_begins_with_its_role() -> None:
    heard = list(explode(Response(candidates=(Candidate(parts=(Text("a"),), stop=Stop.END),) * 2)))
    seen: dict[int, list[Json]] = {}
    for one in rendered(heard)[:-1]:
        for choice in one["choices"]:
            seen.setdefault(choice["index"], []).append(choice["delta"])
    assert seen == {number: [{"role": "assistant", "content": ""}, {"content": "a"}, {}] for number in (0, 1)}


THOUGHT = Reasoning(text="hm", signature="sig", signer="anthropic")
CALL = ToolCall(id="call_1", name="f", arguments="{}", signature="gsig", signer="gemini")


def test_a_client_gets_signatures_after_the_thought_and_in_the_id_of_the_call() -> None:
    said = deltas(THOUGHT, CALL, stop=Stop.TOOL)
    assert said[1] == {"reasoning_content": "hm"}
    [shown] = said[2]["reasoning_details"]
    assert (shown["text"], shown["index"]) == ("hm", 0)
    begun, more = said[3]["tool_calls"][0], said[4]["tool_calls"][0]
    assert more == {"index": 0, "function": {"arguments": "{}"}}
    assert (begun["index"], begun["type"], begun["function"]) == (
        0,
        "function",
        {"name": "f", "arguments": ""},
    )
    found = unload(begun["id"])
    assert (found.id, found.thoughts, found.signature) == ("call_1", (THOUGHT,), "gsig")


def test_a_signature_that_comes_late_is_told_all_the_same() -> None:
    heard: list[Event] = [
        Begin(),
        PartStart(0, 0, Reasoning()),
        PartDelta(0, 0, "hm"),
        PartDelta(0, 0, signature="sig", signer="anthropic"),
        PartEnd(0, 0),
        PartStart(0, 1, ToolCall(id="call_1", name="f")),
        PartEnd(0, 1),
        StopEvent(0, Stop.TOOL),
        End(),
    ]
    chunks = rendered(heard)
    loaded = chunks[3]["choices"][0]["delta"]["tool_calls"][0]["id"]
    assert unload(loaded).thoughts == (THOUGHT,)
    assert chunks[4]["choices"][0]["delta"] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}


def test_the_calls_of_a_turn_are_numbered() -> None:
    said = deltas(CALL, ToolCall(id="call_2", name="g"), stop=Stop.TOOL)
    assert [one["tool_calls"][0]["index"] for one in said[1:-1]] == [0, 0, 1, 1]


def test_a_client_of_functions_gets_one_function_call() -> None:
    tool = Tool(name="f", extra={"openai_chat": {"$form": "functions"}})
    asked = Answering(request=Request(model="m", messages=(), tools=(tool,)), id="x", created=1)
    said = deltas(CALL, ToolCall(id="call_2", name="g"), stop=Stop.TOOL, answering=asked)
    assert said[1:-1] == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
    ]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Refusal("no"), [{"refusal": "no"}]),
        (Media(kind="image", data=PNG, media_type="image/png"), [{"images": [{**IMAGE, "index": 0}]}]),
        (Media(kind="audio", data="AAAA"), [{"audio": {"id": "", "data": "AAAA", "transcript": ""}}]),
        (Media(kind="document", file_id="f"), []),
        (ToolResult(call_id="call_1"), []),
        (Opaque("anthropic", {"type": "x"}), []),
        (Opaque("openai_chat", {"type": "x"}), [{"content": [{"type": "x"}]}]),
        (Opaque("openai_chat", {"images": {"type": "x"}}), [{"images": [{"type": "x"}]}]),
        (Opaque("openai_chat", {"tool_calls": {"type": "x"}}), [{"tool_calls": [{"index": 0, "type": "x"}]}]),
        (Opaque("openai_chat", {"reasoning_details": {}}), [{"reasoning_details": [{}]}]),
        (
            Text("ab", (Citation(url="u", title="t", start=0, end=1),)),
            [
                {"content": "ab"},
                {
                    "annotations": [
                        {
                            "type": "url_citation",
                            "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1},
                            "index": 0,
                        }
                    ]
                },
            ],
        ),
        (
            Reasoning(text="hm", extra={"openai_chat": {"$form": "thinking"}}),
            [{"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}],
        ),
        (Reasoning(text="hm", extra={"openai_chat": {"$form": "reasoning"}}), [{"reasoning": "hm"}]),
        (
            Reasoning(text="hm", extra={"openai_chat": {"$form": "both"}}),
            [{"reasoning_content": "hm", "reasoning": "hm"}],
        ),
        (
            Reasoning(text="hm", signature="s", extra={"openai_chat": {"$form": "text"}}),
            [
                {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
                {"reasoning_details": [{"type": "reasoning.text", "signature": "s"}]},
            ],
        ),
        (
            Reasoning(signature="s", redacted=True, extra={"openai_chat": {"$form": "encrypted"}}),
            [{"reasoning_details": [{"type": "reasoning.encrypted", "data": "s"}]}],
        ),
    ],
)
def test_every_part_has_its_deltas(part: Any, said: list[Json]) -> None:
    assert deltas(part)[1:-1] == said


def test_a_refusal_without_words_is_told_at_the_end() -> None:
    assert deltas(Text("well"), stop=Stop.REFUSAL)[-1] == {"refusal": ""}
    assert deltas(Refusal("no"), stop=Stop.REFUSAL)[-1] == {}


def test_a_ping_is_a_comment() -> None:
    assert OPENAI_CHAT.stream_renderer(ANSWERING).render(Ping()) == b": ping\n\n"


def test_a_failure_is_an_error_event_and_the_end_mark() -> None:
    problem = BrokenAnswer("cut", code="stream_cut")
    assert rendered([Begin(), PartStart(0, 0, Text("")), PartDelta(0, 0, "hi"), Failure(problem)])[2:] == [
        {"error": {"message": "cut", "type": "api_error", "param": None, "code": "stream_cut"}},
        DONE,
    ]


@given(streams(candidates=2), st.lists(st.integers(0, 5000), max_size=6))
def test_any_stream_can_be_read_again_however_it_is_cut(heard: list[Event], cuts: list[int]) -> None:
    renderer = OPENAI_CHAT.stream_renderer(ANSWERING)
    data = b"".join([renderer.render(event) for event in heard])
    at = sorted({0, len(data), *[cut % (len(data) + 1) for cut in cuts]})
    parser = OPENAI_CHAT.stream_parser()
    again = [event for start, end in pairwise(at) for event in parser.feed(data[start:end])] + parser.end()
    assert again == events(data)
    before, after = collect(heard), collect(again)
    assert [len(one.parts) for one in after.candidates] == [len(one.parts) for one in before.candidates]
    assert after.usage == before.usage


@given(responses(opaque=("openai_chat",)))
def test_an_answer_of_our_own_dialect_is_the_same_streamed_and_whole(response: Response) -> None:
    whole = OPENAI_CHAT.parse_response(OPENAI_CHAT.render_response(response, ANSWERING))
    renderer = OPENAI_CHAT.stream_renderer(ANSWERING)
    streamed = collect(events(b"".join([renderer.render(event) for event in explode(response)])))
    # A chat message says of images and of what is beside its words no order, so they have none.
    assert [sorted(type(part).__name__ for part in one.parts) for one in streamed.candidates] == [
        sorted(type(part).__name__ for part in one.parts) for one in whole.candidates
    ]
    assert [one.stop for one in streamed.candidates] == [one.stop for one in whole.candidates]
    assert streamed.usage == whole.usage


@given(st.binary(max_size=200))
def test_any_bytes_are_a_legal_stream(data: bytes) -> None:
    assert isinstance(events(data)[-1], End | Failure)
