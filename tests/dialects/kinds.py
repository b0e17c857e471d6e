"""What hypothesis may draw for a law: switches, and their defaults."""

from __future__ import annotations

from typing import TypedDict

import msgspec

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")


class Wanted(TypedDict, total=False):
    """What is to be drawn, where that is not the default."""

    media: bool
    tools: bool
    reasoning: bool
    settings: bool
    cache: bool
    citations: bool
    refusals: bool
    system: bool
    developer: bool
    late_system: bool
    spoken_names: bool
    assistant_media: bool
    result_media: bool
    signers: tuple[str, ...]
    broken_arguments: bool
    shuffled: bool
    opaque: tuple[str, ...]
    calls: bool
    candidates: int
    logprobs: bool
    usage: bool


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn; the defaults."""

    media: bool = True
    tools: bool = True
    reasoning: bool = True
    settings: bool = True
    cache: bool = True
    """Marks for prompt caching."""
    citations: bool = True
    refusals: bool = True
    system: bool = True
    developer: bool = True
    late_system: bool = True
    """System messages after the first of the user's."""
    spoken_names: bool = True
    """Names of those who speak."""
    assistant_media: bool = True
    result_media: bool = True
    signers: tuple[str, ...] = DIALECTS
    """Whose signatures there may be; none: thoughts are unsigned."""
    broken_arguments: bool = False
    """Arguments of calls that are no JSON, or no object."""
    shuffled: bool = False
    """What the assistant says in any order, several of a kind."""
    opaque: tuple[str, ...] = ()
    """Dialects of which there may be parts that nobody else knows."""
    calls: bool = False
    """Every answer asks for a tool."""
    candidates: int = 1
    """How many at most."""
    logprobs: bool = True
    usage: bool = True
