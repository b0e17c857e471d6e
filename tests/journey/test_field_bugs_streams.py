"""Streams that other gateways broke: a block in a block, arguments gone, an answer asked for twice.

Each case is the event sequence that was reported; `docs/field-bugs.md` has the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.journey.field import (
    Reading,
    ask,
    call_piece,
    calls_of,
    data_event,
    event,
    house_of,
    message_of,
    piece,
)
from tests.journey.live import DONE, Live, Upstream, alive, chunk, stream_answer

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"name": "weather", "input_schema": WEATHER}]


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


def blocks_of(house: Live, upstream: Upstream, model: str, events: list[bytes]) -> list[tuple[str, Any]]:
    """What a client of Anthropic's makes of a provider's stream: each block's kind and what it holds."""
    upstream.answer = lambda _: stream_answer(events)
    message = message_of(ask(house, "anthropic", model, stream=True, tools=TOOLS).body)
    inside = {"text": "text", "thinking": "thinking", "tool_use": "input"}
    return [(block["type"], block[inside[block["type"]]]) for block in message["content"]]


def item(number: int, **members: Any) -> dict[str, Any]:
    return {"output_index": number, "item": {"id": f"item_{number}", "status": "completed", **members}}


def response(status: str, output: list[Any]) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "status": status, "model": "m", "output": output}


def streamed_response(*events: bytes) -> list[bytes]:
    """A stream of the Responses API, which says twice that it has begun."""
    begin = [
        event("response.created", response=response("in_progress", [])),
        event("response.in_progress", response=response("in_progress", [])),
    ]
    return [*begin, *events, event("response.completed", response=response("completed", []))]


SUMMARY = {"item_id": "item_0", "output_index": 0, "summary_index": 0}
TEXT = {"item_id": "item_1", "output_index": 1, "content_index": 0}
THINKERS = {
    "vLLM and SGLang": (
        "gpt",
        [
            piece({"role": "assistant", "content": ""}),
            piece({"reasoning_content": "Let me"}),
            piece({"reasoning_content": " see."}),
            piece({"content": "Hello."}),
            piece({}, "stop"),
            DONE,
        ],
    ),
    "newer vLLM and OpenRouter": (
        "gpt",
        [
            piece({"role": "assistant", "content": None, "reasoning": "Let me"}),
            piece({"content": "", "reasoning": " see."}),
            piece({"content": "Hello.", "reasoning": None}),
            piece({"content": ""}, "stop"),
            DONE,
        ],
    ),
    "the Responses API": (
        "kept",
        streamed_response(
            event("response.output_item.added", **item(0, type="reasoning", summary=[])),
            event(
                "response.reasoning_summary_part.added", part={"type": "summary_text", "text": ""}, **SUMMARY
            ),
            event("response.reasoning_summary_text.delta", delta="Let me", **SUMMARY),
            event("response.reasoning_summary_text.delta", delta=" see.", **SUMMARY),
            event("response.reasoning_summary_text.done", text="Let me see.", **SUMMARY),
            event("response.output_item.done", **item(0, type="reasoning", summary=[])),
            event("response.output_item.added", **item(1, type="message", role="assistant", content=[])),
            event("response.output_text.delta", delta="Hello.", **TEXT),
            event("response.output_item.done", **item(1, type="message", role="assistant", content=[])),
        ),
    ),
}


@pytest.mark.parametrize(("model", "events"), THINKERS.values(), ids=THINKERS)
def test_thoughts_stream_in_a_block_of_thoughts_of_a_message_that_begins_once(
    house: Live, upstream: Upstream, model: str, events: list[bytes]
) -> None:
    """litellm #32357: thoughts came in a block of text, message_start twice, and Claude Code saw nothing."""
    assert blocks_of(house, upstream, model, events) == [("thinking", "Let me see."), ("text", "Hello.")]


def test_a_chunk_that_ends_the_thought_and_begins_the_answer_is_taken_apart(
    house: Live, upstream: Upstream
) -> None:
    """litellm #33224, #30014: one chunk held the last of the thought and the first of the answer."""
    events = [
        piece({"role": "assistant", "reasoning_content": "The user wants an"}),
        piece({"reasoning_content": " assistant.", "content": "Hel"}),
        piece({"content": "lo", "tool_calls": []}),
        piece({"reasoning_content": "Say more?"}),
        piece({"content": "!", "reasoning_content": ""}),
        piece({}, "stop"),
        DONE,
    ]
    assert blocks_of(house, upstream, "gpt", events) == [
        ("thinking", "The user wants an assistant."),
        ("text", "Hello"),
        ("thinking", "Say more?"),
        ("text", "!"),
    ]


CITY = '{"city":"Seoul"}'
FUNCTION = {"type": "function_call", "call_id": "call_1", "name": "weather"}
CALLERS = {
    "all at once, after words": (
        "gpt",
        [
            piece({"content": "Let me look."}),
            call_piece(0, CITY, id="call_1", name="weather"),
            piece({}, "tool_calls"),
            DONE,
        ],
    ),
    "in pieces, the first with the name": (
        "gpt",
        [
            piece({"content": "Let me look."}),
            call_piece(0, CITY[:5], id="call_1", name="weather"),
            call_piece(0, CITY[5:]),
            piece({}, "tool_calls"),
            DONE,
        ],
    ),
    "with the reason to stop": (
        "gpt",
        [
            piece({"content": "Let me look."}),
            call_piece(0, "", id="call_1", name="weather"),
            piece({"tool_calls": [{"index": 0, "function": {"arguments": CITY}}]}, "tool_calls"),
            DONE,
        ],
    ),
    "only once they are whole, as LM Studio does": (
        "kept",
        streamed_response(
            event("response.output_item.added", **item(0, type="message", role="assistant", content=[])),
            event("response.output_text.delta", delta="Let me look.", **{**TEXT, "output_index": 0}),
            event("response.output_item.done", **item(0, type="message", role="assistant", content=[])),
            event("response.output_item.added", **item(1, arguments="", **FUNCTION)),
            event("response.function_call_arguments.done", item_id="item_1", output_index=1, arguments=CITY),
            event("response.output_item.done", **item(1, arguments=CITY, **FUNCTION)),
        ),
    ),
    "as Gemini does, whole and without an id": (
        "gem",
        [
            data_event({"candidates": [{"content": {"role": "model", "parts": [{"text": "Let me look."}]}}]}),
            data_event(
                {
                    "candidates": [
                        {
                            "content": {
                                "role": "model",
                                "parts": [{"functionCall": {"name": "weather", "args": {"city": "Seoul"}}}],
                            },
                            "finishReason": "STOP",
                        }
                    ]
                }
            ),
        ],
    ),
}


@pytest.mark.parametrize(("model", "events"), CALLERS.values(), ids=CALLERS)
def test_the_arguments_of_a_call_reach_claude_code_whenever_they_come(
    house: Live, upstream: Upstream, model: str, events: list[bytes]
) -> None:
    """litellm #25321: a tool_use with `input: {}`; bifrost #3638: and end_turn, so that it was never run."""
    upstream.answer = lambda _: stream_answer(events)
    message = message_of(ask(house, "anthropic", model, stream=True, tools=TOOLS).body)
    said, call = message["content"]
    assert said == {"type": "text", "text": "Let me look."}
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "weather", {"city": "Seoul"})
    assert message["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        ([call_piece(0, CITY, id="call_1", name="weather"), piece({}, "tool_calls")], ["tool_use"]),
        ([call_piece(0, "", id="call_1", name="weather"), piece({}, "tool_calls")], ["tool_use"]),
        ([piece({"content": ""}), piece({"content": None}, "stop")], []),
    ],
    ids=["a call at once", "a call without arguments", "nothing at all"],
)
def test_no_block_is_opened_for_words_that_never_come(
    house: Live, upstream: Upstream, events: list[bytes], kinds: list[str]
) -> None:
    """litellm #13373: an empty block of text before each call, "Content block not found" in Claude Code."""
    upstream.answer = lambda _: stream_answer([piece({"role": "assistant", "content": ""}), *events, DONE])
    message = message_of(ask(house, "anthropic", "gpt", stream=True, tools=TOOLS).body)
    assert [block["type"] for block in message["content"]] == kinds


def test_words_before_the_first_thought_are_a_block_of_their_own(house: Live, upstream: Upstream) -> None:
    """ollama #17101: gemma's `---` before it thinks left two blocks open at one index."""
    events = [
        piece({"content": "---"}),
        piece({"content": "\n"}),
        piece({"reasoning": "Well."}),
        piece({"content": "Hello."}),
        call_piece(0, CITY, id="call_1", name="weather"),
        piece({}, "tool_calls"),
        DONE,
    ]
    assert blocks_of(house, upstream, "gpt", events) == [
        ("text", "---\n"),
        ("thinking", "Well."),
        ("text", "Hello."),
        ("tool_use", {"city": "Seoul"}),
    ]


def test_calls_whose_pieces_come_mixed_are_told_one_after_the_other(house: Live, upstream: Upstream) -> None:
    """bifrost #1829: arguments of calls made at once ran into each other."""
    events = [
        call_piece(0, '{"city":', id="call_1", name="weather"),
        call_piece(1, '{"city":', id="call_2", name="weather"),
        call_piece(0, '"Seoul"}'),
        call_piece(1, '"Jeju"}'),
        piece({}, "tool_calls"),
        DONE,
    ]
    called = [("tool_use", {"city": "Seoul"}), ("tool_use", {"city": "Jeju"})]
    assert blocks_of(house, upstream, "gpt", events) == called


def claude_says(*blocks: tuple[dict[str, Any], list[dict[str, Any]]], stop: str = "end_turn") -> list[bytes]:
    """A stream of Anthropic's: each block as it begins, and its deltas."""
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    out = [event("message_start", message={**head, "usage": {"input_tokens": 7, "output_tokens": 1}})]
    for number, (begin, deltas) in enumerate(blocks):
        out.append(event("content_block_start", index=number, content_block=begin))
        out += [event("content_block_delta", index=number, delta=delta) for delta in deltas]
        out.append(event("content_block_stop", index=number))
    delta = {"stop_reason": stop, "stop_sequence": None}
    return [*out, event("message_delta", delta=delta, usage={"output_tokens": 5}), event("message_stop")]


def called(id: str, *arguments: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    begin = {"type": "tool_use", "id": id, "name": "weather", "input": {}}
    return begin, [{"type": "input_json_delta", "partial_json": text} for text in arguments]


def test_each_of_several_calls_has_an_index_of_its_own(house: Live, upstream: Upstream) -> None:
    """bifrost #1961: every call at index 0, put together by clients as one."""
    events = claude_says(
        called("a", "", CITY), called("b"), called("c", '{"city":', '"Jeju"}'), stop="tool_use"
    )
    upstream.answer = lambda _: stream_answer(events)
    answer = ask(house, "openai_chat", "claude", stream=True)
    assert calls_of(answer.body) == [
        ("a", "weather", {"city": "Seoul"}),
        ("b", "weather", {}),
        ("c", "weather", {"city": "Jeju"}),
    ]


def test_a_stream_between_the_same_dialects_begins_once_and_in_the_providers_words(
    house: Live, upstream: Upstream
) -> None:
    """bifrost #4556: a message_start of the gateway's own before Anthropic's."""
    events = claude_says(({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Hi."}]))
    upstream.answer = lambda _: stream_answer(events)
    answer = ask(house, "anthropic", "claude", stream=True)
    assert answer.body == b"".join(events)
    assert message_of(answer.body)["content"] == [{"type": "text", "text": "Hi."}]


def test_a_tool_that_only_anthropic_runs_is_refused_with_its_name(house: Live, upstream: Upstream) -> None:
    """bifrost #3596: Claude Code's web search was sent as a choice of a tool that was not in `tools`."""
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    choice = {"type": "tool", "name": "web_search"}
    for model in ("gpt", "kept", "gem"):
        answer = ask(house, "anthropic", model, tools=[search], tool_choice=choice)
        assert (answer.status, answer.json()["error"]["type"]) == (400, "invalid_request_error")
        assert "runs at" in answer.json()["error"]["message"]
    assert upstream.heard == []


@pytest.mark.parametrize(
    ("client", "model", "events"),
    [
        ("openai_chat", "claude", claude_says(called("a", CITY[:9], CITY[9:]), stop="tool_use")),
        (
            "anthropic",
            "gpt",
            [
                call_piece(0, CITY[:9], id="a", name="weather"),
                call_piece(0, CITY[9:]),
                piece({}, "tool_calls"),
                DONE,
            ],
        ),
    ],
    ids=["from Claude", "to Claude Code"],
)
def test_arguments_leave_piece_by_piece_as_they_come(
    house: Live, upstream: Upstream, client: str, model: str, events: list[bytes]
) -> None:
    """bifrost #1804, #2048: arguments were held back until the call was whole, and agents timed out."""
    marker, reading, sent = msgspec.json.encode(CITY[:9])[1:-1], Reading(), 0
    at = next(number for number, one in enumerate(events) if marker in one)

    def may_go_on() -> bool:
        nonlocal sent
        if sent >= at and marker not in reading.heard:
            return False
        sent += 1
        return True

    upstream.answer = lambda _: stream_answer(events, between=may_go_on)
    assert marker in reading.ask(house, client, model)


BROKEN: dict[str, tuple[list[bytes], str]] = {
    "cut off": ([], "reset"),
    "ended without a word": ([], "keep"),
    "an error of the provider's": (
        [data_event({"error": {"message": "Overloaded", "code": "busy"}})],
        "keep",
    ),
    "what is no JSON": ([b"data: {broken\n\n"], "keep"),
}
TOLD_BROKEN = {
    "openai_responses": (b"response.output_text.delta", b"response.failed"),
    "anthropic": (b"text_delta", b'"type":"error"'),
    "gemini": (b'"text":"Once upon"', b'"error"'),
}
"""By the client's dialect: what its beginning is told with, and that it broke."""


@pytest.mark.parametrize(("rest", "then"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("client", TOLD_BROKEN)
def test_an_answer_that_has_begun_is_never_asked_for_again(
    house: Live, upstream: Upstream, other: Upstream, client: str, rest: list[bytes], then: str
) -> None:
    """litellm #29808, #27967, #19077, PR #41127: the half answer was sent on as a prefill (refused by
    newer models), or the whole was asked for again, and its beginning told twice."""
    begins, breaks = TOLD_BROKEN[client]
    upstream.answer = lambda _: stream_answer([chunk("Once upon"), *rest], then=then)
    answer = ask(house, client, "both", stream=True)
    assert (len(upstream.heard), other.heard) == (1, [])
    events = answer.body.rstrip().split(b"\n\n")
    assert sum(begins in one and b"Once upon" in one for one in events) == 1
    assert breaks in events[-1]
    assert house.record(answer.call_id).outcome == "cut"


@pytest.mark.parametrize(("rest", "then"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_has_begun_to_pass_is_never_asked_for_again(
    house: Live, upstream: Upstream, other: Upstream, rest: list[bytes], then: str
) -> None:
    """The same between equal dialects, where the provider's bytes pass whatever they say."""
    events, reading = [chunk("Once upon"), *rest], Reading()
    upstream.answer = lambda _: stream_answer(events, then=then, between=lambda: bool(reading.heard))
    body = reading.ask(house, "openai_chat", "both")
    assert (len(upstream.heard), other.heard) == (1, [])
    assert body.startswith(b"".join(events))
    assert body.count(b"Once upon") == 1
