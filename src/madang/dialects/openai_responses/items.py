"""The items of an answer, and of an assistant's turn in a request ↔ parts.

Where a signature goes: `encrypted_content` of a `reasoning` item, and in answers, for thoughts and
calls of another dialect, also the `call_id`, since some clients leave reasoning items out. What
an item has besides its content stands in the extra of its first part: `$item` is the message
(or image) it was in, `$id` and `$status` are a call's or a thought's, `message.phase` and the like
are members of the message that nobody else knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from madang.core.messages import (
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
from madang.core.responses import TokenLogprob
from madang.dialects import carry
from madang.dialects.openai_responses import clothes
from madang.dialects.openai_responses.content import NAME, Block, Content, read_block, write_block, write_text
from madang.dialects.reading import Members, missing, note, put, wrong

Tokens = list[TokenLogprob]

REDACTED = "redacted:"
"""Begins the `encrypted_content` of another dialect's redacted thought, which is no thought without words."""
_OF_MESSAGE = "message."
OURS = f"rs_{carry.MARK}_"
"""Begins the id of a thought of another dialect, which no provider of this one may be asked for."""
BETWEEN = "\n\n"
"""What separates the pieces of a thought in `Reasoning.text`."""
_PIECES = {"summary": "summary_text", "content": "reasoning_text"}
_replace = msgspec.structs.replace


# Reading


def read_item(item: Members, value: Json, said: carry.Said, tokens: Tokens | None = None) -> None:
    """Add an item to what the assistant has said; one of an unknown type is `Opaque`.

    `tokens` takes those of an answer. Raises `BadRequest`.
    """
    match item.left.get("type"):
        case "message":
            said += read_message(item, value, tokens)
        case None if "role" in item.left:
            said += read_message(item, value, tokens)
        case "reasoning":
            said.append(read_reasoning(item))
        case "function_call" | clothes.CALL:
            call, thoughts = read_call(item)
            said += said.not_said(thoughts)
            said.append(call)
        case "image_generation_call" if isinstance(item.left.get("result"), str):
            said.append(_read_image(item))
        case _:
            said.append(Opaque(NAME, value))


def read_message(item: Members, value: Json, tokens: Tokens | None = None) -> list[Part]:
    """What an assistant's message says; if it says nothing, it is `Opaque`."""
    content = item.left.pop("content", None)
    about = about_message(item)
    if isinstance(content, str):
        about["$item"]["form"] = "text"
        return [Text(content, extra={NAME: about})]
    path = item.at("content")
    if content is None and tokens is not None:
        return [Opaque(NAME, value)]
    if not isinstance(content, list):
        raise missing(path, "text or a list") if content is None else wrong(path, content, "text or a list")
    parts: list[Part] = []
    for number, block in enumerate(content):
        part = read_block(block, f"{path}.{number}", "assistant", tokens)
        if isinstance(part, Opaque):
            parts.append(opaque_block(block, about if number == 0 else {}))
        else:
            parts.append(part if number else with_extra(part, about))
    return parts or [Opaque(NAME, value)]


def opaque_block(block: Json, about: Block) -> Opaque:
    """A block that nobody here knows: unlike an item, it stands in a message."""
    return Opaque(NAME, {"$content": block, **about})


def about_message(item: Members) -> Block:
    """What a message has besides its content: for the extra (or, opaque, the data) of its first part."""
    left = item.left
    role = left.pop("role", None)
    about: Block = {name: left.pop(name) for name in ("type", "id", "status") if name in left}
    if role != "assistant":
        about["role"] = role
    out: Block = {f"{_OF_MESSAGE}{name}": value for name, value in left.items()} if left else {}
    out["$item"] = about
    return out


def with_extra(part: Content, more: Block) -> Content:
    """A part with more in its extra."""
    if isinstance(part, Opaque):
        return part
    return _replace(part, extra={NAME: {**part.extra.get(NAME, {}), **more}})


def read_reasoning(item: Members) -> Reasoning:
    """A thought: its summary, then its own words."""
    item.any("type")
    pieces: list[list[Json]] = []
    texts: list[str] = []
    lists = []
    for name, kind in _PIECES.items():
        found = item.items(name)
        if found is None:
            continue
        lists.append(name)
        for value in found:
            text, piece = _read_piece(value, name, kind)
            pieces.append(piece)
            if text is not None:
                texts.append(text)
    text = BETWEEN.join(texts)
    given, signature = item.text("id"), item.text("encrypted_content")
    if given is not None and given.startswith(OURS):
        if signature is None:
            return Reasoning(text=text)
        given = None
    signer, redacted = None, False
    if signature is not None:
        hidden = signature.startswith(REDACTED)
        signature, signer = carry.unwrap(signature.removeprefix(REDACTED), NAME)
        redacted = hidden and signer != NAME
    return Reasoning(
        text=text,
        signature=signature,
        signer=signer,
        redacted=redacted,
        id=given,
        extra=item.extra(
            NAME,
            status=item.any("status"),
            pieces=pieces,
            lists=lists if lists != ["summary"] else None,
        ),
    )


def _read_piece(value: Json, name: str, kind: str) -> tuple[str | None, list[Json]]:
    """A piece's text, and the note on it: which list, how long, and what else it had."""
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return None, [name, None, value]
    rest = {key: one for key, one in value.items() if key != "text" and (key, one) != ("type", kind)}
    absent = "type" not in value
    if absent or rest:
        return text, [name, len(text), {**rest, **({"$typeless": True} if absent else {})}]
    return text, [name, len(text)]


def read_call(item: Members) -> tuple[ToolCall, tuple[Reasoning, ...]]:
    """A call, and the thoughts that its id carried."""
    said = item.need_text("call_id")
    if not said:
        raise missing(item.at("call_id"), "a string that is not empty")
    carried = carry.unload(said)
    name, arguments, notes = clothes.read_call(item)
    call = ToolCall(
        id=carried.id or said,
        name=name,
        arguments=arguments,
        signature=carried.signature,
        signer=carried.signer,
        extra=item.extra(NAME, id=item.any("id"), status=item.any("status"), own=True, **notes),
    )
    return call, carried.thoughts


def _read_image(item: Members) -> Media:
    left = item.left
    about = {name: left.pop(name) for name in ("type", "id", "status", "output_format") if name in left}
    form = about.get("output_format")
    return Media(
        kind="image",
        data=item.text("result"),
        media_type=f"image/{form}" if isinstance(form, str) else "image/png",
        extra=item.extra(NAME, item=about),
    )


# Writing


def write_items(parts: Sequence[Part]) -> list[Block]:
    """An assistant's turn as items of a request; what this dialect's provider cannot know is left out."""
    out: list[Block] = []
    message: Block | None = None
    for number, part in enumerate(parts):
        if not is_content(part):
            message = None
            item = _write_item(part, number)
            if item is not None:
                out.append(item)
            continue
        block = content_block(part)
        if block is None:
            continue
        begun = own_message(part)
        if message is None or begun is not None:
            message = {"role": "assistant", "content": []} if begun is None else begun
            out.append(message)
        add_block(message, part, block)
    return out


def is_content(part: Part) -> bool:
    """Whether a part stands in a message, and is no item of its own."""
    match part:
        case Text() | Refusal():
            return True
        case Media():
            return part.kind != "image" or part.data is None or bool(note(part.extra, NAME, "content"))
        case Opaque():
            return isinstance(part.data.get("$content"), dict)
        case Reasoning() | ToolCall() | ToolResult():
            return False


def own_message(part: Part) -> Block | None:
    """The message that a part began, still empty; `None` if it began none."""
    own = part.data if isinstance(part, Opaque) else part.extra.get(NAME)
    about = own.get("$item") if own else None
    if own is None or not isinstance(about, dict):
        return None
    cut = len(_OF_MESSAGE)
    members = {name[cut:]: value for name, value in own.items() if name.startswith(_OF_MESSAGE)}
    message = {"role": "assistant", **about, **members, "content": []}
    message.pop("form", None)
    if message["role"] is None:  # some servers leave it out
        del message["role"]
    return message


def add_block(message: Block, part: Part, block: Block) -> None:
    """Add a part to its message."""
    content = message["content"]
    if isinstance(content, str):  # somebody has added a part since it was read
        message["content"] = [{"type": "output_text", "text": content}, block]
    elif isinstance(part, Text) and (note(part.extra, NAME, "item") or {}).get("form") == "text":
        message["content"] = part.text
    else:
        content.append(block)


def content_block(part: Part, tokens: Sequence[TokenLogprob] | None = None) -> Block | None:
    """A part of an assistant's message as a block; with `tokens`, of an answer."""
    match part:
        case Text():
            return _without_message(write_text(part, "assistant", tokens))
        case Media() if tokens is not None and NAME not in part.extra:
            return None  # an answer's message holds words; images are items of their own
        case Refusal() | Media():
            block = write_block(part, "assistant")
            return _without_message(block) if block is not None else None
        case Opaque():
            return dict(part.data["$content"]) if part.dialect == NAME else None
        case Reasoning() | ToolCall() | ToolResult():
            return None


def _without_message(block: Block) -> Block:
    # The members of the message stand in the part's extra, and so have come with the others.
    for name in [name for name in block if name.startswith(_OF_MESSAGE)]:
        del block[name]
    return block


def _write_item(part: Part, number: int) -> Block | None:
    match part:
        case Reasoning():
            known = part.signer == NAME or (part.signer is None and part.signature is not None)
            is_ours = known or (part.signature is None and (part.id is not None or NAME in part.extra))
            return write_reasoning(part, part.id) if is_ours else None
        case ToolCall():
            return write_call(part, part.id)
        case Media():
            return write_image(part, f"ig_{number}")
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None
        case Text() | Refusal() | ToolResult():
            return None


def write_reasoning(part: Reasoning, id: str | None) -> Block:
    """A thought; a signature of another dialect is wrapped."""
    out: Block = {"type": "reasoning"}
    if id is not None:
        out["id"] = id
    out.update(_write_pieces(part))
    if part.signature is not None:
        wrapped = carry.wrap(part.signature, part.signer, NAME)
        hidden = part.redacted and part.signer not in (NAME, None)
        out["encrypted_content"] = f"{REDACTED}{wrapped}" if hidden else wrapped
    status = note(part.extra, NAME, "status")
    if status is not None:
        out["status"] = status
    return put(out, part.extra, NAME)


def _write_pieces(part: Reasoning) -> Block:
    pieces = note(part.extra, NAME, "pieces")
    if pieces is None or not _fits(pieces, part.text):
        text = [{"type": "summary_text", "text": part.text}] if part.text else []
        return {"summary": text}
    lists = note(part.extra, NAME, "lists")
    out: Block = {name: [] for name in (("summary",) if lists is None else lists)}
    at = 0
    for name, length, *rest in pieces:
        if length is None:
            out[name].append(rest[0])
            continue
        more = dict(rest[0]) if rest else {}
        kind = {} if more.pop("$typeless", False) else {"type": _PIECES[name]}
        out[name].append({**kind, **more, "text": part.text[at : at + length]})
        at += length + len(BETWEEN)
    return out


def _fits(pieces: Sequence[Sequence[Json]], text: str) -> bool:
    """Whether a text is still as long as the pieces it was read from."""
    lengths = [piece[1] for piece in pieces if piece[1] is not None]
    return bool(len(text) == sum(lengths) + len(BETWEEN) * max(0, len(lengths) - 1))


def write_call(part: ToolCall, call_id: str) -> Block:
    """A call."""
    out = clothes.write_call(part, call_id)
    for name in ("id", "status"):
        value = note(part.extra, NAME, name)
        if value is not None:
            out[name] = value
    return put(out, part.extra, NAME)


def write_image(part: Media, id: str) -> Block:
    """An image that the model made."""
    about = note(part.extra, NAME, "item")
    if about is None:
        form = (part.media_type or "image/png").rpartition("/")[2]
        about = {"type": "image_generation_call", "id": id, "status": "completed", "output_format": form}
    return put({**about, "result": part.data}, part.extra, NAME)
