"""A provider's answer ↔ what its client is told: the body of an answered `POST /v1/messages`."""

from __future__ import annotations

import msgspec

from madang.core.messages import (
    Extra,
    Json,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.anthropic.content import render_text, render_thought
from madang.dialects.anthropic.errors import WireError
from madang.dialects.anthropic.messages import parse_content
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.tools import render_call
from madang.dialects.anthropic.usage import WireUsage, parse_usage, render_usage
from madang.dialects.base import Answering
from madang.dialects.reading import Members, put, read_json, reading_answer, write_json, wrong
from madang.dialects.tap import Heard

STOPS = {
    "end_turn": Stop.END,
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.CONTEXT,
    "stop_sequence": Stop.SEQUENCE,
    "tool_use": Stop.TOOL,
    "pause_turn": Stop.PAUSE,
    "refusal": Stop.REFUSAL,
}
_WORDS = {stop: word for word, stop in STOPS.items()} | {Stop.FILTER: "refusal", Stop.OTHER: "end_turn"}
_OF_THE_STOP = ("stop_sequence", "stop_details", "container")
"""Members that a stream tells with the stop reason."""


@reading_answer
def parse_response(body: bytes) -> Response:
    """The answer in a body. Raises `BrokenAnswer`."""
    top = Members(read_json(body))
    content = top.left.pop("content", None)
    if content is None and top.text("type") != "message":
        raise wrong("content", content, "a list of blocks")
    for name in ("type", "role"):
        top.left.pop(name, None)
    parts, _ = parse_content([] if content is None else content, "content")
    wire = top.object("usage")
    usage, tier = (None, None) if wire is None else parse_usage(wire)
    candidate = parse_stop(top, parts)
    return Response(
        id=top.text("id") or "",
        model=top.text("model") or "",
        candidates=(candidate,),
        usage=usage,
        service_tier=tier,
        extra=top.extra(NAME),
    )


def parse_stop(top: Members, parts: tuple[Part, ...] = ()) -> Candidate:
    """Why an answer ended, with what is told beside it."""
    word = top.text("stop_reason")
    sequence = top.text("stop_sequence")
    left = {name: top.left.pop(name) for name in _OF_THE_STOP if name in top.left}
    stop = None if word is None else STOPS.get(word, Stop.OTHER)
    if stop is Stop.OTHER:
        left["stop_reason"] = word
    top.left.pop("stop_reason", None)
    extra: Extra = {NAME: left} if left else {}
    return Candidate(parts=parts, stop=stop, stop_sequence=sequence, extra=extra)


def render_response(response: Response, answering: Answering) -> bytes:
    """The body for a client."""
    candidate = response.candidates[0] if response.candidates else Candidate()
    out = render_head(response.id, response.model, answering)
    # Anthropic's own empty texts stay; from elsewhere they would come back, and Anthropic would refuse them.
    own = NAME in candidate.extra
    out["content"] = [block for part in candidate.parts if (block := render_told(part, own=own)) is not None]
    out.update(render_stop(candidate))
    out["usage"] = render_usage(response.usage, tier_for_client(response.service_tier))
    return write_json(put(out, response.extra, NAME))


def render_head(name: str, model: str, answering: Answering) -> dict[str, Json]:
    """What an answer says of itself."""
    name = name or answering.id
    return {
        "id": name if name.startswith("msg_") else f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": model or answering.request.model,
    }


def render_stop(candidate: Candidate) -> dict[str, Json]:
    """Why an answer ended; one that is a refusal says so."""
    stop = candidate.stop
    if stop is Stop.END and any(isinstance(part, Refusal) for part in candidate.parts):
        stop = Stop.REFUSAL
    word = None if stop is None else _WORDS[stop]
    left = candidate.extra.get(NAME, {})
    if stop is Stop.OTHER:
        word = left.get("stop_reason", word)
    return put({"stop_reason": word, "stop_sequence": candidate.stop_sequence}, candidate.extra, NAME)


def tier_for_client(tier: str | None) -> str | None:
    """A service tier in Anthropic's words."""
    return "standard" if tier == "default" else tier


def render_told(part: Part, *, own: bool) -> dict[str, Json] | None:
    """A block for a client; nothing for what it could not read. `own`: Anthropic said it."""
    match part:
        case Text():
            return render_text(part, told=True) if part.text or own else None
        case Reasoning():
            return render_thought(part) if part.text or part.signature is not None else None
        case ToolCall():
            return render_call(part, told=True)
        case Refusal():
            return {"type": "text", "text": part.text}
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None
        case Media() | ToolResult():
            return None


class _Heard(msgspec.Struct, gc=False):
    stop_reason: str | None = None
    usage: WireUsage | None = None
    error: WireError | None = None


_heard = msgspec.json.Decoder(_Heard)


def hear(body: bytes) -> Heard:
    """Read an answer for the meter; one that cannot be read is heard as silence."""
    try:
        answer = _heard.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Heard()
    return Heard(
        usage=answer.usage.after(None) if answer.usage is not None else None,
        stop_reason=answer.stop_reason,
        error=(answer.error.type or "api_error") if answer.error is not None else None,
    )
