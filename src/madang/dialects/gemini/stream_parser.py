"""A provider's stream, read: chunks become events. The wire's ways are told in `streams.py`."""

from __future__ import annotations

import msgspec

from madang.core.errors import BadRequest, BrokenAnswer, CallError
from madang.core.events import (
    Begin,
    End,
    Event,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    StopEvent,
    UsageEvent,
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
from madang.dialects.gemini.content import OWN, parse_part
from madang.dialects.gemini.errors import error_of
from madang.dialects.gemini.grounding import FIELD, citations_of, metadata_of, without_words
from madang.dialects.gemini.logprobs import parse_logprobs
from madang.dialects.gemini.responses import (
    BLOCKED,
    is_blocked,
    nameless,
    parse_time,
    read_usage,
    stop_left,
)
from madang.dialects.gemini.spelling import NAME
from madang.dialects.gemini.tools import Calls
from madang.dialects.reading import read_json
from madang.dialects.sse import Splitter, data_of

_MOST = 128
"""Candidates that an answer may have: Google gives eight at most."""


class _Heard:
    """A candidate being heard."""

    __slots__ = (
        "calls",
        "cited",
        "ended",
        "extra",
        "index",
        "kind",
        "left",
        "number",
        "texts",
        "word",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.index = -1
        self.kind: str | None = None
        """Of the part that is open: `text` or `thought`; all others come whole."""
        self.ended = False
        """Whether more words of that kind are a part of their own: it is signed, or an empty piece came."""
        self.extra: dict[str, Json] = {}
        """For that part."""
        self.texts: list[list[str] | None] = []
        """The words of each part that is text."""
        self.cited: list[Citation] = []
        self.calls = False
        self.word: str | None = None
        self.left: dict[str, Json] = {}


class Parser:
    """From a provider's stream to events."""

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._candidates: dict[int, _Heard] = {}
        self._calls = Calls()
        self._begun = False
        self._over = False
        self._left: dict[str, Json] = {}

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        out: list[Event] = []
        for block in self._splitter.feed(data):
            self._block(block, out)
        return out

    def end(self) -> list[Event]:
        """What is still open is closed, if it was whole."""
        out: list[Event] = []
        rest = self._splitter.rest()
        if rest:
            self._block(rest, out)
        if self._over:
            return out
        self._over = True
        if not self._candidates and self._begun and is_blocked(self._left):
            out.append(StopEvent(0, BLOCKED.stop, extra=BLOCKED.extra))
        elif not self._candidates or any(one.word is None for one in self._candidates.values()):
            cut = BrokenAnswer("The provider's answer ended before it was whole.", code="stream_cut")
            out.append(Failure(cut))
            return out
        for one in self._candidates.values():
            self._close(one, out)
            out.append(self._stop(one))
        out.append(End({NAME: self._left} if self._left else {}))
        return out

    def _block(self, block: bytes, out: list[Event]) -> None:
        # An error may come as bare JSON between the events: that is how Google's own servers break off.
        data = data_of(block) or (block if block.lstrip()[:1] in (b"{", b"[") else b"")
        if self._over or not data:
            return
        try:
            value = read_json(data)
            if isinstance(value, list) and value:
                value = value[0]
            if isinstance(value, dict):
                self._chunk(value, out)
        except (BadRequest, ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
            self._fail(BrokenAnswer(f"A piece of the provider's answer cannot be read: {problem}"), out)

    def _fail(self, problem: CallError, out: list[Event]) -> None:
        self._over = True
        out.append(Failure(problem))

    def _chunk(self, chunk: dict[str, Json], out: list[Event]) -> None:
        error = chunk.get("error")
        if error is not None:
            self._fail(error_of(error if isinstance(error, dict) else {"message": str(error)}), out)
            return
        usage, tier = read_usage(chunk)
        candidates = chunk.pop("candidates", None) or ()
        if not self._begun:
            self._begin(chunk, tier, len(candidates), out)
        elif len(chunk) > 2:
            for name in ("responseId", "modelVersion", "createTime"):
                chunk.pop(name, None)
            self._left.update(chunk)
        for place, candidate in enumerate(candidates):
            self._candidate(candidate, place, out)
        if usage is not None and (usage.input_tokens is not None or usage.output_tokens is not None):
            out.append(UsageEvent(usage))

    def _begin(self, chunk: dict[str, Json], tier: str | None, count: int, out: list[Event]) -> None:
        self._begun = True
        created, moment = parse_time(chunk)
        name, model = (_text(chunk.pop(name, None), name) for name in ("responseId", "modelVersion"))
        self._left = chunk
        notes: dict[str, Json] = {}
        if moment is not None:
            notes["$moment"] = moment
        if unsaid := nameless(name, model):
            notes["$nameless"] = unsaid
        out.append(
            Begin(
                id=name or "",
                model=model or "",
                created=created,
                service_tier=tier,
                candidates=count or 1,
                extra={NAME: notes} if notes else {},
            )
        )

    def _candidate(self, value: dict[str, Json], place: int, out: list[Event]) -> None:
        number = value.pop("index", None)
        number = number if type(number) is int else place
        if not 0 <= number < _MOST:
            raise ValueError("a candidate whose index is none")
        one = self._candidates.get(number)
        if one is None:
            one = self._candidates[number] = _Heard(number)
        content = value.pop("content", None)
        if content is not None:
            self._content(one, content, out)
        word = value.pop("finishReason", None)
        if word is not None:
            one.word = _text(word, "finishReason")
        if value:
            self._rest(one, value, out)

    def _content(self, one: _Heard, content: dict[str, Json], out: list[Event]) -> None:
        for value in content.get("parts") or ():
            text = value.get("text")
            if type(text) is str and len(value) == 1:
                self._say(one, "text", text, out)
            else:
                self._part(one, parse_part(value, "parts", self._calls), out)

    def _part(self, one: _Heard, part: Part, out: list[Event]) -> None:
        match part:
            case Text():
                if part.text or one.kind == "text":
                    self._say(one, "text", part.text, out)
                    self._add_extra(one, part.extra)
                    one.ended = "thoughtSignature" in one.extra
                elif part.extra:
                    self._whole(one, Opaque(NAME, {"text": "", **part.extra[NAME]}), out)
            case Reasoning():
                self._thought(one, part, out)
            case ToolCall(arguments=arguments):
                one.calls = True
                one.ended = False
                self._open(one, msgspec.structs.replace(part, arguments=""), None, out)
                if arguments:
                    out.append(PartDelta(one.number, one.index, arguments))
                out.append(PartEnd(one.number, one.index))
            case Media() | Opaque() | Refusal() | ToolResult():
                self._whole(one, part, out)

    def _thought(self, one: _Heard, part: Reasoning, out: list[Event]) -> None:
        ends = one.kind == "thought" and not one.ended
        if part.signature is None:
            self._say(one, "thought", part.text, out)
        elif part.redacted and not (ends and part.signer == NAME):
            self._whole(one, part, out)
        elif ends or part.text:
            self._say(one, "thought", part.text, out)
            out.append(PartDelta(one.number, one.index, signature=part.signature, signer=part.signer))
            one.ended = True
        else:
            self._open(one, part, "thought", out)
            one.ended = True
        if one.kind == "thought":
            self._add_extra(one, part.extra)

    def _say(self, one: _Heard, kind: str, text: str, out: list[Event]) -> None:
        if not text:
            one.ended = one.ended or one.kind == kind
            return
        if one.kind != kind or one.ended:
            self._open(one, Text("") if kind == "text" else Reasoning(extra=OWN), kind, out)
        if kind == "text" and (words := one.texts[-1]) is not None:
            words.append(text)
        out.append(PartDelta(one.number, one.index, text))

    def _whole(self, one: _Heard, part: Part, out: list[Event]) -> None:
        self._open(one, part, None, out)
        out.append(PartEnd(one.number, one.index))

    def _open(self, one: _Heard, part: Part, kind: str | None, out: list[Event]) -> None:
        self._close(one, out)
        one.index += 1
        one.kind = kind
        one.texts.append([] if kind == "text" else None)
        out.append(PartStart(one.number, one.index, part))

    def _close(self, one: _Heard, out: list[Event]) -> None:
        if one.kind is not None:
            out.append(PartEnd(one.number, one.index, {NAME: one.extra} if one.extra else {}))
        one.kind = None
        one.ended = False
        one.extra = {}
        one.cited = []

    def _add_extra(self, one: _Heard, extra: Extra) -> None:
        for name, value in extra.get(NAME, {}).items():
            one.extra[name] = value

    def _rest(self, one: _Heard, value: dict[str, Json], out: list[Event]) -> None:
        logprobs = parse_logprobs(value)
        if logprobs:
            out.append(PartDelta(one.number, max(one.index, 0), logprobs=logprobs))
        metadata = value.pop(FIELD, None)
        if isinstance(metadata, dict):
            self._sources(one, metadata, out)
        one.left.update(value)

    def _sources(self, one: _Heard, metadata: dict[str, Json], out: list[Event]) -> None:
        texts = ["".join(words) if words is not None else None for words in one.texts]
        here = tuple(citation for place, citation in citations_of(metadata, texts) if place == one.index)
        new = tuple(citation for citation in here if citation not in one.cited)
        if new and one.kind == "text":
            one.cited.extend(new)
            out.append(PartDelta(one.number, one.index, citations=new))
            if metadata == metadata_of([(one.index, Text(texts[one.index] or "", here))]):
                return
        one.left[FIELD] = without_words(metadata, texts)

    def _stop(self, one: _Heard) -> StopEvent:
        stop = stop_left(one.left, one.word, calls=one.calls)
        return StopEvent(one.number, stop, extra={NAME: one.left} if one.left else {})


def _text(value: Json, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"'{name}' is no string")
