"""A request from another dialect, made into one that a Claude model takes.

Everything here is a loss, declared in the column `ANTHROPIC` of `losses.py`, or in `limits.py` where it
depends on the model. What a model takes is in `models.py`; the conversation is arranged in `turns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from madang.core.messages import Json, Opaque, Part, Reasoning, ToolCall, ToolResult
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.dialects.anthropic.content import is_own
from madang.dialects.anthropic.models import Claude
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.turns import arrange
from madang.dialects.features import thinks
from madang.dialects.names import fitted
from madang.dialects.reading import json_text
from madang.dialects.schemas import closed, is_closed
from madang.dialects.users import plain

_JSON = "Answer with one JSON object and nothing else: no words before or after it, no code fence."
_SCHEMA = "Answer with nothing but JSON that fits this schema:\n"
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16_384, "xhigh": 24_576, "max": 32_000}
"""Tokens to think with, for a model that has no `effort`."""
_ORDER = ("low", "medium", "high", "xhigh", "max")
_LEAST = 1024
"""The smallest budget that the API takes; it must be below `max_tokens`."""


class Adapted(msgspec.Struct, frozen=True):
    """A request, in our form, as a model takes it."""

    request: Request
    repaired: frozenset[str]
    """What in its conversation had to be said in another way (`turns.py`)."""


def adapt(request: Request, model: Claude) -> Adapted:
    """The request as the model takes it."""
    sentences: list[str] = []
    request = fitted(request, NAME)
    most = request.max_tokens if request.max_tokens is not None else model.max_tokens
    most = most if model.most is None else min(most, model.most)
    tools, choice = _tools(request, model, sentences)
    output = _output(request.output, model, sentences)
    ask = _reasoning(request, model, most, choice)
    temperature, sampled = request.temperature, model.sampling and not thinks(request.reasoning)
    if temperature is not None and temperature != 1:
        temperature = min(temperature, 1) if sampled else None
    both = model.both or temperature is None
    arranged = arrange(request.messages, sentences, prefill=model.prefill)
    adapted = msgspec.structs.replace(
        request,
        messages=arranged.messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=request.parallel_tools if tools else None,
        max_tokens=most,
        temperature=temperature,
        top_p=request.top_p if sampled and both else None,
        top_k=request.top_k if sampled else None,
        # "each stop sequence must contain non-whitespace"
        stop=tuple([stop for stop in request.stop if stop.strip()]),
        reasoning=ask,
        output=output,
        service_tier=None,
        user=plain(request.user) if request.user is not None else None,
    )
    return Adapted(adapted, arranged.repaired)


def _tools(
    request: Request, model: Claude, sentences: list[str]
) -> tuple[tuple[Tool | Opaque, ...], ToolChoice | None]:
    tools = tuple([_tool(tool, model) if isinstance(tool, Tool) else tool for tool in request.tools])
    choice = request.tool_choice
    if choice is None or not tools:
        return tools, None
    if choice.mode == "required" and len(choice.names) == 1:
        choice = ToolChoice(mode="named", names=choice.names)
    elif choice.mode == "required" and choice.names:
        tools = tuple([tool for tool in tools if isinstance(tool, Tool) and tool.name in choice.names])
        choice = ToolChoice(mode="required")
    match choice.mode:
        case "required" if not model.forced:
            sentences.append("Answer by calling one of the tools.")
            choice = ToolChoice(mode="auto")
        case "named" if not model.forced:
            sentences.append(f"Answer by calling the tool {choice.names[0]}.")
            choice = ToolChoice(mode="auto")
        case "auto" | "none" | "required" | "named":
            pass
    return tools, choice


def _tool(tool: Tool, model: Claude) -> Tool:
    schema = tool.schema
    if schema is not None and "type" not in schema:
        schema = {"type": "object", **schema}
    strict = tool.strict
    if strict and not (model.schema and is_closed(schema)):
        strict = None
    return msgspec.structs.replace(tool, schema=schema, strict=strict)


def _output(output: OutputFormat | None, model: Claude, sentences: list[str]) -> OutputFormat | None:
    if output is None or output.kind == "text":
        return None
    schema: Mapping[str, Json] | None = output.schema if output.kind == "schema" else None
    if schema is None:
        sentences.append(_JSON)
        return None
    if not model.schema:
        sentences.append(_SCHEMA + json_text(schema))
        return None
    return OutputFormat(kind="schema", schema=closed(schema))


def _reasoning(request: Request, model: Claude, most: int, choice: ToolChoice | None) -> ReasoningAsk | None:
    ask = request.reasoning
    if ask is None or model.thinking == "none":
        return None
    if ask.enabled is False:
        return _not_thinking(model)
    if not thinks(ask):
        return None
    if model.thinking == "adaptive":
        return ReasoningAsk(enabled=True, effort=_effort(ask, model), show=_show(ask))
    # "Thinking may not be enabled when tool_choice forces tool use."
    forced = choice is not None and choice.mode in ("required", "named")
    if forced or most <= _LEAST or _is_unsigned(request):
        return None
    return ReasoningAsk(enabled=True, budget=_budget(ask, most), show=_show(ask))


def _not_thinking(model: Claude) -> ReasoningAsk | None:
    match model.off:
        case "disabled":
            return ReasoningAsk(enabled=False)
        case "between_tools":
            return ReasoningAsk(enabled=False, extra={NAME: {"$type": "between_tools"}})
        case None:
            return ReasoningAsk(effort="low")


def _effort(ask: ReasoningAsk, model: Claude) -> str | None:
    """The effort asked for, or the highest below it that the model has."""
    wanted = ask.effort
    if wanted is None and ask.budget is not None:
        wanted = next((name for name, budget in _BUDGETS.items() if ask.budget <= budget), "max")
    if wanted is None:
        return None
    place = _ORDER.index(wanted) if wanted in _ORDER else 0
    known = [name for name in _ORDER[: place + 1] if name in model.efforts]
    return known[-1] if known else None


def _budget(ask: ReasoningAsk, most: int) -> int:
    """Tokens to think with; a number of the client's own wins, else a quarter is left for the answer."""
    if ask.budget is not None and ask.budget > 0:
        return min(max(ask.budget, _LEAST), most - 1)
    return max(_LEAST, min(_BUDGETS.get(ask.effort or "medium", _BUDGETS["medium"]), most * 3 // 4))


def _show(ask: ReasoningAsk) -> str | None:
    return None if ask.show is None else "none" if ask.show == "none" else "auto"


def _is_unsigned(request: Request) -> bool:
    """Whether results of tools come last, in a loop that began without a thought that Claude has signed.

    "When thinking is enabled, a final assistant message must start with a thinking block (preceeding the
    lastmost set of tool_use and tool_result blocks)." What the user says beside the results does not matter.
    """
    loop: list[Part] = []
    heard: list[Part] = []
    for message in reversed(request.messages):
        if message.role != "assistant":
            heard.extend(message.parts)
        elif any(isinstance(part, ToolResult) for part in heard) or (loop and not heard):
            loop.extend(message.parts)
            heard.clear()
        else:
            break
    called = any(isinstance(part, ToolCall) for part in loop)
    return called and not any(isinstance(part, Reasoning) and is_own(part) for part in loop)
