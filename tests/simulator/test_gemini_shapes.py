"""The simulator says nothing that Google has not said, and takes whatever Google took.

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
from tests.simulator.dialect_desks import GeminiDesk, needs_recordings, parse_events, places, recorded

pytestmark = needs_recordings

_FILES = ("ruby_llm/gemini", "openllmetry/gemini", "ruby_llm/vertex")
_SDK = "python-genai 3.4"
_LOGPROBS = ".candidates[].logprobsResult"
_UNRECORDED = {
    ".promptFeedback": f"{_SDK}: GenerateContentResponsePromptFeedback",
    ".promptFeedback.blockReason": f"{_SDK}: GenerateContentResponsePromptFeedback",
    **{
        f".candidates[].safetyRatings{below}": f"{_SDK}: SafetyRating"
        for below in ("", "[].category", "[].probability", "[].blocked")
    },
    **{
        f"{_LOGPROBS}{below}": f"{_SDK}: LogprobsResult"
        for below in (
            "",
            ".chosenCandidates",
            ".topCandidates",
            ".topCandidates[].candidates",
            *(f".chosenCandidates[].{name}" for name in ("token", "tokenId", "logProbability")),
            *(f".topCandidates[].candidates[].{name}" for name in ("token", "tokenId", "logProbability")),
        )
    },
}
_UNRECORDED_HEADERS = {
    "content-length": "the simulator knows the length of a whole answer; Google sends it in chunks",
    "connection": "left out by those who recorded",
}
_NOT_IMITATED = {"cachedContent": "no caches are kept", "AUDIO": "no sounds are made"}
_FUNCTIONS = [{"functionDeclarations": [{"name": "weather"}, {"name": "clock"}]}]
_JSON = {"responseMimeType": "application/json"}
_REQUESTS: list[dict[str, Any]] = [
    {},
    {"model": "gemini-3.5-flash", "generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
    {"tools": _FUNCTIONS, "asked": "weather and clock"},
    {"model": "gemini-3.5-flash", "tools": _FUNCTIONS, "asked": "weather and clock"},
    {"tools": [{"googleSearch": {}}]},
    {"model": "gemini-3.5-flash", "tools": [{"codeExecution": {}}]},
    {"generationConfig": {"maxOutputTokens": 5}},
    {"generationConfig": {"candidateCount": 2}},
    {"generationConfig": {**_JSON, "responseSchema": {"type": "STRING"}}},
    {"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
    {"model": "sim-finish-SAFETY"},
    {"model": "sim-refuse"},
]


def _generated() -> Iterator[dict[str, Any]]:
    pattern = re.compile(r":(?:stream)?[gG]enerateContent")
    return (item for item in recorded(*_FILES) if pattern.search(item["url"]))


@cache
def _recorded_places() -> frozenset[str]:
    found: set[str] = set()
    for item in _generated():
        if item["status"] == 200:
            for answer in _answers(item):
                found.update(places(answer))
    return frozenset(found)


def _answers(item: dict[str, Any]) -> list[Any]:
    if item["body"].startswith("data:"):
        return [json.loads(data) for _, data in parse_events(item["body"])]
    return [json.loads(item["body"])]


def _known(place: str) -> bool:
    return place in _recorded_places() or place in _UNRECORDED or ".args." in place


@pytest.mark.parametrize("fields", _REQUESTS)
def test_every_place_of_a_whole_answer_was_recorded(fields: dict[str, Any]) -> None:
    assert [place for place in places(GeminiDesk().content(**fields)) if not _known(place)] == []


@pytest.mark.parametrize("fields", _REQUESTS)
def test_every_place_of_a_stream_was_recorded(fields: dict[str, Any]) -> None:
    chunks = GeminiDesk().chunks(**fields)
    assert [place for chunk in chunks for place in places(chunk) if not _known(place)] == []


def test_nothing_is_listed_as_unrecorded_that_was_recorded() -> None:
    assert not _recorded_places() & _UNRECORDED.keys()


def test_errors_have_the_shape_of_recorded_ones() -> None:
    bodies = [json.loads(item["body"]) for item in recorded(*_FILES) if item["status"] >= 400]
    shape = {place for body in bodies for place in places(body)}
    assert ".error.details[].retryDelay" in shape
    plans = [
        GeminiDesk().generate(model=f"sim-error-{status}+retry-after-3") for status in (400, 401, 429, 503)
    ]
    for plan in plans:
        assert set(places(answer_of(plan))) <= shape
    full = next(body for body in bodies if body["error"]["code"] == 429)
    assert set(places(answer_of(plans[2]))) == set(places(full))


def test_recorded_refusals_are_worded_as_ours() -> None:
    said = [
        json.loads(item["body"])["error"]["message"] for item in recorded(*_FILES) if item["status"] >= 400
    ]
    shapes = {re.sub(r"\d+(\.\d+)?", "N", message) for message in said}
    assert re.sub(r"\d+", "N", GeminiDesk().refusal("x" * 4_200_000)) in shapes
    assert "API key not valid. Please pass a valid API key." in shapes


def test_every_header_was_recorded() -> None:
    names = {name.lower() for item in _generated() for name in item["response_headers"]}
    for model in ("gemini-2.5-flash", "sim-error-429+retry-after-1"):
        ours = headers_of(GeminiDesk().generate(model=model)).keys()
        assert ours - names <= _UNRECORDED_HEADERS.keys()


def _ours(value: Any) -> Any:
    """A recorded request with the simulator's signatures in place of Google's."""
    if isinstance(value, list):
        return [_ours(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _ours(item) for name, item in value.items()}
    if "thoughtSignature" in value:
        call = value.get("functionCall") or {}
        changed["thoughtSignature"] = sign(call.get("name", ""))
    return changed


def test_every_request_that_was_answered_is_answered_here() -> None:
    desk, refused, answered = GeminiDesk(), {}, 0
    for item in _generated():
        if item["status"] != 200 or any(word in item["request"] for word in _NOT_IMITATED):
            continue
        path, _, query = re.sub(r"^https://[^/]+", "", item["url"]).partition("?")
        if ":batchGenerateContent" in path:
            continue
        plan = desk.post(_ours(json.loads(item["request"])), path, query)
        answered += 1
        if plan.status != 200:
            refused[item["id"]] = answer_of(plan)["error"]["message"]
    assert refused == {}
    assert answered > 130


@pytest.mark.parametrize("method", ["countTokens", "batchEmbedContents"])
def test_other_answers_have_the_shape_recorded(method: str) -> None:
    desk, seen = GeminiDesk(), 0
    for item in recorded("ruby_llm/gemini"):
        if not item["url"].endswith(":" + method):
            continue
        path = re.sub(r"^https://[^/]+", "", item["url"])
        ours = answer_of(desk.post(json.loads(item["request"]), path))
        assert set(places(ours)) == set(places(json.loads(item["body"])))
        seen += 1
    assert seen > 2
