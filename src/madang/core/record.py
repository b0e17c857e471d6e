"""The record of a call: who asked what of whom, how long it took, what it used.

Never the content. A record is opened when a call arrives, filled in on the way and
handed to the sinks once the call has ended; see `observe/ledger.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Outcome(StrEnum):
    """How a call ended, from the client's side."""

    OK = "ok"
    """A whole answer was sent."""
    REFUSED = "refused"
    """Madang answered with an error of the client's making: key, model, malformed request."""
    FAILED = "failed"
    """No target gave a good answer; the client got an error."""
    CUT = "cut"
    """The provider broke off in the middle of a stream; the client got an error event."""
    LEFT = "left"
    """The client hung up first; the provider was told to stop."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens as the provider counted them. `None` is not known, never zero.

    Totals hold their parts, as OpenAI counts; Anthropic's `input_tokens` leaves out what was cached
    and Gemini's `candidatesTokenCount` what was thought: their parsers add, their renderers subtract.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    """Part of `input_tokens` that the provider read from its prompt cache."""
    reasoning_tokens: int | None = None
    """Part of `output_tokens` that was thought and not said."""
    cache_write_tokens: int | None = None
    """Part of `input_tokens` that the provider put into its prompt cache."""
    audio_input_tokens: int | None = None
    """Part of `input_tokens`."""
    audio_output_tokens: int | None = None
    """Part of `output_tokens`."""
    extra: Mapping[str, Mapping[str, Any]] = {}
    """What only one dialect counts: dialect → members as they came (see `core.messages`)."""


class Attempt(msgspec.Struct, gc=False):
    """One try at one target."""

    provider: str
    model: str | None
    status: int | None = None
    """The HTTP status the provider gave, if it gave one."""
    error: str | None = None
    """Why it was not good, as an error code: `connect_failed`, `first_byte_timeout`, …"""
    duration_us: int = 0


class Record(msgspec.Struct):
    """One call. Times are in microseconds, sizes in bytes of body."""

    id: str
    started_at: int
    operation: str
    """`chat.completions`, `embeddings`, `files`, …: the path below `/v1`, dotted, without ids."""
    dialect: str | None = None
    """The client's."""
    provider_dialect: str | None = None
    """Where the provider was spoken to in another one."""
    losses: str | None = None
    """What could not be translated, as in the header `x-madang-losses`."""
    key_id: str | None = None
    key_name: str | None = None
    owner: str | None = None
    route: str | None = None
    """The model as the client named it."""
    provider: str | None = None
    model: str | None = None
    """The model as the provider was asked for it."""
    attempts: list[Attempt] = []
    passed: bool = False
    """Whether the bytes passed, read only by the meter."""
    streamed: bool = False
    status: int = 0
    outcome: Outcome = Outcome.OK
    error: str | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
    first_byte_us: int | None = None
    """From the call's arrival to the first byte of the answer's body leaving for the client."""
    duration_us: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    upstream_id: str | None = None
    """The provider's own request id."""
