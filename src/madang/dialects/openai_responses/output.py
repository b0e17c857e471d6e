"""The items of an answer as its client gets them: with ids and states, and every signature in them.

An item that this dialect's provider made keeps its own id; one of another dialect gets an id made of
the answer's and its place, the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence

from madang.core.messages import Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from madang.core.requests import Tool
from madang.core.responses import Candidate, TokenLogprob
from madang.dialects import carry
from madang.dialects.openai_responses.clothes import Clothes
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.openai_responses.items import (
    OURS,
    add_block,
    content_block,
    is_content,
    own_message,
    write_call,
    write_image,
    write_reasoning,
)
from madang.dialects.reading import note

_CUT = ("message", "function_call")
"""Items that may be told as incomplete."""
_LONGEST = 48
"""Characters of an answer's id that come into those of its items."""


class Names:
    """The ids of an answer's items and calls, one after the other."""

    __slots__ = ("_base", "_clothes", "_thoughts")

    def __init__(self, answer: str, tools: Sequence[Tool | Opaque] = ()) -> None:
        # OpenAI takes back ids of 64 characters at most, of these alone.
        known = [sign.isascii() and (sign.isalnum() or sign == "-") for sign in answer[-_LONGEST:]]
        plain = [sign if ok else "_" for sign, ok in zip(answer[-_LONGEST:], known, strict=True)]
        self._base = "".join(plain)
        self._thoughts: list[Reasoning] = []
        """Signed for another dialect, and not yet carried by a call."""
        self._clothes = Clothes(tools)

    def of(self, prefix: str, place: int) -> str:
        """The id of the item at a place: `msg_…`."""
        return f"{prefix}{self._base}_{place}"

    def hear(self, thought: Reasoning) -> None:
        """Keep a thought for the next call, if it is one that a call has to carry."""
        if thought.signature is not None and thought.signer not in (NAME, None):
            self._thoughts.append(thought)

    def call(self, call: ToolCall) -> Block:
        """A call as an item, its id with what it carries, in its tool's clothes."""
        thoughts, self._thoughts = self._thoughts, []
        return self.dressed(call, carry.load(call, thoughts))

    def dressed(self, call: ToolCall, call_id: str) -> Block:
        """A call as an item, its id as it is."""
        return write_call(call if is_own(call) else self._clothes.on(call), call_id)


def write_output(candidate: Candidate, names: Names, status: str | None) -> list[Block]:
    """What an answer has said."""
    out: list[Block] = []
    shared = _share(candidate.parts, candidate.logprobs)
    message: Block | None = None
    for number, part in enumerate(candidate.parts):
        if not is_content(part):
            message = None
            item = write_item(part, names, len(out))
            if item is not None:
                out.append(item)
            continue
        block = content_block(part, shared.get(number, ()))
        if block is None:
            continue
        begun = own_message(part)
        if message is None or begun is not None:
            message = message_item(names.of("msg_", len(out))) if begun is None else begun
            out.append(message)
        add_block(message, part, block)
    if out and status == "incomplete" and not is_own(candidate.parts[-1]) and out[-1]["type"] in _CUT:
        out[-1]["status"] = status
    return out


def message_item(id: str) -> Block:
    """A message that has yet to be filled."""
    return {"type": "message", "id": id, "status": "completed", "role": "assistant", "content": []}


def write_item(part: Part, names: Names, place: int) -> Block | None:
    """A part that is an item of its own."""
    match part:
        case Reasoning():
            names.hear(part)
            given = part.id if part.id is not None or is_own(part) else names.of(OURS, place)
            return write_reasoning(part, given)
        case ToolCall():
            item = names.call(part)
            return item if is_own(part) else {"id": names.of("fc_", place), "status": "completed", **item}
        case Media():
            return write_image(part, names.of("ig_", place)) if part.data is not None else None
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None
        case Text() | Refusal() | ToolResult():
            return None


def is_own(part: Part) -> bool:
    """Whether it was read from this dialect: its parser has left a note."""
    return part.dialect == NAME if isinstance(part, Opaque) else NAME in part.extra


def _share(parts: Sequence[Part], tokens: Sequence[TokenLogprob]) -> dict[int, Sequence[TokenLogprob]]:
    """Which tokens are which text's, by its number; those that are nobody's are the last one's."""
    out: dict[int, Sequence[TokenLogprob]] = {}
    at, last = 0, None
    if not tokens:
        return out
    for number, part in enumerate(parts):
        if isinstance(part, Text):
            last = number
            count = note(part.extra, NAME, "logprobs") or 0
            out[number] = tokens[at : at + count]
            at += count
    if last is not None and at < len(tokens):
        out[last] = (*out[last], *tokens[at:])
    return out
