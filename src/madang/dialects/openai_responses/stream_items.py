"""The items of a streamed answer → parts, as they grow.

Items come one after the other, with a whole `…done` event after the deltas: whatever the deltas have
left out is taken from there. What belongs to another item than the one that is open waits for its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from madang.core.events import Event, PartDelta, PartEnd, PartStart
from madang.core.messages import Extra, Json, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from madang.core.responses import TokenLogprob
from madang.dialects import carry
from madang.dialects.openai_responses.clothes import full_name
from madang.dialects.openai_responses.content import (
    NAME,
    Block,
    read_annotation,
    read_block,
    read_logprobs,
)
from madang.dialects.openai_responses.items import (
    BETWEEN,
    OURS,
    REDACTED,
    about_message,
    opaque_block,
    read_call,
    read_item,
    read_message,
    read_reasoning,
)
from madang.dialects.reading import Members, note

_OWN: Extra = {NAME: {}}


class _Item:
    """An item that is coming."""

    __slots__ = (
        "about",
        "cited",
        "content",
        "count",
        "extra",
        "index",
        "kind",
        "length",
        "over",
        "place",
        "tokens",
    )

    def __init__(self, kind: str, place: Json) -> None:
        self.kind = kind
        self.place = place
        self.about: Block | None = None
        """Of a message whose first part has not begun."""
        self.index: int | None = None
        """Of the part that is open."""
        self.content: Json = None
        """Which of its blocks, or pieces, that is."""
        self.count = 0
        """How many parts it has begun."""
        self.length = self.cited = self.tokens = 0
        """What the open part has got."""
        self.extra: Extra = {}
        """For the end of the open part."""
        self.over = False
        """Whether its content is whole, so that nothing but its own end may come."""


class StreamedItems:
    """Takes the events of items, gives those of parts."""

    __slots__ = ("_open", "_said", "_waiting", "calls", "next", "out", "refused")

    def __init__(self) -> None:
        self.out: list[Event] = []
        """What nobody has taken yet."""
        self.next = 0
        """The place of the next part."""
        self.calls = self.refused = False
        """Whether there was a call; a refusal."""
        self._open: _Item | None = None
        self._said: set[Json] = set()
        """The places of items that have begun."""
        self._waiting: list[Block] = []
        """Events of items that began before the open one has ended."""

    def take(self, said: Block) -> None:
        """An event about an item. Raises whatever reading it raises."""
        handle = _HANDLERS[said["type"]]
        item, place = self._open, said.get("output_index")
        if item is not None and place is not None and place != item.place:
            if not item.over:
                self._waiting.append(said)
                return
            self._close(item)
            self.take(said)
            return
        handle(self, said)

    def close(self, output: Sequence[Json] = ()) -> None:
        """There are no more; whose end was left out is as it stands in `output`."""
        while self._open is not None:
            item = self._open
            value = output[item.place] if item.place in range(len(output)) else None
            if isinstance(value, dict) and _kind(value) == item.kind:
                self._item_done({"item": value, "output_index": item.place})
            else:
                self._close(item)

    def say(self, parts: Sequence[Part], tokens: Sequence[TokenLogprob]) -> None:
        """Say parts at once, of which nothing was said before."""
        for part in parts:
            self._say(part)
        if tokens:
            self.out.append(PartDelta(0, self.next - 1, logprobs=tuple(tokens)))

    # Items

    def _item_added(self, said: Block) -> None:
        value, place = said["item"], said.get("output_index")
        if not isinstance(value, dict):
            return
        self.close()
        match _kind(value):
            case "message":
                item = self._opened("message", place)
                members = Members(value)
                members.left.pop("content", None)
                item.about = about_message(members)
                if "status" in item.about["$item"]:
                    item.about["$item"]["status"] = "completed"
            case "function_call" if isinstance(value.get("call_id"), str) and value.get("name"):
                item = self._opened("function_call", place)
                carried = carry.unload(value["call_id"])
                self._start(
                    item,
                    ToolCall(
                        id=carried.id or value["call_id"],
                        name=full_name(value.get("namespace"), value["name"]),
                        signature=carried.signature,
                        signer=carried.signer,
                        extra={NAME: {"$id": value["id"]} if isinstance(value.get("id"), str) else {}},
                    ),
                )
            case "reasoning":
                item = self._opened("reasoning", place)
                self._start(item, _beginning_of_thought(value))

    def _item_done(self, said: Block) -> None:
        value, place, item = said["item"], said.get("output_index"), self._open
        kind = _kind(value)
        if item is None or item.kind != kind:
            if place is not None and place in self._said:
                return
            self._said.add(place)
            parts = carry.Said()
            tokens: list[TokenLogprob] = []
            read_item(Members(value, "item"), value, parts, tokens)
            self.close()
            self.say(parts, tokens)
            return
        members = Members(value, "item")
        match kind:
            case "message":
                self._message_done(item, members, value)
            case "reasoning":
                thought = read_reasoning(members)
                self._catch_up(item, thought.text)
                if thought.signature is not None and not thought.redacted:
                    index = item.index or 0
                    self.out.append(PartDelta(0, index, signature=thought.signature, signer=thought.signer))
                item.extra = thought.extra
            case "function_call":
                call, _ = read_call(members)
                self._catch_up(item, call.arguments)
                item.extra = call.extra
        self._close(item)

    def _message_done(self, item: _Item, members: Members, value: Json) -> None:
        tokens: list[TokenLogprob] = []
        parts = read_message(members, value, tokens)
        at = 0
        for number, part in enumerate(parts, 1):
            count = note(part.extra, NAME, "logprobs") or 0 if isinstance(part, Text) else 0
            own, at = tokens[at : at + count], at + count
            if number > item.count:
                self._end_part(item)
                item.count += 1
                self._say(part, own)
            elif number == item.count:
                self._settle(item, part, own)

    def _opened(self, kind: str, place: Json) -> _Item:
        self._open = item = _Item(kind, place)
        self._said.add(place)
        return item

    def _start(self, item: _Item, part: Part) -> None:
        """Begin a part of an item."""
        self._end_part(item)
        item.index = self.next
        item.count += 1
        item.length = item.cited = item.tokens = 0
        item.extra = {}
        self.out.append(PartStart(0, self.next, part))
        self._know(part)

    def _say(self, part: Part, tokens: Sequence[TokenLogprob] = ()) -> None:
        """Say a part at once."""
        self.out.append(PartStart(0, self.next, part))
        if tokens:
            self.out.append(PartDelta(0, self.next, logprobs=tuple(tokens)))
        self.out.append(PartEnd(0, self.next))
        self._know(part)

    def _know(self, part: Part) -> None:
        self.next += 1
        self.calls = self.calls or isinstance(part, ToolCall)
        self.refused = self.refused or isinstance(part, Refusal)

    def _end_part(self, item: _Item) -> None:
        if item.index is not None:
            self.out.append(PartEnd(0, item.index, item.extra))
            item.index = None

    def _close(self, item: _Item) -> None:
        """An item has ended; those that waited for it go on."""
        self._end_part(item)
        self._open = None
        waiting, self._waiting = self._waiting, []
        for said in waiting:
            self.take(said)

    # Their content

    def _part_added(self, said: Block) -> None:
        item, block = self._open, said["part"]
        if item is None or item.kind != "message":
            return
        if item.index is not None:
            self._end_part(item)
        item.over = False
        match block.get("type"):
            case "output_text":
                self._start_content(item, Text(""))
            case "refusal":
                self._start_content(item, Refusal(""))
        item.content = said.get("content_index")

    def _start_content(self, item: _Item, part: Text | Refusal) -> None:
        if item.about is not None:
            extra: Extra = {NAME: item.about}
            part = Text("", extra=extra) if isinstance(part, Text) else Refusal("", extra=extra)
            item.about = None
        self._start(item, part)

    def _text_delta(self, said: Block) -> None:
        item = self._open
        if item is None:
            item = self._opened("message", said.get("output_index"))
        if item.kind != "message":
            return
        if item.index is None or said.get("content_index") != item.content:
            self._start_content(item, Text(""))
            item.content = said.get("content_index")
        tokens = said.get("logprobs")
        read = tuple(read_logprobs(tokens, bare=True) or ()) if tokens else ()
        item.tokens += len(read)
        self._grow(item, said["delta"], read)

    def _annotation(self, said: Block) -> None:
        item, annotation = self._open, said.get("annotation")
        if item is not None and item.index is not None and isinstance(annotation, dict):
            item.cited += 1
            self.out.append(PartDelta(0, item.index, citations=(read_annotation(annotation),)))

    def _refusal_delta(self, said: Block) -> None:
        item = self._open
        if item is None:
            item = self._opened("message", said.get("output_index"))
        if item.index is None or said.get("content_index") != item.content:
            self._start_content(item, Refusal(""))
            item.content = said.get("content_index")
        self._grow(item, said["delta"])

    def _arguments_delta(self, said: Block) -> None:
        item = self._open
        if item is not None and item.kind == "function_call":
            self._grow(item, said["delta"])

    def _arguments_done(self, said: Block) -> None:
        item = self._open
        if item is not None and item.kind == "function_call":
            self._catch_up(item, said["arguments"])
            item.over = True

    def _thought_delta(self, said: Block) -> None:
        item = self._open
        if item is None:
            item = self._opened("reasoning", said.get("output_index"))
            self._start(item, Reasoning(extra=_OWN))
        if item.kind != "reasoning":
            return
        piece = (said["type"], said.get("summary_index"), said.get("content_index"))
        if item.content is not None and item.content != piece:
            self._grow(item, BETWEEN)
        item.content = piece
        self._grow(item, said["delta"])

    def _part_done(self, said: Block) -> None:
        item = self._open
        if item is None or item.kind != "message":
            return
        item.over = True
        tokens: list[TokenLogprob] = []
        part = read_block(said["part"], "part", "assistant", tokens)
        if isinstance(part, Opaque):
            self._end_part(item)
            item.count += 1
            self._say(opaque_block(said["part"], item.about or {}))
            item.about = None
        else:
            self._settle(item, part, tokens)

    def _settle(self, item: _Item, part: Part, tokens: Sequence[TokenLogprob]) -> None:
        """A block is known as a whole: say what its deltas have left out."""
        if item.index is None:
            return
        match part:
            case Text():
                self._catch_up(item, part.text)
                if len(part.citations) > item.cited:
                    late = part.citations[item.cited :]
                    item.cited = len(part.citations)
                    self.out.append(PartDelta(0, item.index, citations=late))
                if len(tokens) > item.tokens:
                    self.out.append(PartDelta(0, item.index, logprobs=tuple(tokens[item.tokens :])))
                    item.tokens = len(tokens)
                item.extra = part.extra
            case Refusal():
                self._catch_up(item, part.text)
                item.extra = part.extra

    def _catch_up(self, item: _Item, text: str) -> None:
        if len(text) > item.length:
            self._grow(item, text[item.length :])

    def _grow(self, item: _Item, text: Json, tokens: tuple[TokenLogprob, ...] = ()) -> None:
        if not isinstance(text, str):
            raise TypeError("a delta must be a string")
        if item.index is not None:
            item.length += len(text)
            self.out.append(PartDelta(0, item.index, text, logprobs=tokens))


def _kind(value: Block) -> Json:
    kind = value.get("type")
    return "message" if kind is None and "role" in value else kind


def is_about_items(kind: Json) -> bool:
    """Whether events of a type are."""
    return kind in _HANDLERS


def _beginning_of_thought(value: Block) -> Reasoning:
    name, sealed = value.get("id"), value.get("encrypted_content")
    if not isinstance(name, str) or name.startswith(OURS):
        name = None
    thought = Reasoning(id=name, extra=_OWN)
    if not isinstance(sealed, str) or not sealed.startswith(REDACTED):
        return thought
    signature, signer = carry.unwrap(sealed.removeprefix(REDACTED), NAME)
    return msgspec.structs.replace(thought, signature=signature, signer=signer, redacted=True)


_Handler = Callable[[StreamedItems, Block], None]
_HANDLERS: Mapping[Json, _Handler] = {
    "response.output_text.delta": StreamedItems._text_delta,
    "response.function_call_arguments.delta": StreamedItems._arguments_delta,
    "response.reasoning_summary_text.delta": StreamedItems._thought_delta,
    "response.reasoning_text.delta": StreamedItems._thought_delta,
    "response.refusal.delta": StreamedItems._refusal_delta,
    "response.output_item.added": StreamedItems._item_added,
    "response.output_item.done": StreamedItems._item_done,
    "response.content_part.added": StreamedItems._part_added,
    "response.content_part.done": StreamedItems._part_done,
    "response.output_text.annotation.added": StreamedItems._annotation,
    "response.function_call_arguments.done": StreamedItems._arguments_done,
}
