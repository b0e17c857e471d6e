"""What is said in a conversation, in nobody's dialect: messages, made of a closed set of parts.

A new kind of part needs a decision record: every dialect matches on the whole union, without a
silent `else`. Requests are in `requests.py`, answers in `responses.py`, streams in `events.py`.

`extra` is what a dialect wrote that this form has no word for: dialect name → its members as they
came. It goes back to that dialect alone. Members whose name begins with `$` are no members but
notes on the form (`{"$form": "string"}`); a renderer reads them and never writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Json = Any
"""A JSON value as Python has it: dict, list, str, int, float, bool or None."""
Extra = Mapping[str, Mapping[str, Json]]

Role = Literal["system", "developer", "user", "assistant", "tool"]
MediaKind = Literal["image", "audio", "video", "document"]


class Cache(msgspec.Struct, frozen=True, gc=False):
    """A mark: the prompt up to here may be kept by the provider and read again cheaply."""

    ttl: str | None = None
    """For how long, as Anthropic writes it: `5m`, `1h`."""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a statement of an answer comes from."""

    url: str | None = None
    title: str | None = None
    quote: str | None = None
    """The words cited, as they stand in the source."""
    file_id: str | None = None
    document: int | None = None
    """Which document of the prompt, counted from 0."""
    start: int | None = None
    """First character of the answer's text that it is about, and `end`, the one after the last."""
    end: int | None = None
    extra: Extra = {}


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words."""

    text: str
    citations: tuple[Citation, ...] = ()
    cache: Cache | None = None
    extra: Extra = {}


class Media(msgspec.Struct, frozen=True, tag="media", kw_only=True):
    """An image, a sound, a film or a document. Just one of `data`, `url`, `file_id` and `text` is set."""

    kind: MediaKind
    data: str | None = None
    """Base64, in the standard alphabet."""
    url: str | None = None
    file_id: str | None = None
    """The provider's own name of a file that was uploaded to it before."""
    text: str | None = None
    """A document's plain text."""
    media_type: str | None = None
    """`image/png`; where only `url` is known it may be unknown."""
    name: str | None = None
    """File name or title."""
    detail: str | None = None
    """How closely an image is to be looked at: `low`, `high`, `auto`, `original`."""
    cite: bool | None = None
    """Whether the answer shall cite this document."""
    cache: Cache | None = None
    extra: Extra = {}


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", kw_only=True):
    """What a model thought before it spoke."""

    text: str = ""
    signature: str | None = None
    """What the provider wants back, unchanged, to trust or continue the thought."""
    signer: str | None = None
    """The dialect whose providers understand `signature`; nobody else may be sent it."""
    redacted: bool = False
    """Whether `signature` is all there is: the thought itself is encrypted in it."""
    id: str | None = None
    """OpenAI's name of a reasoning item (`rs_…`)."""
    extra: Extra = {}


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call", kw_only=True):
    """The model asks for a function of the client's."""

    id: str
    """Never empty: where a dialect has no ids, the parser gives one that is the same every time."""
    name: str
    arguments: str = ""
    """JSON text, as the model wrote it; it may be broken."""
    signature: str | None = None
    """Gemini signs calls themselves; as in `Reasoning`."""
    signer: str | None = None
    cache: Cache | None = None
    extra: Extra = {}


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result", kw_only=True):
    """What came of a call. Stands in messages of role `tool` or `user`."""

    call_id: str
    name: str | None = None
    """The function's, where the dialect says it."""
    parts: tuple[Text | Media | Opaque, ...] = ()
    is_error: bool = False
    cache: Cache | None = None
    extra: Extra = {}


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """The model's words for not doing what was asked."""

    text: str
    extra: Extra = {}


class Opaque(msgspec.Struct, frozen=True, tag="opaque"):
    """Something only one dialect knows: a tool that runs at the provider, and what it found."""

    dialect: str
    data: Mapping[str, Json]
    """As it came. It goes back only to the dialect that made it."""


Part = Text | Media | Reasoning | ToolCall | ToolResult | Refusal | Opaque


class Message(msgspec.Struct, frozen=True):
    """A turn, or a piece of one."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None
    """Who speaks, where several do."""
    extra: Extra = {}
