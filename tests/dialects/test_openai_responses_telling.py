"""The Responses API, streaming from us: what a client reads, in the order its SDK insists on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from openai.types.responses import Response as SdkResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

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
    collect,
    explode,
)
from madang.core.messages import Citation, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from madang.core.record import Usage
from madang.core.responses import Candidate, Response, Stop, TokenLogprob
from madang.dialects.carry import unload, unwrap
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC
from tests.dialects.hub import streams
from tests.dialects.openai_responses import NAME, answering, sent, told

_sdk_event: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def test_the_order_of_events_is_that_of_openai() -> None:
    response = Response(
        id="answer-1",
        model="x-1",
        candidates=(
            Candidate(
                parts=(
                    Reasoning(text="hm", signature="sig", signer="anthropic"),
                    Text("so", (Citation(url="https://example.com"),)),
                    Refusal("no"),
                    ToolCall(id="call_1", name="f", arguments="{}"),
                ),
                stop=Stop.TOOL,
            ),
        ),
        usage=Usage(3, 2),
    )
    events = sent(explode(response))
    assert [one["type"].removeprefix("response.") for one in events] == [
        *("created", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.annotation.added"),
        *("output_text.done", "content_part.done"),
        *("content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done"),
        *("output_item.done", "completed"),
    ]
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    assert [one["output_index"] for one in events if "output_index" in one] == [0] * 6 + [1] * 11 + [2] * 4
    last = events[-1]["response"]
    assert last["output"] == [one["item"] for one in events if one["type"] == "response.output_item.done"]
    assert last["usage"]["total_tokens"] == 5
    assert events[0]["response"]["status"] == "in_progress"
    whole_answer = json.loads(CODEC.render_response(response, answering()))
    assert last == whole_answer


@given(streams())
def test_a_stream_ends_with_the_whole_answer_and_fits_the_sdks_models(events: list[Event]) -> None:
    found = sent(events)
    for one in found:
        _sdk_event.validate_python(one)
    last = found[-1]["response"]
    SdkResponse.model_validate(last)
    ids: dict[int, str] = {}
    for one in found:
        if "item" in one:
            assert ids.setdefault(one["output_index"], one["item"]["id"]) == one["item"]["id"]
        elif "item_id" in one:
            assert ids[one["output_index"]] == one["item_id"]
    expected = json.loads(CODEC.render_response(collect(events), answering()))
    assert without_place(last) == without_place(expected)


def without_place(response: dict[str, Any]) -> dict[str, Any]:
    """Tokens that come late stand with the text that was last, which for a whole answer may be another."""
    for item in response["output"]:
        for block in item.get("content") or ():
            block.pop("logprobs", None)
    return response


def test_late_tokens_and_signatures_come_to_their_parts() -> None:
    token = TokenLogprob("so", -0.25)
    found = sent(
        [
            Begin(),
            PartStart(0, 0, Reasoning()),
            PartDelta(0, 0, "hm"),
            PartDelta(0, 0, signature="sig", signer="anthropic"),
            PartEnd(0, 0),
            PartStart(0, 1, Text("")),
            PartDelta(0, 1, "so", logprobs=(token,)),
            PartEnd(0, 1),
            PartDelta(0, 1, logprobs=(token,)),
            PartStart(0, 2, ToolCall(id="call_1", name="f")),
            PartEnd(0, 2),
            StopEvent(0, Stop.TOOL),
            End(),
        ]
    )
    thought_item, message, call = found[-1]["response"]["output"]
    assert unwrap(thought_item["encrypted_content"], NAME) == ("sig", "anthropic")
    assert [one["token"] for one in message["content"][0]["logprobs"]] == ["so", "so"]
    assert call["arguments"] == "{}"
    assert [one.signature for one in unload(call["call_id"]).thoughts] == ["sig"]


def test_an_answer_that_was_cut_is_incomplete() -> None:
    for parts, cut in (((Text("so"),), 0), ((Text("so"), ToolCall(id="c", name="f", arguments="{")), 1)):
        response = Response(id="answer-1", candidates=(Candidate(parts=parts, stop=Stop.LENGTH),))
        last = sent(explode(response))[-1]
        assert last["type"] == "response.incomplete"
        assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
        assert [item["status"] for item in last["response"]["output"]][cut] == "incomplete"
        assert last["response"]["output"] == told(*parts, stop=Stop.LENGTH)["output"]


def test_other_candidates_and_foreign_parts_are_left_out() -> None:
    found = sent(
        [
            Begin(candidates=2),
            PartStart(0, 0, Text("a")),
            PartStart(1, 0, Text("x")),
            PartDelta(1, 0, "y"),
            PartEnd(1, 0),
            PartDelta(0, 0, "b"),
            PartEnd(0, 0),
            PartStart(0, 1, Media(kind="audio", data="AAAA")),
            PartEnd(0, 1),
            PartStart(0, 2, Opaque("gemini", {})),
            PartEnd(0, 2),
            PartStart(0, 3, Text("c")),
            PartEnd(0, 3),
            StopEvent(1, Stop.LENGTH),
            StopEvent(0, Stop.END),
            End(),
        ]
    )
    words_of = [block["text"] for item in found[-1]["response"]["output"] for block in item["content"]]
    assert "".join(words_of) == "abc"
    assert found[-1]["type"] == "response.completed"


def test_signs_of_life_are_comments() -> None:
    renderer = CODEC.stream_renderer(answering())
    renderer.render(Begin())
    assert renderer.render(Ping()) == b": ping\n\n"
    assert renderer.render(UsageEvent(Usage(1, 1))) == b""


def test_an_answer_that_breaks_off_is_told_as_an_error_and_as_failed() -> None:
    problem = ProviderError("Slow down.", status=429, kind="rate_limit_error", code="rate_limit_exceeded")
    found = sent([Begin(id="resp_1"), PartStart(0, 0, Text("so")), Failure(problem)])
    error, failed = found[-2:]
    assert (error["type"], error["code"], error["message"], error["param"]) == (
        "error",
        "rate_limit_exceeded",
        "Slow down.",
        None,
    )
    assert error["error"]["type"] == "rate_limit_error"
    assert failed["type"] == "response.failed"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "rate_limit_exceeded", "message": "Slow down."}
    assert [one["sequence_number"] for one in found] == list(range(len(found)))
    assert [one["type"] for one in sent([Failure(problem)])] == ["error"]
