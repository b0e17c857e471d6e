"""What OpenAI's models take, read from their names: the API refuses settings that a model has not.

For both of its dialects; a request from another one is made into one that the model takes. Sources: the
reference of `reasoning_effort` in openai-python 3.51, the developers' forum ("Compatibility matrix:
Reasoning models", 2026-01; every level tried on every model, 2026-07: big-AGI #1159), langchain #35424 and
pipecat #4043. A name that is not OpenAI's own tells nothing, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from madang.core.messages import Message, Opaque, Text, ToolCall
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool
from madang.dialects.features import says_json
from madang.dialects.names import fitted as named
from madang.dialects.schemas import is_closed, lacking, of_object, with_items

Limit = tuple[Literal["drop", "emulate"], str]
"""What happens to a feature, and how."""


class Gpt(msgspec.Struct, frozen=True, kw_only=True):
    """A model, as far as its requests differ from others'."""

    efforts: tuple[str, ...] = ()
    """The values of its effort; none where it does not reason, or cannot be told how much."""
    idle: bool = False
    """Whether it does not think unless it is told to."""
    sampling: Literal["always", "idle", "never"] = "always"
    """Whether it takes `temperature`, penalties and the like: just when it does not think, as some do."""
    max_tokens: int | None = None
    """What it may say at most, where that is known."""
    tools_or_thoughts: bool = False
    """Whether it may not think in a chat completion with tools."""


_ASK = Text("Answer with one JSON object.")
_GO_ON = Message("user", (Text("Go on just where your last message ends, and repeat nothing of it."),))
_GENTLE = ("low", "medium", "high")
_ORDER = ("minimal", *_GENTLE, "xhigh", "max")
_BUDGETS = ((2048, "low"), (8192, "medium"))
"""Tokens of thought up to which an effort is the nearest."""
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs")
_NAME = re.compile(r"(?:gpt-(\d+)(?:\.(\d+))?|(o)\d+|(chatgpt-4o))(.*)")
_MOST = (("gpt-3.5", 4096), ("gpt-4o", 16_384), ("gpt-4.1", 32_768), ("gpt-4.5", 16_384), ("gpt-4-", 4096))
_NO_THOUGHTS: Limit = ("emulate", "the model may not think in a chat completion with tools")
_ALWAYS_THINKS = "the model always thinks: as little as it can is asked for"


@lru_cache(maxsize=1024)
def gpt(model: str) -> Gpt | None:
    """What a model takes that is called so: `gpt-5.2-codex`, `openai/o3`, `ft:gpt-4o:house`."""
    name = model.rpartition("/")[2].removeprefix("ft:").lower()
    found = _NAME.match(name)
    if found is None:
        return None
    major, minor, series, chat, rest = found.groups()
    if series:
        efforts = () if rest.startswith(("-mini", "-preview")) and name.startswith("o1") else _GENTLE
        return Gpt(efforts=efforts, sampling="never", max_tokens=100_000 if efforts else 32_768)
    if chat or int(major) < 5:
        most = next((most for start, most in _MOST if name.startswith(start)), 16_384 if chat else 8192)
        return Gpt(max_tokens=most, sampling="never" if "-search" in rest else "always")
    return _gpt_5((int(major), int(minor or 0)), rest)


def _gpt_5(version: tuple[int, int], rest: str) -> Gpt:
    if "-chat" in rest or "-search" in rest:
        first = version == (5, 0) and "-chat" in rest
        return Gpt(max_tokens=16_384, sampling="always" if first else "never")
    most = 128_000 if version < (5, 6) else None
    if "-pro" in rest:
        efforts: tuple[str, ...] = ("high",) if version < (5, 2) else ("medium", "high", "xhigh")
        return Gpt(efforts=efforts, sampling="never")
    above = ("xhigh",) if version >= (5, 2) or "-codex-max" in rest else ()
    above = (*above, "max") if version >= (5, 6) else above
    if "-codex" in rest:
        return Gpt(efforts=(*_GENTLE, *above), sampling="never", max_tokens=most)
    if version < (5, 1):
        return Gpt(efforts=("minimal", *_GENTLE), sampling="never", max_tokens=most)
    return Gpt(
        efforts=("none", *_GENTLE, *above),
        idle=version < (5, 5),
        sampling="idle" if version < (5, 6) else "never",
        max_tokens=most,
        tools_or_thoughts=version >= (5, 4),
    )


def fitted(request: Request, model: str, *, chat: bool = False) -> Request:
    """A request from another dialect as the model takes it; `chat`: in a chat completion.

    What is true of all of them is done for a model of any name: OpenAI's likenesses are as strict as it is.
    """
    request = named(request, "openai_chat" if chat else "openai_responses")
    request = msgspec.structs.replace(
        request,
        messages=(*request.messages, *_last_words(request.messages)),
        tools=_tools(request.tools),
        output=_output(request.output),
    )
    kind = gpt(model)
    if kind is None:
        return request
    ask = _reasoning(request.reasoning, kind)
    if chat and kind.tools_or_thoughts and request.tools and not (ask is None and kind.idle):
        ask = ReasoningAsk(enabled=False)
    idle = kind.idle if ask is None or (ask.enabled is None and ask.effort is None) else ask.enabled is False
    changed: dict[str, ReasoningAsk | int | None] = {"reasoning": ask}
    if kind.sampling == "never" or (kind.sampling == "idle" and not idle):
        changed |= dict.fromkeys(_SAMPLING)
        # 1 is what these are where nothing is said, and is let pass.
        changed |= {name: 1 for name in ("temperature", "top_p") if getattr(request, name) == 1}
    most = request.max_tokens
    if most is not None and kind.max_tokens is not None:
        changed["max_tokens"] = min(most, kind.max_tokens)
    return msgspec.structs.replace(request, **changed)


def _last_words(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """What the user says after a last message of the assistant's: here it is not one to be continued."""
    if not messages or messages[-1].role != "assistant":
        return ()
    return () if any(isinstance(part, ToolCall) for part in messages[-1].parts) else (_GO_ON,)


def _tools(tools: tuple[Tool | Opaque, ...]) -> tuple[Tool | Opaque, ...]:
    return tuple([_tool(tool) if isinstance(tool, Tool) else tool for tool in tools])


def _tool(tool: Tool) -> Tool:
    strict = tool.strict
    if strict and is_closed(tool.schema) and lacking(tool.schema):
        strict = None
    return msgspec.structs.replace(tool, schema=with_items(of_object(tool.schema), {}), strict=strict)


def _output(output: OutputFormat | None) -> OutputFormat | None:
    if output is None or not output.strict or not lacking(output.schema):
        return output
    return msgspec.structs.replace(output, strict=False)


def with_json_asked(request: Request) -> Request:
    """The same, with the user asking for JSON in words too, without which it is refused.

    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    """
    if request.output is None or request.output.kind != "json" or says_json(request):
        return request
    messages = list(request.messages)
    place = max((n for n, message in enumerate(messages) if message.role == "user"), default=None)
    if place is None:
        messages.append(Message("user", (_ASK,)))
    else:
        last = messages[place]
        messages[place] = msgspec.structs.replace(last, parts=(*last.parts, _ASK))
    return msgspec.structs.replace(request, messages=tuple(messages))


def _reasoning(ask: ReasoningAsk | None, kind: Gpt) -> ReasoningAsk | None:
    if ask is None or not kind.efforts:
        return None
    wanted = _wanted(ask)
    if wanted is None:
        return ask
    if wanted == "none":
        if "none" in kind.efforts:
            return ask
        wanted = "minimal"
    return ReasoningAsk(effort=_nearest(wanted, kind), show=ask.show)


def _wanted(ask: ReasoningAsk) -> str | None:
    if ask.enabled is False:
        return "none"
    if ask.effort is not None:
        return ask.effort
    if ask.budget is not None:
        return next((effort for most, effort in _BUDGETS if ask.budget <= most), "high")
    return "medium" if ask.enabled else None


def _nearest(wanted: str, kind: Gpt) -> str:
    """The effort, or the highest below it that the model has, or else the lowest."""
    known = [effort for effort in _ORDER if effort in kind.efforts]
    below = _ORDER[: _ORDER.index(wanted) + 1] if wanted in _ORDER else _ORDER
    return next((effort for effort in reversed(known) if effort in below), known[0])


def limits(
    request: Request, model: str, asked: frozenset[str], *, chat: bool = False
) -> Mapping[str, Limit | None]:
    """What a model makes of the features asked."""
    told = fitted(request, model, chat=chat)
    out: dict[str, Limit | None] = {}
    if _last_words(request.messages):
        out["user.last"] = (
            "emulate",
            "the assistant's last message is not continued, so the user asks for it",
        )
    if request.reasoning is None and told.reasoning is not None:
        out["reasoning.unsaid"] = _NO_THOUGHTS
    for name in asked:
        first, _, second = name.partition(".")
        if first == "reasoning" and second.partition(".")[0] in ("on", "off", "effort", "budget", "show"):
            limit = _of_reasoning(second, request.reasoning, told.reasoning, chat=chat)
        elif first in _SAMPLING and getattr(told, first) is None:
            limit = ("drop", "the model takes no sampling settings while it thinks")
        elif first == "max_tokens" and told.max_tokens != request.max_tokens:
            limit = ("emulate", f"the model can say {told.max_tokens} tokens at most")
        else:
            limit = None
        if limit is not None:
            out[name] = limit
    return out


def _of_reasoning(
    feature: str, wanted: ReasoningAsk | None, told: ReasoningAsk | None, *, chat: bool
) -> Limit | None:
    if told is None:
        return "drop", "the model does not reason, or cannot be told how much"
    if wanted is None or (chat and feature.startswith("show")):
        return None
    if told.enabled is False and wanted.enabled is not False:
        return _NO_THOUGHTS
    if feature == "off" and told.enabled is not False:
        return "emulate", _ALWAYS_THINKS
    if feature.startswith("effort") and told.effort != wanted.effort:
        return "emulate", "the effort that comes nearest is asked for"
    return None
