"""The tap: listens to a stream while its bytes pass, and reads only what the meter needs."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from madang.core.record import Usage
from madang.dialects.sse import Splitter

_TOO_LONG = 16 * 1024 * 1024
"""Bytes of one event after which the tap stops listening and lets everything pass."""


class Heard(msgspec.Struct, gc=False):
    """What the meter learns from an answer. Nothing of it is content."""

    usage: Usage | None = None
    stop_reason: str | None = None
    """In the provider's own word."""
    error: str | None = None
    id: str | None = None
    """Of an answer that the provider keeps (`resp_…`); other dialects need not say it."""


class Tap(ABC):
    """Listens to a stream. `feed` takes it cut anywhere and gives what the client is to get.

    With `withhold`, events of which `_hear` is true are taken out; then events leave whole.
    Without it the bytes go on at once, exactly as they came.
    """

    __slots__ = ("_deaf", "_splitter", "_withhold", "done", "heard")

    def __init__(self, *, withhold: bool = False) -> None:
        self._splitter = Splitter()
        self._withhold = withhold
        self._deaf = False
        self.heard = Heard()
        self.done = False
        """Whether the stream's own end mark has come."""

    def feed(self, data: bytes) -> bytes:
        """Listen to a piece; what of it goes on."""
        if self._deaf:
            return data
        events = self._splitter.feed(data)
        if not self._withhold:
            for event in events:
                self._hear(event)
        else:
            data = b"".join([event for event in events if not self._hear(event)])
        if self._splitter.held > _TOO_LONG:
            self._deaf = True
            return data + self._splitter.rest() if self._withhold else data
        return data

    def rest(self) -> bytes:
        """What is still held back at the end of the stream; an event that was not ended is heard too."""
        if self._deaf:
            return b""
        rest = self._splitter.rest()
        is_ours = self._hear(rest)
        return rest if self._withhold and not is_ours else b""

    @abstractmethod
    def _hear(self, event: bytes) -> bool:
        """Listen to an event; whether it is one that only we asked for. Never raises."""
