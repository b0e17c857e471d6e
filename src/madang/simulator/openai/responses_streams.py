"""The events of a response that is streamed.

Each says its number. What does not change between the deltas of an item is encoded once.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from madang.simulator.dialect import StreamParts
from madang.simulator.openai.responses_bodies import shown_error
from madang.simulator.openai.responses_items import Call, Message, Output, Search, Thought
from madang.simulator.openai.responses_requests import ResponsesRequest
from madang.simulator.openai.responses_shelf import Item
from madang.simulator.vocabulary import ApiError

_encode = msgspec.json.encode
_PADDING = "m3Zk8vQd1XwTn6RbYs0LhJf5CaUeGi7PoKxV2tMqWzE4HyNrSlDu9BjFgAcIpO"
_WIDTH = 16
"""Padding fills a delta up to the next multiple of this many characters."""


def response_events(
    request: ResponsesRequest,
    first: Item,
    last: Item,
    answered: Output,
    error: ApiError,
    broken_after: int | None,
    *,
    scripted: bool,
) -> StreamParts:
    """The stream from `response.created` to its end. After `broken_after` events it may fail with `error`."""
    events = _Events(request.chat.obfuscated)
    events.add("response.created", response=first)
    if request.background:
        events.add("response.queued", response=first)
    events.add("response.in_progress", response={**first, "status": "in_progress"})
    if answered.status != "failed":
        for index, part in enumerate(answered.parts):
            match part:
                case Thought():
                    events.thought(index, part, counted=not scripted)
                case Search():
                    events.search(index, part)
                case Message():
                    events.message(index, part)
                case Call():
                    events.call(index, part)
    events.add(f"response.{last['status']}", response=last)
    opening, deltas, closing = events.parted()
    size = len(opening) + len(deltas) + len(closing)
    broken = None if broken_after is None else _broken(first, error, min(broken_after, size))
    return StreamParts(opening, deltas, closing, broken=broken)


def _broken(first: Item, error: ApiError, at: int) -> list[bytes]:
    """How a stream fails: an error, and the response that failed. As seen of OpenAI in October 2025."""
    told = {"type": error.kind, "code": error.code, "message": error.message, "param": error.param}
    failed = {**first, "status": "failed", "error": shown_error(error)}
    return [
        event("error", {"type": "error", "error": told, "sequence_number": at}),
        event("response.failed", {"type": "response.failed", "response": failed, "sequence_number": at + 1}),
    ]


def event(kind: str, data: Item) -> bytes:
    """One event."""
    return b"event: %b\ndata: %b\n" % (kind.encode(), _encode(data))


class _Events:
    """Collects the events of one stream and numbers them."""

    def __init__(self, padded: bool) -> None:
        self._padded = padded
        self._events: list[bytes] = []
        self._deltas: list[int] = []

    def parted(self) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """What comes before the first delta, the deltas and what is between them, and what comes after."""
        if not self._deltas:
            return self._events, [], []
        first, end = self._deltas[0], self._deltas[-1] + 1
        return self._events[:first], self._events[first:end], self._events[end:]

    def add(self, kind: str, **fields: object) -> None:
        """One event; its members in the order of the alphabet, as recorded."""
        data = {"type": kind, **dict(sorted(fields.items())), "sequence_number": len(self._events)}
        self._events.append(event(kind, data))

    def thought(self, index: int, thought: Thought, *, counted: bool) -> None:
        """A reasoning item, its summary part by part; in a scripted stream those are no deltas of its own."""
        self.add("response.output_item.added", item=thought.item(done=False), output_index=index)
        for at, pieces in enumerate(thought.summary):
            where: Item = {"item_id": thought.id, "output_index": index, "summary_index": at}
            empty, full = ({"type": "summary_text", "text": text} for text in ("", "".join(pieces)))
            self.add("response.reasoning_summary_part.added", **where, part=empty)
            place = _Place(
                "response.reasoning_summary_text.delta", thought.id, index, b',"summary_index":%d' % at
            )
            self._say(place, pieces, counted=counted)
            self.add("response.reasoning_summary_text.done", **where, text=full["text"])
            self.add("response.reasoning_summary_part.done", **where, part=full)
        self.add("response.output_item.done", item=thought.item(), output_index=index)

    def search(self, index: int, search: Search) -> None:
        """A web search."""
        self.add("response.output_item.added", item=search.item("in_progress"), output_index=index)
        for state in ("in_progress", "searching", "completed"):
            self.add(f"response.web_search_call.{state}", item_id=search.id, output_index=index)
        self.add("response.output_item.done", item=search.item(), output_index=index)

    def message(self, index: int, message: Message) -> None:
        """A message with its one part."""
        where: Item = {"content_index": 0, "item_id": message.id, "output_index": index}
        self.add("response.output_item.added", item=message.item(done=False), output_index=index)
        self.add("response.content_part.added", **where, part=message.part(done=False))
        if message.refused:
            self._say(_Place("response.refusal.delta", message.id, index, in_part=True), message.pieces)
            self.add("response.refusal.done", **where, refusal=message.text)
        else:
            place = _Place("response.output_text.delta", message.id, index, in_part=True)
            self._say(place, message.pieces, _chances(message))
            for at, citation in enumerate(message.citations):
                kind = "response.output_text.annotation.added"
                self.add(kind, **where, annotation=citation, annotation_index=at)
            logprobs = list(message.logprobs)
            self.add("response.output_text.done", **where, logprobs=logprobs, text=message.text)
        self.add("response.content_part.done", **where, part=message.part())
        self.add("response.output_item.done", item=message.item(), output_index=index)

    def call(self, index: int, call: Call) -> None:
        """A function call; cut off, its arguments never are done."""
        where: Item = {"item_id": call.id, "output_index": index}
        self.add("response.output_item.added", item=call.item(done=False), output_index=index)
        self._say(_Place("response.function_call_arguments.delta", call.id, index), call.call.pieces)
        if call.status == "completed":
            self.add("response.function_call_arguments.done", **where, arguments=call.call.arguments)
        self.add("response.output_item.done", item=call.item(), output_index=index)

    def _say(
        self,
        place: _Place,
        pieces: Sequence[str],
        chances: Sequence[bytes] | None = None,
        *,
        counted: bool = True,
    ) -> None:
        """A delta per piece; `chances` are their log probabilities, where there is room for such."""
        head, own, tail = place.head(), place.own(), place.tail()
        for at, piece in enumerate(pieces):
            number = len(self._events)
            likely = b"" if chances is None else chances[at]
            middle = b"%b%b%b%b%b" % (_encode(piece), own, likely, self._padding(piece, number), tail)
            if counted:
                self._deltas.append(number)
            self._events.append(
                b'%b"delta":%b,"sequence_number":%d%b}\n' % (head, middle, number, place.more)
            )

    def _padding(self, piece: str, number: int) -> bytes:
        if not self._padded:
            return b""
        start = number % 41
        padding = _PADDING[start : start + _WIDTH - len(piece) % _WIDTH]
        return b',"obfuscation":"%b"' % padding.encode()


class _Place(msgspec.Struct, frozen=True):
    """Where deltas belong: what all of them have in common."""

    kind: str
    item: str
    index: int
    more: bytes = b""
    """What comes after the number."""
    in_part: bool = False

    def head(self) -> bytes:
        """Up to the delta."""
        kind = self.kind.encode()
        part = b'"content_index":0,' if self.in_part else b""
        return b'event: %b\ndata: {"type":"%b",%b' % (kind, kind, part)

    def own(self) -> bytes:
        """The item."""
        return b',"item_id":%b' % _encode(self.item)

    def tail(self) -> bytes:
        """From the padding to the number."""
        return b',"output_index":%d' % self.index


def _chances(message: Message) -> Sequence[bytes]:
    """The `logprobs` of each delta."""
    if not message.logprobs:
        return [b',"logprobs":[]'] * len(message.pieces)
    return [b',"logprobs":%b' % _encode([one]) for one in message.logprobs]
