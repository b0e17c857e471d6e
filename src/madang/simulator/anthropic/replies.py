"""From an answer to a message: its blocks in order, why it stopped, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from madang.simulator.answers import last_said, thoughts
from madang.simulator.anthropic.blocks import (
    Block,
    Json,
    block_id,
    redacted_block,
    text_block,
    thinking_block,
    tool_block,
)
from madang.simulator.anthropic.requests import MessagesRequest
from madang.simulator.anthropic.sources import citations_of, searched
from madang.simulator.dialect import Wishes
from madang.simulator.prefixes import Prefixes
from madang.simulator.scripted import answer_by_script
from madang.simulator.vocabulary import Answer, Choice

_STOPS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
"""What the imitated model calls a reason; Anthropic's own words, scripted, stay as they are."""


_SEARCH: Final = "web_search"


class Reply(msgspec.Struct, frozen=True):
    """A message, not yet rendered."""

    id: str
    model: str
    blocks: Sequence[Block]
    stop_reason: str
    stop_sequence: str | None
    stop_details: Json | None
    usage: dict[str, object]


def compose(request: MessagesRequest, wishes: Wishes, prefixes: Prefixes) -> Reply:
    """The message that answers a request."""
    cached = _cached(request, prefixes)
    searching = _searches(request)
    chat = msgspec.structs.replace(request.chat, tools=()) if searching else request.chat
    answer = answer_by_script(chat, wishes.script, wishes.controls, wishes.seed)
    choice = answer.choices[0]
    blocks = _thoughts(request, answer, wishes)
    refused, silent = choice.refused, choice.refused or request.chat.max_tokens == 0
    said = [] if silent else _said(request, choice, wishes, searching=searching)
    extra = sum(block.tokens for block in said) - _counted(choice)
    return Reply(
        id="msg_01" + wishes.stamp.token[-22:],
        model=request.chat.model,
        blocks=[*blocks, *said],
        stop_reason="refusal" if refused else _stop_reason(choice),
        stop_sequence=choice.stopped_by if choice.finish == "stop" else None,
        stop_details=_refusal(choice.text) if refused else None,
        usage=_usage(answer, wishes, cached, extra, said),
    )


def _thoughts(request: MessagesRequest, answer: Answer, wishes: Wishes) -> list[Block]:
    if not answer.tokens.reasoning:
        return []
    pieces = thoughts(request.chat, answer.tokens.reasoning, wishes.seed)
    if wishes.controls.redact:
        return [redacted_block(pieces)]
    return [thinking_block(pieces, shown=request.thinking.shown)]


def _said(request: MessagesRequest, choice: Choice, wishes: Wishes, *, searching: bool) -> list[Block]:
    blocks = [text_block(choice.pieces)] if choice.pieces or not choice.calls else []
    if choice.calls:
        return blocks + [
            tool_block(call, block_id("toolu", wishes.stamp, at)) for at, call in enumerate(choice.calls)
        ]
    plain = (
        choice.finish in ("stop", "pause_turn") and choice.stopped_by is None and request.chat.schema is None
    )
    if not plain or wishes.script.stream:
        return blocks
    if searching:
        found = searched(last_said(request.chat.turns), wishes.stamp)
        return found[:2] if choice.finish == "pause_turn" else [*found, *blocks]
    return [*citations_of(request.sources), *blocks]


def _searches(request: MessagesRequest) -> bool:
    """Whether the model looks something up: told to, asked to, or having nothing else at hand."""
    chat = request.chat
    if _SEARCH not in request.served or chat.turns[-1].role != "user":
        return False
    if chat.tool_choice in ("none", "required") or chat.tool_choice.startswith("="):
        return chat.tool_choice == "=" + _SEARCH or (chat.tool_choice == "required" and not chat.tools)
    asked = last_said(chat.turns).lower()
    return not chat.tools or any(word in asked for word in ("search", "검색"))


def _counted(choice: Choice) -> int:
    return len(choice.pieces) + sum(1 + len(call.pieces) for call in choice.calls)


def _stop_reason(choice: Choice) -> str:
    if choice.stopped_by is not None and choice.finish == "stop":
        return "stop_sequence"
    if choice.calls and choice.finish == "stop":
        return "tool_use"
    return _STOPS.get(choice.finish, choice.finish)


def _refusal(explanation: str) -> Json:
    return {"type": "refusal", "category": "general_harms", "explanation": explanation}


class _Cached(msgspec.Struct, frozen=True):
    """How much of the prompt was in the cache, and how much of it is now."""

    read: int = 0
    written: int = 0
    for_an_hour: bool = False


def _cached(request: MessagesRequest, prefixes: Prefixes) -> _Cached:
    marks = request.breakpoints
    if not marks:
        return _Cached()
    known = prefixes.longest([mark.key for mark in marks])
    read = marks[known - 1].tokens if known else 0
    return _Cached(read, marks[-1].tokens - read, marks[-1].ttl == "1h")


def _usage(
    answer: Answer, wishes: Wishes, cached: _Cached, extra: int, said: Sequence[Block]
) -> dict[str, object]:
    tokens = answer.tokens
    scripted = wishes.script.usage
    exact = scripted is not None and scripted.prompt_tokens is not None
    read, written = cached.read or tokens.cached, cached.written
    usage: dict[str, object] = {
        "input_tokens": tokens.prompt if exact else max(0, tokens.prompt - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": 0 if cached.for_an_hour else written,
            "ephemeral_1h_input_tokens": written if cached.for_an_hour else 0,
        },
        "output_tokens": tokens.completion + extra,
    }
    if tokens.reasoning:
        usage["output_tokens_details"] = {"thinking_tokens": tokens.reasoning}
    usage["service_tier"] = "standard"
    usage["inference_geo"] = "not_available"
    if any(block.whole["type"] == "server_tool_use" for block in said):
        usage["server_tool_use"] = {"web_search_requests": 1, "web_fetch_requests": 0}
    return usage
