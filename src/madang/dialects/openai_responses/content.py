"""The blocks of a message's content ↔ parts: words, refusals, images, files, sounds, annotations.

The items around them are in `items.py`. Notes on the form that are kept here: `$type` (a block's type
where its role has another one), `$has` (the lists an `output_text` was written with), `$logprobs`
(how many of the candidate's tokens are this text's), `$file` (how a file was written).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

from madang.core.messages import Cache, Citation, Json, Media, Opaque, Refusal, Text
from madang.core.responses import TokenLogprob
from madang.dialects.reading import Members, missing, note, put, wrong

NAME = "openai_responses"

Content = Text | Media | Refusal | Opaque
Block = dict[str, Json]

_ENDINGS = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_ENDING_OF = {media_type: ending for ending, media_type in _ENDINGS.items()}
_NAMELESS = "unnamed."
"""Begins the name of a file that has none: with `file_data` the API insists on one."""
_SOUNDS = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_FORMATS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}

T = TypeVar("T", str, int)


def read_blocks(blocks: list[Json], path: str, role: str) -> list[Content]:
    """The content of a message. Raises `BadRequest`."""
    return [read_block(block, f"{path}.{number}", role) for number, block in enumerate(blocks)]


def read_block(
    value: Json, path: str, role: str, logprobs: list[TokenLogprob] | None = None, **notes: Json
) -> Content:
    """A block; one of an unknown type is `Opaque`. Tokens of an answer are added to `logprobs`.

    Raises `BadRequest`.
    """
    block = Members(value, path)
    kind = block.need_text("type")
    match kind:
        case "input_text" | "output_text" | "text":
            if kind != ("output_text" if role == "assistant" else "input_text"):
                notes["type"] = kind
            return _read_text(block, role, logprobs, notes)
        case "refusal" if role == "assistant":
            return Refusal(block.need_text("refusal"), block.extra(NAME, **notes))
        case "input_image":
            return _read_image(block, role, notes)
        case "input_file":
            return _read_file(block, role, notes)
        case "input_audio":
            return _read_audio(block, role, notes)
        case _:
            return Opaque(NAME, value)


def write_blocks(parts: Sequence[Content], role: str) -> list[Block]:
    """Content for a message of a request; what cannot be said is left out."""
    return [block for part in parts if (block := write_block(part, role)) is not None]


def write_block(part: Content, role: str) -> Block | None:
    """A block of a request."""
    match part:
        case Text():
            return write_text(part, role)
        case Refusal():
            return put({"type": "refusal", "refusal": part.text}, part.extra, NAME)
        case Media():
            return _write_media(part)
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None


# Words


def _read_text(block: Members, role: str, logprobs: list[TokenLogprob] | None, notes: Block) -> Text:
    text, left = block.need_text("text"), block.left
    citations: tuple[Citation, ...] = ()
    has = []
    annotations = block.items("annotations")
    if annotations is not None:
        has.append("annotations")
        citations = tuple(_read_annotation(one, block.at("annotations")) for one in annotations)
    tokens = left.get("logprobs")
    if isinstance(tokens, list):
        read = read_logprobs(tokens) if logprobs is not None else []
        if read is not None and (logprobs is not None or not tokens):
            has.append("logprobs")
            del left["logprobs"]
            if logprobs is not None and read:
                logprobs.extend(read)
                notes["logprobs"] = len(read)
    if has or role == "assistant":
        notes["has"] = has
    return Text(text, citations, _cache(block), block.extra(NAME, **notes))


def write_text(part: Text, role: str, tokens: Sequence[TokenLogprob] | None = None) -> Block:
    """Words; with `tokens`, of an answer, which says its lists even where they are empty."""
    extra = part.extra
    usual = "output_text" if role == "assistant" else "input_text"
    out: Block = {"type": note(extra, NAME, "type") or usual, "text": part.text}
    has = note(extra, NAME, "has")
    if has is None:
        has = ("annotations", "logprobs") if tokens is not None else ()
    if "annotations" in has:
        out["annotations"] = [_write_annotation(one, len(part.text)) for one in part.citations]
    if "logprobs" in has:
        out["logprobs"] = [write_logprob(token) for token in tokens or ()]
    return put(out, extra, NAME)


def _read_annotation(value: Json, path: str) -> Citation:
    if not isinstance(value, dict):
        raise wrong(path, value, "a list of objects")
    left = value.copy()
    left["$type"] = left.pop("type", None)
    title = _take(left, "title", str)
    if title is None and (title := _take(left, "filename", str)) is not None:
        left["$title"] = "filename"
    return Citation(
        url=_take(left, "url", str),
        title=title,
        file_id=_take(left, "file_id", str),
        start=_take(left, "start_index", int),
        end=_take(left, "end_index", int),
        extra={NAME: left},
    )


def read_annotation(value: Json) -> Citation:
    """A citation of an answer. Raises `BadRequest`."""
    return _read_annotation(value, "annotation")


def _write_annotation(citation: Citation, length: int) -> Block:
    """A citation of a text that is so long."""
    extra = citation.extra
    if NAME in extra:
        said = {
            "type": note(extra, NAME, "type"),
            "url": citation.url,
            note(extra, NAME, "title") or "title": citation.title,
            "file_id": citation.file_id,
            "start_index": citation.start,
            "end_index": citation.end,
        }
        return put({name: value for name, value in said.items() if value is not None}, extra, NAME)
    end = citation.end if citation.end is not None else length
    place = {"start_index": citation.start or 0, "end_index": end}
    title = citation.title or ""
    if citation.url is not None:
        return {"type": "url_citation", "url": citation.url, "title": title, **place}
    # The only other citation that has a place; neither file nor container need be known.
    file = {"container_id": "", "file_id": citation.file_id or "", "filename": title}
    return {"type": "container_file_citation", **file, **place}


def _take(left: Block, name: str, kind: type[T]) -> T | None:
    value = left.get(name)
    if type(value) is not kind or value == "":
        return None
    del left[name]
    return value


def read_logprobs(tokens: list[Json], *, bare: bool = False) -> list[TokenLogprob] | None:
    """The tokens of a text; `None` if they are not written as OpenAI writes them.

    `bare` are those of a delta, which says no bytes.
    """
    out = []
    for token in tokens:
        read = _read_logprob(token, bare)
        if read is None:
            return None
        out.append(read)
    return out


def _read_logprob(value: Json, bare: bool) -> TokenLogprob | None:
    try:
        token, likeliest = value["token"], value.get("top_logprobs") or ()
        top = tuple([(one["token"], float(one["logprob"])) for one in likeliest])
        if not all(isinstance(text, str) for text in (token, *[text for text, _ in top])):
            return None
        read = TokenLogprob(token, float(value["logprob"]), top)
        if bare or write_logprob(read) == value:
            return read
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    rest = {name: one for name, one in value.items() if name not in ("token", "logprob")}
    return TokenLogprob(read.token, read.logprob, top, {NAME: rest})


def write_logprob(token: TokenLogprob) -> Block:
    """A token and the likeliest ones at its place."""
    own = token.extra.get(NAME)
    if own is not None:
        return {"token": token.token, "logprob": token.logprob, **own}
    return {
        "token": token.token,
        "bytes": list(token.token.encode()),
        "logprob": token.logprob,
        "top_logprobs": [
            {"token": text, "bytes": list(text.encode()), "logprob": logprob} for text, logprob in token.top
        ],
    }


def _cache(block: Members) -> Cache | None:
    # `prompt_cache_breakpoint` (gpt-5.6 and later, 2026) stays among the leftovers, which say its exact
    # form. Its lifetimes, 30m and 12h, are minima; the nearest that others know and that is not shorter
    # than the first is an hour.
    mark = block.left.get("prompt_cache_breakpoint")
    return Cache("1h" if mark.get("ttl") else None) if isinstance(mark, dict) else None


# Media


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type and base64 of a data URL; `None` for any other address."""
    if not url.startswith("data:"):
        return None
    head, comma, data = url.partition(";base64,")
    return (head[5:], data) if comma and head != "data:" else None


def _notes_of(role: str, notes: Block) -> Block:
    # An image in an assistant's message is no image that it made (`items.py`).
    return {**notes, "content": True} if role == "assistant" else notes


def _read_image(block: Members, role: str, notes: Block) -> Media:
    url = block.text("image_url")
    file_id = None if url is not None else block.text("file_id")
    if url is None and file_id is None:
        raise missing(block.at("image_url"), "an address or a data URL, unless 'file_id' is given")
    inline = split_data_url(url) if url is not None else None
    return Media(
        kind="image",
        data=inline[1] if inline is not None else None,
        media_type=inline[0] if inline is not None else None,
        url=url if inline is None else None,
        file_id=file_id,
        detail=block.text("detail"),
        cache=_cache(block),
        extra=block.extra(NAME, **_notes_of(role, notes)),
    )


def _read_file(block: Members, role: str, notes: Block) -> Media:
    data = block.text("file_data")
    url = block.text("file_url") if data is None else None
    file_id = block.text("file_id") if data is None and url is None else None
    if data is None and url is None and file_id is None:
        raise missing(block.at("file_data"), "base64, unless 'file_url' or 'file_id' is given")
    name = block.text("filename")
    media_type = inline = None
    if data is not None:
        inline = split_data_url(data)
        notes["file"] = "raw" if inline is None else "inline"
        if inline is not None:
            media_type, data = inline
        else:
            media_type = _ENDINGS.get((name or "").rpartition(".")[2].lower())
    if data is not None and name is not None and name.startswith(_NAMELESS):
        notes["filename"], name = name, None
    text = _plain_text(data) if inline is not None and inline[0] == "text/plain" else None
    return Media(
        kind="document",
        data=data if text is None else None,
        text=text,
        url=url,
        file_id=file_id,
        media_type=media_type,
        name=name,
        cache=_cache(block),
        extra=block.extra(NAME, **_notes_of(role, notes)),
    )


def _plain_text(data: str | None) -> str | None:
    """The text in base64; `None` if writing it again would not give the same."""
    try:
        text = base64.b64decode(data or "", validate=True).decode()
    except ValueError:
        return None
    return text if _base64(text) == data else None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _read_audio(block: Members, role: str, notes: Block) -> Media:
    inner = block.members("input_audio")
    if inner is None:
        raise missing(block.at("input_audio"), "an object with 'data' and 'format'")
    data, form = inner.need_text("data"), inner.need_text("format")
    if inner.left:
        block.left["input_audio"] = inner.left
    return Media(
        kind="audio",
        data=data,
        media_type=_SOUNDS.get(form, f"audio/{form}"),
        cache=_cache(block),
        extra=block.extra(NAME, **_notes_of(role, notes)),
    )


def _write_media(part: Media) -> Block | None:
    match part.kind:
        case "image":
            return _write_image(part)
        case "document":
            return _write_file(part)
        case "audio":
            if part.data is None:
                return None
            form = part.media_type or "audio/wav"
            sound = {"data": part.data, "format": _FORMATS.get(form) or form.rpartition("/")[2]}
            own = part.extra.get(NAME, {}).get("input_audio") or {}
            return put({"type": "input_audio", "input_audio": {**own, **sound}}, part.extra, NAME)
        case "video":
            return None


def _write_image(part: Media) -> Block | None:
    out: Block = {"type": "input_image"}
    if part.data is not None:
        out["image_url"] = f"data:{part.media_type or 'image/png'};base64,{part.data}"
    elif part.url is not None:
        out["image_url"] = part.url
    elif part.file_id is not None:
        out["file_id"] = part.file_id
    else:
        return None
    if part.detail is not None:
        out["detail"] = part.detail
    return put(out, part.extra, NAME)


def _write_file(part: Media) -> Block | None:
    out: Block = {"type": "input_file"}
    data = _base64(part.text) if part.text is not None else part.data
    if data is not None:
        media_type = part.media_type or ("application/pdf" if part.text is None else "text/plain")
        form = note(part.extra, NAME, "file")
        out["file_data"] = data if form == "raw" else f"data:{media_type};base64,{data}"
        name = part.name if part.name is not None else note(part.extra, NAME, "filename")
        if name is None and form is None:
            name = f"{_NAMELESS}{_ENDING_OF.get(media_type) or media_type.rpartition('/')[2]}"
    elif part.url is not None:
        out["file_url"], name = part.url, part.name
    elif part.file_id is not None:
        out["file_id"], name = part.file_id, part.name
    else:
        return None
    if name is not None:
        out["filename"] = name
    return put(out, part.extra, NAME)
