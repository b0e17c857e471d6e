"""POST /v1/responses, the request: checked as OpenAI checks it, read as a `ChatRequest` and an echo.

First what every request has to be, then what is remembered, and last what this model can do.
Not imitated: conversations and stored prompts (there are none: 404), custom and hosted tools but search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec

from madang.simulator.openai.chat_requests import read_metadata
from madang.simulator.openai.fields import Fields, invalid, listed, read_object, wrong_type
from madang.simulator.openai.responses_input import Heard, InputReader
from madang.simulator.openai.responses_shelf import Item, Shelf
from madang.simulator.openai.responses_tools import (
    Form,
    Toolbox,
    expect_the_word_json,
    read_form,
    read_toolbox,
)
from madang.simulator.openai.thinking import Traits, traits
from madang.simulator.tokens import PER_MESSAGE, PER_REQUEST, estimate
from madang.simulator.vocabulary import ApiError, ChatRequest, Turn

KNOWN: Final = frozenset(
    (
        *("access_programs", "background", "context_management", "conversation", "frequency_penalty"),
        *("image", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata"),
        *("model", "moderation", "parallel_tool_calls", "presence_penalty", "previous_response_id"),
        *("prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning"),
        *("safety_identifier", "service_tier", "store", "stream", "stream_options", "temperature"),
        *("text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"),
    )
)
_OF_CHAT: Final = frozenset(
    (
        *("messages", "max_tokens", "max_completion_tokens", "n", "stop", "seed", "logprobs", "logit_bias"),
        *("response_format", "reasoning_effort", "verbosity", "functions", "function_call", "modalities"),
        *("audio", "prediction", "web_search_options"),
    )
)
"""Parameters of chat completions: refused even if the simulator is not strict, for they are a mistake."""
_MOVED: Final = (
    "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'. Try again "
    "with the new parameter. See the API documentation for more information: "
    "https://platform.openai.com/docs/api-reference/responses/create."
)
_NOTHING_SAID: Final = (
    "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
)
_INCLUDES: Final = (
    *("file_search_call.results", "web_search_call.results", "web_search_call.action.sources"),
    *("message.input_image.image_url", "computer_call_output.output.image_url"),
    *("code_interpreter_call.outputs", "reasoning.encrypted_content", "message.output_text.logprobs"),
)
_EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_SUMMARIES: Final = ("concise", "detailed", "auto")
_TIERS: Final = ("auto", "default", "fast", "flex", "priority")
_LEAST_OUTPUT = 16


class Thinking(msgspec.Struct, frozen=True):
    """What `reasoning` says."""

    effort: str | None = None
    summary: str | None = None


class ResponsesRequest(msgspec.Struct, frozen=True):
    """A request for a response."""

    chat: ChatRequest
    toolbox: Toolbox
    form: Form
    thinking: Thinking
    traits: Traits
    include: frozenset[str]
    echo: dict[str, object]
    """What the response repeats of the request."""
    items: list[Item]
    """What it is made from, the items of earlier responses included."""
    store: bool = True
    background: bool = False


def read_responses_request(body: bytes, shelf: Shelf, strict: bool) -> ResponsesRequest:
    """A body as a request for a response. Raises ApiError; with `strict` also for members nobody knows."""
    fields = read_object(body)
    model = _model(fields)
    fields.required("input")
    if fields.raw("input") is None:
        _got_an_object("input")
    _check_names(fields, strict)
    own = traits(model)
    include, toolbox = _include(fields), read_toolbox(fields, strict=strict)
    form, thinking = read_form(fields, strict=strict), _thinking(fields, strict)
    echo = _echo(fields, own, toolbox, form, thinking)
    store, background = fields.boolean("store") is not False, fields.boolean("background") or False
    if background and not store:
        invalid("Background responses have to be stored: 'store' must be true.", "background")
    heard = _heard(fields, shelf, store=store, strict=strict)
    _check_abilities(fields, own, include, thinking)
    return ResponsesRequest(
        chat=_chat(fields, model, heard, toolbox, form, thinking, own),
        toolbox=toolbox,
        form=form,
        thinking=thinking,
        traits=own,
        include=include,
        echo=echo,
        items=heard.items,
        store=store,
        background=background,
    )


def count_input(body: bytes, shelf: Shelf, strict: bool) -> tuple[str, int]:
    """The model a body names, and the tokens of its input. Raises ApiError."""
    fields = read_object(body)
    model = fields.text("model") or ""
    _check_names(fields, strict)
    toolbox = read_toolbox(fields, strict=strict)
    read_form(fields, strict=strict)
    heard = _heard(fields, shelf, store=True, strict=strict)
    return model, _prompt_tokens(toolbox, _turns(fields, heard))


# The model and the names.


def _model(fields: Fields) -> str:
    fields.required("model")
    if fields.raw("model") is None:
        _got_an_object("model")
    model = fields.text("model") or ""
    if not model:
        invalid("The requested model '' does not exist.", "model", "model_not_found")
    return model


def _got_an_object(name: str) -> NoReturn:
    """What null is called where it cannot mean that a parameter is left out."""
    wrong_type(name, "a string", {})


def _check_names(fields: Fields, strict: bool) -> None:
    if "messages" in fields.values:
        invalid(_MOVED, None, "unsupported_parameter")
    if strict:
        fields.refuse_unknown(KNOWN)
    for name in fields.values:
        if name in _OF_CHAT:
            invalid(f"Unknown parameter: '{name}'.", name, "unknown_parameter")


# What was said.


def _heard(fields: Fields, shelf: Shelf, *, store: bool, strict: bool) -> Heard:
    """The conversation so far. Raises ApiError if it goes back to what is not there."""
    previous = fields.text("previous_response_id")
    conversation, prompt = fields.raw("conversation"), fields.section("prompt")
    if conversation is not None:
        named = conversation.get("id") if isinstance(conversation, dict) else conversation
        raise ApiError(404, f"Conversation with id '{named}' not found.")
    if prompt is not None:
        raise ApiError(404, f"Prompt with id '{prompt.text('id')}' not found.")
    earlier: Sequence[Item] = ()
    if previous is not None:
        kept = shelf.get(previous)
        if kept is None:
            said = f"Previous response with id '{previous}' not found."
            invalid(said, "previous_response_id", "previous_response_not_found")
        earlier = kept.context
    heard = InputReader(shelf, store=store, strict=strict).heard(earlier, fields.raw("input"))
    if not heard.turns or (previous is None and fields.raw("input") in ("", [])):
        invalid(_NOTHING_SAID, None, "missing_required_parameter")
    return heard


def _turns(fields: Fields, heard: Heard) -> tuple[Turn, ...]:
    instructions = fields.text("instructions")
    if instructions is None:
        return heard.turns
    return (Turn("system", instructions, tokens=PER_MESSAGE + estimate(instructions)), *heard.turns)


def _prompt_tokens(toolbox: Toolbox, turns: Sequence[Turn]) -> int:
    told = len(msgspec.json.encode(toolbox.shown)) // 4 if toolbox.shown else 0
    return PER_REQUEST + told + sum(turn.tokens for turn in turns)


def _chat(
    fields: Fields,
    model: str,
    heard: Heard,
    toolbox: Toolbox,
    form: Form,
    thinking: Thinking,
    own: Traits,
) -> ChatRequest:
    turns = _turns(fields, heard)
    if form.format.as_json:
        expect_the_word_json([turn.text for turn in turns])
    tier = fields.one_of("service_tier", _TIERS)
    return ChatRequest(
        model=model,
        turns=turns,
        prompt_tokens=_prompt_tokens(toolbox, turns),
        stream=fields.boolean("stream") or False,
        obfuscated=_obfuscated(fields),
        max_tokens=fields.integer("max_output_tokens", _LEAST_OUTPUT),
        tools=toolbox.tools,
        tool_choice=toolbox.choice,
        parallel=fields.boolean("parallel_tool_calls") is not False,
        as_json=form.format.as_json,
        schema=form.format.schema,
        top_logprobs=fields.integer("top_logprobs", 0, 20) or 0,
        reasoning_effort=thinking.effort or own.effort,
        service_tier={None: "default", "auto": "default", "fast": "priority"}.get(tier, str(tier)),
        verbosity=form.verbosity,
    )


# One parameter each.


def _obfuscated(fields: Fields) -> bool:
    """Whether deltas are padded. Usage needs no asking for here: to ask is an error."""
    options = fields.section("stream_options")
    if options is None:
        return True
    if not fields.boolean("stream"):
        invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    options.refuse_unknown(("include_obfuscation",))
    return options.boolean("include_obfuscation") is not False


def _include(fields: Fields) -> frozenset[str]:
    wanted = fields.array("include", "an array of strings") or []
    for at, name in enumerate(wanted):
        if name not in _INCLUDES:
            said = f"Invalid value: '{name}'. Supported values are: {listed(_INCLUDES)}."
            invalid(said, f"include[{at}]", "invalid_value")
    return frozenset(str(name) for name in wanted)


def _thinking(fields: Fields, strict: bool) -> Thinking:
    reasoning = fields.section("reasoning")
    if reasoning is None:
        return Thinking()
    if strict:
        reasoning.refuse_unknown(("context", "effort", "mode", "summary"))
    reasoning.one_of("context", ("auto", "current_turn", "all_turns"))
    return Thinking(reasoning.one_of("effort", _EFFORTS), reasoning.one_of("summary", _SUMMARIES))


def _check_abilities(fields: Fields, own: Traits, include: frozenset[str], thinking: Thinking) -> None:
    """What this model cannot do; checked last, as OpenAI does."""
    if own.plain:
        if thinking.effort is not None or thinking.summary is not None:
            name = "reasoning.effort" if thinking.effort is not None else "reasoning.summary"
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            invalid(said, name, "unsupported_parameter")
        if "reasoning.encrypted_content" in include:
            invalid("Encrypted content is not supported with this model.", "include")
    if not own.thinks or (thinking.effort or own.effort) == "none":
        return
    for name, usual in _USUAL:
        if fields.raw(name) not in (None, usual):
            invalid(f"Unsupported parameter: '{name}' is not supported with this model.", name)
    if "message.output_text.logprobs" in include:
        invalid("logprobs are not supported with reasoning models.", "include", "unsupported_parameter")
    if fields.raw("top_logprobs"):
        invalid("logprobs are not supported with reasoning models.", "top_logprobs", "unsupported_parameter")


_USUAL: Final = (("temperature", 1), ("top_p", 1), ("presence_penalty", 0), ("frequency_penalty", 0))
"""What a model that thinks leaves no choice in."""


def _echo(fields: Fields, own: Traits, toolbox: Toolbox, form: Form, thinking: Thinking) -> dict[str, object]:
    """What the response repeats, with what the API adds to what was left out."""
    reasoning = fields.mapping("reasoning") or {}
    shown_reasoning = {
        "context": reasoning.get("context") or own.context,
        "effort": thinking.effort or own.effort,
        **({"mode": "standard"} if own.thinks else {}),
        "summary": thinking.summary,
    }
    return {
        "frequency_penalty": _or(fields.number("frequency_penalty", -2, 2), 0.0),
        "instructions": fields.text("instructions"),
        "max_output_tokens": fields.integer("max_output_tokens", _LEAST_OUTPUT),
        "max_tool_calls": fields.integer("max_tool_calls", 1),
        "metadata": read_metadata(fields),
        "parallel_tool_calls": fields.boolean("parallel_tool_calls") is not False,
        "presence_penalty": _or(fields.number("presence_penalty", -2, 2), 0.0),
        "previous_response_id": fields.text("previous_response_id"),
        "prompt_cache_key": fields.text("prompt_cache_key"),
        "prompt_cache_retention": fields.one_of("prompt_cache_retention", ("in_memory", "24h"))
        or own.retention,
        "reasoning": shown_reasoning,
        "safety_identifier": fields.text("safety_identifier"),
        "store": fields.boolean("store") is not False,
        "temperature": _or(fields.number("temperature", 0, 2), 1.0),
        "text": form.shown,
        "tool_choice": toolbox.shown_choice,
        "tools": toolbox.shown,
        "top_logprobs": fields.integer("top_logprobs", 0, 20) or 0,
        "top_p": _or(fields.number("top_p", 0, 1), own.top_p),
        "truncation": fields.one_of("truncation", ("auto", "disabled")) or "disabled",
        "user": fields.text("user"),
    }


def _or(value: float | None, default: float) -> float:
    return default if value is None else float(value)
