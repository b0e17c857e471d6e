"""Streamed answers from a provider: bytes → events. The way back is in `stream_renderer.py`.

Every event is JSON whose `type` says it all; the `event:` line repeats it (and Bedrock leaves it out).
The last event holds the whole answer; there is no other end mark. What comes between the first and
the last is about items: `stream_items.py`.
"""

from __future__ import annotations

from madang.core.errors import BadRequest, BrokenAnswer, CallError
from madang.core.events import Begin, End, Event, Failure, Ping, StopEvent, UsageEvent
from madang.core.messages import Json
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.openai_responses.errors import error_of
from madang.dialects.openai_responses.responses import ENDS, hear_end, read_frame, read_output
from madang.dialects.openai_responses.stream_items import StreamedItems, is_about_items
from madang.dialects.reading import Members, read_json
from madang.dialects.sse import Splitter, data_of
from madang.dialects.tap import Tap

_BEGINNINGS = frozenset(("response.created", "response.queued", "response.in_progress"))


class ResponsesParser:
    """From a provider's bytes to events; see `base.StreamParser`."""

    __slots__ = ("_begun", "_items", "_over", "_splitter", "_tier")

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._items = StreamedItems()
        self._begun = self._over = False
        self._tier: str | None = None

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes."""
        for event in self._splitter.feed(data):
            self._hear(event)
        return self._taken()

    def end(self) -> list[Event]:
        """What is left, and a `Failure` if the answer is not whole."""
        rest = self._splitter.rest()
        if rest:
            self._hear(rest)
        if not self._over:
            self._fail(BrokenAnswer("The provider broke off before its answer was whole.", code="stream_cut"))
        return self._taken()

    def _taken(self) -> list[Event]:
        out, self._items.out = self._items.out, []
        return out

    def _hear(self, event: bytes) -> None:
        if self._over:
            return
        data = data_of(event)
        if not data:
            if self._begun and event.startswith(b":"):
                self._items.out.append(Ping())
            return
        if data == b"[DONE]":  # some servers of this dialect write chat's end mark after their own
            return
        try:
            self._take(read_json(data))
        except (BadRequest, ValueError, LookupError, TypeError, AttributeError) as problem:
            self._fail(BrokenAnswer(f"The provider's stream cannot be read: {problem}"))

    def _fail(self, problem: CallError) -> None:
        self._items.out.append(Failure(problem))
        self._over = True

    def _take(self, said: Block) -> None:
        kind: Json = said.get("type")
        if kind == "error" or (kind is None and said.get("error") is not None):
            self._fail(error_of(said))
            return
        if kind == "keepalive":  # OpenAI's (2025), which is in no reference
            if self._begun:
                self._items.out.append(Ping())
            return
        about_items = is_about_items(kind)
        if not (about_items or kind in _BEGINNINGS or kind in ENDS):
            return
        if not self._begun:
            self._begin(said.get("response") or {})
        if about_items:
            self._items.take(said)
        elif kind in ENDS:
            self._finish(kind.removeprefix("response."), said["response"])

    def _begin(self, response: Block) -> None:
        frame = read_frame(Members(response))
        # What has not been decided yet, OpenAI calls `auto`.
        self._tier = frame.service_tier if frame.service_tier != "auto" else None
        self._items.out.append(
            Begin(
                id=frame.id,
                model=frame.model,
                created=frame.created,
                service_tier=self._tier,
                extra={NAME: {"$echo": frame.extra[NAME]["$echo"]}},
            )
        )
        self._begun = True

    def _finish(self, status: str, response: Block) -> None:
        frame = read_frame(Members(response))
        if status == "failed" or frame.status == "failed":
            self._fail(error_of(frame.error))
            return
        items = self._items
        items.close(frame.output or ())
        if items.next == 0:
            items.say(*read_output(frame))
        if frame.status is None:
            frame = frame.with_status(status)
        stop = frame.stop(calls=items.calls, refused=items.refused)
        items.out.append(StopEvent(0, stop, None, frame.ending()))
        if frame.usage is not None:
            items.out.append(UsageEvent(frame.usage))
        left = dict(frame.extra[NAME])
        if frame.service_tier != self._tier:
            left["$service_tier"] = frame.service_tier
        items.out.append(End({NAME: left}))
        self._over = True


_LAST = (b"response.completed", b"response.incomplete", b"response.failed", b"error")


class ResponsesTap(Tap):
    """Listens for the last event; nothing is ever asked for that the client did not ask for."""

    __slots__ = ()

    def _hear(self, event: bytes) -> bool:
        for word in _LAST:
            if word in event:
                heard = hear_end(data_of(event))
                if heard is not None:
                    self.heard = heard
                    self.done = True
                break
        return False
