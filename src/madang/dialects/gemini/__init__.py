"""Google's Gemini API: `generateContent` and its streams, of the Gemini API and of Vertex AI.

Source: ai.google.dev/api (generate-content, tokens, embeddings), the types of Google's Gen AI SDK
(googleapis/python-genai, 2026-08), and the recordings in `shared/recordings`.
`content.py` (parts; `media.py`, `signatures.py`), `tools.py` (`schema.py`), `requests.py`
(`settings.py`), `responses.py` (`usage.py`, `errors.py`, `grounding.py`, `logprobs.py`, and
`hearing.py` for the meter), `streams.py`: parse beside render. Counting tokens and embeddings have
a file each. That members are spelt in two ways is the matter of `spelling.py`.
"""

from madang.dialects import names
from madang.dialects.base import Dialect
from madang.dialects.gemini.errors import error_status, parse_error, render_error, render_stream_error
from madang.dialects.gemini.hearing import hear
from madang.dialects.gemini.requests import endpoint, parse_request, render_request
from madang.dialects.gemini.responses import parse_response, render_response
from madang.dialects.gemini.spelling import NAME
from madang.dialects.gemini.streams import stream_parser, stream_renderer, tap

GEMINI = Dialect(
    name=NAME,
    title="Google Gemini",
    parse_request=parse_request,
    render_request=render_request,
    endpoint=endpoint,
    parse_response=parse_response,
    render_response=names.told_whole(render_response),
    stream_parser=stream_parser,
    stream_renderer=names.told_streamed(stream_renderer),
    parse_error=parse_error,
    render_error=render_error,
    render_stream_error=render_stream_error,
    error_status=error_status,
    hear=hear,
    tap=tap,
)
