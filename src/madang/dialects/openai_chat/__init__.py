"""OpenAI's chat completions, on the wire, and what their likenesses have added to them.

Source: OpenAI's API reference, "Chat Completions" and "Streaming"; the types of openai-python; where
another provider writes otherwise, the recordings in `shared/recordings`, and the note beside the code.

`content.py` and `media.py`, `reasoning.py` (thoughts and signatures), `tools.py` and `messages.py` are what
is said; `settings.py`, `requests.py`; `usage.py`, `logprobs.py`, `responses.py`, `errors.py`; streams are
read in `stream_parser.py`, written in `stream_renderer.py` and listened to in `streams.py`. Parse stands
beside render. `passing.py` is a request that is only passed on.
"""

from __future__ import annotations

from madang.dialects import names
from madang.dialects.base import Dialect, Endpoint
from madang.dialects.openai_chat.errors import error_status, parse_error, render_error
from madang.dialects.openai_chat.form import NAME
from madang.dialects.openai_chat.requests import parse_request, render_request
from madang.dialects.openai_chat.responses import hear, parse_response, render_response
from madang.dialects.openai_chat.stream_parser import StreamParser
from madang.dialects.openai_chat.stream_renderer import StreamRenderer
from madang.dialects.openai_chat.streams import Tap, render_stream_error

_ENDPOINT = Endpoint("/chat/completions")


def _endpoint(model: str, stream: bool) -> Endpoint:
    return _ENDPOINT


def _tap(withhold: bool) -> Tap:
    return Tap(withhold=withhold)


OPENAI_CHAT = Dialect(
    name=NAME,
    title="OpenAI Chat Completions",
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
