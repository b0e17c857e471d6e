"""`thinking` and `output_config.effort`: whether the model thinks, how much of it, and what is shown."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.anthropic.errors import invalid
from madang.simulator.anthropic.families import Family
from madang.simulator.anthropic.fields import Fields

_LEAST_BUDGET = 1024
_EFFORTS: Final = {"low": 12, "medium": 24, "high": 48, "xhigh": 96, "max": 192}
"""Tokens thought; far fewer than a model's, so that answers stay readable."""
_USUAL = 24
_TOO_LARGE = (
    "`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size"
)
_NOT_MANUAL = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.'
)


class Thinking(msgspec.Struct, frozen=True):
    """How the model thinks."""

    tokens: int = 0
    budget: int | None = None
    """Set in manual mode only."""
    shown: bool = True

    @property
    def on(self) -> bool:
        """Whether it thinks at all."""
        return self.tokens > 0


def read_thinking(request: Fields, family: Family, max_tokens: int | None) -> Thinking:
    """What the request says about thinking. Raises ApiError."""
    effort = _effort(request, family)
    config = request.section("thinking")
    if config is None:
        return Thinking(effort if family.thinks_unasked else 0, shown=not family.hides_thoughts)
    kind = config.tag(("enabled", "disabled", "adaptive", "between_tools"))
    config = config.tagged(kind)
    config.refuse_unknown(
        {"enabled": ("type", "budget_tokens", "display"), "adaptive": ("type", "display")}.get(
            kind, ("type",)
        )
    )
    shown = config.one_of("display", ("summarized", "omitted")) if "display" in config else None
    visible = not family.hides_thoughts if shown is None else shown == "summarized"
    if kind == "adaptive":
        if not family.adaptive:
            invalid("adaptive thinking is not supported on this model")
        return Thinking(effort, shown=visible)
    if kind != "enabled":
        return Thinking(shown=visible)
    if not family.manual:
        invalid(_NOT_MANUAL)
    config.needed("budget_tokens")
    budget = config.integer("budget_tokens", _LEAST_BUDGET) or 0
    if max_tokens is not None and max_tokens <= budget:
        invalid(_TOO_LARGE)
    return Thinking(effort, budget, visible)


def _effort(request: Fields, family: Family) -> int:
    config = request.section("output_config")
    if config is None:
        return _USUAL
    config.refuse_unknown(("effort", "format", "task_budget"))
    if "effort" not in config:
        return _USUAL
    if not family.effort:
        invalid("This model does not support the effort parameter.")
    return _EFFORTS[config.one_of("effort", tuple(_EFFORTS))]
