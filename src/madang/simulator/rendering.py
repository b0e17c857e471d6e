"""From a rendered answer to a plan: the head in front, the faults in it, the frames around it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.dialect import Dialect, StreamParts
from madang.simulator.head import EVENT_STREAM, JSON, build_head, http_date
from madang.simulator.latency import parse_duration
from madang.simulator.plan import End, Event, Plan, Step, before_head, disturbed, spoiled, streamed, whole
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
        if (broken := before_head(status, head, controls, wait)) is not None:
            return broken
        if isinstance(body, bytes):
            planned = _whole(request, status, head, body, controls, wait)
        else:
            error = dialect.error_event(dialect.error_for(500, controls, "", stamp.request_id))
            events = disturbed(_events(body, controls, script, dialect), controls, error)
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
    kind = controls.content_type or (JSON if isinstance(body, bytes) else EVENT_STREAM)
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
    pace, first = controls.pace or 0.0, controls.first_token or 0.0
    events = [Event(data, 0.0 if at else first) for at, data in enumerate(parts.opening)]
    if any(not isinstance(item, str) for item in script.stream):
        events += _scripted(parts, pace, script, dialect)
    else:
        events += [Event(data, pace) for data in parts.deltas]
    events += [Event(data) for data in parts.closing]
    return events if parts.done is None or controls.no_done else [*events, Event(parts.done)]


def _scripted(parts: StreamParts, pace: float, script: Scripted, dialect: Dialect) -> list[Event]:
    """The stream in the script's order: every text is the next delta, the rest is put between them."""
    deltas = iter(parts.deltas)
    events: list[Event] = []
    pause = 0.0
    for item in script.stream:
        if isinstance(item, str):
            events.append(Event(next(deltas, b""), pace + pause))
        elif item.pause is not None:
            pause += parse_duration(item.pause)
            continue
        elif item.raw is not None:
            events.append(Event(item.raw.encode(), pause, verbatim=True))
        elif item.event is not None:
            events.append(Event(dialect.event(item.event), pause))
        pause = 0.0
    return events + [Event(data, pace) for data in deltas]
