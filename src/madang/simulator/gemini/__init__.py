"""Gemini's API as a dialect of the simulator, as Google AI has it and, in its small differences, Vertex AI.

A stream comes as events or as a JSON array; the array is a dialect of its own, for an error, a ping and
an event look otherwise in it.
"""

from __future__ import annotations

import re
from functools import partial

import msgspec

from madang.simulator.dialect import Dialect, Page, Reader
from madang.simulator.gemini.calls import in_array, read_call
from madang.simulator.gemini.errors import (
    error_body,
    error_event,
    error_for,
    error_item,
    exhausted,
    no_such,
)
from madang.simulator.gemini.headers import answer_headers, authenticate, limit_headers, marks
from madang.simulator.gemini.models import find_model, list_models, show_model
from madang.simulator.gemini.requests import read_target
from madang.simulator.options import Options
from madang.simulator.request import Request

BLANK = b"\r\n"
"""Google sends no comments; its SDK (google-genai 3.4) takes them for data, and passes over blank lines."""
_MODELS = re.compile(r"/(?:v1beta|v1alpha|v1)/models(?:/([^:]+))?")


def _operation(request: Request, *, array: bool) -> Reader | None:
    target = read_target(request.path)
    if target is None:
        return None
    return read_call if array == (target.method == "streamGenerateContent" and in_array(request)) else None


def _page(request: Request) -> Page | None:
    """The models: OpenAI has them below `/v1` too, and the key's place tells the two apart."""
    found = _MODELS.fullmatch(request.path) if marks(request) else None
    if found is None:
        return None
    return list_models if found[1] is None else partial(show_model, found[1])


def _event(data: dict[str, object]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\r\n\r\n"


def _item(data: dict[str, object]) -> bytes:
    return b",\r\n" + msgspec.json.encode(data)


def open_gemini(_: Options) -> Dialect:
    """Gemini's API for one simulator."""
    return Dialect(
        marks=marks,
        operation=partial(_operation, array=False),
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
        ping=BLANK,
        broken_json=b'data: {"candidates": [{"content": {"par\r\n\r\n',
    )


def open_gemini_array(options: Options) -> Dialect:
    """The same, where a stream is a JSON array."""
    return msgspec.structs.replace(
        open_gemini(options),
        operation=partial(_operation, array=True),
        page=lambda _: None,
        error_event=error_item,
        event=_item,
        broken_json=b',\r\n{"candidates": [{"content": {"par',
    )
