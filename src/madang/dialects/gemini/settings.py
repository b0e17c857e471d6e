"""Settings: `generationConfig`, with how long to think and the shape of the answer.

What is left over of it stands flat among the request's own leftovers; the note `$config` names those
that belong here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from madang.core.messages import Json
from madang.core.requests import OutputFormat, ReasoningAsk, Request
from madang.dialects.gemini.schema import from_openapi, to_openapi
from madang.dialects.gemini.spelling import NAME, Spelled, leftover, one_of, respell
from madang.dialects.reading import note, put, wrong

_JSON = "application/json"
_LEVELS = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "THINKING_LEVEL_UNSPECIFIED")
_EFFORTS = {"xhigh": "high", "max": "high"}
"""Efforts there is no level for."""
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192}
"""Google's own translation for Gemini 2.5 (ai.google.dev/gemini-api/docs/openai, "Thinking", 2026)."""
_MOST, _MOST_OF_OLD = 65_536, 8192
"""Tokens of an answer: "supported range is from 1 (inclusive) to 65537 (exclusive)"."""
MOST_BUDGET = 24_576
"""Tokens that every Gemini 2.5 can think with."""
_LEAST_OF_PRO = 128
"""Gemini 2.5 Pro cannot leave off thinking."""


@lru_cache(maxsize=256)
def generation(model: str) -> float:
    """Gemini's version in a model's name; a model whose name does not say it is a new one."""
    found = re.search(r"gemini-(\d{1,4}(?:\.\d{1,4})?)", model)
    return float(found[1]) if found is not None else 3.0


def parse_settings(top: Spelled) -> tuple[dict[str, Json], list[str] | None]:
    """What `Request` calls the settings, and which leftovers of `top` were inside `generationConfig`."""
    config = top.members("generationConfig")
    if config is None:
        return {}, None
    texts = config.texts("stopSequences")
    found = {
        "max_tokens": config.whole("maxOutputTokens"),
        "temperature": config.number("temperature"),
        "top_p": config.number("topP"),
        "top_k": config.whole("topK"),
        "stop": texts,
        "seed": config.whole("seed"),
        "presence_penalty": config.number("presencePenalty"),
        "frequency_penalty": config.number("frequencyPenalty"),
        "logprobs": config.flag("responseLogprobs"),
        "top_logprobs": config.whole("logprobs"),
        "n": config.whole("candidateCount"),
        "reasoning": _parse_thinking(config),
        "output": _parse_output(config),
    }
    inside = [name for name in config.left if name not in top.left]
    for name in inside:
        top.left[name] = config.left.pop(name)
    top.keep("generationConfig", config)
    return found, inside


def render_settings(request: Request, model: str) -> dict[str, Json]:
    """The reverse: a `generationConfig`, without the leftovers."""
    said = {
        "maxOutputTokens": _most_tokens(request, model),
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": list(request.stop) or None,
        "seed": request.seed,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "responseLogprobs": request.logprobs,
        "logprobs": request.top_logprobs if request.logprobs or is_own(request) else None,
        "candidateCount": request.n,
    }
    out: dict[str, Json] = {name: value for name, value in said.items() if value is not None}
    if request.reasoning is not None:
        thinking = _render_thinking(request.reasoning, model)
        if thinking or note(request.reasoning.extra, NAME, "asked"):
            respell(request.extra, thinking)
            out["thinkingConfig"] = thinking
    if request.output is not None:
        out.update(_render_output(request.output))
    return {**leftover(request.extra, "generationConfig"), **out}


def most(model: str) -> int | None:
    """How many tokens a model may say at most: Vertex AI refuses more."""
    if "gemini" not in model:
        return None
    return _MOST if generation(model) >= 2.5 else _MOST_OF_OLD


def _most_tokens(request: Request, model: str) -> int | None:
    asked, limit = request.max_tokens, most(model)
    return asked if asked is None or limit is None or is_own(request) else min(asked, limit)


def is_own(request: Request) -> bool:
    """Whether it came in this dialect: every message's parser leaves a note."""
    return any(NAME in message.extra for message in request.messages)


def _parse_thinking(config: Spelled) -> ReasoningAsk | None:
    thinking = config.members("thinkingConfig")
    if thinking is None:
        return None
    budget = thinking.whole("thinkingBudget")
    show = thinking.flag("includeThoughts")
    level = one_of(thinking, "thinkingLevel", _LEVELS)
    said = None
    if level is not None and level != "THINKING_LEVEL_UNSPECIFIED":
        said = thinking.left.pop("thinkingLevel")
    enabled = None
    if budget is not None:
        enabled = budget != 0
    notes: dict[str, Json] = {"$asked": True}
    if said is not None:
        notes["$level"] = said
    return ReasoningAsk(
        enabled=enabled,
        effort=said.lower() if said is not None else None,
        budget=budget if budget is not None and budget > 0 else None,
        show=None if show is None else "auto" if show else "none",
        extra={NAME: {**thinking.left, **notes}},
    )


def _render_thinking(ask: ReasoningAsk, model: str) -> dict[str, Json]:
    native = NAME in ask.extra
    out: dict[str, Json] = {}
    if ask.show is not None:
        out["includeThoughts"] = ask.show != "none"
    elif not native and ask.enabled is not False:
        out["includeThoughts"] = True  # who asks for thoughts elsewhere is shown them unasked
    version = generation(model)
    if native:
        _as_it_was(out, ask)
    elif version >= 3:
        _ask_for_level(out, ask, model)
    elif version >= 2.5:
        _ask_for_budget(out, ask, model)
    else:
        return {}  # those models do not think, and refuse to be asked
    return put(out, ask.extra, NAME)


def _as_it_was(out: dict[str, Json], ask: ReasoningAsk) -> None:
    if ask.effort is not None:
        said = note(ask.extra, NAME, "level")
        same = isinstance(said, str) and said.lower() == ask.effort
        out["thinkingLevel"] = said if same else ask.effort
    if ask.budget is not None:
        out["thinkingBudget"] = ask.budget
    elif ask.enabled is not None:
        out["thinkingBudget"] = -1 if ask.enabled else 0


def _ask_for_level(out: dict[str, Json], ask: ReasoningAsk, model: str) -> None:
    lowest = "low" if "pro" in model else "minimal"
    if ask.enabled is False and "gemini" not in model:
        out["thinkingBudget"] = 0
    elif ask.enabled is False:
        out["thinkingLevel"] = lowest  # Gemini 3 cannot leave off thinking
    elif ask.effort is not None:
        effort = _EFFORTS.get(ask.effort, ask.effort)
        out["thinkingLevel"] = lowest if effort == "minimal" else effort
    elif ask.budget is not None:
        # Level and budget exclude each other, and the budget is a relic of 2.5.
        bounds = (("low", 2048), ("medium", 12_288))
        out["thinkingLevel"] = next((level for level, most in bounds if ask.budget <= most), "high")
    elif ask.enabled:
        out["thinkingLevel"] = "high"  # as it is when nothing is said


def _ask_for_budget(out: dict[str, Json], ask: ReasoningAsk, model: str) -> None:
    if ask.enabled is False:
        out["thinkingBudget"] = _LEAST_OF_PRO if "pro" in model else 0
    elif ask.budget is not None:
        out["thinkingBudget"] = min(ask.budget, MOST_BUDGET)
    elif ask.effort is not None:
        out["thinkingBudget"] = _BUDGETS.get(ask.effort, MOST_BUDGET)
    else:
        out["thinkingBudget"] = -1


def _parse_output(config: Spelled) -> OutputFormat | None:
    """The shape asked for; what only Gemini has (`text/x.enum`) is left over."""
    media_type = config.left.get("responseMimeType")
    if media_type == "text/plain":
        del config.left["responseMimeType"]
        return OutputFormat(kind="text")
    if media_type is not None and media_type != _JSON:
        if not isinstance(media_type, str):
            raise wrong(config.at("responseMimeType"), media_type, "a string")
        return None
    odd: Mapping[str, Json] | None = None
    schema = None
    if isinstance(config.left.get("responseJsonSchema"), dict):
        schema = config.object("responseJsonSchema")
    elif (openapi := config.object("responseSchema")) is not None:
        schema, odd = from_openapi(openapi)
    if schema is None and media_type is None:
        return None
    config.any("responseMimeType")
    notes: dict[str, Json] = {}
    if odd is not None:
        notes["$openapi"] = odd
    if media_type is None:
        notes["$untyped"] = True
    extra = {NAME: notes} if notes else {}
    if schema is None:
        return OutputFormat(kind="json", extra=extra)
    return OutputFormat(kind="schema", schema=schema, strict=True, extra=extra)


def _render_output(output: OutputFormat) -> dict[str, Json]:
    if output.kind == "text":
        return {"responseMimeType": "text/plain"}
    out: dict[str, Json] = {} if note(output.extra, NAME, "untyped") else {"responseMimeType": _JSON}
    if output.kind == "schema" and output.schema is not None:
        odd = note(output.extra, NAME, "openapi")
        if odd is not None:
            out["responseSchema"] = to_openapi(output.schema, odd)
        else:
            out["responseJsonSchema"] = output.schema
    return out
