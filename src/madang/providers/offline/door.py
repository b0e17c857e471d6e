"""The door of the built-in `offline` model: no network behind it, the same manners before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from madang.core.clock import Ids, now_us
from madang.core.errors import BadRequest, NotFound
from madang.core.record import Usage
from madang.core.secret import Secret
from madang.dialects.openai_chat.responses import Head, render_answer
from madang.dialects.openai_chat.streams import render_chunks
from madang.providers.base import Provider, Row
from madang.providers.offline import Answer, Turn, answer, pieces

Headers = list[tuple[bytes, bytes]]

MODEL = "extractive"
ROW = Row(
    name="offline",
    title="Offline (built in)",
    base_url="",
    models=("offline",),
    signs=False,
    source="docs/offline.md",
)
PROVIDER = Provider(row=ROW, base_url="", key=Secret(""), reason="built in: no key, no network")

_PACE = 0.008
"""Seconds between two pieces of a stream: quick, and still seen to be one."""


class _Part(msgspec.Struct):
    type: str = "text"
    text: str | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Format(msgspec.Struct):
    type: str = "text"


class _Request(msgspec.Struct):
    messages: list[_Message]
    model: str = MODEL
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    response_format: _Format | UnsetType = UNSET


_request = msgspec.json.Decoder(_Request)


class OfflineDoor:
    """Answers chat completions from the text they carry."""

    passes = False

    def __init__(self, pace: float = _PACE) -> None:
        self._ids = Ids("chatcmpl")
        self._pace = pace

    async def send(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> OfflineReply:
        """An answer. Raises `BadRequest` for what cannot be read, `NotFound` for what it cannot do."""
        if (method, path) == ("GET", "/models"):
            return OfflineReply.of(b'{"object":"list","data":[{"id":"%s"}]}' % MODEL.encode())
        if (method, path) != ("POST", "/chat/completions"):
            raise NotFound(
                f"The offline model answers chat completions only, not {method} /v1{path}.",
                code="not_offered_offline",
            )
        request = _read(body)
        # A summary of a long text takes a while: the loop goes on meanwhile.
        said = await asyncio.to_thread(_answer, request)
        usage = Usage(said.input_tokens, said.output_tokens)
        head = Head(self._ids(), now_us() // 1_000_000, MODEL)
        if not request.stream:
            return OfflineReply.of(render_answer(head, said.text, usage, said.stop_reason))
        asked = request.stream_options is not None and request.stream_options.include_usage
        chunks = render_chunks(head, pieces(said.text), usage if asked else None, said.stop_reason)
        return OfflineReply(chunks, b"text/event-stream; charset=utf-8", self._pace)


class OfflineReply:
    """An answer that comes piece by piece, as a provider's does."""

    __slots__ = ("_begun", "_chunks", "_pace", "headers", "status", "whole")

    def __init__(self, chunks: Iterator[bytes], content_type: bytes, pace: float) -> None:
        self.status = 200
        self.headers: Headers = [(b"content-type", content_type)]
        self.whole = False
        self._chunks = chunks
        self._pace = pace
        self._begun = False

    @classmethod
    def of(cls, body: bytes) -> OfflineReply:
        """A reply that is whole from the start."""
        reply = cls(iter((body,)), b"application/json", 0.0)
        reply.headers.append((b"content-length", str(len(body)).encode()))
        reply.whole = True
        return reply

    async def next(self) -> bytes:
        """The next piece, at the pace of a model; `b""` at the end."""
        if self._begun and self._pace:
            await asyncio.sleep(self._pace)
        self._begun = True
        return next(self._chunks, b"")

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        """Give pieces to `sink` until the end (true) or until it gives false."""
        while data := await self.next():
            if not sink(data):
                return False
        return True

    async def read(self) -> bytes:
        """The rest, at once."""
        return b"".join(self._chunks)

    def close(self) -> None:
        """Say no more."""
        self._chunks = iter(())


def _read(body: bytes) -> _Request:
    try:
        request = _request.decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError) as problem:
        said = str(problem)
        where = said.rpartition("`$.")[2].rstrip("`") if "`$." in said else None
        raise BadRequest(f"The request cannot be read: {said}.", code="invalid_type", param=where) from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest("The request has text that is not valid Unicode.", code="invalid_json") from None
    if not request.messages:
        raise BadRequest("'messages' must not be empty.", code="empty_messages", param="messages")
    if (request.n or 1) != 1:
        raise BadRequest("The offline model gives one answer; leave n out.", code="unsupported", param="n")
    if request.response_format is not UNSET and request.response_format.type != "text":
        raise BadRequest(
            "The offline model writes plain text only; leave response_format out, "
            "or switch a provider on that can do this.",
            code="unsupported",
            param="response_format",
        )
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None and limit < 1:
        raise BadRequest("'max_tokens' must be at least 1.", code="invalid_value", param="max_tokens")
    return request


def _answer(request: _Request) -> Answer:
    turns = [Turn(message.role, _text(message.content)) for message in request.messages]
    stop: Sequence[str] = [request.stop] if isinstance(request.stop, str) else request.stop or ()
    limit = request.max_completion_tokens or request.max_tokens
    return answer(turns, max_tokens=limit, stop=[s for s in stop if s])


def _text(content: str | list[_Part] | None) -> str:
    if isinstance(content, list):
        return "\n".join(part.text for part in content if part.text)
    return content or ""
