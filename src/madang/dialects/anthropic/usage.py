"""Usage ↔ usage. Anthropic's `input_tokens` leaves out what was cached and what was read from there;
our total holds both. Counts that only Anthropic has stay among the leftovers.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from madang.core.messages import Json
from madang.core.record import Usage
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import put

Count = int | float | None
UNKNOWN: dict[str, Json] = {"input_tokens": 0, "output_tokens": 0}
"""Usage of an answer whose provider said none: the SDKs cannot do without."""


def parse_usage(wire: Mapping[str, Json]) -> tuple[Usage | None, str | None]:
    """Usage, and the service tier, which is told with it."""
    left = dict(wire)
    tier = left.get("service_tier")
    if isinstance(tier, str):
        del left["service_tier"]
    else:
        tier = None
    if left == UNKNOWN:
        return None, tier
    read, written = _take(left, "cache_read_input_tokens"), _take(left, "cache_creation_input_tokens")
    fresh = _take(left, "input_tokens")
    thought = None
    details = left.get("output_tokens_details")
    if isinstance(details, dict):
        details = dict(details)
        thought = _take(details, "thinking_tokens")
        if details or thought is None:
            left["output_tokens_details"] = details
        else:
            del left["output_tokens_details"]
    usage = Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=_take(left, "output_tokens"),
        cached_tokens=read,
        reasoning_tokens=thought,
        cache_write_tokens=written,
        extra={NAME: left} if left else {},
    )
    return usage, tier


def _take(left: dict[str, Json], name: str) -> int | None:
    value = left.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    del left[name]
    return int(value)


def render_usage(usage: Usage | None, tier: str | None = None) -> dict[str, Json]:
    """Usage as Anthropic writes it."""
    if usage is None:
        out = dict(UNKNOWN)
    else:
        read, written = usage.cached_tokens, usage.cache_write_tokens
        fresh = (usage.input_tokens or 0) - (read or 0) - (written or 0)
        out = {"input_tokens": max(fresh, 0)}
        if written is not None:
            out["cache_creation_input_tokens"] = written
        if read is not None:
            out["cache_read_input_tokens"] = read
        out["output_tokens"] = usage.output_tokens or 0
        if usage.reasoning_tokens is not None:
            details = usage.extra.get(NAME, {}).get("output_tokens_details") or {}
            out["output_tokens_details"] = {**details, "thinking_tokens": usage.reasoning_tokens}
        put(out, usage.extra, NAME)
    if tier is not None:
        out["service_tier"] = tier
    return out


class _Details(msgspec.Struct, gc=False):
    thinking_tokens: Count = None


class WireUsage(msgspec.Struct, gc=False):
    """`usage`, as far as the meter needs it."""

    input_tokens: Count = None
    output_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_creation_input_tokens: Count = None
    output_tokens_details: _Details | None = None

    def after(self, before: Usage | None) -> Usage:
        """In our own words; what is not said here was said `before`: the counts of a stream add to no sum."""
        before = before or Usage()
        read, written = self.cache_read_input_tokens, self.cache_creation_input_tokens
        cached = before.cached_tokens if read is None else int(read)
        cache_write = before.cache_write_tokens if written is None else int(written)
        total = before.input_tokens
        if self.input_tokens is not None:
            total = int(self.input_tokens) + (cached or 0) + (cache_write or 0)
        details = self.output_tokens_details
        thought = details.thinking_tokens if details is not None else None
        return Usage(
            input_tokens=total,
            output_tokens=before.output_tokens if self.output_tokens is None else int(self.output_tokens),
            cached_tokens=cached,
            reasoning_tokens=before.reasoning_tokens if thought is None else int(thought),
            cache_write_tokens=cache_write,
        )
