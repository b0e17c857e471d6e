"""What an answer used, as chat completions count it: for the meter, and read and written whole.

Totals hold their parts, as ours do; but xAI's `completion_tokens` leave out what was thought
(docs.x.ai, "Chat completions"), and `prompt_tokens` leave out what was heard at Mistral and may leave
out what was cached at xAI (both recorded 2026-08). `total_tokens` shows it, or that a part is more than
its total. The note `$apart` names what is to be left out again.
"""

from __future__ import annotations

import msgspec

from madang.core.messages import Json
from madang.core.record import Usage
from madang.dialects.openai_chat.form import NAME, absent, keep, noted, restore
from madang.dialects.reading import Members

_Count = int | float | None


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None
    audio_tokens: _Count = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count = None
    audio_tokens: _Count = None


_NO_PROMPT, _NO_COMPLETION = _PromptDetails(), _CompletionDetails()


class WireUsage(msgspec.Struct, gc=False):
    """`usage` as OpenAI and its likenesses write it, as far as the meter reads it."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    total_tokens: _Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count = None
    """DeepSeek's word for cached tokens (api-docs.deepseek.com, "Context Caching", recorded 2026-08)."""

    def read(self) -> Usage:
        """The same in our own words."""
        prompt = self.prompt_tokens_details or _NO_PROMPT
        completion = self.completion_tokens_details or _NO_COMPLETION
        if prompt is _NO_PROMPT and completion is _NO_COMPLETION and self.prompt_cache_hit_tokens is None:
            return Usage(_whole(self.prompt_tokens), _whole(self.completion_tokens))
        cached = self.prompt_cache_hit_tokens if self.prompt_tokens_details is None else prompt.cached_tokens
        usage = Usage(
            _whole(self.prompt_tokens),
            _whole(self.completion_tokens),
            _whole(cached),
            _whole(completion.reasoning_tokens),
            _whole(prompt.cache_write_tokens),
            _whole(prompt.audio_tokens),
            _whole(completion.audio_tokens),
        )
        apart = _apart(usage, _whole(self.total_tokens))
        return _with(usage, apart) if apart else usage


def _whole(count: _Count) -> int | None:
    return None if count is None else int(count)


def _apart(usage: Usage, total: int | None) -> str | None:
    """Which part its total does not hold."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if usage.cached_tokens is not None and usage.cached_tokens > usage.input_tokens:
        return "cached"
    missing = 0 if total is None else total - usage.input_tokens - usage.output_tokens
    if missing <= 0:
        return None
    if missing == usage.reasoning_tokens:
        return "reasoning"
    return "audio" if missing == usage.audio_input_tokens else None


def _with(usage: Usage, apart: str, sign: int = 1) -> Usage:
    """The usage with the part in its total; with `sign` -1, out of it."""
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    match apart:
        case "reasoning":
            written += sign * (usage.reasoning_tokens or 0)
        case "cached":
            read += sign * (usage.cached_tokens or 0)
        case _:
            read += sign * (usage.audio_input_tokens or 0)
    return msgspec.structs.replace(usage, input_tokens=read, output_tokens=written)


def read_usage(written: Json) -> Usage:
    """`usage`, read whole."""
    members = Members(written, "usage")
    unsaid = absent(members, ("total_tokens",))
    prompt, completion = members.whole("prompt_tokens"), members.whole("completion_tokens")
    empty = [name for name in _DETAILS if members.left.get(name) == {}] or None
    heard = members.members("prompt_tokens_details") or Members({})
    said = members.members("completion_tokens_details") or Members({})
    cached, cached_form = heard.whole("cached_tokens"), None
    if cached is None:
        cached = members.whole("prompt_cache_hit_tokens")
        cached_form = "prompt_cache_hit_tokens" if cached is not None else None
    usage = Usage(
        prompt,
        completion,
        cached,
        said.whole("reasoning_tokens"),
        heard.whole("cache_write_tokens"),
        heard.whole("audio_tokens"),
        said.whole("audio_tokens"),
    )
    total = members.whole("total_tokens")
    apart = _apart(usage, total)
    if apart:
        usage = _with(usage, apart)
    if total is not None and total != (usage.input_tokens or 0) + (usage.output_tokens or 0):
        members.left["total_tokens"] = total
    keep(members, "prompt_tokens_details", heard)
    keep(members, "completion_tokens_details", said)
    extra = members.extra(NAME, absent=unsaid, apart=apart, cached=cached_form, empty=empty)
    return msgspec.structs.replace(usage, extra=extra) if extra else usage


_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def write_usage(usage: Usage) -> dict[str, Json]:
    """`usage`; what is not known is left out."""
    apart = noted(usage.extra, "apart")
    shown = _with(usage, apart, -1) if apart else usage
    out: dict[str, Json] = {}
    if shown.input_tokens is not None:
        out["prompt_tokens"] = shown.input_tokens
    if shown.output_tokens is not None:
        out["completion_tokens"] = shown.output_tokens
    if "total_tokens" not in usage.extra.get(NAME, ()):
        out["total_tokens"] = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    cached = usage.cached_tokens
    if cached is not None and (form := noted(usage.extra, "cached")) is not None:
        out[form], cached = cached, None
    heard = (
        ("cached_tokens", cached),
        ("cache_write_tokens", usage.cache_write_tokens),
        ("audio_tokens", usage.audio_input_tokens),
    )
    said = (("reasoning_tokens", usage.reasoning_tokens), ("audio_tokens", usage.audio_output_tokens))
    for name, counts in zip(_DETAILS, (heard, said), strict=True):
        details = {key: count for key, count in counts if count is not None}
        if details or name in (noted(usage.extra, "empty") or ()):
            out[name] = details
    return restore(out, usage.extra) if usage.extra else out
