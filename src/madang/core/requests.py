"""What a model is asked, in nobody's dialect. `None` is always: it was not said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from madang.core.messages import Cache, Extra, Json, Message, Opaque


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may ask for."""

    name: str
    description: str | None = None
    schema: Mapping[str, Json] | None = None
    """The arguments' JSON schema (types in lower case); `None` for a function without arguments."""
    strict: bool | None = None
    """Whether arguments must fit the schema exactly."""
    cache: Cache | None = None
    extra: Extra = {}


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a tool is to be used."""

    mode: Literal["auto", "none", "required", "named"]
    """`required`: one of `names`, or any tool where that is empty. `named`: just `names[0]`."""
    names: tuple[str, ...] = ()
    extra: Extra = {}


class ReasoningAsk(msgspec.Struct, frozen=True, kw_only=True):
    """How long to think first, and how much of that to show."""

    enabled: bool | None = None
    """False: not at all. True without `effort` and `budget`: as the model likes."""
    effort: str | None = None
    """`minimal`, `low`, `medium`, `high`, `xhigh`, `max`; `none` is `enabled=False`."""
    budget: int | None = None
    """Tokens, at most."""
    show: str | None = None
    """What of it the client gets: `none`, `auto`, `concise`, `detailed`."""
    extra: Extra = {}


class OutputFormat(msgspec.Struct, frozen=True, kw_only=True):
    """The shape the answer must have."""

    kind: Literal["text", "json", "schema"]
    name: str | None = None
    description: str | None = None
    schema: Mapping[str, Json] | None = None
    strict: bool | None = None
    extra: Extra = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an answer."""

    model: str
    messages: tuple[Message, ...]
    """System and developer messages stand among the others, where the client wrote them."""
    tools: tuple[Tool | Opaque, ...] = ()
    """`Opaque`: a tool that runs at the provider, as that dialect writes it."""
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    stream: bool = False
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    n: int | None = None
    reasoning: ReasoningAsk | None = None
    output: OutputFormat | None = None
    service_tier: str | None = None
    user: str | None = None
    """The client's name for its own user: for abuse checks, never a secret."""
    metadata: Mapping[str, str] | None = None
    extra: Extra = {}
    """Members of the body that this form has no word for (`logit_bias`, `previous_response_id`, …)."""
