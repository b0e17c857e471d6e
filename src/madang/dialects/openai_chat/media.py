"""Images, sounds, films and documents: `image_url`, `input_audio`, `file`, and what likenesses add.

Mistral writes `image_url` as a string and has `document_url`; OpenRouter and vLLM have `video_url`,
OpenRouter puts an address into `file_data`, Perplexity has `file_url` (recorded 2026-06 to 08).
"""

from __future__ import annotations

from madang.core.messages import Json, Media, MediaKind
from madang.dialects.openai_chat.form import NAME, keep, noted, restore
from madang.dialects.reading import Members, missing

_TYPE_OF_FORMAT = {"wav": "audio/wav", "mp3": "audio/mp3"}
_FORMAT_OF_TYPE = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}
_LINKS: dict[str, MediaKind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
    "document_url": "document",
    "file_url": "document",
}

_OF_ENDING = {"txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html"}

BLOCKS = frozenset((*_LINKS, "input_audio", "file"))
"""Types of blocks that are read here."""


def read_media(members: Members, block: str) -> Media:
    """A block of one of `BLOCKS`, its `type` and cache mark taken already."""
    if block == "input_audio":
        return _read_audio(members)
    if block == "file":
        return _read_file(members)
    return _read_link(members, block, _LINKS[block])


def write_media(media: Media) -> dict[str, Json] | None:
    """A block; `None` for what chat completions cannot be sent."""
    form = noted(media.extra, "form")
    block: dict[str, Json] | None
    match media.kind:
        case "image":
            block = _write_file(media) if form == "file" else _write_link(media, "image_url")
        case "audio":
            block = _write_link(media, form) if form == "audio_url" else _write_audio(media)
        case "document":
            block = _write_link(media, form) if form in _LINKS else _write_file(media)
        case "video":
            block = _write_link(media, form) if form in _LINKS else None
    return restore(block, media.extra) if block is not None else None


def data_url(media: Media) -> str:
    """The data of an image, a document, …, as an address."""
    return f"data:{media.media_type or ''}{noted(media.extra, 'parameters') or ''};base64,{media.data}"


def _read_link(members: Members, block: str, kind: MediaKind) -> Media:
    written = members.left.get(block)
    if isinstance(written, str):
        del members.left[block]
        return _at(written, kind, members, form=block, text=True)
    inner = members.members(block)
    if inner is None:
        raise missing(members.at(block), "an object with a 'url'")
    url = inner.need_text("url")
    detail = inner.text("detail")
    keep(members, block, inner)
    return _at(url, kind, members, form=block if block != "image_url" else None, detail=detail)


def _at(
    url: str,
    kind: MediaKind,
    members: Members,
    *,
    form: str | None = None,
    text: bool | None = None,
    detail: str | None = None,
    name: str | None = None,
) -> Media:
    """What an address stands for: the data in it, or what is there."""
    media_type, parameters, data = _split(url)
    if data is None:
        extra = members.extra(NAME, form=form, string=text)
        return Media(kind=kind, url=url, detail=detail, name=name, extra=extra)
    return Media(
        kind=kind,
        data=data,
        media_type=media_type,
        detail=detail,
        name=name,
        extra=members.extra(NAME, form=form, string=text, parameters=parameters),
    )


def _split(url: str) -> tuple[str | None, str | None, str | None]:
    """Media type, parameters and base64 data of an address of scheme `data:`; else nothing."""
    if not url.startswith("data:"):
        return None, None, None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        return None, None, None
    media_type, mark, parameters = head.removesuffix(";base64").partition(";")
    return media_type or None, mark + parameters or None, data


def _write_link(media: Media, block: str) -> dict[str, Json] | None:
    url = data_url(media) if media.data is not None else media.url
    if url is None:
        return None
    if noted(media.extra, "string"):
        return {"type": block, block: url}
    inner = {"url": url}
    if media.detail is not None:
        inner["detail"] = media.detail
    return {"type": block, block: inner}


def _read_audio(members: Members) -> Media:
    if isinstance(members.left.get("input_audio"), str):
        # Mistral takes the data or an address without the object around it (docs.mistral.ai, "Audio").
        written = members.left.pop("input_audio")
        if written.startswith(("http://", "https://")):
            return Media(kind="audio", url=written, extra=members.extra(NAME, string=True))
        return Media(kind="audio", data=written, extra=members.extra(NAME, string=True))
    inner = members.members("input_audio")
    if inner is None:
        raise missing(members.at("input_audio"), "an object with 'data' and 'format'")
    data = inner.need_text("data")
    word = inner.text("format")
    keep(members, "input_audio", inner)
    media_type = _TYPE_OF_FORMAT.get(word, f"audio/{word}") if word is not None else None
    odd = word if word is not None and _format(media_type) != word else None
    return Media(kind="audio", data=data, media_type=media_type, extra=members.extra(NAME, format=odd))


def _write_audio(media: Media) -> dict[str, Json] | None:
    if noted(media.extra, "string"):
        return {"type": "input_audio", "input_audio": media.data or media.url}
    if media.data is None:
        return None
    inner = {"data": media.data}
    word = noted(media.extra, "format") or _format(media.media_type)
    if word is not None:
        inner["format"] = word
    return {"type": "input_audio", "input_audio": inner}


def _format(media_type: str | None) -> str | None:
    if media_type is None:
        return None
    return _FORMAT_OF_TYPE.get(media_type, media_type.removeprefix("audio/"))


def _read_file(members: Members) -> Media:
    inner = members.members("file")
    if inner is None:
        raise missing(members.at("file"), "an object with 'file_data' or 'file_id'")
    name = inner.text("filename")
    data, file_id = inner.text("file_data"), inner.text("file_id")
    if data is not None and file_id is not None:
        inner.left["file_id"] = file_id
    keep(members, "file", inner)
    if data is None:
        if file_id is None:
            raise missing(members.at("file.file_data"), "a file's content, or 'file_id' must be given")
        return Media(kind="document", file_id=file_id, name=name, extra=members.extra(NAME))
    if not data.startswith(("data:", "https://", "http://")):
        # The reference says base64 and shows an address: clients write either.
        ending = (name or "").rpartition(".")[2].lower()
        return Media(
            kind="document",
            data=data,
            media_type=_OF_ENDING.get(ending, "application/pdf"),
            name=name,
            extra=members.extra(NAME, form="file", raw=True),
        )
    media_type, _, _ = _split(data)
    kind: MediaKind = "image" if (media_type or "").startswith("image/") else "document"
    return _at(data, kind, members, form="file", name=name)


def _write_file(media: Media) -> dict[str, Json] | None:
    inner: dict[str, Json] = {}
    if media.name is not None:
        inner["filename"] = media.name
    if media.data is not None:
        inner["file_data"] = media.data if noted(media.extra, "raw") else data_url(media)
    elif media.file_id is not None:
        inner["file_id"] = media.file_id
    elif media.url is not None and noted(media.extra, "form") == "file":
        inner["file_data"] = media.url
    else:
        return None
    return {"type": "file", "file": inner}
