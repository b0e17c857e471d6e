"""OpenAI's Responses API, on the wire.

Source: OpenAI's API reference, "Responses" and "Streaming events", the types of its Python SDK
(openai 3.51, 2026-11) and the recordings beside the project, which are of OpenAI, Azure, xAI,
DeepSeek and Bedrock.

A conversation is a list of items, each with a type: `items.py` (and `output.py` for what only
answers have), what stands in a message `content.py`, functions and their results `tools.py`. Around
them `requests.py` with `settings.py`; `responses.py` with `usage.py` and `errors.py`; `streams.py`
reads streams and `stream_renderer.py` writes them.
"""

from __future__ import annotations

from madang.dialects import names
from madang.dialects.base import Dialect, Endpoint
from madang.dialects.openai_responses.content import NAME
from madang.dialects.openai_responses.errors import (
    error_status,
    parse_error,
    render_error,
    render_stream_error,
)
from madang.dialects.openai_responses.requests import parse_request, render_request
from madang.dialects.openai_responses.responses import hear, parse_response, render_response
from madang.dialects.openai_responses.stream_renderer import ResponsesRenderer
from madang.dialects.openai_responses.streams import ResponsesParser, ResponsesTap

_ENDPOINT = Endpoint("/responses")


def _endpoint(model: str, stream: bool) -> Endpoint:
    return _ENDPOINT


def _tap(withhold: bool) -> ResponsesTap:
    return ResponsesTap(withhold=withhold)


OPENAI_RESPONSES = Dialect(
    name=NAME,
    title="OpenAI responses",
    parse_request=parse_request,
    render_request=render_request,
    endpoint=_endpoint,
    parse_response=parse_response,
    render_response=names.told_whole(render_response),
    stream_parser=ResponsesParser,
    stream_renderer=names.told_streamed(ResponsesRenderer),
    parse_error=parse_error,
    render_error=render_error,
    render_stream_error=render_stream_error,
    error_status=error_status,
    hear=hear,
    tap=_tap,
)
