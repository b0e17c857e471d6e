"""Tokens counted twice, or not at all, by other gateways: the bill begins with these numbers.

Prices are not here yet; what they will be multiplied with is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from madang.core.record import Outcome, Usage
from tests.journey.field import (
    ASKING,
    Reading,
    ask,
    data_event,
    event,
    events_of,
    house_of,
    message_of,
    piece,
)
from tests.journey.live import DONE, Live, Say, Upstream, alive, json_answer, stream_answer, wait_until


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


def usage_of(house: Live, call_id: str) -> Usage:
    usage = house.record(call_id).usage
    assert usage is not None
    return usage


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "Hi."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
}
CANDIDATES = [{"content": {"role": "model", "parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]


def from_anthropic(**usage: Any) -> Say:
    return json_answer({**MESSAGE, "usage": usage})


def from_gemini(**usage: Any) -> Say:
    return json_answer({"candidates": CANDIDATES, "usageMetadata": usage})


def from_openai(**usage: Any) -> Say:
    said = {"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}
    return json_answer({"id": "c", "object": "chat.completion", "choices": [said], "usage": usage})


def told(house: Live, client: str, model: str) -> tuple[str, dict[str, int | None]]:
    """The call's id, and the usage its client was told, in our words; cached and written apart."""
    answer = ask(house, client, model)
    said = answer.json()
    match client:
        case "openai_chat":
            usage = said["usage"]
            details = usage["prompt_tokens_details"]
            assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
            fresh = usage["prompt_tokens"] - details["cached_tokens"] - details.get("cache_write_tokens", 0)
            counts = (fresh, details["cached_tokens"], usage["completion_tokens"])
        case "openai_responses":
            usage = said["usage"]
            details = usage["input_tokens_details"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            fresh = usage["input_tokens"] - details["cached_tokens"] - details.get("cache_write_tokens", 0)
            counts = (fresh, details["cached_tokens"], usage["output_tokens"])
        case "anthropic":
            usage = said["usage"]
            counts = (usage["input_tokens"], usage.get("cache_read_input_tokens"), usage["output_tokens"])
        case _:
            usage = said["usageMetadata"]
            cached = usage.get("cachedContentTokenCount", 0)
            written = house.record(answer.call_id).usage
            fresh = usage["promptTokenCount"] - cached - ((written and written.cache_write_tokens) or 0)
            counts = (fresh, cached, usage["candidatesTokenCount"])
    return answer.call_id, dict(zip(("fresh", "cached", "output"), counts, strict=True))


@pytest.mark.parametrize("client", ASKING)
def test_what_gemini_read_from_its_cache_is_a_part_of_the_prompt(
    house: Live, upstream: Upstream, client: str
) -> None:
    """litellm #14849: 257,955 cached tokens were added to the prompt of 262,960 that held them.

    #16341: without `cacheTokensDetails`, as here, they were taken for none.
    """
    upstream.answer = lambda _: from_gemini(
        promptTokenCount=262_960,
        cachedContentTokenCount=257_955,
        candidatesTokenCount=1744,
        totalTokenCount=264_704,
    )
    call_id, counts = told(house, client, "gem")
    assert counts == {"fresh": 5005, "cached": 257_955, "output": 1744}
    usage = usage_of(house, call_id)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (262_960, 257_955, 1744)


@pytest.mark.parametrize("client", ASKING)
@pytest.mark.parametrize(
    ("fresh", "written", "read"),
    [(3, 12_304, 0), (10, 32_435, 66_360)],
    ids=["#9812: written", "#11364: written and read"],
)
def test_what_claude_wrote_and_read_is_counted_once(
    house: Live, upstream: Upstream, client: str, fresh: int, written: int, read: int
) -> None:
    """litellm #9812, #11364: what was written into the cache was charged as prompt and as written."""
    upstream.answer = lambda _: from_anthropic(
        input_tokens=fresh,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=read,
        output_tokens=550,
    )
    call_id, counts = told(house, client, "claude")
    assert counts == {"fresh": fresh, "cached": read, "output": 550}
    usage = usage_of(house, call_id)
    assert usage.input_tokens == fresh + written + read
    assert (usage.cache_write_tokens, usage.cached_tokens or 0) == (written, read)


@pytest.mark.parametrize("client", ASKING)
def test_parts_that_overlap_add_up_to_no_more_than_the_prompt(
    house: Live, upstream: Upstream, client: str
) -> None:
    """litellm PR #37407: of 1,000 tokens 900 were cached and 800 an image: 1,700 were charged."""
    details = {"cached_tokens": 900, "image_tokens": 800, "audio_tokens": 0, "text_tokens": 200}
    upstream.answer = lambda _: from_openai(
        prompt_tokens=1000, completion_tokens=20, total_tokens=1020, prompt_tokens_details=details
    )
    call_id, counts = told(house, client, "gpt")
    assert counts == {"fresh": 100, "cached": 900, "output": 20}
    assert usage_of(house, call_id).input_tokens == 1000


def test_thoughts_are_a_part_of_what_was_put_out(house: Live, upstream: Upstream) -> None:
    """posthog #71065: Gemini counts thoughts beside the answer, and a sum that held them got them again."""
    upstream.answer = lambda _: from_gemini(
        promptTokenCount=9, thoughtsTokenCount=21, candidatesTokenCount=1, totalTokenCount=31
    )
    answer = ask(house, "openai_chat", "gem")
    assert answer.json()["usage"]["completion_tokens"] == 22
    assert answer.json()["usage"]["completion_tokens_details"]["reasoning_tokens"] == 21
    usage = usage_of(house, answer.call_id)
    assert (usage.output_tokens, usage.reasoning_tokens) == (22, 21)


def claude_stream(start: dict[str, int], *later: dict[str, int]) -> list[bytes]:
    head = {**MESSAGE, "content": [], "stop_reason": None, "usage": start}
    deltas = [event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage) for usage in later]
    return [
        event("message_start", message=head),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi."}),
        event("content_block_stop", index=0),
        *deltas,
        event("message_stop"),
    ]


CACHED = {"input_tokens": 4, "cache_read_input_tokens": 2455, "cache_creation_input_tokens": 0}
STREAMS = {
    "said once": claude_stream({**CACHED, "output_tokens": 1}, {"output_tokens": 23}),
    "said again at the end": claude_stream({**CACHED, "output_tokens": 1}, {**CACHED, "output_tokens": 23}),
    "said three times": claude_stream(
        {**CACHED, "output_tokens": 1}, {**CACHED, "output_tokens": 9}, {**CACHED, "output_tokens": 23}
    ),
    "said at the end only": claude_stream(
        {"input_tokens": 0, "output_tokens": 0}, {**CACHED, "output_tokens": 23}
    ),
}


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("client", ["anthropic", "openai_chat"])
def test_usage_that_a_stream_says_several_times_is_no_sum(
    house: Live, upstream: Upstream, client: str, events: list[bytes]
) -> None:
    """litellm #11789: in a stream what was read from the cache was charged as fresh."""
    upstream.answer = lambda _: stream_answer(events)
    answer = ask(house, client, "claude", stream=True)
    usage = usage_of(house, answer.call_id)
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (2459, 2455, 23)


def test_usage_in_every_chunk_is_that_of_the_last(house: Live, upstream: Upstream) -> None:
    """Gemini's and vLLM's chunks each tell what was used so far."""
    upstream.answer = lambda _: stream_answer(
        [
            data_event(
                {
                    "candidates": CANDIDATES,
                    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": n},
                }
            )
            for n in (2, 5, 7)
        ]
    )
    answer = ask(house, "openai_chat", "gem", stream=True, stream_options={"include_usage": True})
    assert [one["usage"]["total_tokens"] for one in events_of(answer.body) if one.get("usage")] == [16]
    usage = usage_of(house, answer.call_id)
    assert (usage.input_tokens, usage.output_tokens) == (9, 7)


def test_a_client_of_anthropics_is_told_the_cache_though_openai_tells_it_last(
    house: Live, upstream: Upstream
) -> None:
    """litellm #31069, #35127: cached tokens came as 0, and Claude Code's own bill was wrong."""
    usage = {"prompt_tokens": 50, "completion_tokens": 2, "total_tokens": 52}
    last = {"id": "c", "choices": [], "usage": {**usage, "prompt_tokens_details": {"cached_tokens": 40}}}
    upstream.answer = lambda _: stream_answer(
        [piece({"content": "Hi."}), piece({}, "stop"), data_event(last), DONE]
    )
    said = message_of(ask(house, "anthropic", "gpt", stream=True).body)["usage"]
    assert (said["input_tokens"], said["cache_read_input_tokens"], said["output_tokens"]) == (10, 40, 2)


def test_no_usage_is_not_known_and_never_zero(house: Live, upstream: Upstream) -> None:
    """Zeros made up for an answer without usage were billed as a free call."""
    upstream.answer = lambda _: stream_answer([piece({"content": "Hi."}), piece({}, "stop"), DONE])
    for client in ASKING:
        assert house.record(ask(house, client, "gpt", stream=True).call_id).usage is None


@pytest.mark.parametrize("client", ["anthropic", "openai_chat"])
def test_what_was_used_before_the_client_left_is_kept(house: Live, upstream: Upstream, client: str) -> None:
    """bifrost #3357: a quarter of the bill was missing, that of streams which Claude Code had cancelled."""
    usage = {"input_tokens": 200, "cache_read_input_tokens": 1000, "output_tokens": 1}
    upstream.answer = lambda _: stream_answer(claude_stream(usage, {"output_tokens": 9})[:3], then="hang")
    before = {record.id for record in house.left()}
    Reading().ask(house, client, "claude", until=b"Hi.")
    wait_until(lambda: len(house.left()) > len(before))
    (record,) = [record for record in house.left() if record.id not in before]
    assert record.outcome is Outcome.LEFT
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.cached_tokens) == (1200, 1000)
