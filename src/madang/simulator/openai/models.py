"""GET /v1/models: what is on offer. Without a list of its own the simulator takes any model's name."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.controls import MODEL_PREFIX
from madang.simulator.openai.errors import unknown_model
from madang.simulator.vocabulary import ApiError

USUAL: Final = (
    "gpt-4o-mini", "gpt-4o", "gpt-5-nano", "sim-echo",
    "text-embedding-3-small", "text-embedding-3-large", "omni-moderation-latest",
)  # fmt: skip
"""Listed where no models were named."""
_CREATED = 1_700_000_000


def list_models(models: tuple[str, ...]) -> bytes:
    """All models."""
    return _pretty({"object": "list", "data": [_model(name) for name in models or USUAL]})


def show_model(name: str, models: tuple[str, ...]) -> bytes:
    """One model. Raises ApiError if it is not on offer."""
    if models and name not in models and not name.startswith(MODEL_PREFIX):
        raise ApiError(404, f"The model '{name}' does not exist", param="model", code="model_not_found")
    return _pretty(_model(name))


def find_model(name: str, models: tuple[str, ...]) -> None:
    """Raises ApiError if the model may not be asked."""
    if models and name not in models and not name.startswith(MODEL_PREFIX):
        raise unknown_model(name)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "madang-simulator"}


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
