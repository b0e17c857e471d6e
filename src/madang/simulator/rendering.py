"""From a rendered answer to a plan: the head in front, the faults in it, the frames around it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.dialect import Dialect, StreamParts
from madang.simulator.head import JSON, build_head, http_date
from madang.simulator.latency import parse_duration
from madang.simulator.plan import (
    End,
    Event,
    Plan,
    Spoilers,
    Step,
    before_head,
    disturbed,
    spoiled,
    streamed,
    whole,
)
from madang.simulator.request import Request
from madang.simulator.scenario import Scripted
from madang.simulator.vocabulary import Stamp


class Rendered(msgspec.Struct, frozen=True):
    """An answer in its dialect's words."""

    status: int
    body: bytes | StreamParts
    headers: list[tuple[str, str]] = []
    """Besides those of every answer."""


class Rendering:
    """Makes plans; needs the time for the `date` header only."""

    def __init__(self, second: Callable[[], int]) -> None:
        self._second = second

    def plan(
        self,
        request: Request,
        dialect: Dialect,
        stamp: Stamp,
        rendered: Rendered,
        controls: Controls,
        script: Scripted,
        wait: float,
    ) -> Plan:
        """Which bytes leave when."""
        body, status = rendered.body, rendered.status
        common = [("date", http_date(self._second())), *dialect.headers(stamp, wait)]
        if isinstance(body, bytes):
            body = spoiled(body, controls)
        framing = _framing(request, body, controls)
        head = build_head(status, [*common, *framing, *rendered.headers])
        if (early := before_head(status, head, controls, wait)) is not None:
            return early
        if isinstance(body, bytes):
            planned = _whole(request, status, head, body, controls, wait)
        else:
            error = dialect.error_for(controls.error or 500, controls, "", stamp.request_id)
            broken = body.broken or [dialect.error_event(error, stamp.request_id)]
            spoilers = Spoilers(broken, dialect.ping, dialect.broken_json, body.verbatim)
            events = disturbed(_events(body, controls, script, dialect), controls, spoilers)
            planned = streamed(status, head, events, controls, wait, chunked=not request.http10)
        return planned if request.keep_alive or planned.end is not End.KEEP else _closing(planned)

    def last_words(self, status: int, body: bytes) -> bytes:
        """A whole response after which the connection closes."""
        length = ("content-length", str(len(body)))
        head = build_head(
            status, [("date", http_date(self._second())), ("content-type", JSON), length, _CLOSE]
        )
        return head + body


_CLOSE = ("connection", "close")


def _framing(request: Request, body: bytes | StreamParts, controls: Controls) -> list[tuple[str, str]]:
    kind = controls.content_type or (JSON if isinstance(body, bytes) else body.kind)
    lines = [("content-type", kind)]
    if isinstance(body, bytes):
        lines.append(("content-length", str(len(body))))
    elif not request.http10:
        lines.append(("transfer-encoding", "chunked"))
    if not request.keep_alive or (request.http10 and not isinstance(body, bytes)):
        lines.append(_CLOSE)
    else:
        lines.append(("connection", "keep-alive"))
    return lines


def _whole(request: Request, status: int, head: bytes, body: bytes, controls: Controls, wait: float) -> Plan:
    if request.method == "HEAD":
        return Plan([Step(head, wait)], status)
    return whole(status, head, body, controls, wait)


def _closing(plan: Plan) -> Plan:
    return msgspec.structs.replace(plan, end=End.CLOSE)


def _events(parts: StreamParts, controls: Controls, script: Scripted, dialect: Dialect) -> list[Event]:
    pace, first, raw = controls.pace or 0.0, controls.first_token or 0.0, parts.verbatim
    events = [Event(data, 0.0 if at else first, raw) for at, data in enumerate(parts.opening)]
    if any(not isinstance(item, str) for item in script.stream):
        events += _scripted(parts, pace, script, dialect)
    else:
        events += [Event(data, pace, raw) for data in parts.deltas]
    events += [Event(data, 0.0, raw) for data in parts.closing]
    return events if parts.done is None or controls.no_done else [*events, Event(parts.done, 0.0, raw)]


def _scripted(parts: StreamParts, pace: float, script: Scripted, dialect: Dialect) -> list[Event]:
    """The stream in the script's order: every text is the next delta, the rest is put between them."""
    deltas = iter(parts.deltas)
    events: list[Event] = []
    pause = 0.0
    for item in script.stream:
        if isinstance(item, str):
            events.append(Event(next(deltas, b""), pace + pause, parts.verbatim))
        elif item.pause is not None:
            pause += parse_duration(item.pause)
            continue
        elif item.raw is not None:
            events.append(Event(item.raw.encode(), pause, verbatim=True))
        elif item.event is not None:
            events.append(Event(dialect.event(item.event), pause, parts.verbatim))
        pause = 0.0
    return events + [Event(data, pace, parts.verbatim) for data in deltas]
