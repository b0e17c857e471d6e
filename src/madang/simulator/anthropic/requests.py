"""POST /v1/messages, the request: checked as Anthropic checks it, read as a `MessagesRequest`."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.anthropic.caching import Breakpoint, read_prompt
from madang.simulator.anthropic.content import Source, read_cache_control
from madang.simulator.anthropic.errors import error_for, invalid
from madang.simulator.anthropic.families import Family, family_of
from madang.simulator.anthropic.fields import Fields, read_object, refuse
from madang.simulator.anthropic.loops import check_thoughts, check_tool_calls, in_tool_loop
from madang.simulator.anthropic.messages import Message, read_messages, read_system, turns_of
from madang.simulator.anthropic.thinking import Thinking, read_thinking
from madang.simulator.anthropic.tools import read_choice, read_schema, read_tools
from madang.simulator.controls import NONE
from madang.simulator.request import Request
from madang.simulator.vocabulary import ChatRequest

_KNOWN: Final = frozenset(
    (
        *("max_tokens", "messages", "model", "cache_control", "container", "diagnostics", "inference_geo"),
        *("metadata", "output_config", "output_format", "service_tier", "speed", "stop_sequences", "stream"),
        *("system", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"),
        *("user_profile_id", "workspace_id"),
    )
)
_KNOWN_IN_BETA: Final = frozenset(("context_management", "mcp_servers", "fallbacks"))
_WINDOW = 200_000
_MOST_BYTES = 32 * 1024 * 1024


class MessagesRequest(msgspec.Struct, frozen=True):
    """A request for the next message."""

    chat: ChatRequest
    thinking: Thinking
    breakpoints: tuple[Breakpoint, ...]
    served: frozenset[str]
    """Tools that Anthropic would run."""
    sources: tuple[Source, ...]
    """What may be cited."""


def read_messages_request(request: Request) -> MessagesRequest:
    """A body as a request for a message. Raises ApiError."""
    fields = _read(request)
    if "max_tokens" not in fields:
        refuse("max_tokens", "Field required")
    return _read_message(fields, request, fields.integer("max_tokens", 0))


def read_count_request(request: Request) -> MessagesRequest:
    """A body as a request to count tokens: the same, but for `max_tokens`. Raises ApiError."""
    return _read_message(_read(request), request, None)


def _read(request: Request) -> Fields:
    if len(request.body) > _MOST_BYTES:
        raise error_for(413, NONE, "", "")
    fields = read_object(request.body)
    beta = "anthropic-beta" in request.headers or "beta=true" in request.query
    fields.refuse_unknown(_KNOWN | _KNOWN_IN_BETA if beta else _KNOWN)
    if not fields.text("model"):
        refuse("model", "String should have at least 1 character")
    return fields


def _read_message(fields: Fields, request: Request, max_tokens: int | None) -> MessagesRequest:
    model = fields.text("model")
    family = family_of(model)
    _check_size(max_tokens, family, model)
    system = read_system(fields)
    messages = read_messages(fields, family)
    check_tool_calls(messages)
    offer = read_tools(fields)
    choice = read_choice(fields, offer)
    thinking = read_thinking(fields, family, max_tokens)
    if thinking.budget is not None and (choice.tool_choice == "required" or choice.tool_choice[0] == "="):
        invalid("Thinking may not be enabled when tool_choice forces tool use.")
    check_thoughts(messages, required=thinking.budget is not None)
    _check_sampling(fields, family, thinking)
    _check_unused(fields)
    prompt = read_prompt(fields)
    if prompt.tokens > _WINDOW:
        invalid(f"prompt is too long: {prompt.tokens} tokens > {_WINDOW} maximum")
    interleaved = thinking.budget is None or "interleaved" in request.headers.get("anthropic-beta", "")
    chat = ChatRequest(
        model=model,
        turns=turns_of(messages, system),
        prompt_tokens=prompt.tokens,
        stream=fields.boolean("stream") or False,
        max_tokens=max_tokens,
        stop=_stop(fields),
        tools=offer.tools,
        tool_choice=choice.tool_choice,
        parallel=choice.parallel,
        schema=read_schema(fields),
        think=thinking.tokens if interleaved or not in_tool_loop(messages) else 0,
    )
    return MessagesRequest(chat, thinking, prompt.breakpoints, offer.served, _sources(messages))


def _check_unused(fields: Fields) -> None:
    """Parameters that change nothing here, but are refused when they are wrong."""
    read_cache_control(fields)
    if (metadata := fields.section("metadata")) is not None:
        metadata.refuse_unknown(("user_id",))
        metadata.optional_text("user_id")
    if "service_tier" in fields:
        fields.one_of("service_tier", ("auto", "standard_only"))


def _check_size(max_tokens: int | None, family: Family, model: str) -> None:
    most = family.most_output
    if max_tokens is not None and most is not None and max_tokens > most:
        refuse(
            "max_tokens",
            f"{max_tokens} > {most}, which is the maximum allowed number of output tokens for {model}",
        )


def _check_sampling(fields: Fields, family: Family, thinking: Thinking) -> None:
    temperature = fields.number("temperature", 0, 1)
    top_p = fields.number("top_p", 0, 1)
    top_k = fields.integer("top_k", 0)
    for name, value in (("temperature", temperature), ("top_p", top_p), ("top_k", top_k)):
        if value is not None and not family.sampling and not (name == "temperature" and value == 1):
            invalid(f"`{name}` is deprecated for this model.")
    if family.one_of_sampling and temperature is not None and top_p is not None:
        invalid("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
    if thinking.on and temperature not in (None, 1):
        invalid(_NOT_WITH_THINKING.format(name="temperature", why="may only be set to 1"))
    if thinking.on and top_p is not None and top_p < 0.95:
        invalid(_NOT_WITH_THINKING.format(name="top_p", why="must be greater than or equal to 0.95 or unset"))
    if thinking.on and top_k is not None:
        invalid(_NOT_WITH_THINKING.format(name="top_k", why="must be unset"))


_NOT_WITH_THINKING = (
    "`{name}` {why} when thinking is enabled or in adaptive mode. Please consult our documentation at "
    "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
    "#important-considerations-when-using-extended-thinking"
)


def _stop(fields: Fields) -> tuple[str, ...]:
    words = fields.texts("stop_sequences")
    if any(not word.strip() for word in words):
        invalid("stop_sequences: each stop sequence must contain non-whitespace")
    return words


def _sources(messages: tuple[Message, ...]) -> tuple[Source, ...]:
    return tuple(source for message in messages for block in message.blocks for source in block.sources)
