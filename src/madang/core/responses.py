"""A model's answer, in nobody's dialect."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from madang.core.messages import Extra, Part
from madang.core.record import Usage

__all__ = ["Candidate", "Response", "Stop", "TokenLogprob", "Usage"]


class Stop(StrEnum):
    """Why an answer ended."""

    END = "end"
    """It was finished."""
    LENGTH = "length"
    """It reached `max_tokens`."""
    CONTEXT = "context"
    """It reached the end of the model's context window."""
    SEQUENCE = "sequence"
    """It came to a stop sequence, and the dialect says so."""
    TOOL = "tool"
    """It waits for tools of the client's."""
    PAUSE = "pause"
    """The provider wants to be asked again, to go on (Anthropic's `pause_turn`)."""
    REFUSAL = "refusal"
    """The model declined."""
    FILTER = "filter"
    """A safety filter took the answer, or the prompt."""
    OTHER = "other"
    """Something else; the dialect's own word is in the candidate's `extra`."""


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token of the answer and how likely it was."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    """The most likely tokens at its place."""
    extra: Extra = {}


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the `n` that were asked for."""

    parts: tuple[Part, ...] = ()
    stop: Stop | None = None
    """`None`: it was not finished."""
    stop_sequence: str | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    extra: Extra = {}


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a request."""

    id: str = ""
    model: str = ""
    created: int | None = None
    """Seconds since 1970-01-01 UTC."""
    candidates: tuple[Candidate, ...] = ()
    usage: Usage | None = None
    service_tier: str | None = None
    extra: Extra = {}
