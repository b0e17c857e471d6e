"""Anthropic's Messages API, on the wire.

Source: Anthropic's API reference, "Messages" and "Streaming messages" (platform.claude.com, read
2026-11), the types of anthropic-sdk-python 0.121 and 2.11, and the recordings in `shared/recordings`.
Each file parses and renders its own: `requests.py` (with `messages.py`, `settings.py`), `content.py`
(with `media.py`, `citations.py`), `tools.py`, `responses.py` (with `usage.py`, `errors.py`),
`streams.py` (with `blocks.py`; its way back is `telling.py`), `counting.py`. In `adapt.py` (with
`turns.py`, `models.py`) a request from another dialect becomes one that a Claude model takes, and
`limits.py` says what that costs.
"""

from __future__ import annotations

from madang.dialects import names
from madang.dialects.anthropic.errors import error_status, parse_error, render_error, render_stream_error
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.requests import parse_request, render_request
from madang.dialects.anthropic.responses import hear, parse_response, render_response
from madang.dialects.anthropic.streams import MessagesTap, StreamParser
from madang.dialects.anthropic.telling import StreamRenderer
from madang.dialects.base import Dialect, Endpoint

_ENDPOINT = Endpoint("/messages")


def _endpoint(model: str, stream: bool) -> Endpoint:
    return _ENDPOINT


def _tap(withhold: bool) -> MessagesTap:
    return MessagesTap(withhold=withhold)


ANTHROPIC = Dialect(
    name=NAME,
    title="Anthropic Messages",
    parse_request=parse_request,
    render_request=render_request,
    endpoint=_endpoint,
    parse_response=parse_response,
    render_response=names.told_whole(render_response),
    stream_parser=StreamParser,
    stream_renderer=names.told_streamed(StreamRenderer),
    parse_error=parse_error,
    render_error=render_error,
    render_stream_error=render_stream_error,
    error_status=error_status,
    hear=hear,
    tap=_tap,
)
