"""GET /v1/models in Anthropic's shape: what is on offer."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.anthropic.errors import unknown_model
from madang.simulator.anthropic.families import Family, family_of
from madang.simulator.controls import MODEL_PREFIX

USUAL: Final = ("claude-opus-5", "claude-sonnet-5", "claude-haiku-4-5-20251001", "sim-echo")
"""Listed where no models were named."""
_CREATED = "2026-03-14T00:00:00Z"
_WINDOW = 200_000


def list_models(models: tuple[str, ...]) -> bytes:
    """All models, on one page."""
    names = models or USUAL
    page = {
        "data": [_model(name) for name in names],
        "has_more": False,
        "first_id": names[0],
        "last_id": names[-1],
    }
    return msgspec.json.encode(page)


def show_model(name: str, models: tuple[str, ...]) -> bytes:
    """One model. Raises ApiError if it is not on offer."""
    find_model(name, models)
    return msgspec.json.encode(_model(name))


def find_model(name: str, models: tuple[str, ...]) -> None:
    """Raises ApiError if the model may not be asked."""
    if models and name not in models and not name.startswith(MODEL_PREFIX):
        raise unknown_model(name)


def _model(name: str) -> dict[str, object]:
    family = family_of(name)
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": _CREATED,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": None,
        "line": None,
        "max_input_tokens": _WINDOW,
        "max_tokens": family.most_output or 64_000,
        "capabilities": _capabilities(family),
    }


def _capabilities(family: Family) -> dict[str, object]:
    yes, no = {"supported": True}, {"supported": False}
    efforts = {name: {"supported": family.effort} for name in ("low", "medium", "high", "xhigh", "max")}
    types = {
        "adaptive": {"supported": family.adaptive},
        "between_tools": yes,
        "disabled": yes,
        "enabled": {"supported": family.manual},
    }
    return {
        "batch": no,
        "citations": yes,
        "code_execution": no,
        "context_management": no,
        "effort": {"supported": family.effort, **efforts},
        "image_input": yes,
        "pdf_input": yes,
        "server_tools": {"supported": True, "web_search": yes, "code_execution": no},
        "structured_outputs": yes,
        "thinking": {"supported": True, "types": types},
    }
