"""What a request may say beside the conversation, made up for laws: its settings and tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from hypothesis import strategies as st

from madang.core.messages import Cache, Json
from madang.core.requests import OutputFormat, ReasoningAsk, Tool, ToolChoice
from tests.dialects.kinds import Kinds, Wanted
from tests.dialects.words import maybe, names, numbers, words

_OPEN: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "도시"}, "days": {"type": "integer"}},
    "required": ["city"],
}
_CLOSED: dict[str, Json] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_schemas = st.sampled_from((_OPEN, _CLOSED))
_eighths = st.integers(0, 16).map(lambda eighths: eighths / 8)
_fractions = st.integers(0, 8).map(lambda eighths: eighths / 8)
_asks = st.one_of(
    st.just(ReasoningAsk(enabled=False)),
    st.just(ReasoningAsk(enabled=True)),
    st.sampled_from(("minimal", "low", "medium", "high", "xhigh", "max")).map(
        lambda effort: ReasoningAsk(effort=effort)
    ),
    st.sampled_from((1024, 2048, 8000, 20_000)).map(lambda budget: ReasoningAsk(enabled=True, budget=budget)),
    st.sampled_from(("none", "auto", "concise", "detailed")).map(
        lambda show: ReasoningAsk(effort="low", show=show)
    ),
)
_outputs = st.one_of(
    st.just(OutputFormat(kind="json")),
    st.builds(
        OutputFormat,
        kind=st.just("schema"),
        name=maybe(st.just("forecast")),
        description=maybe(words),
        schema=_schemas,
        strict=maybe(st.booleans()),
    ),
)
_POSSIBLE: dict[str, st.SearchStrategy[Json]] = {
    "max_tokens": st.one_of(st.integers(1, 20), numbers),
    "temperature": _eighths,
    "top_p": _fractions.filter(bool),
    "top_k": st.integers(1, 64),
    "stop": st.lists(st.one_of(words, st.just("\n\n")), min_size=1, max_size=4, unique=True).map(tuple),
    "seed": st.integers(0, 2**31 - 1),
    "presence_penalty": _fractions,
    "frequency_penalty": _fractions,
    "logprobs": st.just(True),
    "n": st.integers(1, 4),
    "reasoning": _asks,
    "output": _outputs,
    "service_tier": st.sampled_from(("auto", "default", "flex", "priority")),
    "user": st.sampled_from(("user-1", "사용자")),
    "metadata": st.dictionaries(st.sampled_from(("team", "job")), words, min_size=1, max_size=2),
}


def caches(kinds: Kinds) -> st.SearchStrategy[Cache | None]:
    """A mark for prompt caching, or none."""
    return maybe(st.sampled_from((Cache(), Cache("5m"), Cache("1h")))) if kinds.cache else st.none()


@st.composite
def tools(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> tuple[Tool, ...]:
    """Functions, each with its own name."""
    kinds = Kinds(**wanted)
    offered = draw(st.lists(names, min_size=1, max_size=2, unique=True))
    return tuple(
        Tool(
            name=name,
            description=draw(maybe(words)),
            schema=draw(maybe(_schemas)),
            strict=draw(maybe(st.booleans())),
            cache=draw(caches(kinds)),
        )
        for name in offered
    )


@st.composite
def choices(draw: st.DrawFn, offered: Sequence[Tool]) -> ToolChoice:
    """Whether one of the tools is to be used."""
    mode = draw(st.sampled_from(("auto", "none", "required", "named", "some")))
    match mode:
        case "named":
            return ToolChoice(mode="named", names=(offered[0].name,))
        case "some":
            return ToolChoice(mode="required", names=tuple(tool.name for tool in offered))
        case "auto" | "none" | "required":
            return ToolChoice(mode=mode)
    raise AssertionError(mode)


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Json]:
    """Some of the settings that a request can have."""
    chosen = draw(st.lists(st.sampled_from(tuple(_POSSIBLE)), max_size=5, unique=True))
    out = {name: draw(_POSSIBLE[name]) for name in chosen}
    if out.get("logprobs"):
        out["top_logprobs"] = draw(maybe(st.integers(1, 5)))
    return out
