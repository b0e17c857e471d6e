"""`messages` and `system` of a request: checked as Anthropic checks them, read as turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from madang.simulator.anthropic.content import Block, read_block, read_cache_control
from madang.simulator.anthropic.errors import invalid
from madang.simulator.anthropic.families import Family
from madang.simulator.anthropic.fields import Fields, quoted, refuse
from madang.simulator.vocabulary import Turn

_ROLES = ("user", "assistant", "system")
_EMPTY = "all messages must have non-empty content except for the optional final assistant message"
_SYSTEM_ROLE = (
    'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
    '"system" as an input message role.'
)
_NO_PREFILL = (
    "This model does not support assistant message prefill. The conversation must end with a user message."
)


class Message(msgspec.Struct, frozen=True):
    """One message, its blocks read."""

    role: str
    at: int
    blocks: tuple[Block, ...]


def read_messages(request: Fields, family: Family) -> tuple[Message, ...]:
    """The conversation. Raises ApiError."""
    request.needed("messages")
    sent = list(request.objects("messages"))
    if not sent:
        invalid("messages: at least one message is required")
    messages = tuple(_message(fields, at) for at, fields in enumerate(sent))
    if messages[0].role != "user":
        if messages[0].role == "system":
            invalid(_SYSTEM_ROLE)
        invalid('messages: first message must use the "user" role')
    if not family.system_turns and any(message.role == "system" for message in messages):
        invalid(_SYSTEM_ROLE)
    for message in messages[:-1]:
        _expect_content(message)
    _check_last(messages[-1], family)
    return messages


def _message(fields: Fields, at: int) -> Message:
    role = fields.needed("role")
    if role not in _ROLES or not isinstance(role, str):
        refuse(fields.path("role"), f"Input should be {quoted(_ROLES[:2])}")
    fields.refuse_unknown(("role", "content"))
    content = fields.needed("content")
    if isinstance(content, str):
        blocks = (Block("text", f"{fields.path('content')}.0", content),) if content else ()
        if content and not content.strip() and role == "user":
            invalid("messages: text content blocks must contain non-whitespace text")
        return Message(role, at, blocks)
    if not isinstance(content, list):
        refuse(fields.path("content"), "Input should be a valid string or list")
    return Message(role, at, tuple(read_block(block, role) for block in fields.objects("content")))


def _expect_content(message: Message) -> None:
    if not message.blocks:
        refuse(f"messages.{message.at}", _EMPTY)


def _check_last(message: Message, family: Family) -> None:
    if message.role != "assistant":
        _expect_content(message)
        return
    last = message.blocks[-1] if message.blocks else Block("text", "")
    if last.kind != "text":
        return
    if not family.prefill:
        invalid(_NO_PREFILL)
    if last.text != last.text.rstrip():
        invalid("messages: final assistant content cannot end with trailing whitespace")


def read_system(request: Fields) -> str:
    """The system prompt. Raises ApiError."""
    system = request.raw("system")
    if system is None or isinstance(system, str):
        return system or ""
    texts = []
    for block in request.objects("system"):
        block = block.tagged(block.tag(("text",)))
        block.refuse_unknown(("type", "text", "citations", "cache_control"))
        read_cache_control(block)
        text = block.text("text")
        if not text:
            invalid("system: text content blocks must be non-empty")
        texts.append(text)
    return "\n".join(texts)


def turns_of(messages: Sequence[Message], system: str) -> tuple[Turn, ...]:
    """The conversation in no provider's words.

    A tool's result is a turn of its own, after what the user says in the same message.
    """
    blocks = [block for message in messages for block in message.blocks]
    names = {block.id: block.name for block in blocks if block.kind == "tool_use"}
    turns = [Turn("system", system)] if system else []
    for message in messages:
        turns += _turns(message, names)
    return tuple(turns)


def _turns(message: Message, names: dict[str, str]) -> Iterator[Turn]:
    said = [block for block in message.blocks if block.kind in ("text", "image", "document", "search_result")]
    text = "\n".join(block.text for block in said if block.text)
    results = [block for block in message.blocks if block.kind == "tool_result"]
    if said or not results:
        kinds = tuple(kind for block in said for kind in block.kinds)
        yield Turn(message.role, text, len(kinds), kinds=kinds)
    for result in results:
        kinds = result.kinds
        yield Turn("tool", result.text, len(kinds), names.get(result.id), kinds=kinds)
