"""Answers: `GenerateContentResponse`, with why it stopped.

Gemini says `STOP` of an answer that waits for tools too, and gives no candidate where it blocked the
prompt. Usage is in `usage.py`, errors in `errors.py`, sources in `grounding.py`, log probabilities in
`logprobs.py`, and what the meter reads in `hearing.py`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence

from madang.core.messages import Extra, Json, Part, ToolCall
from madang.core.record import Usage
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.gemini.content import parse_parts, render_answer_part
from madang.dialects.gemini.errors import error_of
from madang.dialects.gemini.grounding import FIELD, metadata_of, parse_grounding, with_words
from madang.dialects.gemini.logprobs import parse_logprobs, render_logprobs
from madang.dialects.gemini.spelling import NAME
from madang.dialects.gemini.tools import Calls
from madang.dialects.gemini.usage import parse_usage, render_usage
from madang.dialects.reading import Members, note, put, read_json, reading_answer, write_json

_STOPS = {
    "STOP": Stop.END,
    "MAX_TOKENS": Stop.LENGTH,
    "SAFETY": Stop.FILTER,
    "RECITATION": Stop.FILTER,
    "BLOCKLIST": Stop.FILTER,
    "PROHIBITED_CONTENT": Stop.FILTER,
    "SPII": Stop.FILTER,
    "IMAGE_SAFETY": Stop.FILTER,
    "IMAGE_PROHIBITED_CONTENT": Stop.FILTER,
    "IMAGE_RECITATION": Stop.FILTER,
}
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?Z", re.ASCII)


def stop_of(word: str, *, calls: bool) -> Stop:
    """Why an answer ended, from Gemini's word and whether it has calls in it."""
    stop = _STOPS.get(word, Stop.OTHER)
    return Stop.TOOL if calls and stop is Stop.END else stop


def word_of(stop: Stop) -> str:
    """Gemini's word for why an answer ended."""
    match stop:
        case Stop.END | Stop.TOOL | Stop.SEQUENCE:
            return "STOP"
        case Stop.LENGTH | Stop.CONTEXT:
            return "MAX_TOKENS"
        case Stop.FILTER | Stop.REFUSAL:
            return "SAFETY"
        case Stop.PAUSE | Stop.OTHER:
            return "OTHER"


def _parse(body: bytes) -> Response:
    top = Members(read_json(body))
    error = top.left.get("error")
    if isinstance(error, dict) and not top.left.get("candidates"):
        raise error_of(error)
    name, model = top.text("responseId"), top.text("modelVersion")
    created, moment = parse_time(top.left)
    usage, tier = read_usage(top.left)
    calls = Calls()
    candidates: list[Candidate] = []
    if top.left.get("candidates"):
        candidates = [
            _parse_candidate(block, place, calls) for place, block in enumerate(top.each("candidates"))
        ]
    if not candidates and is_blocked(top.left):
        candidates.append(BLOCKED)
    return Response(
        id=name or "",
        model=model or "",
        created=created,
        candidates=tuple(candidates),
        usage=usage,
        service_tier=tier,
        extra=top.extra(
            NAME,
            moment=moment,
            nameless=nameless(name, model) or None,
        ),
    )


def nameless(id: str | None, model: str | None) -> list[str]:
    """What an answer does not say of itself."""
    return [name for name, said in (("responseId", id), ("modelVersion", model)) if said is None]


parse_response = reading_answer(_parse)
"""A whole answer. Raises `BrokenAnswer`, and `ProviderError` where it is an error in spite of its status."""

BLOCKED = Candidate(stop=Stop.FILTER, extra={NAME: {"$blocked": True}})
"""In place of the candidates that there are none of where the prompt was blocked."""


def render_response(response: Response, answering: Answering) -> bytes:
    """A whole answer for a client."""
    extra = response.extra
    out: dict[str, Json] = {}
    if response.candidates and note(response.candidates[0].extra, NAME, "blocked") is None:
        out["candidates"] = [
            _render_candidate(candidate, number) for number, candidate in enumerate(response.candidates)
        ]
    usage = render_counts(response.usage, response.service_tier)
    if usage is not None:
        out["usageMetadata"] = usage
    return write_json(put({**out, **render_head(response, answering)}, extra, NAME))


def render_head(response: Response, answering: Answering) -> dict[str, Json]:
    """What an answer says of itself, and every chunk of a stream repeats."""
    extra = response.extra
    unsaid = note(extra, NAME, "nameless") or ()
    out: dict[str, Json] = {}
    if "modelVersion" not in unsaid:
        out["modelVersion"] = response.model or answering.request.model
    moment = note(extra, NAME, "moment")
    if moment is not None:
        out["createTime"] = moment
    elif response.created is not None:
        out["createTime"] = render_time(response.created)
    if "responseId" not in unsaid:
        out["responseId"] = response.id or answering.id
    return out


def render_counts(usage: Usage | None, tier: str | None) -> dict[str, Json] | None:
    """`usageMetadata`, which says the service tier too."""
    out = render_usage(usage) if usage is not None else None
    if tier is not None:
        out = {**(out or {}), "serviceTier": tier}
    return out


def read_usage(left: dict[str, Json]) -> tuple[Usage | None, str | None]:
    """Take the usage and the service tier out of an answer or a chunk."""
    value = left.get("usageMetadata")
    if not isinstance(value, dict):
        return None, None
    del left["usageMetadata"]
    tier = value.get("serviceTier")
    if not isinstance(tier, str):
        return parse_usage(value), None
    del value["serviceTier"]
    return parse_usage(value), tier


def is_blocked(left: dict[str, Json]) -> bool:
    """Whether the prompt was blocked."""
    feedback = left.get("promptFeedback")
    return isinstance(feedback, dict) and feedback.get("blockReason") is not None


def parse_time(left: dict[str, Json]) -> tuple[int | None, str | None]:
    """`createTime` in seconds, and as it came."""
    text = left.get("createTime")
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None or not (0 < int(found[2]) <= 12 and int(found[1]) >= 1970 and 0 < int(found[3]) <= 31):
        return None, None
    del left["createTime"]
    return calendar.timegm(tuple(map(int, found.groups()))), str(text)


def render_time(seconds: int) -> str:
    """A moment as Google writes it. Method: Howard Hinnant, "chrono-compatible low-level date algorithms"."""
    days, rest = divmod(seconds, 86_400)
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    month += 3 if month < 10 else -9
    year += 400 * era + (month <= 2)
    hours, minutes = divmod(rest // 60, 60)
    return f"{year:04}-{month:02}-{day + 1:02}T{hours:02}:{minutes:02}:{rest % 60:02}Z"


def _parse_candidate(block: Members, number: int, calls: Calls) -> Candidate:
    content = block.members("content")
    left = block.left
    word = block.text("finishReason")
    notes: dict[str, Json] = {}
    parts: list[Part] = []
    if content is None:
        notes["$contentless"] = True
    else:
        values = content.items("parts")
        parts = parse_parts(values or [], content.at("parts"), calls, said=True)
        if values is None and "parts" not in content.left:
            notes["$bare"] = True
        role = content.text("role")
        if role != "model":
            notes["$role"] = role or ""
        if content.left:
            left["content"] = content.left
    if FIELD in left:
        parts = parse_grounding(left, parts)
    if left.get("index") == number:
        del left["index"]
    elif "index" not in left:
        notes["$unindexed"] = True
    logprobs = parse_logprobs(left)
    stop = stop_left(left, word, calls=any(isinstance(part, ToolCall) for part in parts))
    return Candidate(
        parts=tuple(parts),
        stop=stop,
        logprobs=logprobs,
        extra={NAME: {**left, **notes}} if left or notes else {},
    )


def stop_left(left: dict[str, Json], word: str | None, *, calls: bool) -> Stop | None:
    """Why a candidate stopped; a word that says it in another way than ours goes to what is left over."""
    if word is None:
        return None
    stop = stop_of(word, calls=calls)
    if word_of(stop) != word:
        left["finishReason"] = word
    return stop


def _render_candidate(candidate: Candidate, number: int) -> dict[str, Json]:
    extra = candidate.extra
    rendered = [(part, told) for part in candidate.parts if (told := render_answer_part(part)) is not None]
    out: dict[str, Json] = {}
    if rendered or not note(extra, NAME, "contentless"):
        content: dict[str, Json] = {}
        if rendered or not note(extra, NAME, "bare"):
            content["parts"] = [part for _, part in rendered]
        role = note(extra, NAME, "role")
        if role is None or role:
            content["role"] = role or "model"
        left = extra.get(NAME, {}).get("content")
        out["content"] = {**left, **content} if isinstance(left, dict) else content
    if candidate.stop is not None:
        out["finishReason"] = finish_word(candidate.stop, extra)
    if not note(extra, NAME, "unindexed") and "index" not in extra.get(NAME, {}):
        out["index"] = number
    grounding = own_grounding(candidate.parts, extra) or metadata_of(
        (place, part) for place, (part, _) in enumerate(rendered)
    )
    if grounding is not None:
        out[FIELD] = grounding
    if candidate.logprobs:
        out["logprobsResult"] = render_logprobs(candidate.logprobs, extra)
    return put(out, extra, NAME)


def own_grounding(parts: Sequence[Part], extra: Extra) -> dict[str, Json] | None:
    """What Gemini said of its sources, the words put back."""
    own = extra.get(NAME, {}).get(FIELD)
    if not isinstance(own, dict):
        return None
    return with_words(own, [getattr(part, "text", None) for part in parts])


def finish_word(stop: Stop, extra: Extra) -> str:
    """Gemini's own word if it is still true, else ours for it."""
    word = extra.get(NAME, {}).get("finishReason")
    if isinstance(word, str) and stop_of(word, calls=False) is stop:
        return word
    return word_of(stop)
