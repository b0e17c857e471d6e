"""A request from another dialect asks a model for nothing that it is known to refuse.

What each model takes is in `openai_models.py` and, for others, in their dialect's `models.py`; each row here
is an error 400 of 2025 or 2026.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.messages import Message, Text
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.losses import find
from madang.dialects.openai_models import gpt

ASKED = (Message("user", (Text("hi"),)),)
TOOLS = (Tool(name="f", schema={"type": "object", "properties": {}}),)
CLOSED: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPTIONAL = {**CLOSED, "required": []}


def sent(dialect: str, model: str, **settings: Any) -> dict[str, Any]:
    request = Request(model="house", messages=ASKED, **settings)
    found: dict[str, Any] = json.loads(CODECS[dialect].render_request(request, model))
    return found


def lost(dialect: str, model: str, **settings: Any) -> dict[str, str]:
    request = Request(model="house", messages=ASKED, **{"max_tokens": 99, **settings})
    return {loss.feature: loss.treatment for loss in find(request, dialect, model)}


def effort(model: str, ask: ReasoningAsk, dialect: str = "openai_responses", **more: Any) -> str | None:
    """The effort that is asked for."""
    body = sent(dialect, model, reasoning=ask, **more)
    found = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
    return found if isinstance(found, str) else None


OFF, ON = ReasoningAsk(enabled=False), ReasoningAsk(enabled=True)
EFFORTS: list[tuple[str, ReasoningAsk, str | None]] = [
    ("gpt-4o", ReasoningAsk(effort="high"), None),
    ("gpt-4.1-mini", ON, None),
    ("gpt-3.5-turbo", OFF, None),
    ("chatgpt-4o-latest", ON, None),
    ("gpt-5-chat-latest", ON, None),
    ("gpt-5.2-chat-latest", ReasoningAsk(budget=9000), None),
    ("o1-mini", ON, None),
    ("o3", OFF, "low"),
    ("o4-mini", ReasoningAsk(effort="max"), "high"),
    ("o3-pro", ReasoningAsk(effort="minimal"), "low"),
    ("gpt-5", OFF, "minimal"),
    ("gpt-5-mini", ReasoningAsk(effort="xhigh"), "high"),
    ("gpt-5-codex", ReasoningAsk(effort="minimal"), "low"),
    ("gpt-5-pro", ReasoningAsk(effort="low"), "high"),
    ("gpt-5.1", OFF, "none"),
    ("gpt-5.1", ReasoningAsk(effort="minimal"), "low"),
    ("gpt-5.1", ReasoningAsk(effort="xhigh"), "high"),
    ("gpt-5.1-codex-max", ReasoningAsk(effort="max"), "xhigh"),
    ("openai/gpt-5.2", ReasoningAsk(effort="xhigh"), "xhigh"),
    ("gpt-5.2-pro", ReasoningAsk(effort="low"), "medium"),
    ("gpt-5.5", ReasoningAsk(effort="max"), "xhigh"),
    ("gpt-5.6-terra", ReasoningAsk(effort="max"), "max"),
    ("gpt-5.6", ReasoningAsk(budget=1024), "low"),
    ("gpt-7", ReasoningAsk(effort="high"), "high"),
    ("my-deployment", ReasoningAsk(effort="max"), "max"),
]


@pytest.mark.parametrize(("model", "ask", "wanted"), EFFORTS)
def test_an_effort_is_one_that_the_model_has(model: str, ask: ReasoningAsk, wanted: str | None) -> None:
    assert effort(model, ask) == wanted


@pytest.mark.parametrize(("model", "ask", "wanted"), EFFORTS)
def test_another_effort_than_was_asked_for_is_told(model: str, ask: ReasoningAsk, wanted: str | None) -> None:
    found = {name for name in lost("openai_responses", model, reasoning=ask) if name.startswith("reasoning")}
    exact = wanted is not None and wanted == ("none" if ask.enabled is False else ask.effort)
    assert bool(found) is not exact


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("some-model", "high"),
        ("meta-llama/Llama-3.3-70B-Instruct", None),
        ("llama3.1:8b", None),
        ("gemma-3-27b", None),
        ("qwen2.5-coder", None),
        ("qwen3-32b", "high"),
        ("gemma-4", "high"),
        ("command-r-plus", None),
        ("command-reasoning", "high"),
        ("gpt-5.2", "xhigh"),
    ],
)
def test_a_likeness_of_openais_is_asked_for_efforts_that_many_have(model: str, said: str | None) -> None:
    assert effort(model, ReasoningAsk(effort="xhigh"), "openai_chat") == said


SAMPLING: dict[str, Any] = {"temperature": 0.7, "top_p": 0.9, "presence_penalty": 0.5, "logprobs": True}


@pytest.mark.parametrize(
    ("model", "ask", "kept"),
    [
        ("gpt-4o", None, True),
        ("gpt-4.1", ON, True),
        ("o3", None, False),
        ("gpt-5", None, False),
        ("gpt-5-chat-latest", None, True),
        ("gpt-5.1", None, True),
        ("gpt-5.2", OFF, True),
        ("gpt-5.2", ON, False),
        ("gpt-5.2-codex", None, False),
        ("gpt-5.5", None, False),
        ("gpt-5.6-sol", OFF, False),
        ("gpt-4o-search-preview", None, False),
        ("my-deployment", None, True),
    ],
)
def test_a_model_that_thinks_is_told_of_no_sampling(model: str, ask: ReasoningAsk | None, kept: bool) -> None:
    body = sent("openai_chat", model, reasoning=ask, **SAMPLING)
    assert [name in body for name in SAMPLING] == [kept] * len(SAMPLING)
    told = lost("openai_chat", model, reasoning=ask, **SAMPLING)
    plain = {name.removesuffix(".with_reasoning") for name in told}
    assert (set(SAMPLING) <= plain) is not kept
    body = sent("openai_responses", model, reasoning=ask, temperature=1, top_p=1)
    assert (body["temperature"], body["top_p"]) == (1, 1)


@pytest.mark.parametrize(
    ("dialect", "model", "most"),
    [
        ("openai_chat", "gpt-4o", 16_384),
        ("openai_responses", "gpt-4.1-nano", 32_768),
        ("openai_chat", "gpt-4-turbo", 4096),
        ("openai_chat", "gpt-4", 8192),
        ("openai_responses", "gpt-5.2", 128_000),
        ("openai_responses", "o3", 100_000),
        ("openai_chat", "some-model", 200_000),
        ("anthropic", "claude-3-haiku-20240307", 4096),
        ("anthropic", "claude-3-5-sonnet-latest", 8192),
        ("anthropic", "claude-opus-4-1", 32_000),
        ("anthropic", "claude-sonnet-4-5", 64_000),
        ("anthropic", "claude-opus-4-8", 200_000),
        ("gemini", "gemini-2.0-flash", 8192),
        ("gemini", "gemini-3.5-flash", 65_536),
        ("gemini", "learnlm", 200_000),
    ],
)
def test_nobody_is_asked_for_more_than_it_can_say(dialect: str, model: str, most: int) -> None:
    body = sent(dialect, model, max_tokens=200_000)
    config = body.get("generationConfig") or body
    names = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
    assert [config[name] for name in names if name in config] == [most]
    assert (lost(dialect, model, max_tokens=200_000).get("max_tokens") == "emulate") is (most < 200_000)
    assert "max_tokens" not in lost(dialect, model, max_tokens=1000)


def test_a_model_that_may_not_think_beside_tools_in_a_chat_completion_does_not() -> None:
    for ask in (None, ON, ReasoningAsk(effort="high")):
        assert sent("openai_chat", "gpt-5.6", reasoning=ask, tools=TOOLS)["reasoning_effort"] == "none"
    assert lost("openai_chat", "gpt-5.6", tools=TOOLS) == {"reasoning.unsaid": "emulate"}
    assert "reasoning_effort" not in sent("openai_chat", "gpt-5.6")
    assert "reasoning_effort" not in sent("openai_chat", "gpt-5.4", tools=TOOLS)
    assert effort("gpt-5.6", ReasoningAsk(effort="high"), tools=TOOLS) == "high"


@pytest.mark.parametrize("model", ["", "gpt-oss-120b", "gpt-image-1", "claude-opus-4-8", "o", "gpt-x"])
def test_a_name_that_tells_nothing_changes_nothing(model: str) -> None:
    assert gpt(model) is None


def test_a_request_of_openais_own_dialect_is_left_alone() -> None:
    body = {
        "model": "gpt-5",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.2,
        "reasoning_effort": "max",
        "max_tokens": 999_999,
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    }
    codec = CODECS["openai_chat"]
    request = codec.parse_request(json.dumps(body).encode(), None, None)
    assert json.loads(codec.render_request(request, "gpt-5")) == body


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_openai_is_asked_to_be_strict_with_schemas_that_it_can_be_strict_with(dialect: str) -> None:
    for schema, strict in ((CLOSED, True), (OPTIONAL, None)):
        tool = sent(dialect, "gpt-5", tools=(Tool(name="f", schema=schema, strict=True),))["tools"][0]
        told = (tool.get("function") or tool).get("strict") or None
        assert told is strict
        wanted = OutputFormat(kind="schema", schema=schema, strict=True)
        body = sent(dialect, "gpt-5", output=wanted)
        form = body["response_format"]["json_schema"] if dialect == "openai_chat" else body["text"]["format"]
        assert (form.get("strict") or None) is strict
    assert lost(dialect, "gpt-5", tools=(Tool(name="f", schema=OPTIONAL, strict=True),)) == {
        "tool.strict.optional": "drop"
    }


def test_a_shape_that_claude_or_gemini_would_hold_to_is_held_to_by_openai() -> None:
    shape = {"type": "json_schema", "schema": CLOSED}
    ask = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    body = json.dumps({**ask, "output_config": {"format": shape}}).encode()
    request = CODECS["anthropic"].parse_request(body, None, None)
    found = json.loads(CODECS["openai_responses"].render_request(request, "gpt-5"))["text"]["format"]
    assert (found["schema"], found["strict"]) == (CLOSED, True)
    config = {"responseMimeType": "application/json", "responseJsonSchema": CLOSED}
    contents = [{"role": "user", "parts": [{"text": "hi"}]}]
    body = json.dumps({"contents": contents, "generationConfig": config}).encode()
    request = CODECS["gemini"].parse_request(body, "m", False)
    found = json.loads(CODECS["openai_chat"].render_request(request, "gpt-5"))["response_format"]
    assert found["json_schema"]["strict"] is True
