"""The simulator says nothing that Anthropic has not said, and takes whatever Anthropic took.

Both checked against recorded traffic; what was never recorded is listed here with where it comes from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from madang.simulator.signing import sign
from tests.simulator.desk import answer_of, headers_of
from tests.simulator.dialect_desks import (
    CLOCK,
    WEATHER,
    AnthropicDesk,
    events,
    needs_recordings,
    parse_events,
    places,
    recorded,
)

pytestmark = needs_recordings

_FILES = ("ruby_llm/anthropic", "openllmetry/anthropic")
_BLOCK, _SDK = ".content[]", "anthropic-sdk-python 2.11"
_UNRECORDED = {
    ".stop_details.type": f"{_SDK}: RefusalStopDetails",
    ".stop_details.category": f"{_SDK}: RefusalStopDetails",
    ".stop_details.explanation": f"{_SDK}: RefusalStopDetails",
    f"{_BLOCK}<redacted_thinking>.type": f"{_SDK}: RedactedThinkingBlock",
    f"{_BLOCK}<redacted_thinking>.data": f"{_SDK}: RedactedThinkingBlock",
    **{
        f"{_BLOCK}<text>.citations[]<content_block_location>.{name}": f"{_SDK}: CitationContentBlockLocation"
        for name in (
            *("type", "cited_text", "document_index", "document_title"),
            *("start_block_index", "end_block_index"),
        )
    },
}
_UNRECORDED_IN_STREAMS = {
    "message_delta.delta.stop_details.type": f"{_SDK}: RefusalStopDetails",
    "message_delta.delta.stop_details.category": f"{_SDK}: RefusalStopDetails",
    "message_delta.delta.stop_details.explanation": f"{_SDK}: RefusalStopDetails",
    "content_block_start.content_block.data": f"{_SDK}: RedactedThinkingBlock",
}
_UNRECORDED_HEADERS = {
    "content-length": "the simulator knows the length of a whole answer; Anthropic sends it in chunks",
}
_GRAMMAR = re.compile(
    r"message_start (ping )?(content_block_start (ping )?(content_block_delta |ping )*content_block_stop )*"
    r"message_delta message_stop "
)


def _schema(*names: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": properties, "required": names, "additionalProperties": False}


def _document(**source: Any) -> list[Any]:
    block = {"type": "document", "citations": {"enabled": True}, "source": source}
    return [{"role": "user", "content": [block, {"type": "text", "text": "What?"}]}]


_FOUND = {
    "type": "search_result",
    "source": "https://example.com/a",
    "title": "A",
    "content": [{"type": "text", "text": "The sea is wide."}],
    "citations": {"enabled": True},
}
_REQUESTS: list[dict[str, Any]] = [
    {},
    {"system": "Be kind.", "cache_control": {"type": "ephemeral"}},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    {"model": "claude-sonnet-5"},
    {"model": "sim-redact+reasoning-5"},
    {"tools": [WEATHER, CLOCK], "asked": "weather and clock"},
    {"tools": [{"type": "web_search_20260318", "name": "web_search"}]},
    {"model": "sim-refuse"},
    {"stop_sequences": ["about"]},
    {"max_tokens": 3},
    {"output_config": {"format": {"type": "json_schema", "schema": _schema("name")}}},
    {"asked": _document(type="text", media_type="text/plain", data="The sea is wide. Yes.")},
    {"asked": _document(type="base64", media_type="application/pdf", data="aGk=")},
    {"asked": _document(type="content", content="The sea is wide.")},
    {"asked": [{"role": "user", "content": [_FOUND, {"type": "text", "text": "What?"}]}]},
]


def _messages() -> Iterator[dict[str, Any]]:
    return (item for item in recorded(*_FILES) if item["url"].split("?")[0].endswith("/v1/messages"))


@cache
def _recorded_places() -> frozenset[str]:
    found: set[str] = set()
    for item in _messages():
        if item["status"] == 200 and not _is_stream(item):
            found.update(places(json.loads(item["body"])))
    return frozenset(found)


@cache
def _recorded_events() -> frozenset[str]:
    found: set[str] = set()
    for item in _messages():
        if _is_stream(item):
            for name, data in parse_events(item["body"]):
                found.update(places(json.loads(data), name))
    return frozenset(found)


def _is_stream(item: dict[str, Any]) -> bool:
    return bool(item["body"].startswith("event:"))


@pytest.mark.parametrize("fields", _REQUESTS)
def test_every_place_of_a_whole_answer_was_recorded(fields: dict[str, Any]) -> None:
    message = AnthropicDesk().message(**fields)
    unknown = {place for place in places(message) if ".input." not in place} - _recorded_places()
    assert unknown <= _UNRECORDED.keys()


@pytest.mark.parametrize("fields", _REQUESTS)
def test_every_place_of_a_stream_was_recorded(fields: dict[str, Any]) -> None:
    found = events(AnthropicDesk().messages(**fields, stream=True))
    said = {place for name, data in found for place in places(json.loads(data), name)}
    assert said - _recorded_events() - _citations() <= _UNRECORDED_IN_STREAMS.keys()


def _citations() -> set[str]:
    """A citation in a stream is the one of a whole answer: not each kind of them was recorded in both."""
    found = (re.search(r"citations\[\]<\w+>\.(\w+)$", place) for place in _recorded_places())
    return {f"content_block_delta.delta.citation.{match[1]}" for match in found if match}


def test_nothing_is_listed_as_unrecorded_that_was_recorded() -> None:
    assert not _recorded_places() & _UNRECORDED.keys()
    assert not _recorded_events() & _UNRECORDED_IN_STREAMS.keys()


@pytest.mark.parametrize("fields", _REQUESTS)
def test_events_come_in_the_order_recorded(fields: dict[str, Any]) -> None:
    found = events(AnthropicDesk().messages(**fields, stream=True))
    assert _GRAMMAR.fullmatch("".join(f"{name} " for name, _ in found))


def test_the_order_is_that_of_every_recorded_stream() -> None:
    streams = [parse_events(item["body"]) for item in _messages() if _is_stream(item)]
    assert len(streams) > 20
    for stream in streams:
        assert _GRAMMAR.fullmatch("".join(f"{name} " for name, _ in stream))


def test_errors_have_the_shape_of_recorded_ones() -> None:
    bodies = [json.loads(item["body"]) for item in _messages() if item["status"] >= 400]
    shape = {place for body in bodies for place in places(body)}
    assert len(bodies) >= 2
    for status in (400, 401, 404, 429, 500, 529):
        assert set(places(answer_of(AnthropicDesk().messages(model=f"sim-error-{status}")))) == shape


def test_recorded_refusals_are_worded_as_ours() -> None:
    said = {json.loads(item["body"])["error"]["message"] for item in _messages() if item["status"] >= 400}
    assert "invalid x-api-key" in said
    large = AnthropicDesk().refusal("x" * 900_000)
    assert {re.sub(r"\d+", "N", message) for message in said} >= {re.sub(r"\d+", "N", large)}


def test_every_header_was_recorded() -> None:
    names = {name.lower() for item in _messages() for name in item["response_headers"]}
    ours = {
        name
        for model in ("m", "sim-error-429+retry-after-1")
        for name in headers_of(AnthropicDesk().messages(model=model))
    }
    assert ours - names <= _UNRECORDED_HEADERS.keys()


def _ours(value: Any) -> Any:
    """A recorded request with the simulator's signatures in place of Anthropic's."""
    if isinstance(value, list):
        return [_ours(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _ours(item) for name, item in value.items()}
    if value.get("type") == "thinking":
        changed["signature"] = sign(value["thinking"])
    if value.get("type") == "web_search_result":
        changed["encrypted_content"] = sign(value["url"])
    return changed


def _answered_requests() -> list[tuple[str, dict[str, Any]]]:
    return [(item["id"], json.loads(item["request"])) for item in _messages() if item["status"] == 200]


def test_every_request_that_was_answered_is_answered_here() -> None:
    desk, requests = AnthropicDesk(), _answered_requests()
    assert len(requests) > 100
    refused = {
        name: answer_of(plan)["error"]["message"]
        for name, body in requests
        if (plan := desk.post(_ours(body), anthropic_beta="x")).status != 200
    }
    assert refused == {}


def test_a_choice_of_tools_leads_where_it_led() -> None:
    desk = AnthropicDesk()
    for item in _messages():
        body = json.loads(item["request"])
        if item["status"] != 200 or _is_stream(item) or "tool_choice" not in body:
            continue
        theirs = json.loads(item["body"])["stop_reason"]
        last = body["messages"][-1]["content"]
        if not any(block.get("type") == "tool_result" for block in last if isinstance(block, dict)):
            assert answer_of(desk.post(_ours(body)))["stop_reason"] == theirs, item["id"]


def test_a_count_has_the_shape_recorded() -> None:
    counts = [item for item in recorded(*_FILES) if item["url"].endswith("/count_tokens")]
    desk = AnthropicDesk()
    assert counts
    for item in counts:
        answer = answer_of(desk.post(json.loads(item["request"]), "/v1/messages/count_tokens"))
        assert answer.keys() == json.loads(item["body"]).keys()
