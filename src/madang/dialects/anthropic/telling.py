"""Events → a client's stream, in the order that Anthropic's SDKs insist on.

`message_start`; block after block, each begun, filled and stopped; `message_delta` with the stop reason
and the whole usage; `message_stop`. Only the first candidate is told. A thought's signature is the
last of its block, as Anthropic sends it.
"""

from __future__ import annotations

import msgspec

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
)
from madang.core.messages import (
    Citation,
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
from madang.core.responses import Candidate
from madang.dialects.anthropic.citations import render_citation
from madang.dialects.anthropic.content import render_thought, wrapped
from madang.dialects.anthropic.errors import render_stream_error
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.responses import render_head, render_stop, tier_for_client
from madang.dialects.anthropic.tools import render_call
from madang.dialects.anthropic.usage import render_usage
from madang.dialects.base import Answering
from madang.dialects.reading import put

_encode = msgspec.json.Encoder().encode
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
    b'"delta":{"type":"%b","%b":%b}}\n\n'
)
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'


class StreamRenderer:
    """A client's stream. A state machine."""

    __slots__ = (
        "_answering",
        "_begin",
        "_index",
        "_kind",
        "_open",
        "_refused",
        "_signed",
        "_started",
        "_stop",
        "_usage",
        "_wire",
    )

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._begin = Begin()
        self._started = False
        self._index = 0
        self._kind = b""
        """Of which kind the deltas of the part being told are; empty where it has none."""
        self._wire: dict[str, Json] = {}
        """The block as it begins."""
        self._open = False
        """Whether the block's start has been told: an empty one never is."""
        self._signed: Reasoning | None = None
        self._refused = False
        self._stop = StopEvent(0, None)
        self._usage: Usage | None = None

    def render(self, event: Event) -> bytes:
        """The event on the wire."""
        match event:
            case PartDelta():
                return self._start() + self._delta(event) if not event.candidate else b""
            case PartStart():
                return self._start() + self._part(event.part) if not event.candidate else b""
            case PartEnd():
                return self._start() + self._end_part() if not event.candidate else b""
            case StopEvent():
                if not event.candidate:
                    self._stop = event
                return b""
            case UsageEvent():
                self._usage = event.usage
                return self._start()
            case Begin():
                self._begin = event
                # Anthropic tells the prompt's tokens first; others, at the end or never.
                return b"" if event.id.startswith("msg_") else self._start()
            case Ping():
                return self._start() + _PING
            case Failure():
                return render_stream_error(event.error, self._answering.id)
            case End():
                return self._start() + self._end()

    def _start(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        begin = self._begin
        message = render_head(begin.id, begin.model, self._answering)
        message.update(content=[], stop_reason=None, stop_sequence=None)
        message["usage"] = render_usage(self._usage, tier_for_client(begin.service_tier))
        return _event("message_start", {"message": put(message, begin.extra, NAME)})

    def _part(self, part: Part) -> bytes:
        self._open, self._signed, self._kind = False, None, b""
        match part:
            case Text():
                self._begin_block(b"text_delta", put({"type": "text", "text": ""}, part.extra, NAME))
                return self._say(part.text) + self._cite(part.citations)
            case Refusal():
                self._refused = True
                self._begin_block(b"text_delta", {"type": "text", "text": ""})
                return self._say(part.text)
            case Reasoning():
                return self._thought(part)
            case ToolCall():
                call = msgspec.structs.replace(part, arguments="")
                self._begin_block(b"input_json_delta", render_call(call, told=True))
                return self._ensure() + self._say(part.arguments)
            case Opaque():
                return self._opaque(part)
            case Media() | ToolResult():
                return b""

    def _begin_block(self, kind: bytes, wire: dict[str, Json]) -> None:
        self._kind, self._wire = kind, wire

    def _ensure(self) -> bytes:
        if self._open:
            return b""
        self._open = True
        return _event("content_block_start", {"index": self._index, "content_block": self._wire})

    def _thought(self, part: Reasoning) -> bytes:
        if part.redacted:
            self._wire = render_thought(part)
            return self._ensure()
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        self._begin_block(b"thinking_delta", put(empty, part.extra, NAME))
        self._signed = part
        return self._say(part.text)

    def _opaque(self, part: Opaque) -> bytes:
        if part.dialect != NAME:
            return b""
        wire = dict(part.data)
        given = wire.get("input")
        if not isinstance(given, dict):
            self._wire = wire
            return self._ensure()
        self._begin_block(b"input_json_delta", {**wire, "input": {}})
        return self._ensure() + self._say(_encode(given).decode())

    def _say(self, text: str) -> bytes:
        kind = self._kind
        if not text or not kind:
            return b""
        name = b"partial_json" if kind == b"input_json_delta" else kind[:-6]
        return self._ensure() + _DELTA % (self._index, kind, name, _encode(text))

    def _cite(self, citations: tuple[Citation, ...]) -> bytes:
        out = b""
        for citation in citations:
            said = render_citation(citation, told=True)
            if said is not None and self._kind == b"text_delta":
                out += self._ensure()
                out += _DELTA % (self._index, b"citations_delta", b"citation", _encode(said))
        return out

    def _delta(self, delta: PartDelta) -> bytes:
        if delta.signature is not None and self._signed is not None:
            self._signed = msgspec.structs.replace(
                self._signed, signature=delta.signature, signer=delta.signer
            )
        out = self._say(delta.text)
        return out + self._cite(delta.citations) if delta.citations else out

    def _end_part(self) -> bytes:
        out = b""
        thought = self._signed
        if thought is not None and thought.signature is not None:
            out = self._ensure()
            out += _DELTA % (self._index, b"signature_delta", b"signature", _encode(wrapped(thought)))
        if not self._open:
            return out
        out += _STOP % self._index
        self._index += 1
        self._open = False
        return out

    def _end(self) -> bytes:
        stop = self._stop
        refusal = (Refusal(""),) if self._refused else ()
        said = Candidate(parts=refusal, stop=stop.stop, stop_sequence=stop.stop_sequence, extra=stop.extra)
        delta = {"delta": render_stop(said), "usage": render_usage(self._usage)}
        return _event("message_delta", delta) + _event("message_stop", {})


def _event(name: str, members: dict[str, Json]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _encode({"type": name, **members}))
