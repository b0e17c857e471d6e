"""`generationConfig`: how the model is to answer."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.gemini.errors import invalid
from madang.simulator.gemini.families import Family
from madang.simulator.gemini.fields import Fields
from madang.simulator.gemini.schemas import read_schema

_KNOWN: Final = frozenset(
    (
        *("candidateCount", "stopSequences", "maxOutputTokens", "temperature", "topP", "topK", "seed"),
        *("responseMimeType", "responseSchema", "responseJsonSchema", "presencePenalty", "frequencyPenalty"),
        *("responseLogprobs", "logprobs", "thinkingConfig", "responseModalities", "speechConfig"),
        *("mediaResolution", "enableEnhancedCivicAnswers", "audioTimestamp", "routingConfig", "imageConfig"),
    )
)
_MIME_TYPES = ("text/plain", "application/json", "text/x.enum")
_LEVELS: Final = {"MINIMAL": 0, "LOW": 12, "MEDIUM": 24, "HIGH": 48, "XHIGH": 96}
"""Tokens thought; far fewer than a model's, so that answers stay readable."""
_USUAL = 24
_MOST_CANDIDATES, _MOST_STOPS, _MOST_LOGPROBS = 8, 5, 20


class Thinking(msgspec.Struct, frozen=True):
    """How the model thinks."""

    tokens: int = 0
    shown: bool = False


class Settings(msgspec.Struct, frozen=True):
    """What the configuration says."""

    thinking: Thinking
    candidates: int = 1
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    seed: int | None = None
    as_json: bool = False
    as_word: bool = False
    """Whether the answer is one word of an enum, without quotes."""
    schema: dict[str, object] | None = None
    top_logprobs: int | None = None


def read_settings(request: Fields, family: Family) -> Settings:
    """The configuration. Raises ApiError."""
    config = request.section("generationConfig") or Fields({}, "generation_config")
    config.refuse_unknown(_KNOWN)
    config.number("temperature", 0, 2)
    config.number("topP", 0, 1)
    config.number("presencePenalty", -2, 2)
    config.number("frequencyPenalty", -2, 2)
    if {"AUDIO", "IMAGE"} & {name.upper() for name in config.texts("responseModalities")}:
        invalid("The simulator does not imitate audio or images in answers.")
    schema = _schema(config)
    mime = config.text("responseMimeType") or "text/plain"
    if mime not in _MIME_TYPES:
        invalid(
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are "
            "`text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.\n"
        )
    if schema is not None and mime == "text/plain":
        invalid("Response_schema with a response mime type: 'text/plain' is unsupported")
    return Settings(
        thinking=_thinking(config, family),
        candidates=_ranged(config, "candidateCount", 1, _MOST_CANDIDATES) or 1,
        stop=_stop(config),
        max_tokens=_ranged(config, "maxOutputTokens", 1, None),
        seed=config.integer("seed"),
        as_json=mime == "application/json",
        as_word=mime == "text/x.enum",
        schema=schema,
        top_logprobs=_logprobs(config),
    )


def _schema(config: Fields) -> dict[str, object] | None:
    own, other = config.section("responseSchema"), config.mapping("responseJsonSchema")
    if own is not None and other is not None:
        invalid("Only one of response_schema or response_json_schema may be set.")
    return read_schema(own) if own is not None else other


def _thinking(config: Fields, family: Family) -> Thinking:
    wanted = config.section("thinkingConfig")
    usual = _USUAL if family.thinks and family.thinks_unasked else 0
    if wanted is None:
        return Thinking(usual)
    wanted.refuse_unknown(("includeThoughts", "thinkingBudget", "thinkingLevel"))
    if not family.thinks:
        invalid("Unable to submit request because thinking is not supported by this model.")
    shown = wanted.boolean("includeThoughts")
    level, budget = wanted.one_of("thinkingLevel", _LEVELS), wanted.integer("thinkingBudget")
    if level is not None and budget is not None:
        invalid("You can only set only one of thinking budget and thinking level.")
    if level is not None:
        if not family.by_level:
            invalid("Thinking level is not supported for this model.")
        return Thinking(_LEVELS[level], shown)
    if budget == 0 and family.must_think:
        invalid("Budget 0 is invalid. This model only works in thinking mode.")
    if budget is not None:
        usual = _USUAL if budget < 0 else min(_USUAL, budget)
    return Thinking(usual, shown)


def _stop(config: Fields) -> tuple[str, ...]:
    words = config.texts("stopSequences")
    if len(words) > _MOST_STOPS:
        where = "* GenerateContentRequest.generation_config.stop_sequences"
        invalid(f"{where}: the number of stop_sequences must be at most {_MOST_STOPS}.\n")
    return words


def _logprobs(config: Fields) -> int | None:
    most = _ranged(config, "logprobs", 0, _MOST_LOGPROBS)
    if most is not None and not config.boolean("responseLogprobs"):
        invalid("logprobs can only be set if response_logprobs is true.")
    return (most or 0) if config.boolean("responseLogprobs") else None


def _ranged(config: Fields, name: str, low: int, high: int | None) -> int | None:
    value = config.integer(name)
    if value is not None and not low <= value <= (value if high is None else high):
        reach = f"must be in the range [{low}, {high}]" if high is not None else "must be positive"
        where = config.path(name)
        invalid(f"* GenerateContentRequest.{where}: {where.rpartition('.')[2]} {reach}.\n")
    return value
