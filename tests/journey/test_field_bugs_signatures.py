"""What models thought and signed, and images in what tools brought: lost or changed by other gateways.

Whole loops with every SDK, signatures checked, are in `tests/sdks/test_reasoning.py`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from madang.dialects import carry
from tests.journey.field import ask, data_event, house_of, message_of, walk
from tests.journey.live import Live, Upstream, alive, json_answer, stream_answer

THOUGHT = "First I look out of the window."
TOOLS = [{"name": "weather", "input_schema": {"type": "object"}}]


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


def thinking(text: str, signature: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def call(id: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": "weather", "input": {"city": "Seoul"}}


def results(*ids: str) -> dict[str, Any]:
    brought = [{"type": "tool_result", "tool_use_id": one, "content": "Snow."} for one in ids]
    return {"role": "user", "content": brought}


def said(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


HELLO = {"role": "user", "content": "How is the weather?"}
NEXT = {"role": "user", "content": "And tomorrow?"}
REDACTED = {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}
LATEST = said(
    thinking(THOUGHT, "c2lnbmF0dXJlLTE="),
    call("toolu_1"),
    thinking("", "c2lnbmF0dXJlLTI="),
    REDACTED,
    words("And there."),
    thinking("One more.", "c2lnbmF0dXJlLTM="),
    call("toolu_2"),
)
"""Thoughts between calls, one of them not shown: what Claude Opus says in one turn."""


def replayed(upstream: Upstream) -> list[Any]:
    """The messages as the provider got them."""
    messages: list[Any] = upstream.heard[-1].json()["messages"]
    return messages


def test_thoughts_between_calls_come_back_to_claude_block_by_block(house: Live, upstream: Upstream) -> None:
    """bifrost #6342: blocks were put in another order, "thinking blocks cannot be modified", for good."""
    upstream.answer = lambda _: json_answer({})
    messages = [HELLO, LATEST, results("toolu_1", "toolu_2")]
    assert ask(house, "anthropic", "claude", messages=messages).status == 200
    assert replayed(upstream) == messages


def test_a_turn_of_claudes_is_the_same_though_another_model_spoke_before_it(
    house: Live, upstream: Upstream
) -> None:
    """The same, where the request must be read, to take out what Gemini had signed for an earlier turn."""
    upstream.answer = lambda _: json_answer({})
    foreign = thinking("Gemini's.", carry.wrap(":c2ln", "gemini", "anthropic"))
    before = [HELLO, said(foreign, words("Snow, says Gemini.")), NEXT]
    ask(house, "anthropic", "claude", messages=[*before, LATEST, results("toolu_1", "toolu_2")])
    got = replayed(upstream)
    assert got[1] == said(words("Snow, says Gemini."))
    assert got[3:] == [LATEST, results("toolu_1", "toolu_2")]


@pytest.mark.parametrize("signature", ["c2lnbmVkIGJ5IENsYXVkZQ==", ""], ids=["signed", "unsigned"])
@pytest.mark.parametrize("model", ["gpt", "kept", "gem"])
def test_a_thought_is_never_sent_on_as_words(
    house: Live, upstream: Upstream, model: str, signature: str
) -> None:
    """litellm #26916: replayed thoughts became visible text in the assistant's turn at another provider."""
    upstream.answer = lambda _: json_answer({})
    turn = said(thinking(THOUGHT, signature), REDACTED, words("Snow."))
    ask(house, "anthropic", model, messages=[HELLO, turn, NEXT])
    texts = [one for one in walk(upstream.heard[-1].json()) if isinstance(one, str)]
    assert "Snow." in texts
    assert not any(THOUGHT in one for one in texts)


@pytest.mark.parametrize("spaced", [False, True])
def test_an_unsigned_thought_of_another_model_is_kept_from_claude(
    house: Live, upstream: Upstream, spaced: bool
) -> None:
    """litellm #31654: thoughts of a model that signs none came to Claude, "Invalid signature", for good."""
    upstream.answer = lambda _: stream_answer(
        [
            data_event({"id": "c", "choices": [{"index": 0, "delta": {"reasoning_content": THOUGHT}}]}),
            data_event({"id": "c", "choices": [{"index": 0, "delta": {"content": "Snow."}}]}),
            data_event({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        ]
    )
    answered = message_of(ask(house, "anthropic", "gpt", stream=True).body)["content"]
    assert answered[0]["thinking"] == THOUGHT
    messages = [HELLO, {"role": "assistant", "content": answered}, NEXT]
    if spaced:
        messages = [*messages[:1], said(thinking("Once more.", ""), words("Rain.")), NEXT, *messages[1:]]
    upstream.answer = lambda _: json_answer({})
    ask(house, "anthropic", "claude", messages=messages)
    assert [one for one in walk(replayed(upstream)) if isinstance(one, dict) and "thinking" in one] == []
    assert replayed(upstream)[-2] == said(words("Snow."))


SIGNATURE = base64.b64encode(b"what Gemini thought").decode()
CALL = {"functionCall": {"name": "weather", "args": {"city": "Seoul"}}}
SIGNED = {
    "on the call": [{**CALL, "thoughtSignature": SIGNATURE}],
    "on the thought before it": [
        {"text": THOUGHT, "thought": True, "thoughtSignature": SIGNATURE},
        {**CALL, "thoughtSignature": SIGNATURE},
    ],
    "on the first of two calls": [{**CALL, "thoughtSignature": SIGNATURE}, CALL],
}


@pytest.mark.parametrize("parts", SIGNED.values(), ids=SIGNED)
def test_what_gemini_signed_comes_back_to_it_where_it_was(
    house: Live, upstream: Upstream, parts: list[dict[str, Any]]
) -> None:
    """litellm #25322, #16893: `thoughtSignature` was dropped, and Gemini 3 refused or babbled."""
    pieces = [data_event({"candidates": [{"content": {"role": "model", "parts": [one]}}]}) for one in parts]
    end = data_event({"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP"}]})
    upstream.answer = lambda _: stream_answer([*pieces, end])
    answered = message_of(ask(house, "anthropic", "gem", stream=True, tools=TOOLS).body)["content"]
    ids = [block["id"] for block in answered if block["type"] == "tool_use"]
    upstream.answer = lambda _: json_answer({"candidates": []})
    messages = [HELLO, {"role": "assistant", "content": answered}, results(*ids)]
    ask(house, "anthropic", "gem", messages=messages, tools=TOOLS)
    got = upstream.heard[-1].json()["contents"][1]["parts"]
    calls = [part for part in got if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == [
        part.get("thoughtSignature") for part in parts if "functionCall" in part
    ]


IMAGE = base64.b64encode(b"\x89PNG a screenshot").decode()
SHOT = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}


def image_of(value: Any) -> str | None:
    """What an image is, if a value is one, in whichever dialect."""
    match value:
        case {"type": "image_url", "image_url": {"url": str(url)}} | {
            "type": "input_image",
            "image_url": str(url),
        }:
            return url
        case {"inlineData": {"mimeType": str(kind), "data": str(data)}}:
            return f"data:{kind};base64,{data}"
    return None


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside words"])
@pytest.mark.parametrize("model", ["gpt", "kept", "gem"])
def test_an_image_that_a_tool_brought_is_still_an_image(
    house: Live, upstream: Upstream, model: str, alone: bool
) -> None:
    """litellm #23712, PR #34462: screenshots in results were dropped, or sent as a page of base64 text."""
    upstream.answer = lambda _: json_answer({})
    content = [SHOT] if alone else [words("The page:"), SHOT]
    brought = {"type": "tool_result", "tool_use_id": "toolu_1", "content": content}
    messages = [HELLO, said(call("toolu_1")), {"role": "user", "content": [brought]}]
    ask(house, "anthropic", model, messages=messages, tools=TOOLS)
    everything = list(walk(upstream.heard[-1].json()))
    assert [found for one in everything if (found := image_of(one))] == [f"data:image/png;base64,{IMAGE}"]
    assert sum(IMAGE in one for one in everything if isinstance(one, str)) == 1
