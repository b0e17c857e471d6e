"""Translated requests are fitted to whose model it is; those that came in this dialect are left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.messages import Message, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import ReasoningAsk, Request
from madang.dialects.losses import find
from madang.dialects.openai_chat import OPENAI_CHAT
from madang.dialects.openai_chat.models import ANYBODY, DEEPSEEK, MISTRAL, OPENAI, Maker, maker, short_id
from tests.dialects.bad_openai_chat import asked

ASKED = Message("user", (Text("hi"),))


def sent(model: str, *messages: Message, **settings: Any) -> dict[str, Any]:
    """What a provider gets for a model of a request from another dialect."""
    request = Request(model="route", messages=messages or (ASKED,), **settings)
    found: dict[str, Any] = json.loads(OPENAI_CHAT.render_request(request, model))
    return found


def lost(model: str, *messages: Message, **settings: Any) -> dict[str, str]:
    request = Request(model="route", messages=messages or (ASKED,), **settings)
    return {loss.feature: loss.treatment for loss in find(request, "openai_chat", model)}


@pytest.mark.parametrize(
    ("names", "made"),
    [
        (
            ("gpt-4o", "gpt-5-nano", "o3-mini", "o1", "chatgpt-4o-latest", "openai/gpt-5", "ft:gpt-4o:me"),
            OPENAI,
        ),
        (("deepseek-chat", "deepseek/deepseek-v4", "deepseek-ai/DeepSeek-V4", "kimi-k2-thinking"), DEEPSEEK),
        (
            ("mistral-small-latest", "mistral-large-2411", "codestral-latest", "open-mistral-nemo-2407"),
            MISTRAL,
        ),
        (
            (
                "",
                "gpt-oss-120b",
                "openai/gpt-oss-20b",
                "llama-5",
                "mistral",
                "mistral:7b",
                "mistralai/mistral-large-2411",
                "olmo-2",
                "claude-opus-4-5",
                "qwen3",
            ),
            ANYBODY,
        ),
    ],
)
def test_a_model_is_known_by_its_name(names: tuple[str, ...], made: Maker) -> None:
    assert [maker(name) for name in names] == [made] * len(names)


@pytest.mark.parametrize(
    ("model", "limit"),
    [("gpt-5", "max_completion_tokens"), ("llama-4", "max_tokens"), ("mistral-small-latest", "max_tokens")],
)
def test_a_limit_has_the_name_that_the_model_knows(model: str, limit: str) -> None:
    assert sent(model, max_tokens=9)[limit] == 9


def test_developers_speak_to_openais_models_alone() -> None:
    told = Message("developer", (Text("be brief"),))
    assert [sent(model, told, ASKED)["messages"][0]["role"] for model in ("gpt-5", "llama-4")] == [
        "developer",
        "system",
    ]
    assert (lost("gpt-5", told, ASKED, max_tokens=99), lost("llama-4", told, ASKED, max_tokens=99)) == (
        {},
        {"developer": "emulate"},
    )


LOOP = (
    ASKED,
    Message("assistant", (Reasoning(text="hm"), Text("so"), ToolCall(id="call_1", name="f"))),
    Message("tool", (ToolResult(call_id="call_1", parts=(Text("ok"),)),)),
    Message("assistant", (ToolCall(id="call_2", name="f"),)),
    Message("tool", (ToolResult(call_id="call_2", parts=(Text("ok"),)),)),
    Message(
        "assistant",
        (Reasoning(text="a"), Reasoning(text="b", signature="s", signer="anthropic"), Text("done")),
    ),
    Message("assistant", (Text("well?"),)),
    ASKED,
)


def test_deepseek_gets_its_thoughts_back_and_nobody_else_does() -> None:
    turns = [turn for turn in sent("deepseek-v4-pro", *LOOP)["messages"] if turn["role"] == "assistant"]
    assert [turn.get("reasoning_content") for turn in turns] == ["hm", "", "a", None]
    assert not any("reasoning_details" in turn for turn in turns)
    assert not any("reasoning_content" in turn for turn in sent("llama-4", *LOOP)["messages"])
    assert "reasoning.text" not in lost("deepseek-v4-pro", *LOOP)
    assert lost("llama-4", *LOOP)["reasoning.text"] == "drop"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (ReasoningAsk(enabled=False), {"thinking": {"type": "disabled"}}),
        (ReasoningAsk(enabled=True), {"thinking": {"type": "enabled"}}),
        (ReasoningAsk(effort="high"), {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        (ReasoningAsk(budget=9000), {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
    ],
)
def test_deepseek_is_told_whether_to_think_in_its_own_words(ask: ReasoningAsk, said: dict[str, Any]) -> None:
    body = sent("deepseek-chat", reasoning=ask)
    assert {name: body[name] for name in ("thinking", "reasoning_effort") if name in body} == said


def test_mistral_gets_nothing_that_it_refuses() -> None:
    settings: dict[str, Any] = {
        "user": "u",
        "logprobs": True,
        "service_tier": "flex",
        "seed": 7,
        "stream": True,
    }
    body = sent("mistral-small-latest", *LOOP, **settings)
    assert body.keys() == {"model", "messages", "stream", "random_seed"}
    calls = [call["id"] for turn in body["messages"] for call in turn.get("tool_calls", ())]
    results = [turn["tool_call_id"] for turn in body["messages"] if turn["role"] == "tool"]
    assert calls == results == [short_id("call_1"), short_id("call_2")]
    assert all(len(one) == 9 and one.isalnum() for one in calls)
    found = lost("mistral-small-latest", *LOOP, **settings)
    assert {name for name, treatment in found.items() if treatment == "drop"} >= {
        "user",
        "logprobs",
        "service_tier",
    }
    assert found["tool_call.id"] == "emulate"


def test_an_id_of_mistrals_own_stays() -> None:
    assert short_id("vAKGXGFZD") == "vAKGXGFZD"


@pytest.mark.parametrize("model", ["gpt-5", "deepseek-chat", "mistral-small-latest", "llama-4"])
def test_a_request_of_this_dialect_is_left_alone(model: str) -> None:
    body = asked(
        {"role": "developer", "content": "be brief"},
        {"role": "assistant", "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}]},
        max_tokens=9,
        user="u",
        seed=7,
        stream=True,
        reasoning_effort="high",
    )
    request = OPENAI_CHAT.parse_request(json.dumps(body).encode(), None, None)
    assert json.loads(OPENAI_CHAT.render_request(request, model)) == body | {"model": model}
