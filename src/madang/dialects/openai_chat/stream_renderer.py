"""An answer for a client as a stream of chunks.

For each choice a chunk with the role comes first, then what it says, then why it ended; at the end
the usage, for who asked for it, in a chunk without choices, and `[DONE]`. What a choice says is in
`stream_lane.py`.
"""

from __future__ import annotations

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
from madang.core.responses import Usage
from madang.dialects.base import Answering
from madang.dialects.openai_chat.form import leftovers
from madang.dialects.openai_chat.stream_lane import Lane
from madang.dialects.openai_chat.streams import DONE, render_stream_error
from madang.dialects.openai_chat.tools import has_functions
from madang.dialects.openai_chat.usage import write_usage
from madang.dialects.reading import write_json


class StreamRenderer:
    """See `base.StreamRenderer`."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._functions = has_functions(answering.request.tools)
        self._lanes: dict[int, Lane] = {}
        self._head: dict[str, Json] = {}
        self._start = b""
        """A chunk up to its choices."""
        self._usage: Usage | None = None

    def render(self, event: Event) -> bytes:
        """The event as chunks; often nothing."""
        match event:
            case PartDelta() | PartStart() | PartEnd() | StopEvent():
                lane = self._lanes.get(event.candidate)
                if lane is None:
                    return self._begin_lane(event.candidate) + self._lanes[event.candidate].take(event)
                return lane.take(event)
            case Begin():
                return self._begin(event)
            case UsageEvent():
                self._usage = event.usage
                return b""
            case Ping():
                return b": ping\n\n"
            case Failure():
                return render_stream_error(event.error)
            case End():
                return self._end(event)

    def _begin(self, begin: Begin) -> bytes:
        asked = self._answering
        self._head = {
            "id": begin.id or asked.id,
            "object": "chat.completion.chunk",
            "created": asked.created if begin.created is None else begin.created,
            "model": begin.model or asked.request.model,
        }
        if begin.service_tier is not None:
            self._head["service_tier"] = begin.service_tier
        self._head = {**leftovers(begin.extra), **self._head}
        self._start = b"data: " + write_json(self._head)[:-1] + b',"choices":['
        return self._begin_lane(0)

    def _begin_lane(self, number: int) -> bytes:
        lane = self._lanes[number] = Lane(number, self._start, functions=self._functions)
        return lane.chunk({"role": "assistant", "content": ""})

    def _end(self, end: End) -> bytes:
        last = leftovers(end.extra)
        if self._usage is not None and self._answering.asks_usage:
            last["usage"] = write_usage(self._usage)
        if not last:
            return DONE
        return b"data: " + write_json({**self._head, "choices": [], **last}) + b"\n\n" + DONE
