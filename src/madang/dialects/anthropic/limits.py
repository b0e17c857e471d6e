"""What the column `ANTHROPIC` of `losses.py` says, made exact for one model and one conversation.

The column is true of the dialect as it is today. Models of before and after take less, or other things
(`models.py`), and a conversation may not be as the API insists on it (`turns.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from madang.core.requests import ReasoningAsk, Request
from madang.dialects.anthropic.adapt import adapt
from madang.dialects.anthropic.models import OTHER, Claude, claude

Limit = tuple[Literal["drop", "emulate"], str]
"""What happens to a feature, and how."""

_ASKS = ("reasoning.on", "reasoning.off", "reasoning.effort", "reasoning.budget", "reasoning.show")


_REPAIRS: Mapping[str, str] = {
    "user.first": "a conversation begins with the user, so a sentence of ours does",
    "user.last": "the user has the last word, so it is 'Continue.'",
    "tool_call.id": "ids hold letters, digits, _ and - only, so other characters are replaced",
    "tool_result": "ids hold letters, digits, _ and - only, so other characters are replaced",
    "tool_call.unanswered": "every call is answered in the next turn, so a result says that there was none",
    "tool_result.orphan": "a result follows its call at once, so this one is told as the user's words",
}


def limits(request: Request, model: str, asked: frozenset[str]) -> Mapping[str, Limit | None]:
    """What a model makes of the features asked, and of a conversation that the API would refuse.

    `None`: nothing is lost, whatever the column says.
    """
    kind = claude(model)
    adapted = adapt(request, kind)
    out: dict[str, Limit | None] = {
        feature: ("emulate", how) for feature, how in _REPAIRS.items() if feature in adapted.repaired
    }
    if kind != OTHER:
        told = adapted.request.reasoning
        exact = {**_sampling(request, kind), **_reasoning(request.reasoning, told, asked), **_tools(kind)}
        out.update({feature: limit for feature, limit in exact.items() if feature in asked})
    if request.max_tokens not in (None, adapted.request.max_tokens):
        out["max_tokens"] = ("emulate", f"the model can say {kind.most} tokens at most")
    return out


def _sampling(request: Request, kind: Claude) -> dict[str, Limit | None]:
    out: dict[str, Limit | None] = {}
    if not kind.sampling:
        for name in ("top_p", "top_k", "temperature.above_one"):
            out[name] = ("drop", "Claude models since Opus 4.7 take no sampling settings")
        if request.temperature != 1:
            out["temperature"] = out["top_p"]
    elif not kind.both and request.temperature is not None:
        out["top_p"] = ("drop", "the model takes a temperature or a top_p, not both")
    return out


def _reasoning(
    wanted: ReasoningAsk | None, told: ReasoningAsk | None, asked: frozenset[str]
) -> dict[str, Limit | None]:
    names = [name for name in asked if name.startswith(_ASKS)]
    if wanted is None:
        return {}
    if told is None:
        how = "the model cannot think, or not with these tools, an unsigned loop, or so few tokens"
        return dict.fromkeys(names, ("drop", how))
    out: dict[str, Limit | None] = {}
    for name in names:
        if name == "reasoning.off" and told.enabled is not False:
            out[name] = ("emulate", "the model always thinks: low effort is asked for")
        elif told.budget is not None and not name.startswith("reasoning.show"):
            exact = told.budget == wanted.budget
            out[name] = None if exact else ("emulate", "a number of tokens to think with is asked for")
        elif name.startswith("reasoning.effort") and told.effort != wanted.effort:
            out[name] = ("emulate", "the effort that comes nearest is asked for")
    return out


def _tools(kind: Claude) -> dict[str, Limit | None]:
    out: dict[str, Limit | None] = {}
    if not kind.forced:
        for mode in ("required", "named", "some"):
            out[f"tool_choice.{mode}"] = ("emulate", "the system prompt asks for it: no tool can be forced")
    if not kind.schema:
        told: Limit = ("emulate", "the system prompt holds the schema")
        for name in ("", ".open", ".loose", ".strict", ".strict.open", ".strict.optional"):
            out[f"output.schema{name}"] = told
        out["tool.strict"] = out["tool.strict.optional"] = ("drop", "the model cannot be held to a schema")
    return out
