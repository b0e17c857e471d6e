"""What the column `OPENAI_CHAT` of `losses.py` says, made exact for one model.

The column is true of a likeness that nobody here knows; OpenAI itself can do more, and Mistral less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from madang.core.requests import Request
from madang.dialects.openai_chat.models import MISTRAL, maker

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
    if made is MISTRAL:
        out.update(dict.fromkeys(made.unknown & asked, ("drop", "Mistral refuses what it does not know")))
        out["tool_call.id"] = out["tool_result"] = (
            "emulate",
            "ids are nine letters and digits here, so others are replaced",
        )
    return {name: limit for name, limit in out.items() if name in asked}
