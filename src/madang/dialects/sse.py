"""Server-sent events, cut into blocks; what a block means is the dialect's business.

Blocks come out as the bytes that went in, blank line included, so that whoever passes them on
changes nothing. Method: WHATWG HTML, section 9.2.6 (event stream interpretation).
"""

from __future__ import annotations

import re

# An event ends with two line ends, each of which may be CRLF, LF or CR. Atomic, so that the
# two bytes of one CRLF are never taken for two line ends.
_BLANK = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
_LINE = re.compile(rb"\r\n|\n|\r")
_MARK = b"\xef\xbb\xbf"
"""A byte order mark, which may stand before the first line."""


class Splitter:
    """Takes a stream cut anywhere, gives whole events."""

    __slots__ = ("_parts", "_tail", "held")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._tail = b""
        """The last bytes held, with which the end of the event may begin."""
        self.held = 0
        """How many bytes wait for the rest of their event."""

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes."""
        if self._parts:
            may_end = b"\n" in data or b"\r" in data or self._tail.endswith(b"\r")
            if not may_end or _BLANK.search(self._tail + data) is None:
                self._hold(data)  # joining a long event piece by piece would cost its square
                return []
            self._parts.append(data)
            data = self.rest()
        if b"\r" in data:
            return self._feed_any(data)
        events = data.split(b"\n\n")
        self._hold(events.pop())
        return [event + b"\n\n" for event in events]

    def rest(self) -> bytes:
        """Take what has not been completed; empty at the end of a sound stream."""
        rest = b"".join(self._parts)
        self._parts.clear()
        self._tail = b""
        self.held = 0
        return rest

    def _hold(self, data: bytes) -> None:
        if data:
            self._parts.append(data)
            self._tail = (self._tail + data[-3:])[-3:]
            self.held += len(data)

    def _feed_any(self, data: bytes) -> list[bytes]:
        # A CR at the very end may be half of a CRLF: it waits for the next byte.
        whole = data[:-1] if data.endswith(b"\r") else data
        events, start = [], 0
        for blank in _BLANK.finditer(whole):
            events.append(data[start : blank.end()])
            start = blank.end()
        self._hold(data[start:])
        return events


def data_of(event: bytes) -> bytes:
    """The event's data: its `data` lines joined by line feeds; empty if it has none."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return event[6:-2]
    if event.startswith(b"event: "):  # a name and one line of data: most of what is streamed
        at = event.find(b"\n") + 1
        one_line = event.startswith(b"data: ", at) and event.find(b"\n", at) == len(event) - 2
        if one_line and b"\r" not in event:
            return event[at + 6 : -2]
    lines = []
    for line in _LINE.split(event):
        name, _, value = line.partition(b":")
        if name == b"data" or name == _MARK + b"data":
            lines.append(value.removeprefix(b" "))
    return b"\n".join(lines)
