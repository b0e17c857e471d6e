"""What the column `OPENAI_CHAT` of `losses.py` says, made exact for one model.

The column is true of a likeness that nobody here knows; OpenAI itself can do more, and Mistral less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from madang.core.requests import Request
from madang.dialects import openai_models
from madang.dialects.openai_chat.models import MISTRAL, maker

_ASKS = ("reasoning.on", "reasoning.off", "reasoning.effort", "reasoning.budget", "reasoning.show")
Limit = tuple[Literal["drop", "emulate"], str]
"""What happens to a feature, and how."""


def limits(request: Request, model: str, asked: frozenset[str]) -> Mapping[str, Limit | None]:
    """What a model makes of the features asked. `None`: nothing is lost, whatever the column says."""
    made = maker(model)
    out: dict[str, Limit | None] = {}
    if made.developer:
        out["developer"] = None
    if made.thoughts:
        out["reasoning.text"] = out["reasoning.on"] = None
    if made.every_effort:
        out.update(
            dict.fromkeys(("reasoning.effort.minimal", "reasoning.effort.xhigh", "reasoning.effort.max"))
        )
    if not made.reasons:
        never: Limit = ("drop", "the model does not reason")
        out.update({name: never for name in asked if name.startswith(_ASKS)})
    if made is MISTRAL:
        unknown = [name for name in asked if name.partition(".")[0] in made.unknown]
        out.update(dict.fromkeys(unknown, ("drop", "Mistral refuses what it does not know")))
        out["tool_call.id"] = out["tool_result"] = (
            "emulate",
            "ids are nine letters and digits here, so others are replaced",
        )
    out = {name: limit for name, limit in out.items() if name in asked}
    return {**out, **openai_models.limits(request, model, asked, chat=True)}
