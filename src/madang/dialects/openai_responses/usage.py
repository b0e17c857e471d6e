"""What an answer has used, and why it ended.

OpenAI's totals hold their parts, as ours do. Notes on the form in a usage's extra: `$details` (which
objects of details there were), `$total` (that there was no total).
"""

from __future__ import annotations

from madang.core.messages import Extra, Json
from madang.core.record import Usage
from madang.core.responses import Stop
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.reading import put

_DETAILS = {
    "input_tokens_details": (
        ("cached_tokens", "cached_tokens"),
        ("cache_write_tokens", "cache_write_tokens"),
    ),
    "output_tokens_details": (("reasoning_tokens", "reasoning_tokens"),),
}
"""Object → its members and ours."""


def read_usage(value: Json) -> Usage | None:
    """`usage`; what is no count stays among what is left over."""
    if not isinstance(value, dict):
        return None
    left = value.copy()
    counts = {name: _take_count(left, name) for name in ("input_tokens", "output_tokens")}
    details = []
    for name, members in _DETAILS.items():
        inner = left.get(name)
        if not isinstance(inner, dict):
            continue
        details.append(name)
        inner = inner.copy()
        counts.update({ours: _take_count(inner, theirs) for theirs, ours in members})
        if inner:
            left[name] = inner
        else:
            del left[name]
    left["$details"] = details
    if "total_tokens" not in left:
        left["$total"] = "unsaid"
    elif left["total_tokens"] == (counts["input_tokens"] or 0) + (counts["output_tokens"] or 0):
        del left["total_tokens"]
    return Usage(**counts, extra={NAME: left})


def _take_count(left: Block, name: str) -> int | None:
    value = left.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    del left[name]
    return int(value)


def write_usage(usage: Usage) -> Block:
    """`usage`. Of another dialect's, what is not known is told as 0: the API knows no gaps."""
    own = usage.extra.get(NAME)
    total = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    if own is None:
        return {
            "input_tokens": usage.input_tokens or 0,
            "input_tokens_details": {
                "cached_tokens": usage.cached_tokens or 0,
                "cache_write_tokens": usage.cache_write_tokens or 0,
            },
            "output_tokens": usage.output_tokens or 0,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
            "total_tokens": total,
        }
    out: Block = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    for name in own["$details"]:
        said = {theirs: getattr(usage, ours) for theirs, ours in _DETAILS[name]}
        known = {theirs: count for theirs, count in said.items() if count is not None}
        out[name] = {**(own.get(name) or {}), **known}
    out = {name: value for name, value in out.items() if value is not None}
    if "total_tokens" not in own and "$total" not in own:
        out["total_tokens"] = total
    return put(out, usage.extra, NAME)


UNKNOWN = read_usage(write_usage(Usage()))
"""Of an answer whose provider said none: the clients cannot do without."""


# Why it ended


def read_stop(status: Json, details: Json, *, calls: bool, refused: bool) -> Stop | None:
    """Why an answer ended, by its status, what is said of that, and whether it called or refused."""
    if status == "completed" or status is None:
        return Stop.TOOL if calls else Stop.REFUSAL if refused else Stop.END
    if status != "incomplete" or not isinstance(details, dict):
        return None
    match details.get("reason"):
        case "max_output_tokens":
            return Stop.LENGTH
        case "content_filter":
            return Stop.FILTER
        case _:
            return Stop.OTHER


def write_stop(
    stop: Stop | None, extra: Extra, *, calls: bool, refused: bool
) -> tuple[str | None, Block | None]:
    """Status, which some leave out, and `incomplete_details`."""
    own = extra.get(NAME)
    if own is not None:
        status, details = own.get("$status"), own.get("$incomplete")
        if read_stop(status, details, calls=calls, refused=refused) is stop:
            return status, details
    match stop:
        case Stop.LENGTH | Stop.CONTEXT | Stop.PAUSE:
            return "incomplete", {"reason": "max_output_tokens"}
        case Stop.FILTER:
            return "incomplete", {"reason": "content_filter"}
        case Stop.REFUSAL if not refused:
            return "incomplete", {"reason": "content_filter"}
        case None:
            return "incomplete", None
        case Stop.END | Stop.TOOL | Stop.SEQUENCE | Stop.REFUSAL | Stop.OTHER:
            return "completed", None
