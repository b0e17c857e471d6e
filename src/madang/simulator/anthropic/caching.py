"""What a prompt costs, and how much of it was asked to be cached.

Tools, then system, then messages: that is the order in which Anthropic builds a prompt, and a change in
one loses what was cached of it and of all that follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from madang.simulator.anthropic.errors import invalid
from madang.simulator.anthropic.fields import Fields
from madang.simulator.tokens import PER_ATTACHMENT, PER_MESSAGE, PER_REQUEST, estimate

_MOST = 4


class Breakpoint(msgspec.Struct, frozen=True):
    """A prefix to be cached."""

    key: str
    tokens: int
    ttl: str


class Prompt(msgspec.Struct, frozen=True):
    """The prompt's size, and the prefixes of it that are to be cached, shortest first."""

    tokens: int
    breakpoints: tuple[Breakpoint, ...] = ()


def read_prompt(request: Fields) -> Prompt:
    """How large the prompt is. Raises ApiError for too many breakpoints."""
    parts = list(_parts(request.values))
    marked = [ttl for part in parts if (ttl := _ttl(part)) is not None]
    automatic = _ttl(request.values)
    if len(marked) + (automatic is not None) > _MOST:
        invalid(
            f"A maximum of {_MOST} blocks with cache_control may be provided. Found "
            f"{len(marked) + (automatic is not None)}."
        )
    tokens = PER_REQUEST
    if not marked and automatic is None:
        return Prompt(tokens + sum(map(_cost, parts)))
    breakpoints: list[Breakpoint] = []
    digest = blake2b(str(request.raw("model")).encode("utf-8", "surrogatepass"), digest_size=16)
    for at, part in enumerate(parts):
        tokens += _cost(part)
        bare = {name: value for name, value in part.items() if name != "cache_control"}
        digest.update(msgspec.json.encode(bare))
        ttl = _ttl(part) or (automatic if at + 1 == len(parts) else None)
        if ttl is not None:
            breakpoints.append(Breakpoint(digest.hexdigest(), tokens, ttl))
    return Prompt(tokens, tuple(breakpoints))


def _parts(request: dict[str, object]) -> Iterator[dict[str, object]]:
    yield from _objects(request.get("tools"))
    yield from _objects(request.get("system"))
    for message in _objects(request.get("messages")):
        yield {"role": message.get("role")}
        yield from _objects(message.get("content"))


def _objects(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, str) and value:
        yield {"type": "text", "text": value}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _ttl(part: dict[str, object]) -> str | None:
    control = part.get("cache_control")
    return str(control.get("ttl") or "5m") if isinstance(control, dict) else None


def _cost(part: dict[str, object]) -> int:
    match part.get("type"):
        case None if "role" in part and len(part) == 1:
            return PER_MESSAGE
        case "text":
            return estimate(str(part.get("text")))
        case "image" | "document":
            return PER_ATTACHMENT + _text_of_document(part.get("source"))
        case "tool_result":
            content = part.get("content")
            return estimate(content) if isinstance(content, str) else sum(map(_cost, _objects(content)))
        case _:
            return (len(msgspec.json.encode(part)) + 3) // 4


def _text_of_document(source: object) -> int:
    if isinstance(source, dict) and source.get("type") == "text":
        return estimate(str(source.get("data")))
    return 0
