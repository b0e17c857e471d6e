"""The plan of an answer: which bytes leave when, and how the connection ends.

Pure. Faults are done here, on events and bytes; the player only plays.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import msgspec

from madang.simulator.controls import Controls

GARBAGE = b"zz;\x00\xff this is no chunk size\r\n"


class End(Enum):
    """What becomes of the connection."""

    KEEP = "keep"
    """The answer is whole; the next request may come."""
    CLOSE = "close"
    RESET = "reset"
    HOLD = "hold"
    """Nothing more is sent; the client has to give up."""


class Step(msgspec.Struct, frozen=True, gc=False):
    """Bytes that leave `delay` seconds after the step before was due."""

    data: bytes
    delay: float = 0.0
    apart: bool = False
    """In a write and a turn of the event loop of its own."""


class Plan(msgspec.Struct, frozen=True):
    """Steps, and how it ends."""

    steps: Sequence[Step]
    status: int
    end: End = End.KEEP
    fault: str = ""
    """What is done wrong on purpose: `cut`, `stall`, …"""
    stream: bool = False


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream, before framing; it ends with a newline and lacks the blank line."""

    data: bytes
    delay: float = 0.0
    verbatim: bool = False
    """Sent as it is, without a blank line after it."""


class Spoilers(msgspec.Struct, frozen=True):
    """What a dialect puts into a stream where pings, broken JSON or an error are asked for."""

    error: Sequence[bytes]
    ping: bytes
    broken_json: bytes
    verbatim: bool = False


def before_head(status: int, head: bytes, controls: Controls, delay: float) -> Plan | None:
    """The plan, if the answer goes wrong before its head is out."""
    wait = [Step(b"", delay)]
    if controls.hangup:
        return Plan(wait, status, End.CLOSE, "hangup")
    if controls.reset:
        return Plan(wait, status, End.RESET, "reset")
    if controls.stall:
        return Plan(wait, status, End.HOLD, "stall")
    if controls.half_head:
        return Plan([Step(head[: len(head) // 2], delay)], status, End.CLOSE, "cut")
    return None


def whole(status: int, head: bytes, body: bytes, controls: Controls, delay: float) -> Plan:
    """A body of known length; `cut-after` and its like count its bytes."""
    at, end, fault = _broken_off(controls, len(body))
    sent = body if at is None else body[:at]
    if controls.shred:
        steps = [Step(head, delay), *(Step(sent[i : i + 1], 0.0, True) for i in range(len(sent)))]
    else:
        steps = [Step(head + sent, delay)]
    return Plan(steps, status, end, fault)


def spoiled(body: bytes, controls: Controls) -> bytes:
    """A whole body with what is wrong in it, before its length is promised."""
    if controls.bad_json_after is not None:
        return body[: min(controls.bad_json_after, len(body) - 1)]
    if controls.garbage_after is not None:
        return body[: controls.garbage_after] + GARBAGE
    return body


def streamed(
    status: int, head: bytes, events: Sequence[Event], controls: Controls, delay: float, *, chunked: bool
) -> Plan:
    """A stream: the head, then the events in chunks, then the end of the body."""
    at, end, fault = _broken_off(controls, len(events))
    if at is None and controls.garbage_after is not None:
        at, end, fault = controls.garbage_after, End.CLOSE, "garbage"
    steps = [Step(head, delay)]
    for event in events if at is None else events[:at]:
        steps += _steps(event, controls, chunked)
    if fault == "garbage":
        steps.append(Step(GARBAGE))
    if at is not None:
        return Plan(steps, status, end, fault)
    end = End.KEEP if chunked else End.CLOSE
    return Plan([*steps, Step(b"0\r\n\r\n")] if chunked else steps, status, end, stream=True)


def disturbed(events: Sequence[Event], controls: Controls, spoilers: Spoilers) -> list[Event]:
    """The events with pings, broken JSON and an error among them, as far as asked for."""
    result = list(events)
    if (at := controls.error_after) is not None:
        result[at:] = [Event(data, 0.0, spoilers.verbatim) for data in spoilers.error]
    if (at := controls.bad_json_after) is not None:
        result.insert(at, Event(spoilers.broken_json, 0.0, spoilers.verbatim))
    if every := controls.ping:
        result = [
            item for index, event in enumerate(result) for item in _pinged(index, event, every, spoilers)
        ]
    return result


def _pinged(index: int, event: Event, every: int, spoilers: Spoilers) -> list[Event]:
    if index % every:
        return [event]
    ping = Event(spoilers.ping, event.delay, spoilers.verbatim)
    return [ping, Event(event.data, 0.0, event.verbatim)]


def _broken_off(controls: Controls, size: int) -> tuple[int | None, End, str]:
    """Where the body breaks off, how, and what that is called."""
    if controls.cut_after is not None:
        return controls.cut_after, End.CLOSE, "cut"
    if controls.reset_after is not None:
        return controls.reset_after, End.RESET, "reset"
    if controls.stall_after is not None:
        return controls.stall_after, End.HOLD, "stall"
    if controls.truncate:
        return size // 2, End.CLOSE, "cut"
    return None, End.KEEP, ""


def _steps(event: Event, controls: Controls, chunked: bool) -> list[Step]:
    data = event.data
    if not event.verbatim:
        data += b"\n"
        if controls.crlf:
            data = data.replace(b"\n", b"\r\n")
    return _shredded(event, data, chunked) if controls.shred else [Step(_framed(data, chunked), event.delay)]


def _framed(data: bytes, chunked: bool) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if chunked and data else data


def _shredded(event: Event, data: bytes, chunked: bool) -> list[Step]:
    """Each byte a chunk, a write and a turn of the loop of its own: readers get halves of everything."""
    bites = (data[at : at + 1] for at in range(len(data)))
    return [Step(_framed(bite, chunked), 0.0 if at else event.delay, True) for at, bite in enumerate(bites)]
