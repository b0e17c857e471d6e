"""Parts: a Gemini message is `{"role", "parts"}`, and what a part is shows in the member it has.

`text` (with `thought`: reasoning), `inlineData` and `fileData` are read in `media.py`,
`functionCall` and `functionResponse` in `tools.py`, `thoughtSignature` in `signatures.py`. All others
(`executableCode`, `codeExecutionResult`, `toolCall`, …) are Google's alone: `Opaque`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from madang.core.messages import (
    Extra,
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.dialects.carry import Said
from madang.dialects.gemini.media import parse_media, render_media
from madang.dialects.gemini.signatures import is_ours, mark_unsigned, parse_signature, sign, sign_for_client
from madang.dialects.gemini.spelling import NAME, Spelled, respell
from madang.dialects.gemini.tools import Calls, parse_call, parse_result, render_call
from madang.dialects.reading import note, put

OWN: Extra = {NAME: {"$own": True}}
"""Of a thought that came in this dialect; unsigned ones of others are not sent to Gemini's providers."""
_NO_WORDS = (
    "inlineData",
    "fileData",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)


def parse_parts(values: list[Json], path: str, calls: Calls, *, said: bool = False) -> list[Part]:
    """The parts of a message; `said`: by the model. One for each, but for thoughts carried in ids."""
    parts = Said()
    for number, value in enumerate(values):
        part = parse_part(value, f"{path}.{number}", calls)
        if said and isinstance(part, Text) and not part.text:
            # The end of a stream, which clients keep: it says nothing, and others refuse empty text.
            part = Opaque(NAME, value)
        if isinstance(part, ToolCall):
            parts += parts.not_said(calls.thoughts)
        parts.append(part)
    return parts


def parse_part(value: Json, path: str, calls: Calls) -> Part:
    """A part."""
    if isinstance(value, dict) and len(value) == 1 and type(text := value.get("text")) is str:
        return Text(text)
    block = Spelled(value, path)
    left = block.left
    if left.get("functionCall") is not None:
        call = block.members("functionCall")
        if call is None or "partialArgs" in call.left or "willContinue" in call.left:
            return Opaque(NAME, value)  # a piece of a call: only clients of Gemini's ask for those
        return parse_call(block, call, calls)
    result = block.members("functionResponse")
    if result is not None:
        return parse_result(block, result, calls)
    if left.get("thought") is True:
        return _parse_thought(block, calls) or Opaque(NAME, value)
    media = parse_media(block)
    if media is not None:
        return media
    text = block.text("text")
    return Text(text, extra=block.extra(NAME)) if text is not None else Opaque(NAME, value)


def _parse_thought(block: Spelled, calls: Calls) -> Reasoning | None:
    """A thought; `None` for a thought that is no text, such as the drafts of an image model."""
    left = block.left
    if any(left.get(name) is not None for name in _NO_WORDS):
        return None
    text = block.text("text")
    signed = parse_signature(block)
    if text is None and signed.signature is None:
        return None
    del left["thought"]
    own = is_ours(signed.signer)
    calls.carried = calls.carried or not own
    return Reasoning(
        text=text or "",
        signature=signed.signature,
        signer=signed.signer,
        redacted=(text is None and signed.signature is not None) if own else signed.redacted,
        id=signed.id,
        extra=block.extra(NAME, own=True, **signed.notes),
    )


def join_thoughts(messages: Sequence[Message]) -> list[Message]:
    """The same with thoughts of other dialects in one piece.

    A client that keeps the chunks of a stream as they came sends a thought in many parts, often each
    in a message of its own (Google's SDKs do in their chats), and the signature in the last. It
    holds for the whole text alone.
    """
    out: list[Message] = []
    for message in messages:
        if out and message.role == "assistant" and out[-1].role == "assistant":
            parts = (*out[-1].parts, *message.parts)
            out[-1] = msgspec.structs.replace(out[-1], parts=parts)
        else:
            out.append(message)
    return [
        msgspec.structs.replace(message, parts=tuple(_joined(message.parts)))
        if message.role == "assistant"
        else message
        for message in out
    ]


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    pieces: list[Reasoning] = []
    for part in parts:
        if isinstance(part, Reasoning) and part.signature is None:
            pieces.append(part)
            continue
        if isinstance(part, Reasoning) and not part.redacted and not is_ours(part.signer):
            text = "".join(piece.text for piece in pieces) + part.text
            yield msgspec.structs.replace(part, text=text)
        else:
            yield from pieces
            yield part
        pieces = []
    yield from pieces


def render_part(part: Part) -> dict[str, Json] | None:
    """A part for a provider; results are rendered where their calls are known. `None`: left out."""
    match part:
        case Text():
            return _render_text(part.text, part)
        case Media():
            return render_media(part)
        case Reasoning(signature=signature):
            if not is_ours(part.signer) or not (signature or note(part.extra, NAME, "own")):
                return None  # what another model thought is nothing that this one could continue
            out = _render_thought(part)
            if signature is not None:
                sign(out, signature, part.extra)
                respell(part.extra, out)
            return out
        case ToolCall(signature=signature):
            out = render_call(part)
            if signature is not None and is_ours(part.signer):
                sign(out, signature, part.extra)
                respell(part.extra, out)
            return out
        case Refusal():
            return {"text": part.text}
        case Opaque(dialect=dialect, data=data):
            return dict(data) if dialect == NAME else None
        case ToolResult():
            return None


def render_answer_part(part: Part) -> dict[str, Json] | None:
    """A part for a client."""
    match part:
        case Reasoning(signature=signature):
            if not part.text and signature is None and not note(part.extra, NAME, "own"):
                return None
            out = _render_thought(part)
            if signature is not None:
                sign_for_client(out, part, signature)
                respell(part.extra, out)
            return out
        case ToolCall(signature=signature):
            out = render_call(part)
            if signature is not None:
                sign_for_client(out, part, signature)
                respell(part.extra, out)
            return out
        case Text() | Media() | Refusal() | Opaque() | ToolResult():
            return render_part(part)


def _render_text(text: str, part: Text) -> dict[str, Json]:
    if not part.extra:
        return {"text": text}
    out = put({"text": text}, part.extra, NAME)
    respell(part.extra, out)
    return out


def _render_thought(part: Reasoning) -> dict[str, Json]:
    out: dict[str, Json] = {"thought": True}
    if not part.redacted:
        out["text"] = part.text
    if part.extra:
        out = put(out, part.extra, NAME)
        mark_unsigned(out, part.extra)
        respell(part.extra, out)
    return out
