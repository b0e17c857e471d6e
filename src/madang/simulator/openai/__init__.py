"""OpenAI's API as a dialect of the simulator."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.dialect import Dialect
from madang.simulator.openai.chat import read_chat
from madang.simulator.openai.embeddings import read_embedding
from madang.simulator.openai.errors import error_body, error_event, error_for, exhausted
from madang.simulator.openai.headers import answer_headers, authenticate, limit_headers
from madang.simulator.openai.models import find_model, list_models, show_model
from madang.simulator.openai.moderations import read_moderation


def _event(data: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n"


OPENAI: Final = Dialect(
    operations={
        "/chat/completions": read_chat,
        "/embeddings": read_embedding,
        "/moderations": read_moderation,
    },
    pages={"/models": list_models, "/models/": show_model},
    authenticate=authenticate,
    find_model=find_model,
    error_for=error_for,
    exhausted=exhausted,
    error_body=error_body,
    error_event=error_event,
    event=_event,
    headers=answer_headers,
    limit_headers=limit_headers,
)
