"""Gemini's settings: the shape of the answer, its schemas, and how long to think."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.errors import BadRequest
from madang.core.messages import Opaque
from madang.core.requests import OutputFormat, ReasoningAsk
from madang.dialects.gemini import GEMINI
from tests.dialects.gemini_wire import asked, rendered, request


def test_schemas_change_between_openapi_and_json_schema() -> None:
    openapi = {
        "type": "OBJECT",
        "properties": {
            "type": {"type": "STRING", "nullable": True, "enum": ["a"]},
            "list": {"type": "ARRAY", "items": {"type": "integer"}, "minItems": "2"},
            "either": {"anyOf": [{"type": "NUMBER"}, {"type": "BOOLEAN"}]},
        },
        "required": ["type"],
        "example": {"type": "STRING"},
    }
    found = request(tools=[{"functionDeclarations": [{"name": "f", "parameters": openapi}]}])
    tool = found.tools[0]
    assert not isinstance(tool, Opaque)
    assert tool.schema == {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "enum": ["a", None]},
            "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "either": {"anyOf": [{"type": "number"}, {"type": "boolean"}]},
        },
        "required": ["type"],
        "example": {"type": "STRING"},
    }
    assert rendered(found)["tools"] == [{"functionDeclarations": [{"name": "f", "parameters": openapi}]}]


OUTPUTS: list[tuple[dict[str, Any], OutputFormat | None]] = [
    ({"responseMimeType": "application/json"}, OutputFormat(kind="json")),
    ({"responseMimeType": "text/plain"}, OutputFormat(kind="text")),
    (
        {"responseMimeType": "application/json", "responseJsonSchema": {"type": "string"}},
        OutputFormat(kind="schema", schema={"type": "string"}, strict=True),
    ),
    ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}}, None),
]


@pytest.mark.parametrize(("config", "wanted"), OUTPUTS)
def test_the_shape_of_the_answer_is_known(config: dict[str, Any], wanted: OutputFormat | None) -> None:
    found = request(generationConfig=config)
    assert found.output == wanted
    assert rendered(found)["generationConfig"] == config


def test_a_schema_in_openapi_is_a_json_schema_too() -> None:
    config = {"responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "NUMBER"}}}}
    found = request(generationConfig=config)
    assert found.output is not None
    assert found.output.schema == {"type": "object", "properties": {"a": {"type": "number"}}}
    assert rendered(found)["generationConfig"] == config


THINKING: list[tuple[dict[str, Any], ReasoningAsk]] = [
    ({"thinkingBudget": 0}, ReasoningAsk(enabled=False)),
    ({"thinkingBudget": -1}, ReasoningAsk(enabled=True)),
    ({"thinkingBudget": 512, "includeThoughts": True}, ReasoningAsk(enabled=True, budget=512, show="auto")),
    ({"thinkingLevel": "low"}, ReasoningAsk(effort="low")),
    ({"thinkingLevel": "HIGH", "includeThoughts": False}, ReasoningAsk(effort="high", show="none")),
    ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED", "new": 1}, ReasoningAsk()),
    ({}, ReasoningAsk()),
]


@pytest.mark.parametrize(("config", "wanted"), THINKING)
def test_how_long_to_think_is_known_and_goes_back_as_it_came(
    config: dict[str, Any], wanted: ReasoningAsk
) -> None:
    found = request(generationConfig={"thinkingConfig": config})
    assert found.reasoning is not None
    assert _plain(found.reasoning) == wanted
    assert rendered(found)["generationConfig"] == {"thinkingConfig": config}


def _plain(ask: ReasoningAsk) -> ReasoningAsk:
    return ReasoningAsk(enabled=ask.enabled, effort=ask.effort, budget=ask.budget, show=ask.show)


EFFORTS: list[tuple[str, ReasoningAsk, dict[str, Any] | None]] = [
    ("gemini-3-flash-preview", ReasoningAsk(effort="minimal"), {"thinkingLevel": "minimal"}),
    ("gemini-3.1-pro-preview", ReasoningAsk(effort="minimal"), {"thinkingLevel": "low"}),
    ("gemini-3-pro", ReasoningAsk(effort="medium"), {"thinkingLevel": "medium"}),
    ("gemini-flash-latest", ReasoningAsk(effort="max"), {"thinkingLevel": "high"}),
    ("gemini-3-flash", ReasoningAsk(enabled=False), {"thinkingLevel": "minimal"}),
    ("house", ReasoningAsk(enabled=False), {"thinkingBudget": 0}),
    ("gemini-3-pro", ReasoningAsk(enabled=True), {"thinkingLevel": "high"}),
    ("gemini-3-pro", ReasoningAsk(budget=2000), {"thinkingLevel": "low"}),
    ("gemini-3-pro", ReasoningAsk(budget=8000), {"thinkingLevel": "medium"}),
    ("gemini-3-pro", ReasoningAsk(budget=20_000), {"thinkingLevel": "high"}),
    ("gemini-2.5-flash", ReasoningAsk(effort="medium"), {"thinkingBudget": 8192}),
    ("gemini-2.5-flash", ReasoningAsk(effort="max"), {"thinkingBudget": 24_576}),
    ("gemini-2.5-flash", ReasoningAsk(budget=50_000), {"thinkingBudget": 24_576}),
    ("gemini-2.5-flash", ReasoningAsk(enabled=False), {"thinkingBudget": 0}),
    ("models/gemini-2.5-pro", ReasoningAsk(enabled=False), {"thinkingBudget": 128}),
    ("gemini-2.5-pro", ReasoningAsk(enabled=True), {"thinkingBudget": -1}),
    ("gemini-3-pro", ReasoningAsk(show="concise"), {"includeThoughts": True}),
    ("gemini-3-pro", ReasoningAsk(show="none"), {"includeThoughts": False}),
    ("gemini-2.5-pro", ReasoningAsk(budget=9, show="auto"), {"includeThoughts": True, "thinkingBudget": 9}),
    ("gemini-2.0-flash", ReasoningAsk(effort="high"), None),
]


@pytest.mark.parametrize(("model", "ask", "wanted"), EFFORTS)
def test_how_long_to_think_is_asked_as_the_model_takes_it(
    model: str, ask: ReasoningAsk, wanted: dict[str, Any] | None
) -> None:
    config = rendered(asked(reasoning=ask), model).get("generationConfig", {})
    if wanted is not None and ask.show is None and ask.enabled is not False:
        wanted = {"includeThoughts": True, **wanted}  # as other dialects' providers show them unasked
    assert config.get("thinkingConfig") == wanted


@pytest.mark.parametrize("depth", [60, 190, 5000])
def test_a_schema_may_be_deep_but_not_endless(depth: int) -> None:
    nested = '{"type":"ARRAY","items":' * depth + "{}" + "}" * depth
    tools = '[{"functionDeclarations":[{"name":"f","parameters":' + nested + "}]}]"
    body = ('{"contents":[{"parts":[{"text":"hi"}]}],"tools":' + tools + "}").encode()
    if depth < 200:
        found = GEMINI.parse_request(body, "m", None)
        assert json.loads(GEMINI.render_request(found, "m")) == json.loads(body)
        return
    with pytest.raises(BadRequest) as refused:
        GEMINI.parse_request(body, "m", None)
    assert refused.value.code == "nested_too_deeply"
