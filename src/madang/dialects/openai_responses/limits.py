"""What the column `OPENAI_RESPONSES` of `losses.py` says, made exact for one model."""

from __future__ import annotations

from collections.abc import Mapping

from madang.core.requests import Request
from madang.dialects import openai_models
from madang.dialects.openai_models import Limit
from madang.dialects.openai_responses.settings import is_plain


def limits(request: Request, model: str, asked: frozenset[str]) -> Mapping[str, Limit | None]:
    """What a model makes of the features asked. `None`: nothing is lost, whatever the column says."""
    out = dict(openai_models.limits(request, model, asked))
    if is_plain(model):
        thoughts = [name for name in asked if name.startswith(("signature.", "reasoning.text"))]
        out.update(dict.fromkeys(thoughts, ("drop", "the model does not reason, and takes no reasoning")))
    return out
