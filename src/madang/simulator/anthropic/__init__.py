"""Anthropic's API as a dialect of the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from madang.simulator.anthropic.calls import read_count, read_message
from madang.simulator.anthropic.errors import error_body, error_event, error_for, exhausted, no_such
from madang.simulator.anthropic.headers import answer_headers, authenticate, limit_headers, marks
from madang.simulator.anthropic.models import find_model, list_models, show_model
from madang.simulator.anthropic.rendering import BROKEN_JSON, PING, scripted_event
from madang.simulator.dialect import Dialect, Page, Reader
from madang.simulator.options import Options
from madang.simulator.prefixes import Prefixes
from madang.simulator.request import Request


def _page(request: Request) -> Page | None:
    """The models: OpenAI has them at the same place, and the version header tells the two apart."""
    if not marks(request):
        return None
    if request.path == "/v1/models":
        return list_models
    name = request.path.removeprefix("/v1/models/")
    return partial(show_model, name) if name and name != request.path else None


def open_anthropic(options: Options) -> Dialect:
    """Anthropic's API for one simulator."""
    operations: Mapping[str, Reader] = {
        "/v1/messages": partial(read_message, Prefixes(forgetful=options.frozen_time)),
        "/v1/messages/count_tokens": read_count,
    }
    return Dialect(
        marks=marks,
        operation=lambda request: operations.get(request.path),
        page=_page,
        authenticate=authenticate,
        find_model=find_model,
        error_for=error_for,
        no_such=no_such,
        exhausted=exhausted,
        error_body=error_body,
        error_event=error_event,
        event=scripted_event,
        headers=answer_headers,
        limit_headers=limit_headers,
        ping=PING,
        broken_json=BROKEN_JSON,
    )
