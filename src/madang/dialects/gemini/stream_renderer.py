"""A client's stream, written: events become chunks. The wire's ways are told in `streams.py`."""

from __future__ import annotations

import msgspec

from madang.core.errors import CallError
from madang.core.events import (
    Begin,
    End,
    Event,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    Ping,
    StopEvent,
    UsageEvent,
    merge,
)
from madang.core.messages import (
    Citation,
    Extra,
    Json,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.record import Usage
from madang.core.responses import Response, TokenLogprob
from madang.dialects.base import Answering
from madang.dialects.gemini.content import render_answer_part
from madang.dialects.gemini.errors import error_body, render_stream_error
from madang.dialects.gemini.grounding import FIELD, metadata_of, with_words
from madang.dialects.gemini.logprobs import render_logprobs
from madang.dialects.gemini.responses import (
    finish_word,
    render_counts,
    render_head,
)
from madang.dialects.gemini.spelling import NAME
from madang.dialects.reading import put, write_json


class _Told:
    """A candidate being told."""

    __slots__ = (
        "arguments",
        "citations",
        "held",
        "last",
        "logprobs",
        "part",
        "signature",
        "signer",
        "stop",
        "told",
        "words",
    )

    def __init__(self) -> None:
        self.part: Part | None = None
        self.words: list[str] = []
        self.held = ""
        """The last words of a thought, until it is known whether a signature follows: LlamaIndex drops a
        thought of no words (0.11.3), and with it a signature that comes by itself."""
        self.arguments: list[str] = []
        self.citations: list[Citation] = []
        self.signature: str | None = None
        self.signer: str | None = None
        self.logprobs: list[TokenLogprob] = []
        self.told: list[list[str] | None] = []
        """The parts that the client has, as it will join them, with their words if they are text."""
        self.last: str | None = None
        """The kind of the last of them, as long as more of that kind would be joined to it."""
        self.stop: StopEvent | None = None


class Renderer:
    """From events to a client's stream."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._candidates: dict[int, _Told] = {}
        self._begin = Begin()
        self._usage: Usage | None = None
        self._count = 0
        self._head: dict[str, Json] = {}
        self._tail = self._first = b""
        """How every chunk ends, and how the first does."""

    def render(self, event: Event) -> bytes:
        """The event on the wire."""
        match event:
            case PartDelta():
                return self._delta(event)
            case PartStart():
                return self._start(event)
            case PartEnd():
                return self._end_part(event)
            case StopEvent():
                self._one(event.candidate).stop = event
            case UsageEvent():
                self._usage = event.usage
            case Begin():
                self._begun(event)
            case Ping():
                pass  # Google's SDK for Python reads a comment as an answer, and fails
            case Failure():
                return self._failure(event.error)
            case End():
                return self._end(event)
        return b""

    def _one(self, number: int) -> _Told:
        one = self._candidates.get(number)
        if one is None:
            one = self._candidates[number] = _Told()
        return one

    def _begun(self, begin: Begin) -> None:
        self._begin = begin
        head = Response(id=begin.id, model=begin.model, created=begin.created, extra=begin.extra)
        self._head = render_head(head, self._answering)
        self._tail = b"," + write_json(self._head)[1:]
        self._first = self._tail
        if begin.service_tier is not None:  # each chunk of Google's says it, and it is known at the start
            tier = render_counts(None, begin.service_tier)
            self._first = b"," + write_json({"usageMetadata": tier, **self._head})[1:]

    def _start(self, event: PartStart) -> bytes:
        one, part = self._one(event.candidate), event.part
        one.part = part
        one.words = []
        match part:
            case Text():
                one.citations = list(part.citations)
            case Reasoning():
                one.signature, one.signer = part.signature, part.signer
            case ToolCall(arguments=arguments):
                one.signature, one.signer = part.signature, part.signer
                one.arguments = [arguments]
            case Refusal() | Media() | Opaque() | ToolResult():
                pass
        if isinstance(part, Text | Reasoning | Refusal) and part.text:
            return self._words(event.candidate, one, part.text)
        return b""

    def _delta(self, event: PartDelta) -> bytes:
        one = self._one(event.candidate)
        if event.logprobs:
            one.logprobs.extend(event.logprobs)
        if event.citations:
            one.citations.extend(event.citations)
        if event.signature is not None:
            one.signature, one.signer = event.signature, event.signer
        if not event.text:
            return b""
        if isinstance(one.part, ToolCall):
            one.arguments.append(event.text)
            return b""
        return self._words(event.candidate, one, event.text)

    def _words(self, number: int, one: _Told, text: str) -> bytes:
        thought = isinstance(one.part, Reasoning)
        border = b""
        if not one.words:
            border = self._border(number, one, "thought" if thought else "text")
        one.words.append(text)
        if thought:
            before = self._release(number, one)
            one.held = text
            return border + before
        return border + self._piece(number, {"text": text})

    def _release(self, number: int, one: _Told) -> bytes:
        held, one.held = one.held, ""
        return self._piece(number, {"thought": True, "text": held}) if held else b""

    def _border(self, number: int, one: _Told, kind: str | None) -> bytes:
        """The beginning of a part; an empty piece, where its words would be joined to the last part's."""
        joined = kind is not None and one.last == kind
        one.last = kind
        one.told.append(one.words if kind == "text" else None)
        if not joined:
            return b""
        return self._piece(number, {"thought": True, "text": ""} if kind == "thought" else {"text": ""})

    def _end_part(self, event: PartEnd) -> bytes:
        one = self._one(event.candidate)
        part, number = one.part, event.candidate
        one.part = None
        match part:
            case Text():
                return self._end_text(number, one, merge(part.extra, event.extra))
            case Reasoning():
                return self._end_thought(number, one, part, event.extra)
            case ToolCall():
                whole = msgspec.structs.replace(
                    part,
                    arguments="".join(one.arguments),
                    signature=one.signature,
                    signer=one.signer,
                    extra=merge(part.extra, event.extra),
                )
                return self._part(number, one, whole)
            case Media():
                return self._part(
                    number, one, msgspec.structs.replace(part, extra=merge(part.extra, event.extra))
                )
            case Opaque():
                return self._part(number, one, part)
            case Refusal() | ToolResult() | None:
                return b""

    def _part(self, number: int, one: _Told, part: Part) -> bytes:
        rendered = render_answer_part(part)
        if rendered is None:
            return b""
        self._border(number, one, None)
        return self._piece(number, rendered)

    def _end_text(self, number: int, one: _Told, extra: Extra) -> bytes:
        rest = put({"text": ""}, extra, NAME)
        more: dict[str, Json] = {}
        if one.citations and one.words:
            text = Text("".join(one.words), tuple(one.citations))
            more[FIELD] = metadata_of([(len(one.told) - 1, text)])
        if not more and len(rest) == 1:
            return b""
        one.last = None
        return self._piece(number, rest, more)

    def _end_thought(self, number: int, one: _Told, part: Reasoning, extra: Extra) -> bytes:
        if one.signature is None:
            return self._release(number, one)
        border = b"" if one.words else self._border(number, one, "thought")
        one.last = None
        held, one.held = one.held, ""
        last = msgspec.structs.replace(
            part, text=held, signature=one.signature, signer=one.signer, extra=merge(part.extra, extra)
        )
        one.signature = one.signer = None
        rendered = render_answer_part(last)
        return border + self._piece(number, rendered) if rendered is not None else b""

    def _piece(self, number: int, part: dict[str, Json], more: dict[str, Json] | None = None) -> bytes:
        if more:
            content = {"parts": [part], "role": "model"}
            return self._chunk({"candidates": [{"content": content, **more, "index": number}]})
        return self._framed(
            b'{"candidates":[{"content":{"parts":[%b],"role":"model"},"index":%d}]%b'
            % (write_json(part), number, self._tail if self._count else self._first)
        )

    def _chunk(self, chunk: dict[str, Json]) -> bytes:
        return self._framed(write_json({**chunk, **self._head}))

    def _framed(self, chunk: bytes) -> bytes:
        self._count += 1
        if not self._answering.as_list:
            return b"data: %b\r\n\r\n" % chunk
        return b"[%b" % chunk if self._count == 1 else b"\n,\r\n%b" % chunk

    def _failure(self, problem: CallError) -> bytes:
        held = b"".join([self._release(number, one) for number, one in self._candidates.items()])
        if not self._answering.as_list:
            return held + render_stream_error(problem, "")
        return held + self._framed(write_json(error_body(problem, ""))) + b"\n]"

    def _end(self, end: End) -> bytes:
        out: dict[str, Json] = {}
        candidates = [
            self._stopped(number, one)
            for number, one in sorted(self._candidates.items())
            if not _is_blocked(one)
        ]
        if candidates:
            out["candidates"] = candidates
        usage = render_counts(self._usage, self._begin.service_tier)
        if usage is not None:
            out["usageMetadata"] = usage
        left = merge(self._begin.extra, end.extra)
        last = self._framed(write_json(put({**out, **self._head}, left, NAME)))
        return last + b"\n]" if self._answering.as_list else last

    def _stopped(self, number: int, one: _Told) -> dict[str, Json]:
        # With a part, though there is nothing to say: Google's SDKs hold a chunk without parts for a
        # broken answer, and drop the whole turn from their history.
        content: dict[str, Json] = {"parts": [{"text": ""}], "role": "model"}
        out: dict[str, Json] = {"content": content if one.told else {"role": "model"}}
        stop = one.stop
        if stop is not None:
            if stop.stop is not None:
                out["finishReason"] = finish_word(stop.stop, stop.extra)
            own = stop.extra.get(NAME, {}).get(FIELD)
            if isinstance(own, dict):
                told = ["".join(words) if words is not None else None for words in one.told]
                out[FIELD] = with_words(own, told)
        out["index"] = number
        if one.logprobs:
            out["logprobsResult"] = render_logprobs(one.logprobs, {})
        return put(out, stop.extra, NAME) if stop is not None else out


def _is_blocked(one: _Told) -> bool:
    return one.stop is not None and "$blocked" in one.stop.extra.get(NAME, {})
