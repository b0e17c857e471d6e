"""Messages ↔ messages: who speaks, and the blocks of what is said.

The system prompt stands outside the list, before it. Since Opus 4.8 there may be messages of role
`system` in the list too (platform.claude.com, "Mid-conversation system messages", 2026-05).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from madang.core.errors import BadRequest
from madang.core.messages import (
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from madang.dialects import carry
from madang.dialects.anthropic.content import (
    is_own,
    parse_redacted,
    parse_text,
    parse_thinking,
    render_text,
    render_thought,
)
from madang.dialects.anthropic.media import parse_document, parse_image, parse_search_result, render_media
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.tools import parse_call, parse_result, render_call, render_result
from madang.dialects.reading import Members, bad_value, missing, note, put, wrong

_BLOCKS: Mapping[str, Callable[[Members], Part | None]] = {
    "text": parse_text,
    "image": parse_image,
    "document": parse_document,
    "search_result": parse_search_result,
    "thinking": parse_thinking,
    "redacted_thinking": parse_redacted,
    "tool_result": parse_result,
}
_HEADER = "x-anthropic-billing-header:"
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def parse_system(top: Members) -> tuple[Message, ...]:
    """The system prompt, if there is one, as the first message."""
    value = top.any("system")
    if value is None:
        return ()
    parts, form = parse_content(value, "system")
    if form is None:
        parts = tuple([_without_header(part) for part in parts])
    return (Message("system", parts, extra=_notes(content=form)),)


def _without_header(part: Part) -> Part:
    """Claude Code's first block is no words for a model but a header for Anthropic (since 2.1.36, 2026-02).

    It is another one each time, so that no other provider would find the prompt in its cache.
    """
    if isinstance(part, Text) and part.text.startswith(_HEADER):
        return Opaque(NAME, render_text(part))
    return part


def parse_messages(top: Members) -> tuple[Message, ...]:
    """The list of messages."""
    values = top.items("messages")
    if values is None:
        raise missing("messages", "a list of messages")
    if not values:
        raise BadRequest(
            "'messages' is empty; at least one message is needed.", code="invalid_value", param="messages"
        )
    return tuple([_parse_message(value, f"messages.{number}") for number, value in enumerate(values)])


def _parse_message(value: Json, path: str) -> Message:
    message = Members(value, path)
    word = message.need_text("role")
    role = _ROLES.get(word)
    if role is None:
        raise bad_value(message.at("role"), word, "one of 'user', 'assistant' and 'system'")
    content = message.any("content")
    if content is None:
        raise missing(message.at("content"), "a string or a list of blocks")
    parts, form = parse_content(content, message.at("content"))
    listed = True if role == "system" else None
    return Message(role, parts, extra=message.extra(NAME, content=form, listed=listed))


def parse_content(value: Json, path: str) -> tuple[tuple[Part, ...], str | None]:
    """Content, and a note where it is a string."""
    if isinstance(value, str):
        return (Text(value),), "string"
    if not isinstance(value, list):
        raise wrong(path, value, "a string or a list of blocks")
    parts = carry.Said()
    for number, one in enumerate(value):
        block = Members(one, f"{path}.{number}")
        kind = block.need_text("type")
        if kind == "tool_use":
            call, thoughts = parse_call(block)
            parts += parts.not_said(thoughts)
            parts.append(call)
            continue
        read = _BLOCKS.get(kind)
        part = read(block) if read is not None else None
        parts.append(Opaque(NAME, one) if part is None else part)
    return tuple(parts), None


def _notes(**notes: Json) -> dict[str, dict[str, Json]]:
    said = {f"${name}": value for name, value in notes.items() if value is not None}
    return {NAME: said} if said else {}


def render_messages(messages: tuple[Message, ...], out: dict[str, Json]) -> None:
    """Put the system prompt and the list into a request."""
    system: list[Message] = []
    listed: list[Json] = []
    for message in messages:
        if message.role in ("system", "developer") and not note(message.extra, NAME, "listed"):
            system.append(message)
            continue
        content = _render_content(message)
        if content != [] or not message.parts:
            role = "user" if message.role == "tool" else message.role
            listed.append(put({"role": role, "content": content}, message.extra, NAME))
    if system:
        out["system"] = _render_system(system)
    out["messages"] = listed


def _render_system(messages: list[Message]) -> Json:
    if len(messages) == 1:
        return _render_content(messages[0])
    blocks: list[Json] = []
    for message in messages:
        blocks.extend(render_blocks(message.parts))
    return blocks


def _render_content(message: Message) -> Json:
    parts = message.parts
    if note(message.extra, NAME, "content") == "string" and all(_is_plain(part) for part in parts):
        return "".join([part.text for part in parts if isinstance(part, Text)])
    return render_blocks(parts)


def _is_plain(part: Part) -> bool:
    return isinstance(part, Text) and not (part.citations or part.cache or part.extra)


def render_blocks(parts: tuple[Part, ...]) -> list[Json]:
    """What is said to a provider."""
    return [block for part in parts if (block := _render_part(part)) is not None]


def _render_part(part: Part) -> dict[str, Json] | None:
    match part:
        case Text():
            return render_text(part)
        case Media():
            return render_media(part)
        case Reasoning():
            return render_thought(part) if is_own(part) else None
        case ToolCall():
            return render_call(part)
        case ToolResult():
            return render_result(part)
        case Refusal():
            return {"type": "text", "text": part.text}
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None
