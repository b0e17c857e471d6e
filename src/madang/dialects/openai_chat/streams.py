"""Streamed answers: a tap that listens while the bytes pass, and the events of our own.

A stream is `data: {chunk}` events and, at its end, `data: [DONE]`. With
`stream_options.include_usage` one more chunk comes before the end, with no choices and the usage
of the whole; a client that did not ask for it does not get it. Whole streams are read in
`stream_parser.py` and written in `stream_renderer.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from madang.core.errors import BrokenAnswer, CallError
from madang.core.record import Usage
from madang.dialects import tap
from madang.dialects.openai_chat.errors import render_error
from madang.dialects.openai_chat.responses import Head, WireError, error_word
from madang.dialects.openai_chat.usage import WireUsage, write_usage
from madang.dialects.sse import data_of

DONE = b"data: [DONE]\n\n"


class _Choice(msgspec.Struct, gc=False):
    finish_reason: str | None = None


class _GroqExtra(msgspec.Struct, gc=False):
    usage: WireUsage | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: WireUsage | None = None
    error: WireError | str | None = None
    x_groq: _GroqExtra | None = None
    """Groq puts the usage here, in the last chunk (recorded 2026; console.groq.com/docs/api-reference)."""


_chunk = msgspec.json.Decoder(_Chunk)


class Tap(tap.Tap):
    """See `tap.Tap`; what is withheld is the usage chunk."""

    __slots__ = ()

    def _hear(self, event: bytes) -> bool:
        """Listen to an event; whether it is the usage chunk and nothing else."""
        data = data_of(event)
        if data == b"[DONE]":
            self.done = True
            return False
        try:
            chunk = _chunk.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        heard = self.heard
        usage = chunk.usage or (chunk.x_groq.usage if chunk.x_groq is not None else None)
        if usage is not None:
            heard.usage = usage.read()
        if chunk.error is not None:
            heard.error = error_word(chunk.error)
        if chunk.choices:
            reason = chunk.choices[0].finish_reason
            if reason is not None:
                heard.stop_reason = reason
            return False
        return chunk.choices is not None and usage is not None


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the first choice's text."""

    text: str = ""
    stop_reason: str | None = None


class _TextDelta(msgspec.Struct, gc=False):
    content: str | None = None


class _TextChoice(msgspec.Struct, gc=False):
    index: int = 0
    delta: _TextDelta | None = None
    finish_reason: str | None = None


class _TextChunk(msgspec.Struct, gc=False):
    choices: list[_TextChoice] = []
    error: WireError | str | None = None


_text_chunk = msgspec.json.Decoder(_TextChunk)


def read_delta(data: bytes) -> Delta | None:
    """The text in a chunk, for a reader of text; `None` if it has none.

    Raises `BrokenAnswer` for a chunk that is an error.
    """
    try:
        chunk = _text_chunk.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if chunk.error is not None:
        raise BrokenAnswer("The provider broke off its answer.", code=error_word(chunk.error))
    for choice in chunk.choices:
        if choice.index == 0:
            text = choice.delta.content if choice.delta is not None else None
            return Delta(text or "", choice.finish_reason)
    return None


def render_stream_error(error: CallError, request_id: str = "") -> bytes:
    """The end of a stream that broke: an error event, as OpenAI's clients raise it, and the end mark."""
    return b"data: " + render_error(error, request_id) + b"\n\n" + DONE


def render_chunks(head: Head, pieces: list[str], usage: Usage | None, finish_reason: str) -> Iterator[bytes]:
    """An answer of our own making as a stream; with `usage` where the client asked for it."""
    for number, piece in enumerate(pieces or [""]):
        role = {"role": "assistant"} if number == 0 else {}
        yield _event(head, {**role, "content": piece}, None)
    yield _event(head, {}, finish_reason)
    if usage is not None:
        yield _data(head, {"choices": [], "usage": write_usage(usage)})
    yield DONE


def _event(head: Head, delta: dict[str, str], finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _data(head, {"choices": [choice]})


def _data(head: Head, rest: dict[str, object]) -> bytes:
    said = {"id": head.id, "object": "chat.completion.chunk", "created": head.created, "model": head.model}
    return b"data: " + msgspec.json.encode({**said, **rest}) + b"\n\n"
