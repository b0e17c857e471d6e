"""What the simulator writes has been seen of the real API: every member, in bodies and in events.

Held against the recordings beside the project; where they are absent these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.journey.recorded import Recorded, recordings
from tests.simulator.desk import Desk, answer_of, headers_of
from tests.simulator.responses_desk import (
    CLOCK,
    SEALED,
    WEATHER,
    asked,
    kinds,
    question,
    refused,
    respond,
    result,
    stream,
)

_OPENAIS = ("openai", "azure")

_NEVER_RECORDED = {
    "output[].action.sources": "sources in `include`; SDK: response_function_web_search.py",
    "output[].action.sources[].type": "as above",
    "output[].action.sources[].url": "as above",
    "output[].content[].refusal": "nobody recorded a refusal; SDK: response_output_refusal.py",
    "output[].content[].logprobs[]": "logprobs in `include`; SDK: response_output_text.py",
    "output[].content[].logprobs[].bytes": "as above",
    "output[].content[].logprobs[].bytes[]": "as above",
    "output[].content[].logprobs[].logprob": "as above",
    "output[].content[].logprobs[].token": "as above",
    "output[].content[].logprobs[].top_logprobs": "as above",
    "output[].content[].logprobs[].top_logprobs[]": "as above",
    "output[].content[].logprobs[].top_logprobs[].bytes": "as above",
    "output[].content[].logprobs[].top_logprobs[].bytes[]": "as above",
    "output[].content[].logprobs[].top_logprobs[].logprob": "as above",
    "output[].content[].logprobs[].top_logprobs[].token": "as above",
    "incomplete_details.reason": "no recording reached its limit; SDK: response.py",
    "output[].summary[].text": "`reasoning.summary`, recorded of xAI only; SDK: response_reasoning_item.py",
    "output[].summary[].type": "as above",
    "tool_choice.mode": "allowed_tools; SDK: tool_choice_allowed.py",
    "tool_choice.tools": "as above",
    "tool_choice.tools[]": "as above",
    "tool_choice.tools[].type": "as above",
    "tool_choice.tools[].name": "as above",
    "error.code": "no recorded response failed; SDK: response_error.py",
    "error.message": "as above",
}
"""Members of a response nobody recorded, and where they are from."""

_EVENTS_NEVER_RECORDED = {
    "response.queued": "background; SDK: response_queued_event.py",
    "response.incomplete": "SDK: response_incomplete_event.py",
    "response.failed": "SDK: response_failed_event.py",
    "error": "as seen of OpenAI in October 2025; the SDK reads it",
    "response.refusal.delta": "SDK: response_refusal_delta_event.py",
    "response.refusal.done": "SDK: response_refusal_done_event.py",
    "response.output_text.annotation.added": "SDK: response_output_text_annotation_added_event.py",
    "response.web_search_call.in_progress": "SDK: response_web_search_call_in_progress_event.py",
    "response.web_search_call.searching": "SDK: response_web_search_call_searching_event.py",
    "response.web_search_call.completed": "SDK: response_web_search_call_completed_event.py",
}
"""Events nobody recorded; those of a summary are taken from xAI's recordings."""

_PADDING = "obfuscation"
"""In every delta of OpenAI's; xAI, of whom the deltas of a summary are, has no such thing."""

_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"age": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["age", "name"],
    "additionalProperties": False,
}
_OWN = frozenset(("parameters", "schema", "metadata"))
"""Members whose content is the client's."""


@cache
def _recorded(*providers: str) -> tuple[Recorded, ...]:
    found = tuple(
        one
        for one in recordings()
        if one.provider in providers and one.target == "/responses" and one.status == 200
    )
    if not found:
        pytest.skip("no recordings beside the project")
    return found


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """All members, by their paths."""
    if isinstance(value, dict):
        for name, part in value.items():
            below = f"{path}.{name}" if path else name
            yield below
            if name not in _OWN:
                yield from _paths(part, below)
    elif isinstance(value, list):
        for part in value:
            if not isinstance(part, dict):
                yield f"{path}[]"
            yield from _paths(part, f"{path}[]")


def _events(one: Recorded) -> Iterator[Any]:
    for line in one.body.decode().splitlines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


@cache
def _seen() -> frozenset[str]:
    """Every member of every recorded response."""
    found: set[str] = set()
    for one in _recorded(*_OPENAIS):
        if one.stream:
            for event in _events(one):
                found.update(_paths(event.get("response") or {}))
        else:
            found.update(_paths(json.loads(one.body)))
    return frozenset(found)


@cache
def _events_seen() -> dict[str, set[str]]:
    """Every member of every recorded event, by its type."""
    found: dict[str, set[str]] = {}
    for one in _recorded(*_OPENAIS, "xai"):
        if one.stream:
            for event in _events(one):
                members = {name for name in event if name != "response"}
                found.setdefault(event["type"], set()).update(members)
    return found


_REQUESTS: dict[str, dict[str, Any]] = {
    "text": {},
    "thoughts": {"model": "gpt-5-nano", "include": SEALED, "store": False},
    "summary": {"model": "gpt-5", "reasoning": {"summary": "detailed"}},
    "newest": {"model": "gpt-5.6-luna", "include": SEALED},
    "stored thoughts": {"model": "o3"},
    "tools": {"tools": [WEATHER, CLOCK], "input": "weather and clock"},
    "a tool by name": {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "weather"}},
    "some tools": {
        "tools": [WEATHER, CLOCK],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "required",
            "tools": [{"type": "function", "name": "clock"}],
        },
    },
    "schema": {"text": {"format": {"type": "json_schema", "name": "x", "strict": True, "schema": _SCHEMA}}},
    "search": {"tools": [{"type": "web_search"}], "include": ["web_search_call.action.sources"]},
    "preview of search": {"tools": [{"type": "web_search_preview"}]},
    "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    "refusal": {"model": "sim-refuse"},
    "too long": {"model": "sim-tokens-100", "max_output_tokens": 20},
    "failed": {"model": "sim-finish-failed"},
    "background": {"background": True},
    "broken": {"model": "sim-error-after-5"},
}


@pytest.mark.parametrize("name", [name for name in _REQUESTS if name != "broken"])
def test_a_response_has_no_member_nobody_has_seen(desk: Desk, name: str) -> None:
    unseen = set(_paths(respond(desk, **_REQUESTS[name]))) - _seen() - set(_NEVER_RECORDED)
    assert not unseen


@pytest.mark.parametrize("name", _REQUESTS)
def test_an_event_has_no_member_nobody_has_seen(desk: Desk, name: str) -> None:
    seen = _events_seen()
    for event in stream(desk, **_REQUESTS[name]):
        kind = event["type"]
        assert not set(_paths(event.get("response") or {})) - _seen() - set(_NEVER_RECORDED)
        if kind not in _EVENTS_NEVER_RECORDED:
            assert not {member for member in event if member not in ("response", _PADDING)} - seen[kind]


def test_what_is_allowed_unseen_is_unseen() -> None:
    assert not set(_NEVER_RECORDED) & _seen()
    assert not set(_EVENTS_NEVER_RECORDED) & set(_events_seen())


def test_the_members_stand_in_the_recorded_order(desk: Desk) -> None:
    orders = {tuple(json.loads(one.body)) for one in _recorded("openai") if not one.stream}
    assert tuple(respond(desk)) in orders
    begun = {tuple(next(_events(one))["response"]) for one in _recorded("openai") if one.stream}
    assert tuple(stream(desk)[0]["response"]) in begun


def test_nothing_the_newest_recordings_have_is_missing(desk: Desk) -> None:
    newest = [
        json.loads(one.body) for one in _recorded("openai") if b'"tool_usage"' in one.body and not one.stream
    ]
    always = set.intersection(*({path for path in _paths(body) if "[]" not in path} for body in newest))
    assert always <= set(_paths(respond(desk, model="gpt-5-nano", include=SEALED)))


def test_recorded_requests_are_answered_with_the_recorded_kinds(desk: Desk) -> None:
    """Not what the model wanted to do, but that nothing recorded is refused, nor answered in another form."""
    for one in _recorded(*_OPENAIS):
        plan = desk.plan(_resealed(json.loads(one.request)), "/v1/responses")
        assert plan.status == 200, answer_of(plan)
        assert plan.stream == one.stream


def _resealed(body: Any) -> Any:
    """A recorded request as it would be with thoughts of the simulator's own."""
    items = body["input"] if isinstance(body["input"], list) else []
    for item in items:
        item.pop("encrypted_content", None)
    return body


def test_the_kinds_of_items_are_in_the_recorded_order(desk: Desk) -> None:
    orders = {tuple(kinds(json.loads(one.body))) for one in _recorded(*_OPENAIS) if not one.stream}
    call = respond(desk, "weather", tools=[WEATHER], model="gpt-5-nano")
    assert tuple(kinds(call)) in orders
    assert tuple(kinds(respond(desk, tools=[{"type": "web_search"}]))) in orders
    said = [question("weather"), *call["output"], result(call["output"][1])]
    assert tuple(kinds(respond(desk, said, model="gpt-5-nano", tools=[WEATHER]))) in orders


def test_ids_have_the_recorded_length(desk: Desk) -> None:
    found = {
        (identifier.partition("_")[0], len(identifier))
        for one in _recorded("openai")
        if not one.stream
        for identifier in _ids(json.loads(one.body))
    }
    answer = respond(desk, "weather", tools=[WEATHER], model="gpt-5-nano")
    assert {(one.partition("_")[0], len(one)) for one in _ids(answer)} <= found


def _ids(response: Any) -> list[str]:
    return [response["id"], *(item["id"] for item in response["output"])]


def test_errors_have_the_recorded_members(desk: Desk) -> None:
    bodies = [
        json.loads(one.body)
        for one in recordings()
        if one.provider == "openai" and one.target == "/responses" and one.status >= 400
    ]
    if not bodies:
        pytest.skip("no recordings beside the project")
    _, error = refused(desk, max_output_tokens=1)
    assert all(list(body["error"]) == list(error) for body in bodies)
    too_long = desk.plan(asked(model="sim-error-400+error-code-context_length_exceeded"), "/v1/responses")
    assert answer_of(too_long)["error"] in [body["error"] for body in bodies]
    assert headers_of(too_long)["content-type"] == "application/json"
