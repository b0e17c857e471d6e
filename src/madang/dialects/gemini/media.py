"""Images, sounds, films and documents: `inlineData` (bytes) and `fileData` (a URI)."""

from __future__ import annotations

import base64

from madang.core.messages import Json, Media, MediaKind
from madang.dialects.gemini.signatures import is_url_safe, standard, url_safe
from madang.dialects.gemini.spelling import NAME, Spelled, leftover, respell
from madang.dialects.reading import missing, note, put

_USUAL: dict[MediaKind, str] = {
    "image": "image/jpeg",
    "audio": "audio/mp3",
    "video": "video/mp4",
    "document": "application/pdf",
}
"""The type said where none is known: Gemini wants one, and takes the kind from it."""
_ENDINGS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "wav": "audio/wav",
    "mp3": "audio/mp3",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "mp4": "video/mp4",
    "mov": "video/mov",
    "webm": "video/webm",
    "mpeg": "video/mpeg",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "html": "text/html",
}
_PLAIN = "text/plain"
_FILES_API = "/v1beta/files/"
_STORED = ("gs://", "files/", "file-", "file_")
"""How files begin that a provider keeps: Google's, OpenAI's and Anthropic's. All else is an address."""
_FILM_HOSTS = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")
"""Films that Gemini watches by their address; no type is said for them."""


def parse_media(block: Spelled) -> Media | None:
    """The media of a part, if that is what it holds."""
    blob = block.members("inlineData")
    if blob is not None:
        return _parse_blob(block, blob)
    file = block.members("fileData")
    if file is not None:
        return _parse_file(block, file)
    return None


def render_media(media: Media) -> dict[str, Json]:
    """The reverse."""
    name = note(media.extra, NAME, "named") and media.name
    if media.url is not None or media.file_id is not None:
        where, inner = "fileData", _typed(media)
        inner["fileUri"] = media.url if media.url is not None else media.file_id
    elif media.text is not None:
        where = "inlineData"
        data = base64.b64encode(media.text.encode()).decode()
        inner = {"mimeType": media.media_type or _PLAIN, "data": _spelt(data, media)}
    else:
        where, inner = "inlineData", _typed(media)
        inner["data"] = _spelt(media.data or "", media)
    if name:
        inner["displayName"] = name
    inner = {**leftover(media.extra, where), **inner}
    part = put({where: inner}, media.extra, NAME)
    respell(media.extra, inner, part)
    return part


def kind_of(media_type: str) -> MediaKind:
    """The kind of a media type; whatever is nothing else is a document."""
    match media_type.partition("/")[0].lower():
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"


def _spelt(data: str, media: Media) -> str:
    return url_safe(data) if note(media.extra, NAME, "url_safe") else data


def _plain(data: str) -> str | None:
    """The text in base64, if it is text and comes out as it went in."""
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return text if base64.b64encode(text.encode()).decode() == data else None


def _typed(media: Media) -> dict[str, Json]:
    if note(media.extra, NAME, "untyped"):
        return {}
    return {"mimeType": media.media_type or _guess(media)}


def _guess(media: Media) -> str:
    found = _by_ending(media.url or media.name or "")
    return found if found is not None and kind_of(found) == media.kind else _USUAL[media.kind]


def _by_ending(address: str) -> str | None:
    path = address.partition("?")[0].partition("#")[0]
    return _ENDINGS.get(path.rpartition(".")[2].lower())


def _parse_blob(block: Spelled, blob: Spelled) -> Media:
    media_type = blob.text("mimeType")
    data = blob.text("data")
    if data is None:
        raise missing(blob.at("data"), "a string of base64")
    name = blob.text("displayName")
    coded = is_url_safe(data)
    data = standard(data) if coded else data
    text = _plain(data) if media_type == _PLAIN else None
    block.keep("inlineData", blob)
    return Media(
        kind=kind_of(media_type or ""),
        data=data if text is None else None,
        text=text,
        media_type=media_type,
        name=name,
        extra=block.extra(
            NAME,
            url_safe=coded or None,
            untyped=media_type is None or None,
            named=name is not None or None,
        ),
    )


def _parse_file(block: Spelled, file: Spelled) -> Media:
    media_type = file.text("mimeType")
    uri = file.need_text("fileUri")
    name = file.text("displayName")
    is_address = _FILES_API not in uri and not uri.startswith(_STORED)
    if media_type is not None:
        kind = kind_of(media_type)
    else:
        kind = "video" if uri.startswith(_FILM_HOSTS) else kind_of(_by_ending(uri) or "")
    block.keep("fileData", file)
    return Media(
        kind=kind,
        url=uri if is_address else None,
        file_id=None if is_address else uri,
        media_type=media_type,
        name=name,
        extra=block.extra(NAME, untyped=media_type is None or None, named=name is not None or None),
    )
