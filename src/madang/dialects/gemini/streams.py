"""Streams: `data: {GenerateContentResponse}` events, each with a piece of the parts.

There is no end mark: a stream is whole when every candidate has a `finishReason`. Text comes in
pieces that are to be joined, a call comes whole, and a signature comes on the last piece or on an
empty one after it. Without `alt=sse` the same chunks are the elements of one JSON list.
"""

from __future__ import annotations

from madang.dialects.base import Answering
from madang.dialects.gemini.hearing import listen
from madang.dialects.gemini.stream_parser import Parser
from madang.dialects.gemini.stream_renderer import Renderer
from madang.dialects.sse import data_of
from madang.dialects.tap import Tap


def stream_parser() -> Parser:
    """A parser for one stream."""
    return Parser()


def stream_renderer(answering: Answering) -> Renderer:
    """A renderer for one stream."""
    return Renderer(answering)


class GeminiTap(Tap):
    """Listens to a stream of events, or to one JSON list, which it hears at its end."""

    __slots__ = ()

    def _hear(self, event: bytes) -> bool:
        data = data_of(event) or event
        if data:
            listen(data, self.heard)
            self.done = self.heard.stop_reason is not None
        return False


def tap(withhold: bool) -> Tap:
    """A tap. Gemini always says the usage, so that there is nothing to withhold."""
    return GeminiTap(withhold=withhold)
