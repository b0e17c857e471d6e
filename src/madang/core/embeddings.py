"""Texts and their vectors, in nobody's dialect. `None` is always: it was not said.

`extra` is as in `messages.py`: what one dialect wrote that this form has no word for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from madang.core.messages import Extra
from madang.core.record import Usage


class EmbedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request for vectors."""

    model: str
    inputs: tuple[str, ...]
    """Each becomes one vector."""
    dimensions: int | None = None
    """How long the vectors shall be."""
    task: str | None = None
    """What they are for, in Google's words: `RETRIEVAL_QUERY`, `RETRIEVAL_DOCUMENT`, …"""
    title: str | None = None
    """Of the document that the inputs are from."""
    user: str | None = None
    """The client's name for its own user."""
    extra: Extra = {}


class EmbedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The vectors, in the order of the inputs."""

    vectors: tuple[Sequence[float], ...]
    usage: Usage | None = None
    model: str = ""
    extra: Extra = {}
