"""POST /v1/chat/completions, the request: checked as OpenAI checks it, read as a `ChatRequest`.

Not imitated: audio output, custom tools, the old `functions`; each is refused with a sentence.
"""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.openai.chat_messages import read_messages
from madang.simulator.openai.chat_tools import read_choosing, read_format, read_tools
from madang.simulator.openai.fields import Fields, invalid, listed, read_object, wrong_type
from madang.simulator.openai.thinking import traits
from madang.simulator.tokens import PER_REQUEST
from madang.simulator.vocabulary import ApiError, ChatRequest, Turn

KNOWN: Final = frozenset(
    (
        *("audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
        *("max_completion_tokens", "max_tokens", "messages", "metadata", "modalities", "model", "n"),
        *("parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key"),
        *("prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed"),
        *("service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice"),
        *("tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
    )
)
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_MOST_METADATA, _LONGEST_METADATA = 16, 512
_TIERS = ("auto", "default", "fast", "flex", "scale", "priority")


def read_chat_request(body: bytes, strict: bool) -> ChatRequest:
    """A body as a chat request. Raises ApiError; with `strict` also for parameters nobody knows."""
    fields = read_object(body)
    model = read_model(fields)
    if strict:
        fields.refuse_unknown(KNOWN)
    turns = read_messages(fields)
    own = traits(model)
    if fields.size() == 2:
        return ChatRequest(model, turns, _prompt_tokens(fields, turns), reasoning_effort=own.effort)
    _check_unused(fields)
    stream = fields.boolean("stream") or False
    choosing = read_choosing(fields, read_tools(fields))
    form = read_format(fields)
    if form.as_json:
        _expect_the_word_json(turns)
    include_usage, obfuscated = _stream_options(fields, stream)
    effort = fields.one_of("reasoning_effort", _EFFORTS) or own.effort
    if own.thinks:
        _check_thinker(fields, effort)
    return ChatRequest(
        model=model,
        turns=turns,
        prompt_tokens=_prompt_tokens(fields, turns),
        stream=stream,
        include_usage=include_usage,
        obfuscated=obfuscated,
        n=_or(fields.integer("n", 1, 128), 1),
        max_tokens=_max_tokens(fields),
        stop=_stop(fields),
        tools=choosing.tools,
        tool_choice=choosing.choice,
        parallel=_parallel(fields),
        as_json=form.as_json,
        schema=form.schema,
        top_logprobs=_top_logprobs(fields),
        reasoning_effort=effort,
        seed=fields.integer("seed"),
        service_tier=_service_tier(fields),
        verbosity=fields.one_of("verbosity", ("low", "medium", "high")),
    )


def read_model(fields: Fields) -> str:
    """The model's name. Raises ApiError."""
    model = fields.text("model")
    if not model:
        raise ApiError(400, "you must provide a model parameter")
    return model


def read_metadata(fields: Fields) -> dict[str, object]:
    """`metadata`: at most 16 texts by name. Raises ApiError."""
    metadata = fields.raw("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        wrong_type("metadata", "a metadata object", metadata)
    if len(metadata) > _MOST_METADATA:
        invalid(
            f"Invalid 'metadata': too many properties. Expected an object with at most {_MOST_METADATA} "
            f"properties, but got an object with {len(metadata)} properties instead.",
            "metadata",
            "object_above_max_properties",
        )
    entries = Fields(metadata, "metadata")
    for name in metadata:
        if metadata[name] is None:
            wrong_type(entries.path(name), "a string", None)
        entries.longest(name, _LONGEST_METADATA)
    return metadata


def _check_unused(fields: Fields) -> None:
    """Parameters that change nothing here, but are refused when they are wrong."""
    fields.number("temperature", 0, 2)
    fields.number("top_p", 0, 1)
    fields.number("presence_penalty", -2, 2)
    fields.number("frequency_penalty", -2, 2)
    fields.text("user")
    fields.boolean("store")
    read_metadata(fields)
    fields.mapping("logit_bias")
    if "audio" in (fields.array("modalities") or ()):
        invalid("The simulator does not imitate audio output.", "modalities", "unsupported_value")
    for name in ("functions", "function_call"):
        if name in fields:
            invalid(f"The simulator does not imitate '{name}'; use 'tools'.", name, "unsupported_parameter")


def _check_thinker(fields: Fields, effort: str | None) -> None:
    """What a model that thinks does not take, or not while it thinks."""
    if "max_tokens" in fields:
        said = "Unsupported parameter: 'max_tokens' is not supported with this model."
        invalid(f"{said} Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
    if effort == "none":
        return
    if fields.raw("temperature") not in (None, 1):
        said = f"'temperature' does not support {fields.raw('temperature')} with this model."
        only = "Only the default (1) value is supported."
        invalid(f"Unsupported value: {said} {only}", "temperature", "unsupported_value")
    for name, usual in (("top_p", 1), ("presence_penalty", 0), ("frequency_penalty", 0)):
        if fields.raw(name) not in (None, usual):
            said = f"Unsupported parameter: '{name}' is not supported with this model."
            invalid(said, name, "unsupported_parameter")


def _max_tokens(fields: Fields) -> int | None:
    older, newer = fields.integer("max_tokens", 1), fields.integer("max_completion_tokens", 1)
    if older is not None and newer is not None:
        invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        )
    return newer if older is None else older


def _stop(fields: Fields) -> tuple[str, ...]:
    if isinstance(word := fields.raw("stop"), str):
        return (word,)
    words = fields.array("stop", "one of a string or array of strings", most=4) or []
    for at, word in enumerate(words):
        if not isinstance(word, str):
            wrong_type(f"stop[{at}]", "a string", word)
    return tuple(word for word in words if isinstance(word, str))


def _parallel(fields: Fields) -> bool:
    parallel = fields.boolean("parallel_tool_calls")
    if parallel is not None and "tools" not in fields:
        invalid(
            "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are "
            "specified.",
            "parallel_tool_calls",
        )
    return parallel is not False


def _top_logprobs(fields: Fields) -> int | None:
    wanted = fields.boolean("logprobs")
    most = fields.integer("top_logprobs", 0, 20)
    if most is not None and not wanted:
        invalid(
            "Invalid value for 'top_logprobs': 'logprobs' must be true when 'top_logprobs' is set.",
            "top_logprobs",
        )
    return (most or 0) if wanted else None


def _stream_options(fields: Fields, stream: bool) -> tuple[bool, bool]:
    """Whether usage is included, and whether events are padded."""
    options = fields.section("stream_options")
    if options is None:
        return False, True
    if not stream:
        invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    return bool(options.boolean("include_usage")), options.boolean("include_obfuscation") is not False


def _service_tier(fields: Fields) -> str:
    tier = fields.text("service_tier")
    if tier is not None and tier not in _TIERS:
        invalid(
            f"Invalid service_tier argument. Supported values are: {listed(_TIERS)}.",
            "service_tier",
            "invalid_value",
        )
    return {None: "default", "auto": "default", "fast": "priority"}.get(tier, str(tier))


def _expect_the_word_json(turns: tuple[Turn, ...]) -> None:
    if not any("json" in turn.text.lower() for turn in turns):
        invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages",
        )


def _prompt_tokens(fields: Fields, turns: tuple[Turn, ...]) -> int:
    tools = fields.raw("tools")
    told = len(msgspec.json.encode(tools)) // 4 if tools else 0
    return PER_REQUEST + told + sum(turn.tokens for turn in turns)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
