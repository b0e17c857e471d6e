"""What a Claude model's name says of it, and what a request loses on its way to that model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest
from madang.core.messages import Message, Text, ToolCall, ToolResult
from madang.core.requests import ReasoningAsk, Request
from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.anthropic.models import OTHER, claude
from madang.dialects.features import of_request
from madang.dialects.losses import find
from tests.dialects.hub import DIALECTS, requests
from tests.dialects.translation import facts, fault

HI = Message("user", (Text("hi"),))
CALL = ToolCall(id="call_1", name="f", arguments="{}")
LOOP = (
    HI,
    Message("assistant", (CALL,)),
    Message("tool", (ToolResult(call_id="call_1", parts=(Text("ok"),)),)),
)
MODELS = (
    "claude-3-haiku-20240307",
    "claude-3-5-sonnet-latest",
    "claude-3-7-sonnet-latest",
    "claude-opus-4-1",
    "claude-opus-4-5",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "claude-sonnet-4-6",
    "claude-opus-4-7",
    "claude-opus-5",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-opus-5-5",
    "claude-fable-5-2",
    "somebody-elses",
)


def lost(request: Request, model: str) -> dict[str, str]:
    return {loss.feature: loss.treatment for loss in find(request, "anthropic", model)}


class TestModels:
    """What a name says of a model."""

    @pytest.mark.parametrize(
        ("name", "like"),
        [
            ("claude-opus-4-20250514", "claude-opus-4-0"),
            ("claude-opus-4@20250514", "claude-opus-4-0"),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-latest"),
            ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("Claude-Opus-4-7", "claude-opus-4-7"),
            ("claude-opus-4-8", "claude-opus-4-7"),
            ("claude-mythos-preview", "claude-fable-5"),
            ("claude-sonnet-9", "claude-sonnet-5-5"),
            ("claude-2.1", "claude-instant-1.2"),
        ],
    )
    def test_a_model_is_known_by_its_version_however_it_is_called(self, name: str, like: str) -> None:
        assert claude(name) == claude(like)
        assert claude(name) != OTHER

    @pytest.mark.parametrize("name", ["", "claude", "claude-opus-latest", "kimi-k2", "house"])
    def test_a_name_that_says_no_version_is_taken_for_the_newest_dialect(self, name: str) -> None:
        assert claude(name) == OTHER

    @given(st.text(max_size=30))
    def test_any_name_is_a_model(self, name: str) -> None:
        assert claude("claude-" + name).max_tokens > 0


class TestLosses:
    """What is lost is said, model by model."""

    @given(
        request=requests(opaque=DIALECTS, shuffled=True, broken_arguments=True), model=st.sampled_from(MODELS)
    )
    def test_a_request_loses_what_is_declared_for_its_model_and_nothing_else(
        self, request: Request, model: str
    ) -> None:
        try:
            losses = find(request, "anthropic", model)
        except BadRequest:
            return
        after = ANTHROPIC.parse_request(ANTHROPIC.render_request(request, model), None, None)
        found = fault(facts(of_request(request)), facts(of_request(after)), losses)
        assert found is None, f"{model}: {found}"

    def test_a_repair_of_the_conversation_is_said(self) -> None:
        said = (
            Message("assistant", (ToolCall(id="a.b", name="f"),)),
            Message("tool", (ToolResult(call_id="c"),)),
            Message("assistant", (Text("x"),)),
        )
        request = Request(model="m", messages=said, max_tokens=9)
        assert lost(request, "claude-opus-5") == {
            "user.first": "emulate",
            "user.last": "emulate",
            "tool_call.id": "emulate",
            "tool_call.unanswered": "emulate",
            "tool_result.orphan": "emulate",
        }
        assert find(Request(model="m", messages=LOOP, max_tokens=9), "anthropic", "claude-opus-5") == []

    def test_what_a_model_can_is_no_loss(self) -> None:
        budget = Request(
            model="m", messages=(HI,), max_tokens=9000, reasoning=ReasoningAsk(enabled=True, budget=2000)
        )
        assert lost(budget, "claude-sonnet-4-5") == {}
        assert lost(budget, "claude-opus-5") == {"reasoning.budget": "emulate"}
        warm = Request(model="m", messages=(HI,), max_tokens=9, temperature=0.5)
        assert lost(warm, "claude-sonnet-4-5") == {}
        assert lost(warm, "claude-opus-5") == {"temperature": "drop"}
