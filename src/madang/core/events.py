"""An answer as it comes, in nobody's dialect; and the law `collect(explode(r)) == r`.

A legal stream is one `Begin`; then for each part `PartStart`, any number of `PartDelta`, `PartEnd`
(of one candidate one part after the other, of several candidates mixed); a `Stop` per candidate;
and `UsageEvent`, `Ping` anywhere after `Begin`. It ends with `End`, or with `Failure` at any place.
A `PartDelta` of nothing but `logprobs` is about its candidate: it may stand anywhere before that one's
`Stop`, whatever its index, but best in the text whose tokens it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from madang.core.errors import CallError
from madang.core.messages import (
    Citation,
    Extra,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.responses import Candidate, Response, Stop, TokenLogprob, Usage


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an answer."""

    id: str = ""
    model: str = ""
    created: int | None = None
    service_tier: str | None = None
    candidates: int = 1
    """How many are to come, as far as is known; more may."""
    extra: Extra = {}


class PartStart(msgspec.Struct, frozen=True):
    """A part begins: with everything that is known of it so far."""

    candidate: int
    index: int
    """The part's place in its candidate: 0, 1, 2, …"""
    part: Part


class PartDelta(msgspec.Struct, frozen=True):
    """More of a part: `text` is added to its words, thoughts or arguments; the rest replaces or adds."""

    candidate: int
    index: int
    text: str = ""
    signature: str | None = None
    signer: str | None = None
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    """Of the candidate."""


class PartEnd(msgspec.Struct, frozen=True):
    """A part is whole."""

    candidate: int
    index: int
    extra: Extra = {}
    """What is known only now, for the part's own `extra`."""


class StopEvent(msgspec.Struct, frozen=True):
    """A candidate has ended."""

    candidate: int
    stop: Stop | None
    stop_sequence: str | None = None
    extra: Extra = {}
    """For the candidate's `extra`."""


class UsageEvent(msgspec.Struct, frozen=True):
    """What has been used so far: later ones replace earlier ones."""

    usage: Usage


class Ping(msgspec.Struct, frozen=True):
    """Still there."""


class Failure(msgspec.Struct, frozen=True):
    """The provider broke off. Nothing comes after it."""

    error: CallError


class End(msgspec.Struct, frozen=True):
    """The answer is whole."""

    extra: Extra = {}
    """What is known only now, for the response's own `extra`."""


Event = Begin | PartStart | PartDelta | PartEnd | StopEvent | UsageEvent | Ping | Failure | End


def explode(response: Response) -> Iterator[Event]:
    """A whole answer as the stream it might have been."""
    yield Begin(
        id=response.id,
        model=response.model,
        created=response.created,
        service_tier=response.service_tier,
        candidates=len(response.candidates),
        extra=response.extra,
    )
    for number, candidate in enumerate(response.candidates):
        yield from _explode_candidate(number, candidate)
    if response.usage is not None:
        yield UsageEvent(response.usage)
    yield End()


def _explode_candidate(number: int, candidate: Candidate) -> Iterator[Event]:
    parts = candidate.parts
    told = next((index for index, part in enumerate(parts) if isinstance(part, Text)), len(parts) - 1)
    for index, part in enumerate(parts):
        yield from _explode_part(number, index, part)
        if index == told and candidate.logprobs:
            yield PartDelta(number, index, logprobs=candidate.logprobs)
        yield PartEnd(number, index)
    if not parts and candidate.logprobs:
        yield PartDelta(number, 0, logprobs=candidate.logprobs)
    yield StopEvent(number, candidate.stop, candidate.stop_sequence, candidate.extra)


def _explode_part(candidate: int, index: int, part: Part) -> Iterator[Event]:
    match part:
        case Text(text=text) | Reasoning(text=text) | Refusal(text=text) if text:
            yield PartStart(candidate, index, msgspec.structs.replace(part, text=""))
            yield PartDelta(candidate, index, text)
        case ToolCall(arguments=arguments) if arguments:
            yield PartStart(candidate, index, msgspec.structs.replace(part, arguments=""))
            yield PartDelta(candidate, index, arguments)
        case Text() | Reasoning() | Refusal() | ToolCall() | Media() | ToolResult() | Opaque():
            yield PartStart(candidate, index, part)


class Collector:
    """Puts a stream together again. Raises the `CallError` of a `Failure`."""

    def __init__(self) -> None:
        self._begin = Begin()
        self._candidates: list[_Growing] = []
        self._usage: Usage | None = None
        self._extra: Extra = {}

    def add(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case PartDelta():
                self._candidate(event.candidate).grow(event)
            case PartStart():
                self._candidate(event.candidate).parts.append(_GrowingPart(event.part))
            case PartEnd():
                self._candidate(event.candidate).parts[event.index].extra = event.extra
            case StopEvent():
                self._candidate(event.candidate).stop = event
            case Begin():
                self._begin = event
                if event.candidates:
                    self._candidate(event.candidates - 1)
            case UsageEvent():
                self._usage = event.usage
            case Failure():
                raise event.error
            case End():
                self._extra = event.extra
            case Ping():
                pass

    def response(self) -> Response:
        """The answer, as far as it has come."""
        begin = self._begin
        return Response(
            id=begin.id,
            model=begin.model,
            created=begin.created,
            candidates=tuple(candidate.whole() for candidate in self._candidates),
            usage=self._usage,
            service_tier=begin.service_tier,
            extra=merge(begin.extra, self._extra),
        )

    def _candidate(self, number: int) -> _Growing:
        while len(self._candidates) <= number:
            self._candidates.append(_Growing())
        return self._candidates[number]


def collect(events: Iterable[Event]) -> Response:
    """The answer a stream was. Raises the `CallError` of a `Failure`."""
    collector = Collector()
    for event in events:
        collector.add(event)
    return collector.response()


def merge(one: Extra, other: Extra) -> Extra:
    """Two extras as one; where both have a member, the later one's."""
    if not other:
        return one
    return {**one, **{dialect: {**one.get(dialect, {}), **more} for dialect, more in other.items()}}


class _GrowingPart:
    __slots__ = ("citations", "extra", "part", "signature", "signer", "texts")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.texts: list[str] = []
        self.citations: list[Citation] = []
        self.signature: str | None = None
        self.signer: str | None = None
        self.extra: Extra = {}

    def whole(self) -> Part:
        part, text = self.part, "".join(self.texts)
        extra = merge(getattr(part, "extra", {}), self.extra)
        match part:
            case Text():
                return msgspec.structs.replace(
                    part,
                    text=part.text + text,
                    citations=(*part.citations, *self.citations),
                    extra=extra,
                )
            case Reasoning():
                return msgspec.structs.replace(part, text=part.text + text, extra=extra, **self._signed(part))
            case ToolCall():
                return msgspec.structs.replace(
                    part, arguments=part.arguments + text, extra=extra, **self._signed(part)
                )
            case Refusal():
                return msgspec.structs.replace(part, text=part.text + text, extra=extra)
            case Media() | ToolResult():
                return msgspec.structs.replace(part, extra=extra)
            case Opaque():
                return part

    def _signed(self, part: Reasoning | ToolCall) -> dict[str, str | None]:
        if self.signature is None:
            return {"signature": part.signature, "signer": part.signer}
        return {"signature": self.signature, "signer": self.signer}


class _Growing:
    __slots__ = ("logprobs", "parts", "stop")

    def __init__(self) -> None:
        self.parts: list[_GrowingPart] = []
        self.logprobs: list[TokenLogprob] = []
        self.stop = StopEvent(0, None)

    def grow(self, delta: PartDelta) -> None:
        if delta.logprobs:
            self.logprobs.extend(delta.logprobs)
        if not self.parts:
            return
        part = self.parts[delta.index]
        if delta.text:
            part.texts.append(delta.text)
        if delta.citations:
            part.citations.extend(delta.citations)
        if delta.signature is not None:
            part.signature, part.signer = delta.signature, delta.signer

    def whole(self) -> Candidate:
        return Candidate(
            parts=tuple(part.whole() for part in self.parts),
            stop=self.stop.stop,
            stop_sequence=self.stop.stop_sequence,
            logprobs=tuple(self.logprobs),
            extra=self.stop.extra,
        )
