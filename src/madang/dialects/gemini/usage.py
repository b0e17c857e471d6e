"""Usage: `usageMetadata`. `candidatesTokenCount` leaves out what was thought, and `promptTokenCount`
what tools at Google read; our totals hold both."""

from __future__ import annotations

from madang.core.messages import Json
from madang.core.record import Usage
from madang.dialects.gemini.spelling import NAME
from madang.dialects.reading import note, put

_TOOL = "toolUsePromptTokenCount"
_DERIVED = ("totalTokenCount", "promptTokensDetails", "candidatesTokensDetails")
"""What is left over where it is not as we would work it out."""


def parse_usage(value: Json) -> Usage:
    """The counts, as they came so far. What is no count is left over."""
    left: dict[str, Json] = value.copy()
    prompt = _count(left, "promptTokenCount")
    said = _count(left, "candidatesTokenCount")
    thought = _count(left, "thoughtsTokenCount")
    cached = _count(left, "cachedContentTokenCount")
    tool = left.get(_TOOL)
    read = tool if isinstance(tool, int) else 0
    audio_in = _audio(left, "promptTokensDetails", prompt)
    audio_out = _audio(left, "candidatesTokensDetails", said)
    if said is None and thought is not None:
        left["$unsaid"] = True
    if prompt is not None or said is not None or thought is not None:
        total = (prompt or 0) + (said or 0) + (thought or 0) + read
        if left.get("totalTokenCount") == total:
            del left["totalTokenCount"]
        elif "totalTokenCount" not in left:
            left["$untotalled"] = True
    return Usage(
        input_tokens=prompt + read if prompt is not None else None,
        output_tokens=(said or 0) + (thought or 0) if said is not None or thought is not None else None,
        cached_tokens=cached,
        reasoning_tokens=thought,
        audio_input_tokens=audio_in,
        audio_output_tokens=audio_out,
        extra={NAME: left} if left else {},
    )


def render_usage(usage: Usage) -> dict[str, Json]:
    """The reverse."""
    extra = usage.extra
    tool = extra.get(NAME, {}).get(_TOOL)
    read = tool if isinstance(tool, int) else 0
    prompt = usage.input_tokens - read if usage.input_tokens is not None else None
    thought = usage.reasoning_tokens
    said = None
    if usage.output_tokens is not None and not note(extra, NAME, "unsaid"):
        said = usage.output_tokens - (thought or 0)
    out: dict[str, Json] = {}
    if prompt is not None:
        out["promptTokenCount"] = prompt
    if said is not None:
        out["candidatesTokenCount"] = said
    if (prompt is not None or usage.output_tokens is not None) and not note(extra, NAME, "untotalled"):
        out["totalTokenCount"] = (prompt or 0) + (usage.output_tokens or 0) + read
    if usage.cached_tokens is not None:
        out["cachedContentTokenCount"] = usage.cached_tokens
    if usage.audio_input_tokens is not None:
        out["promptTokensDetails"] = _details(usage.audio_input_tokens, prompt)
    if usage.audio_output_tokens is not None:
        out["candidatesTokensDetails"] = _details(usage.audio_output_tokens, said)
    if thought is not None:
        out["thoughtsTokenCount"] = thought
    if not extra:
        return out
    return put({**out, **_as_they_came(extra.get(NAME, {}))}, extra, NAME)


def _as_they_came(left: Json) -> dict[str, Json]:
    return {name: left[name] for name in _DERIVED if name in left}


def _count(left: dict[str, Json], name: str) -> int | None:
    value = left.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        del left[name]
        return value
    return None


def _audio(left: dict[str, Json], name: str, total: int | None) -> int | None:
    """The tokens of sounds; the details are left over unless we would write them just so."""
    details = left.get(name)
    if not isinstance(details, list):
        return None
    for one in details:
        if (
            isinstance(one, dict)
            and one.get("modality") == "AUDIO"
            and isinstance(one.get("tokenCount"), int)
        ):
            if details == _details(one["tokenCount"], total):
                del left[name]
            return int(one["tokenCount"])
    return None


def _details(audio: int, total: int | None) -> list[dict[str, Json]]:
    details = [{"modality": "AUDIO", "tokenCount": audio}]
    if total is not None and total > audio:
        details.append({"modality": "TEXT", "tokenCount": total - audio})
    return details
