"""What a dialect is: a value of plain functions between wire bytes and `core`'s own messages.

The same value serves both edges: towards a client, `parse_request` and `render_response`; towards a
provider, `render_request` and `parse_response`. A dialect knows nothing of any other one. What it
cannot say it leaves out or says in another way, exactly as its column in `losses.py` declares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from madang.core.errors import CallError, ProviderError
from madang.core.events import Event
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects.tap import Heard, Tap


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """What a renderer of answers knows besides the answer."""

    request: Request
    """What the client asked, in our form."""
    id: str
    """For an answer whose provider gave none."""
    created: int
    """Seconds since 1970-01-01 UTC, likewise."""
    asks_usage: bool = True
    """Whether the client wants a stream's usage (OpenAI's `stream_options.include_usage`)."""
    as_list: bool = False
    """Whether a stream is to be one JSON list instead of events (Gemini without `alt=sse`)."""


class StreamParser(Protocol):
    """From a provider's bytes to events. A state machine; bytes may be cut anywhere."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. What cannot be read becomes a `Failure`, and then nothing."""

    def end(self) -> list[Event]:
        """The stream has ended: `End`, if it has not come already, or a `Failure` where it broke off."""


class StreamRenderer(Protocol):
    """From events to a client's bytes, in the order the dialect's clients insist on."""

    def render(self, event: Event) -> bytes:
        """The event on the wire; often nothing at all. `Failure` and `End` are rendered too."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where a dialect's requests for an answer go."""

    path: str
    """Below the provider's root: `/chat/completions`."""
    query: bytes = b""


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """A dialect."""

    name: str
    """As in records and losses, and in `extra`: `openai_chat`, `openai_responses`, `anthropic`, `gemini`."""
    title: str
    """For people."""

    parse_request: Callable[[bytes, str | None, bool | None], Request]
    """Body, and model and stream where the path says them. Raises `BadRequest`, with `param`."""
    render_request: Callable[[Request, str], bytes]
    """For a target that calls the model so. Never raises: `losses.find` has been asked before."""
    endpoint: Callable[[str, bool], Endpoint]
    """For a model, and whether a stream is wanted."""

    parse_response: Callable[[bytes], Response]
    """Raises `BrokenAnswer`."""
    render_response: Callable[[Response, Answering], bytes]
    stream_parser: Callable[[], StreamParser]
    stream_renderer: Callable[[Answering], StreamRenderer]

    parse_error: Callable[[int, bytes], ProviderError]
    """From a status of 400 and more and its body, which may be anything."""
    render_error: Callable[[CallError, str], bytes]
    """The body for an error; the second argument is the request's id."""
    render_stream_error: Callable[[CallError, str], bytes]
    """The end of a stream of events that broke."""
    error_status: Callable[[CallError], int]
    """The HTTP status that the dialect's clients expect for an error."""

    hear: Callable[[bytes], Heard]
    """For the meter, of an answer that passes: usage, stop reason, error. Never raises."""
    tap: Callable[[bool], Tap]
    """The same for a stream; the flag: withhold what only we asked for."""
