"""What the column `GEMINI` of `losses.py` says, made exact for one model.

The column is true of Gemini 3 and of what comes after it. Older models think by numbers of tokens or
not at all, take no media in a function's result, and need no signatures; and no model of Google's own
can be told not to think but Gemini 2.5 Flash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from madang.core.requests import Request
from madang.dialects.gemini.requests import is_silent
from madang.dialects.gemini.settings import MOST_BUDGET, generation, most

Limit = tuple[Literal["drop", "emulate"], str]
"""What happens to a feature, and how."""

_ASKS = ("reasoning.on", "reasoning.off", "reasoning.effort", "reasoning.budget", "reasoning.show")


def limits(request: Request, model: str, asked: frozenset[str]) -> Mapping[str, Limit | None]:
    """What a model makes of the features asked. `None`: nothing is lost, whatever the column says."""
    version = generation(model)
    found = {**_thinking(request, model, version, asked), **_results(version, asked)}
    said = most(model)
    if said is not None and request.max_tokens is not None and request.max_tokens > said:
        found["max_tokens"] = ("emulate", f"the model can say {said} tokens at most")
    found = {feature: limit for feature, limit in found.items() if feature in asked}
    if is_silent(request.messages):
        found["user.first"] = ("emulate", "there must be something from the user, so a sentence of ours is")
    return found


def _thinking(request: Request, model: str, version: float, asked: frozenset[str]) -> dict[str, Limit | None]:
    out: dict[str, Limit | None] = {}
    if version < 2.5:
        return {
            name: ("drop", "the model cannot think")
            for name in asked
            if name.startswith("reasoning.") and not name.startswith("reasoning.text")
        }
    pro, google = "pro" in model, "gemini" in model
    if version >= 3:
        if google:
            out["reasoning.off"] = ("emulate", "the model always thinks: as little as it can is asked for")
        if pro:
            out["reasoning.effort.minimal"] = ("emulate", "the thinking level low is asked for")
        return out
    budget: Limit = ("emulate", "a number of tokens to think with is asked for")
    for effort in ("", ".minimal", ".xhigh", ".max"):
        out[f"reasoning.effort{effort}"] = budget
    out["reasoning.on"] = None
    most = request.reasoning.budget if request.reasoning is not None else None
    out["reasoning.budget"] = None if most is None or most <= MOST_BUDGET else budget
    if pro:
        out["reasoning.off"] = ("emulate", "the model always thinks: as little as it can is asked for")
    return out


def _results(version: float, asked: frozenset[str]) -> dict[str, Limit | None]:
    if version >= 3:
        return {}
    apart: Limit = ("emulate", "media stand beside the function's result, which can hold none")
    out: dict[str, Limit | None] = {
        name: apart for name in asked if name.startswith("tool.") and name.count(".") == 2
    }
    out["tool_loop.unsigned"] = None
    return out
