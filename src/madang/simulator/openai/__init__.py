"""OpenAI's API as a dialect of the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from madang.simulator.dialect import Dialect, Page, Reader
from madang.simulator.openai.chat import read_chat
from madang.simulator.openai.embeddings import read_embedding
from madang.simulator.openai.errors import error_body, error_event, error_for, exhausted, no_such
from madang.simulator.openai.headers import answer_headers, authenticate, limit_headers
from madang.simulator.openai.models import find_model, list_models, show_model
from madang.simulator.openai.moderations import read_moderation
from madang.simulator.openai.responses import read_count, read_response
from madang.simulator.openai.responses_shelf import Shelf
from madang.simulator.openai.responses_streams import event
from madang.simulator.options import Options
from madang.simulator.prefixes import Prefixes
from madang.simulator.request import Request


def _event(data: dict[str, object]) -> bytes:
    if str(kind := data.get("type")).startswith("response."):
        return event(str(kind), data)
    return b"data: " + msgspec.json.encode(data) + b"\n"


def _no_marks(request: Request) -> bool:
    """OpenAI's requests carry nothing that others' do not: who asks unmarked asks OpenAI."""
    return False


def _operations(shelf: Shelf, prefixes: Prefixes) -> Mapping[str, Reader]:
    return {
        start + path: reader
        for start in ("", "/v1")
        for path, reader in (
            ("/chat/completions", partial(read_chat, prefixes)),
            ("/responses", partial(read_response, shelf, prefixes)),
            ("/responses/input_tokens", partial(read_count, shelf)),
            ("/embeddings", read_embedding),
            ("/moderations", read_moderation),
        )
    }


def _page(request: Request) -> Page | None:
    path = request.path.removeprefix("/v1")
    if path == "/models":
        return list_models
    name = path.removeprefix("/models/")
    return partial(show_model, name) if name and name != path else None


def open_openai(options: Options) -> Dialect:
    """OpenAI's API for one simulator."""
    shelf = Shelf()
    operations = _operations(shelf, Prefixes(forgetful=options.frozen_time))
    return Dialect(
        marks=_no_marks,
        operation=lambda request: operations.get(request.path),
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
        ping=b": ping\n",
        kept=shelf.visits,
        broken_json=b'data: {"id":"chatcmpl-\n',
    )
