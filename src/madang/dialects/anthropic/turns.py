"""A conversation from another dialect, as Anthropic's API insists on it.

The system prompt comes first. Then the user and the assistant take turns, the user first; what tools
brought stands at the head of the turn right after the calls, all of it; no text is blank; and of
thoughts there are only those that Claude has signed. Each of these is an error 400 if it does not
hold (recorded and documented: "Working with the Messages API", "Tool use", read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from madang.core.messages import (
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.dialects.anthropic.content import is_own
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.tools import plain

_BEGINNING = "(The conversation begins here.)"
_GO_ON = "Continue."
_UNANSWERED = "(No result was given.)"


class Arranged(msgspec.Struct, frozen=True):
    """A conversation as the API insists on it."""

    messages: tuple[Message, ...]
    repaired: frozenset[str]
    """What had to be said in another way, as features: no sound conversation has any of them."""


class _Turn(msgspec.Struct):
    role: Literal["user", "assistant"]
    parts: list[Part]


def arrange(messages: Sequence[Message], sentences: Sequence[str], *, prefill: bool) -> Arranged:
    """The messages: system prompt, with some sentences of ours at its end, then turn by turn."""
    system: list[Part] = []
    turns: list[_Turn] = []
    repaired: set[str] = set()
    for message in messages:
        match message.role:
            case "system" | "developer":
                system.extend(_without_blanks(_only_texts(message.parts)))
            case "user" | "tool":
                _add(turns, "user", _without_blanks(_heard(message.parts)))
            case "assistant":
                _add(turns, "assistant", _spoken(message.parts))
    _rewrite_ids(turns, repaired)
    _answer(turns, repaired)
    _border(turns, repaired, prefill=prefill)
    system.extend([Text(sentence) for sentence in sentences])
    out = [Message("system", tuple(system))] if system else []
    out.extend([Message(turn.role, tuple(turn.parts)) for turn in turns])
    return Arranged(tuple(out), frozenset(repaired))


def _add(turns: list[_Turn], role: Literal["user", "assistant"], parts: Sequence[Part]) -> None:
    if not parts:
        return
    if turns and turns[-1].role == role:
        turns[-1].parts.extend(parts)
    else:
        turns.append(_Turn(role, list(parts)))


def _rewrite_ids(turns: list[_Turn], repaired: set[str]) -> None:
    for turn in turns:
        for number, part in enumerate(turn.parts):
            if isinstance(part, ToolCall) and (call_id := plain(part.id)) != part.id:
                turn.parts[number] = msgspec.structs.replace(part, id=call_id)
                repaired.add("tool_call.id")
            elif isinstance(part, ToolResult) and (call_id := plain(part.call_id)) != part.call_id:
                turn.parts[number] = msgspec.structs.replace(part, call_id=call_id)
                repaired.add("tool_result")


def _only_texts(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if isinstance(part, Text) or _is_ours(part)]


def _is_ours(part: Part) -> bool:
    return isinstance(part, Opaque) and part.dialect == NAME


def _heard(parts: Sequence[Part]) -> list[Part]:
    """What the user says."""
    out: list[Part] = []
    for part in parts:
        match part:
            case Text() | ToolCall():
                out.append(part)
            case Media(kind=kind):
                if kind in ("image", "document"):
                    out.append(part)
            case ToolResult():
                out.append(msgspec.structs.replace(part, parts=tuple(_brought(part))))
            case Refusal(text=text):
                out.append(Text(text))
            case Opaque():
                if _is_ours(part):
                    out.append(part)
            case Reasoning():
                pass
    return out


def _brought(result: ToolResult) -> list[Text | Media | Opaque]:
    return [
        part
        for part in result.parts
        if not (isinstance(part, Text) and not part.text.strip())
        and not (isinstance(part, Opaque) and part.dialect != NAME)
    ]


def _spoken(parts: Sequence[Part]) -> list[Part]:
    """What the assistant says: blank texts join their neighbours, and what nobody takes back is out."""
    out: list[Part] = []
    for part in parts:
        match part:
            case Text():
                _say(out, part)
            case Refusal(text=text):
                _say(out, Text(text))
            case Reasoning():
                if is_own(part):
                    out.append(part)
            case ToolCall():
                out.append(part)
            case Opaque():
                if _is_ours(part):
                    out.append(part)
            case Media() | ToolResult():
                pass
    return _without_blanks(out)


def _say(out: list[Part], text: Text) -> None:
    last = out[-1] if out else None
    if isinstance(last, Text) and not (last.text.strip() and text.text.strip()):
        words = text if text.text.strip() else last
        out[-1] = msgspec.structs.replace(words, text=last.text + text.text)
    else:
        out.append(text)


def _without_blanks(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if not isinstance(part, Text) or part.text.strip()]


def _answer(turns: list[_Turn], repaired: set[str]) -> None:
    """Let every call be answered in the turn after it, and nothing else."""
    called: list[str] = []
    number = 0
    while number < len(turns):
        turn = turns[number]
        if turn.role == "user":
            turn.parts = _answered(turn.parts, called, repaired)
            called = []
        else:
            called = [part.id for part in turn.parts if isinstance(part, ToolCall)]
            if called and (number + 1 == len(turns) or turns[number + 1].role != "user"):
                turns.insert(number + 1, _Turn("user", []))
        number += 1


def _answered(parts: list[Part], called: Sequence[str], repaired: set[str]) -> list[Part]:
    results: dict[str, ToolResult] = {}
    rest: list[Part] = []
    asked = frozenset(called)
    for part in parts:
        if not isinstance(part, ToolResult):
            rest.append(part)
        elif part.call_id in asked and part.call_id not in results:
            results[part.call_id] = part
        else:
            repaired.add("tool_result.orphan")
            rest.append(Text(f"(The result of an earlier tool call, {part.call_id}:)"))
            rest.extend(part.parts)
    for call_id in called:
        if call_id not in results:
            repaired.add("tool_call.unanswered")
            results[call_id] = ToolResult(call_id=call_id, parts=(Text(_UNANSWERED),), is_error=True)
    return [*results.values(), *rest]


def _border(turns: list[_Turn], repaired: set[str], *, prefill: bool) -> None:
    """Let the user have the first word, and the last one too unless the assistant's can be continued."""
    if not turns or turns[0].role != "user":
        turns.insert(0, _Turn("user", [Text(_BEGINNING)]))
        repaired.add("user.first")
    last = turns[-1]
    if last.role != "assistant":
        return
    end = last.parts[-1]
    if prefill and isinstance(end, Text):
        last.parts[-1] = msgspec.structs.replace(end, text=end.text.rstrip())
    else:
        turns.append(_Turn("user", [Text(_GO_ON)]))
        repaired.add("user.last")
