"""A provider's stream → events, and the tap that only listens.

The events of a stream are named; each repeats its name as `type`, which is all that is read here. One
block comes after the other, but there are servers that mix them (two tool calls at once), begin twice,
put thoughts into a block of text, or send a call's arguments with its start or in one piece: all of
that is read for what it means. The way back is in `telling.py`.
"""

from __future__ import annotations

import msgspec

from madang.core.errors import BadRequest, BrokenAnswer
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
from madang.core.messages import Json
from madang.dialects.anthropic.blocks import Block
from madang.dialects.anthropic.errors import WireError, parse_stream_error
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.responses import parse_stop
from madang.dialects.anthropic.usage import WireUsage, parse_usage
from madang.dialects.reading import Members, read_json
from madang.dialects.sse import Splitter, data_of
from madang.dialects.tap import Tap

_HEAD = ("type", "role", "content", "stop_reason", "stop_sequence", "stop_details", "container", "usage")


class StreamParser:
    """Events of an answer. A state machine; bytes may be cut anywhere."""

    __slots__ = ("_begun", "_line", "_out", "_over", "_parts", "_splitter", "_stopped", "_usage")

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._begun = self._stopped = self._over = False
        self._usage: dict[str, Json] = {}
        self._line: list[Block] = []
        """Blocks that have begun and were not told to the end; only the first is being told."""
        self._parts = 0
        self._out: list[Event] = []

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        for event in self._splitter.feed(data):
            if self._over:
                break
            self._hear(event)
        out, self._out = self._out, []
        return out

    def end(self) -> list[Event]:
        """The stream has ended. One that has given its stop reason is whole; servers forget the rest."""
        rest = self._splitter.rest()
        if not self._over and _is_json(data_of(rest)):
            self._hear(rest)
        out, self._out = self._out, []
        if self._over:
            return out
        self._over = True
        if self._stopped:
            return [*out, End()]
        return [*out, Failure(BrokenAnswer("The provider's stream broke off.", code="stream_cut"))]

    def _hear(self, event: bytes) -> None:
        data = data_of(event)
        if not data:
            return
        try:
            message = read_json(data)
            if isinstance(message, dict):
                self._take(message)
        except (BadRequest, ValueError, LookupError, TypeError, AttributeError) as problem:
            self._fail(BrokenAnswer(f"The provider's stream cannot be read: {problem}"))

    def _fail(self, problem: BrokenAnswer) -> None:
        self._over = True
        self._out.append(Failure(problem))

    def _take(self, message: dict[str, Json]) -> None:
        match message.get("type"):
            case "content_block_delta":
                self._delta(message.get("index", 0), message["delta"])
            case "content_block_start":
                self._start(message.get("index", 0), message["content_block"])
            case "content_block_stop":
                self._stop_block(message.get("index", 0))
            case "message_start":
                self._begin(message.get("message") or {})
            case "message_delta":
                self._message_delta(message)
            case "message_stop":
                self._finish()
            case "ping":
                if self._begun:
                    self._out.append(Ping())
            case "error":
                self._over = True
                self._out.append(Failure(parse_stream_error(message.get("error"))))

    def _begin(self, message: dict[str, Json]) -> None:
        if self._begun:
            return
        self._begun = True
        top = Members(message)
        usage = top.object("usage") or {}
        tier = usage.get("service_tier")
        for name in _HEAD:
            top.left.pop(name, None)
        self._out.append(
            Begin(
                id=top.text("id") or "",
                model=top.text("model") or "",
                service_tier=tier if isinstance(tier, str) else None,
                extra=top.extra(NAME),
            )
        )
        self._count(usage)

    def _count(self, wire: Json) -> None:
        if not isinstance(wire, dict) or not wire:
            return
        said = self._usage
        for name, value in wire.items():
            if value is not None or name not in said:
                said[name] = value
        usage, _ = parse_usage(said)
        if usage is not None:
            self._out.append(UsageEvent(usage))

    def _start(self, index: Json, wire: dict[str, Json]) -> None:
        self._begin({})
        if self._stopped:
            return
        self._stop_block(index)
        self._line.append(Block(index, wire))
        if len(self._line) == 1:
            self._tell(self._line[0].begin())

    def _delta(self, index: Json, delta: dict[str, Json]) -> None:
        line = self._line
        if not line or line[0].index != index:
            if self._stopped:
                return
            waiting = next((block for block in line if block.index == index), None)
            if waiting is not None:
                waiting.waiting.append(delta)
                return
            self._start(index, {"type": "thinking" if delta.get("type") == "thinking_delta" else "text"})
            if line[0].index != index:
                line[-1].waiting.append(delta)
                return
        self._tell(line[0].delta(delta))

    def _stop_block(self, index: Json) -> None:
        line = self._line
        for block in line:
            if block.index == index:
                block.closed = True
        while line and line[0].closed:
            self._tell(line.pop(0).end())
            if line:
                self._tell(line[0].begin())
                for delta in line[0].waiting:
                    self._tell(line[0].delta(delta))

    def _tell(self, events: list[PartStart | PartDelta | PartEnd]) -> None:
        """Give a block's events their part's place in the answer."""
        for event in events:
            match event:
                case PartStart(part=part):
                    self._out.append(PartStart(0, self._parts, part))
                    self._parts += 1
                case PartDelta(text=text, signature=signature, signer=signer, citations=citations):
                    place = self._parts - 1
                    self._out.append(PartDelta(0, place, text, signature, signer, citations))
                case PartEnd():
                    self._out.append(PartEnd(0, self._parts - 1))

    def _message_delta(self, message: dict[str, Json]) -> None:
        self._begin({})
        delta = message.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason") is not None and not self._stopped:
            self._stop(delta)
        self._count(message.get("usage"))

    def _stop(self, delta: dict[str, Json]) -> None:
        self._close_all()
        self._stopped = True
        end = parse_stop(Members(delta))
        self._out.append(StopEvent(0, end.stop, end.stop_sequence, end.extra))

    def _close_all(self) -> None:
        for block in list(self._line):
            self._stop_block(block.index)

    def _finish(self) -> None:
        self._begin({})
        if not self._stopped:
            self._stop({})
        self._over = True
        self._out.append(End())


def _is_json(data: bytes) -> bool:
    """Whether an event that was not ended is whole all the same."""
    try:
        read_json(data)
    except ValueError:
        return False
    return True


class _Delta(msgspec.Struct, gc=False):
    stop_reason: str | None = None


class _Message(msgspec.Struct, gc=False):
    usage: WireUsage | None = None


class _Event(msgspec.Struct, gc=False):
    type: str = ""
    message: _Message | None = None
    delta: _Delta | None = None
    usage: WireUsage | None = None
    error: WireError | None = None


_event = msgspec.json.Decoder(_Event)


class MessagesTap(Tap):
    """Listens to a stream. Nothing in it is what only we asked for."""

    __slots__ = ()

    def _hear(self, event: bytes) -> bool:
        if event.startswith(b"event: content_block"):
            return False
        data = data_of(event)
        if not data:
            return False
        try:
            heard = _event.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        self._note(heard)
        return False

    def _note(self, event: _Event) -> None:
        heard = self.heard
        match event.type:
            case "message_start":
                if event.message is not None and event.message.usage is not None and heard.usage is None:
                    heard.usage = event.message.usage.after(None)
            case "message_delta":
                if event.usage is not None:
                    heard.usage = event.usage.after(heard.usage)
                if event.delta is not None and event.delta.stop_reason is not None:
                    heard.stop_reason = event.delta.stop_reason
            case "message_stop":
                self.done = True
            case "error":
                heard.error = (event.error.type if event.error is not None else None) or "api_error"
