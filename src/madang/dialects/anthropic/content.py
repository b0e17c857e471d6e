"""Parts of a message ↔ content blocks: words, thoughts, and what only Anthropic knows.

Images and documents are in `media.py`, citations in `citations.py`, tool calls and their results in
`tools.py`; `messages.py` puts them together. A block of a kind unknown here is kept as it came.
"""

from __future__ import annotations

import msgspec

from madang.core.messages import Cache, Json, Media, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import Tool
from madang.dialects import carry
from madang.dialects.anthropic.citations import parse_citations, render_citations
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import Members, note, put, wrong

_AFTER_ID = ":"
"""Parts a foreign thought's name from its signature, for a thinking block has no field for a name."""


def parse_text(block: Members) -> Text:
    """A `text` block."""
    text = block.need_text("text")
    cache, more = take_cache(block)
    citations, form = parse_citations(block)
    return Text(text, citations, cache, block.extra(NAME, cache=more, citations=form))


def render_text(part: Text, *, told: bool = False) -> dict[str, Json]:
    """The block; `told`: to a client, who gets citations of other providers' too."""
    block: dict[str, Json] = {"type": "text", "text": part.text}
    if part.citations or part.extra:
        render_citations(block, part, told=told)
    put_cache(block, part)
    return put(block, part.extra, NAME)


def parse_thinking(block: Members) -> Reasoning:
    """A `thinking` block. One that nobody signed has the empty signature, or none."""
    text = block.need_text("thinking")
    signature = block.text("signature")
    if not signature:
        return Reasoning(text=text, extra=block.extra(NAME))
    return msgspec.structs.replace(unwrapped(signature), text=text, extra=block.extra(NAME))


def parse_redacted(block: Members) -> Reasoning:
    """A `redacted_thinking` block: a thought that is encrypted whole."""
    thought = unwrapped(block.need_text("data"))
    return msgspec.structs.replace(thought, redacted=True, extra=block.extra(NAME))


def render_thought(part: Reasoning) -> dict[str, Json]:
    """For a client: whoever signed it. Unsigned ones have an empty signature, for every SDK wants one."""
    signature = wrapped(part)
    if part.redacted:
        return put({"type": "redacted_thinking", "data": signature}, part.extra, NAME)
    block = {"type": "thinking", "thinking": part.text, "signature": signature}
    return put(block, part.extra, NAME)


def wrapped(part: Reasoning) -> str:
    """A thought's signature for a client; another provider's with the name that it gave the thought."""
    if part.signature is None:
        return ""
    if part.signer in (NAME, None):
        return carry.wrap(part.signature, part.signer, NAME)
    return carry.wrap(f"{part.id or ''}{_AFTER_ID}{part.signature}", part.signer, NAME)


def unwrapped(signature: str) -> Reasoning:
    """The reverse: a thought that is nothing but signed."""
    signature, signer = carry.unwrap(signature, NAME)
    if signer == NAME:
        return Reasoning(signature=signature, signer=signer)
    name, mark, rest = signature.partition(_AFTER_ID)
    if not mark:
        name, rest = "", signature
    return Reasoning(signature=rest, signer=signer, id=name or None)


def is_own(part: Reasoning) -> bool:
    """Whether Anthropic will take the thought back: it refuses what it has not signed."""
    return bool(part.signature) and part.signer in (NAME, None)


def take_cache(block: Members) -> tuple[Cache | None, Json]:
    """The mark `cache_control`, and its members that our form has no word for."""
    value = block.left.get("cache_control")
    if value is None:
        return None, None
    if not isinstance(value, dict):
        raise wrong(block.at("cache_control"), value, "an object")
    if value.get("type") != "ephemeral":
        return None, None
    ttl = value.get("ttl")
    if ttl is not None and not isinstance(ttl, str):
        raise wrong(f"{block.at('cache_control')}.ttl", ttl, "a string")
    del block.left["cache_control"]
    known = ("type", "ttl") if ttl is not None else ("type",)
    more = {name: member for name, member in value.items() if name not in known}
    return Cache(ttl), more or None


def put_cache(out: dict[str, Json], part: Text | Media | ToolCall | ToolResult | Tool) -> None:
    """Put the mark back."""
    cache = part.cache
    if cache is not None:
        mark: dict[str, Json] = {"type": "ephemeral"}
        if cache.ttl is not None:
            mark["ttl"] = cache.ttl
        out["cache_control"] = {**mark, **(note(part.extra, NAME, "cache") or {})}
