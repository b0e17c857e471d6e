"""Puts what a scenario says over what the imitated model would have said."""

from __future__ import annotations

import msgspec

from madang.simulator.answers import answer, as_json, count, fit
from madang.simulator.controls import Controls
from madang.simulator.scenario import UNSCRIPTED, Scripted, ScriptedCall, ScriptedUsage
from madang.simulator.tokens import split
from madang.simulator.vocabulary import Answer, ChatRequest, Choice, Tokens, ToolCall


def answer_by_script(request: ChatRequest, script: Scripted, controls: Controls, seed: int) -> Answer:
    """The answer: as scripted, and plausible where the script is silent."""
    plausible = answer(request, controls, seed)
    if script is UNSCRIPTED:
        return plausible
    choices = tuple(_choice(request, script, choice) for choice in plausible.choices)
    thought = plausible.tokens.reasoning
    if script.usage is not None and script.usage.reasoning_tokens is not None:
        thought = script.usage.reasoning_tokens
    return Answer(choices, _tokens(count(request, choices, thought), script.usage))


def _choice(request: ChatRequest, script: Scripted, plausible: Choice) -> Choice:
    choice = plausible
    texts = [item for item in script.stream if isinstance(item, str)]
    if script.tool_calls:
        choice = Choice(split(script.text or ""), "tool_calls", tuple(map(_call, script.tool_calls)))
    elif script.stream:
        choice = Choice(tuple(texts), "stop")
    elif script.text is not None:
        choice = fit(split(script.text), request.stop, request.max_tokens)
    return msgspec.structs.replace(choice, finish=script.finish_reason) if script.finish_reason else choice


def _call(call: ScriptedCall) -> ToolCall:
    text = call.arguments if isinstance(call.arguments, str) else as_json(call.arguments)
    return ToolCall(call.name, split(text))


def _tokens(counted: Tokens, usage: ScriptedUsage | None) -> Tokens:
    if usage is None:
        return counted
    return Tokens(
        prompt=counted.prompt if usage.prompt_tokens is None else usage.prompt_tokens,
        completion=counted.completion if usage.completion_tokens is None else usage.completion_tokens,
        reasoning=counted.reasoning,
        cached=usage.cached_tokens or 0,
    )
