"""OpenAI's API as a dialect of the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from madang.simulator.dialect import Dialect, Page, Reader
from madang.simulator.openai.chat import read_chat
from madang.simulator.openai.embeddings import read_embedding
from madang.simulator.openai.errors import error_body, error_event, error_for, exhausted, no_such
from madang.simulator.openai.headers import answer_headers, authenticate, limit_headers
from madang.simulator.openai.models import find_model, list_models, show_model
from madang.simulator.openai.moderations import read_moderation


def _event(data: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n"


_OPERATIONS: Final[Mapping[str, Reader]] = {
    start + path: reader
    for start in ("", "/v1")
    for path, reader in (
        ("/chat/completions", read_chat),
        ("/embeddings", read_embedding),
        ("/moderations", read_moderation),
    )
}


def _operation(path: str) -> Reader | None:
    return _OPERATIONS.get(path)


def _page(path: str) -> Page | None:
    path = path.removeprefix("/v1")
    if path == "/models":
        return list_models
    name = path.removeprefix("/models/")
    return partial(show_model, name) if name and name != path else None


OPENAI: Final = Dialect(
    operation=_operation,
    page=_page,
    authenticate=authenticate,
    find_model=find_model,
    error_for=error_for,
    no_such=no_such,
    exhausted=exhausted,
    error_body=error_body,
    error_event=error_event,
    event=_event,
    headers=answer_headers,
    limit_headers=limit_headers,
)
