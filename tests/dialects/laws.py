"""The laws a codec keeps within its own dialect, each as a function: what is wrong, or `None`."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec

from madang.core.errors import CallError
from madang.core.events import Event, Failure, collect, explode
from madang.core.requests import Request
from madang.core.responses import Response, Usage
from madang.dialects.anthropic import counting as anthropic_counting
from madang.dialects.base import Answering, Dialect
from madang.dialects.every import DIALECTS
from madang.dialects.gemini import counting as gemini_counting
from madang.dialects.gemini import embeddings as gemini_embeddings
from madang.dialects.openai_chat import embeddings as openai_embeddings
from tests.dialects.hub import legal
from tests.dialects.recorded import Recorded

EVERY_BYTE = 3000
"""Bytes of a stream up to which it is fed byte by byte, too."""


def codec(one: Recorded) -> Dialect:
    return DIALECTS[one.dialect]


@cache
def request_of(one: Recorded) -> Request:
    """What was asked, in our form."""
    return codec(one).parse_request(one.request, one.model, one.streamed)


@cache
def response_of(one: Recorded) -> Response:
    """What was answered, as a whole, in our form."""
    return collect(events_of(one)) if one.stream else codec(one).parse_response(one.body)


@cache
def events_of(one: Recorded) -> tuple[Event, ...]:
    """What was streamed, in our form."""
    return tuple(parse(codec(one), [one.body]))


def answering(one: Recorded) -> Answering:
    return Answering(request=request_of(one), id="answer-1", created=1_700_000_000)


def parse(dialect: Dialect, pieces: Iterable[bytes]) -> list[Event]:
    """The events of a stream that comes in pieces."""
    parser = dialect.stream_parser()
    events: list[Event] = []
    for piece in pieces:
        events += parser.feed(piece)
    return events + parser.end()


def render(dialect: Dialect, events: Iterable[Event], answering: Answering) -> bytes:
    """A stream on the wire."""
    renderer = dialect.stream_renderer(answering)
    return b"".join([renderer.render(event) for event in events])


def request_fault(one: Recorded) -> str | None:
    """A request comes out as it went in."""
    request = request_of(one)
    return difference(one.request, codec(one).render_request(request, request.model))


def answer_fault(one: Recorded) -> str | None:
    """So does a whole answer; and the meter hears what the codec reads."""
    dialect, response = codec(one), response_of(one)
    fault = difference(one.body, dialect.render_response(response, answering(one)))
    return fault or _meter_fault(dialect.hear(one.body).usage, response.usage)


def stream_fault(one: Recorded) -> str | None:
    """A stream is legal, the same wherever it is cut, and the same when rendered and read again."""
    dialect, events = codec(one), events_of(one)
    legal(events)
    if isinstance(events[-1], Failure):
        return f"it ends in {events[-1].error!r}"
    for pieces in cuttings(one.body, one.id):
        if (found := parse(dialect, pieces)) != list(events):
            return f"cut into {len(pieces)} pieces it is another: {_first_difference(events, found)}"
    response = response_of(one)
    again = parse(dialect, [render(dialect, explode(response), answering(one))])
    if collect(legal(again)) != response:
        return f"rendered and read again it is\n{collect(again)}\ninstead of\n{response}"
    return _tap_fault(one, response)


def count_fault(one: Recorded) -> str | None:
    """A question for a count comes out as it went in, and so does the count."""
    model = one.model or ""
    if one.dialect == "gemini":
        asked = gemini_counting.parse_count_request(one.request, model)
        rendered = gemini_counting.render_count_request(asked, asked.model)
        said = json.loads(one.body)["totalTokens"]
        counts = [
            gemini_counting.parse_count(body) for body in (one.body, gemini_counting.render_count(said))
        ]
    else:
        asked = anthropic_counting.parse_count_request(one.request)
        rendered = anthropic_counting.render_count_request(asked, asked.model)
        said = json.loads(one.body)["input_tokens"]
        counts = [
            anthropic_counting.parse_count(body) for body in (one.body, anthropic_counting.render_count(said))
        ]
    return difference(one.request, rendered) or (
        None if counts == [said, said] else f"{said} was read as {counts}"
    )


def vectors_fault(one: Recorded) -> str | None:
    """Texts for vectors come out as they went in, and so do the vectors."""
    if one.dialect == "gemini":
        asked = gemini_embeddings.parse_request(one.request, one.model)
        rendered = gemini_embeddings.render_request(asked, asked.model)
        found = gemini_embeddings.parse_response(one.body)
        told = gemini_embeddings.render_response(found, batch=b'"requests"' in one.request)
    else:
        asked = openai_embeddings.parse_request(one.request)
        rendered = openai_embeddings.render_request(asked, asked.model)
        found = openai_embeddings.parse_response(one.body)
        told = openai_embeddings.render_response(found, asked)
    return difference(one.request, rendered) or difference(one.body, told)


def error_fault(one: Recorded) -> str | None:
    """An error is understood: its status, and a sentence."""
    problem = codec(one).parse_error(one.status, one.body)
    if problem.status != one.status or not problem.message:
        return f"{one.status} was read as {problem.status} {problem.message!r}"
    told = codec(one).parse_error(one.status, codec(one).render_error(problem, "req_1"))
    if (told.message, told.kind, told.code, told.param) != (
        problem.message,
        problem.kind,
        problem.code,
        problem.param,
    ):
        return f"{problem!r} was told as {told!r}"
    return None


def guarded(fault: Callable[[Recorded], str | None]) -> Callable[[Recorded], str | None]:
    """The same, for a table: whatever is raised is a fault."""

    def safe(one: Recorded) -> str | None:
        try:
            return fault(one)
        except (CallError, AssertionError, ValueError, LookupError, TypeError, AttributeError) as problem:
            return f"{type(problem).__name__}: {problem}"

    return safe


FAULTS: dict[str, Callable[[Recorded], str | None]] = {
    "request": guarded(request_fault),
    "answer": guarded(answer_fault),
    "stream": guarded(stream_fault),
    "error": guarded(error_fault),
    "count": guarded(count_fault),
    "vectors": guarded(vectors_fault),
}


def cuttings(stream: bytes, seed: str) -> list[list[bytes]]:
    """A stream in pieces: cut at five sets of places by chance, and a short one at every byte."""
    chance = random.Random(seed)
    out = []
    for pieces in (2, 3, 5, 8, 40):
        places = sorted({0, len(stream), *[chance.randint(0, len(stream)) for _ in range(pieces)]})
        out.append([stream[start:end] for start, end in pairwise(places)])
    if len(stream) <= EVERY_BYTE:
        out.append([stream[place : place + 1] for place in range(len(stream))])
    return out


def difference(before: bytes, after: bytes) -> str | None:
    """Where two bodies differ as JSON; order of members and `1` against `1.0` are no difference."""
    return _difference("", json.loads(before), json.loads(after))


def _difference(path: str, before: Any, after: Any) -> str | None:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *[name for name in after if name not in before]]:
            place = f"{path}.{name}" if path else name
            if name not in before:
                return f"{place} was added: {after[name]!r}"
            if name not in after:
                return f"{place} is missing: {before[name]!r}"
            if fault := _difference(place, before[name], after[name]):
                return fault
        return None
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        faults = (
            _difference(f"{path}.{number}", *pair)
            for number, pair in enumerate(zip(before, after, strict=True))
        )
        return next(filter(None, faults), None)
    if before == after and isinstance(before, bool) == isinstance(after, bool):
        return None
    return f"{path} was {before!r} and is {after!r}"


def _tap_fault(one: Recorded, response: Response) -> str | None:
    tap = codec(one).tap(False)
    passed = b"".join([tap.feed(piece) for piece in cuttings(one.body, one.id)[3]]) + tap.rest()
    if passed != one.body:
        return "the tap changed the bytes"
    return _meter_fault(tap.heard.usage, response.usage)


def _meter_fault(heard: Usage | None, read: Usage | None) -> str | None:
    """The meter needs the counts, not what only one dialect says."""
    counts = [msgspec.structs.replace(usage or Usage(), extra={}) for usage in (heard, read)]
    return None if counts[0] == counts[1] else f"the meter heard {heard}, the codec read {read}"


def _first_difference(expected: Iterable[Event], found: Iterable[Event]) -> str:
    pairs = zip(expected, found, strict=False)
    return next((f"{a!r} became {b!r}" for a, b in pairs if a != b), "one is longer")
