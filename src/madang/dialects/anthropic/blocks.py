"""A content block as it grows in a stream.

Its events name no part yet: `streams.py` gives each the place it has in the answer. A block of words
may turn out to hold thoughts, and then becomes several parts; one of a kind unknown here, and what ran
at Anthropic, is told whole at its end.
"""

from __future__ import annotations

import msgspec

from madang.core.events import PartDelta, PartEnd, PartStart
from madang.core.messages import Citation, Json, Part, Reasoning, Text
from madang.dialects.anthropic.citations import parse_citation
from madang.dialects.anthropic.content import parse_text, parse_thinking, unwrapped
from madang.dialects.anthropic.messages import parse_content
from madang.dialects.anthropic.tools import parse_call
from madang.dialects.reading import Members, json_text, read_json

Events = list[PartStart | PartDelta | PartEnd]

_END = PartEnd(0, 0)
_WORDS = {"text_delta": "text", "citations_delta": "text", "thinking_delta": "thinking"}
_WORDS["signature_delta"] = "thinking"


class Block:
    """A block that has begun."""

    __slots__ = ("_grown", "_input", "_json", "_kind", "_open", "_wire", "closed", "index", "waiting")

    def __init__(self, index: Json, wire: dict[str, Json]) -> None:
        self.index = index
        self.closed = False
        self.waiting: list[dict[str, Json]] = []
        """Deltas that came while another block was being told."""
        kind = wire["type"]
        self._kind = kind if kind in ("text", "thinking", "tool_use") else "whole"
        self._wire = wire
        self._open: str | None = None
        """Of which kind the part is that has begun and not ended."""
        self._grown = False
        """Whether any part has begun."""
        self._input: Json = wire.get("input")
        self._json: list[str] = []

    def begin(self) -> Events:
        """The block's turn has come. Words wait for the first of them, to see of which kind they are."""
        match self._kind:
            case "tool_use":
                return self._begin_call()
            case "text" | "thinking" if self._wire.get(self._kind) or self._wire.get("citations"):
                return self._ensure(self._kind)
            case _:
                return []

    def _begin_call(self) -> Events:
        wire = {name: value for name, value in self._wire.items() if name != "type"}
        wire["input"] = {}
        call, thoughts = parse_call(Members(wire, "content_block"))
        events: Events = []
        for thought in thoughts:
            events += [PartStart(0, 0, thought), _END]
        self._open, self._grown = "tool_use", True
        events.append(PartStart(0, 0, msgspec.structs.replace(call, arguments="")))
        return events

    def delta(self, delta: dict[str, Json]) -> Events:
        """More of the block."""
        kind = delta.get("type")
        if self._kind == "whole":
            self._grow(delta)
            return []
        if kind == "input_json_delta":
            return self._more_arguments(delta["partial_json"])
        if self._kind == "tool_use":
            return []
        match kind:
            case "text_delta":
                return self._say("text", PartDelta(0, 0, _text(delta["text"])))
            case "thinking_delta":
                return self._say("thinking", PartDelta(0, 0, _text(delta["thinking"])))
            case "citations_delta":
                citations: tuple[Citation, ...] = (parse_citation(delta["citation"], "citation"),)
                return self._say("text", PartDelta(0, 0, citations=citations))
            case "signature_delta" if delta["signature"]:
                return self._sign(_text(delta["signature"]))
            case _:
                return []

    def _sign(self, signature: str) -> Events:
        thought = unwrapped(signature)
        delta = PartDelta(0, 0, signature=thought.signature, signer=thought.signer)
        return self._say("thinking", delta)

    def _say(self, kind: str, delta: PartDelta) -> Events:
        events = self._ensure(kind)
        events.append(delta)
        return events

    def _ensure(self, kind: str) -> Events:
        """Let a part of this kind be open."""
        if self._open == kind:
            return []
        events: Events = [_END] if self._open is not None else []
        self._open = kind
        events.append(PartStart(0, 0, self._part(kind)))
        self._grown = True
        return events

    def _part(self, kind: str) -> Part:
        if kind != self._kind or self._grown:
            return Text("") if kind == "text" else Reasoning()
        wire = {kind: "", **self._wire}
        del wire["type"]
        if not wire.get("citations"):
            wire.pop("citations", None)
        block = Members(wire, "content_block")
        return parse_text(block) if kind == "text" else parse_thinking(block)

    def _more_arguments(self, piece: str) -> Events:
        if self._kind != "tool_use" or not piece:
            return []
        self._json.append(piece)
        return [PartDelta(0, 0, _text(piece))]

    def _grow(self, delta: dict[str, Json]) -> None:
        """A delta of a block that is told whole: input as text, anything else member by member."""
        if delta.get("type") == "input_json_delta":
            self._json.append(_text(delta["partial_json"]))
            return
        wire = self._wire = dict(self._wire)
        for name, value in delta.items():
            if name == "type":
                continue
            before = wire.get(name)
            if isinstance(before, str) and isinstance(value, str):
                value = before + value
            wire[name] = value

    def end(self) -> Events:
        """The block is whole."""
        match self._kind:
            case "tool_use":
                said: Events = [] if self._json else [PartDelta(0, 0, _arguments(self._input))]
                return [*said, _END]
            case "text" | "thinking":
                events = [] if self._grown else self._ensure(self._kind)
                return [*events, _END]
            case _:
                return self._whole()

    def _whole(self) -> Events:
        wire = self._wire
        if self._json and (found := _read(self._json)) is not None:
            wire = {**wire, "input": found}
        parts, _ = parse_content([wire], "content_block")
        events: Events = []
        for part in parts:
            events += [PartStart(0, 0, part), _END]
        return events


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("a delta's words are no text")
    return value


def _arguments(value: Json) -> str:
    if value is None:
        return "{}"
    return value if isinstance(value, str) else json_text(value)


def _read(pieces: list[str]) -> Json:
    try:
        return read_json("".join(pieces))
    except ValueError:
        return None
