"""What a legal stream is: the grammar of `core.events`, as a check."""

from __future__ import annotations

from collections.abc import Iterable

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
from madang.core.messages import Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall, ToolResult


def legal(events: Iterable[Event]) -> list[Event]:
    """The events, which keep to the grammar of `core.events`; else an `AssertionError` says where not."""
    heard = list(events)
    grammar = _Grammar()
    for number, event in enumerate(heard):
        fault = grammar.fault(event)
        assert fault is None, (
            f"event {number}, {event!r}: {fault}; before it {heard[max(0, number - 4) : number]!r}"
        )
    assert grammar.over, f"the stream has neither `End` nor `Failure`; its last events are {heard[-3:]!r}"
    return heard


class _Grammar:
    def __init__(self) -> None:
        self.begun = self.over = False
        self.parts: dict[int, int] = {}
        """Candidate → how many parts have begun."""
        self.open: dict[int, Part] = {}
        self.stopped: set[int] = set()

    def fault(self, event: Event) -> str | None:
        """What is wrong with the next event."""
        if self.over:
            return "it comes after the end"
        if not self.begun and not isinstance(event, Begin | Failure):
            return "it comes before `Begin`"
        match event:
            case PartDelta():
                return self._delta(event)
            case PartStart() | PartEnd():
                return self._border(event)
            case StopEvent():
                again = event.candidate in self.stopped
                self.stopped.add(event.candidate)
                self.parts.setdefault(event.candidate, 0)
                return "it stops twice" if again else self._still_open(event.candidate)
            case Begin():
                again, self.begun = self.begun, True
                return "it begins twice" if again else None
            case End():
                self.over = True
                unstopped = self.parts.keys() - self.stopped
                return f"candidates {sorted(unstopped)} have not stopped" if unstopped else None
            case Failure():
                self.over = True
                return None
            case UsageEvent() | Ping():
                return None

    def _border(self, event: PartStart | PartEnd) -> str | None:
        number, begun = event.candidate, self.parts.get(event.candidate, 0)
        if isinstance(event, PartEnd):
            wrong = self.open.pop(number, None) is None or event.index != begun - 1
            return "no such part is open" if wrong else None
        if number in self.stopped:
            return "its candidate has stopped"
        fault = self._still_open(number)
        if event.index != begun:
            fault = f"its index should be {begun}"
        self.parts[number] = begun + 1
        self.open[number] = event.part
        return fault

    def _delta(self, event: PartDelta) -> str | None:
        if event.candidate in self.stopped:
            return "its candidate has stopped"
        if event == PartDelta(event.candidate, event.index, logprobs=event.logprobs):
            return None
        part = self.open.get(event.candidate)
        if part is None or event.index != self.parts[event.candidate] - 1:
            return "no such part is open"
        known: tuple[str, ...]
        match part:
            case Text():
                known = ("text", "citations")
            case Reasoning() | ToolCall():
                known = ("text", "signature", "signer")
            case Refusal():
                known = ("text",)
            case Media() | ToolResult() | Opaque():
                known = ()
        surplus = [
            name for name in ("text", "signature", "citations") if getattr(event, name) and name not in known
        ]
        return f"a {type(part).__name__} has no {surplus[0]}" if surplus else None

    def _still_open(self, candidate: int) -> str | None:
        return "a part of its candidate is still open" if candidate in self.open else None
