"""GET /v1beta/models: what is on offer."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.controls import MODEL_PREFIX
from madang.simulator.gemini.errors import unknown_model
from madang.simulator.gemini.families import family_of

USUAL: Final = (
    "gemini-3.1-pro-preview", "gemini-3.5-flash", "gemini-2.5-flash", "gemini-embedding-001", "sim-echo",
)  # fmt: skip
"""Listed where no models were named."""
_INPUT, _OUTPUT = 1_048_576, 65_536


def list_models(models: tuple[str, ...]) -> bytes:
    """All models, on one page."""
    return _pretty({"models": [_model(name) for name in models or USUAL]})


def show_model(name: str, models: tuple[str, ...]) -> bytes:
    """One model. Raises ApiError if it is not on offer."""
    find_model(name, models)
    return _pretty(_model(name))


def find_model(name: str, models: tuple[str, ...]) -> None:
    """Raises ApiError if the model may not be asked."""
    if models and name not in models and not name.startswith(MODEL_PREFIX):
        raise unknown_model(name)


def _model(name: str) -> dict[str, object]:
    embeds = "embedding" in name
    methods = ["embedContent", "batchEmbedContents"] if embeds else ["generateContent", "countTokens"]
    model: dict[str, object] = {
        "name": "models/" + name,
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "description": "An imitation.",
        "inputTokenLimit": _INPUT,
        "outputTokenLimit": 1 if embeds else _OUTPUT,
        "supportedGenerationMethods": methods,
    }
    if embeds:
        return model
    chosen = {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2}
    return {**model, **chosen, "thinking": family_of(name).thinks}


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
