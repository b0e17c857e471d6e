"""A provider's stream, read: from chunks to events.

A chunk holds a piece for one choice or several (`stream_choice.py`). Providers leave out `[DONE]`
(Perplexity), repeat the last chunk (OpenRouter) or begin with a chunk about the prompt (Azure).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from madang.core.errors import BadRequest, BrokenAnswer, CallError
from madang.core.events import Begin, End, Event, Failure, UsageEvent
from madang.core.messages import Json
from madang.dialects.openai_chat.errors import read_error
from madang.dialects.openai_chat.form import NAME
from madang.dialects.openai_chat.stream_choice import Choice
from madang.dialects.openai_chat.usage import read_usage
from madang.dialects.sse import Splitter, data_of

T = TypeVar("T")

_decode = msgspec.json.Decoder().decode
_MALFORMED = (
    msgspec.DecodeError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
)
"""What comes of reading a chunk that is not of its shape."""
_MOST = 128
"""Choices that OpenAI gives at most."""
_OF_CHUNK = frozenset(
    ("id", "object", "created", "model", "choices", "usage", "service_tier", "obfuscation", "p", "error")
)
"""Members of a chunk that are read here, and two kinds of padding: OpenAI's `obfuscation`, Mistral's `p`."""


class StreamParser:
    """See `base.StreamParser`."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._choices: dict[int, Choice] = {}
        self._begun = False
        self._over = False
        self._id = ""
        self._early: dict[str, Json] = {}
        """Leftovers of chunks before the first that has a choice."""
        self._late: dict[str, Json] = {}
        """Leftovers that were not known at the beginning."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        out: list[Event] = []
        for event in self._splitter.feed(data):
            if not self._over:
                self._hear(data_of(event), out)
        return out

    def end(self) -> list[Event]:
        """The stream has ended."""
        out: list[Event] = []
        rest = data_of(self._splitter.rest())
        if not self._over and _is_whole(rest):
            self._hear(rest, out)
        if not self._over:
            if self._choices and all(choice.stopped for choice in self._choices.values()):
                self._finish(out)
            else:
                self._fail(BrokenAnswer("The provider's stream ended too early.", code="stream_cut"), out)
        return out

    def _hear(self, data: bytes, out: list[Event]) -> None:
        if not data:
            return
        try:
            if data == b"[DONE]":
                self._finish(out)  # pieces of calls that had to wait are read only now
                return
            chunk = _decode(data)
            if isinstance(chunk, dict):
                self._read(chunk, out)
        except CallError as problem:
            self._fail(problem, out)
        except _MALFORMED:
            self._fail(BrokenAnswer("A piece of the provider's stream cannot be read."), out)

    def _fail(self, problem: CallError, out: list[Event]) -> None:
        self._over = True
        if isinstance(problem, BadRequest):  # the readers of requests and answers are the same
            problem = BrokenAnswer(f"A piece of the provider's stream cannot be read: {problem}")
        out.append(Failure(problem))

    def _finish(self, out: list[Event]) -> None:
        self._over = True
        if not self._begun:
            self._begin({}, out)
        for choice in self._choices.values():
            choice.finish(out)
        out.append(End({NAME: self._late} if self._late else {}))

    def _read(self, chunk: dict[str, Json], out: list[Event]) -> None:
        if chunk.get("error"):
            raise read_error(chunk["error"])
        choices = chunk.get("choices")
        usage = chunk.get("usage")
        if len(chunk) > 5 or not self._begun:
            usage = self._leftovers(chunk, usage)
            if choices and not self._begun:
                self._begin(chunk, out)
        for written in choices or ():
            number = written.get("index") or 0
            if type(number) is not int or not 0 <= number < _MOST:
                raise TypeError("a choice whose index is none")
            choice = self._choices.get(number)
            if choice is None:
                choice = self._choices[number] = Choice(number, f"call_{self._id}_{number}")
            choice.read(written, out)
        if usage:
            if not self._begun:
                self._begin(chunk, out)
            out.append(UsageEvent(read_usage(usage)))

    def _leftovers(self, chunk: dict[str, Json], usage: Json) -> Json:
        """Keep what is left over; the usage, wherever it stands."""
        for name in chunk.keys() - _OF_CHUNK:
            value = chunk[name]
            if name == "x_groq" and isinstance(value, dict) and "usage" in value:
                # Groq puts the usage here, in the last chunk (recorded 2025-02).
                value = value.copy()
                usage = usage or value.pop("usage")
            if not self._begun:
                self._early[name] = value
            elif value is not None and self._early.get(name) != value:
                self._late[name] = value
        return usage

    def _begin(self, chunk: dict[str, Json], out: list[Event]) -> None:
        self._begun = True
        self._id = _of(str, chunk.get("id")) or ""
        out.append(
            Begin(
                id=self._id,
                model=_of(str, chunk.get("model")) or "",
                created=_of(int, chunk.get("created")),
                service_tier=_of(str, chunk.get("service_tier")),
                extra={NAME: self._early} if self._early else {},
            )
        )


def _of(kind: type[T], value: Json) -> T | None:
    return value if isinstance(value, kind) else None


def _is_whole(data: bytes) -> bool:
    """Whether an event that was not ended says something all the same."""
    try:
        return data == b"[DONE]" or isinstance(_decode(data), dict)
    except _MALFORMED:
        return False
