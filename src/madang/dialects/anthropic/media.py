"""Images and documents, and the search results that a tool or a user brings along.

A source of a kind unknown here keeps its whole block as it came. Documents in several pieces of text
become one text; how long each piece was is noted, so that they can be cut again.
"""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise

from madang.core.messages import Json, Media
from madang.dialects.anthropic.content import put_cache, take_cache
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import Members, missing, note, put

_BETWEEN = "\n\n"
_MAGIC = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
"""How the formats that Anthropic reads begin, in base64."""


def parse_image(block: Members) -> Media | None:
    """An `image` block; `None` where its source is of an unknown kind."""
    source = _source(block)
    kind = source.need_text("type")
    data = url = file_id = None
    match kind:
        case "base64":
            data = source.need_text("data")
        case "url":
            url = source.need_text("url")
        case "file":
            file_id = source.need_text("file_id")
        case _:
            return None
    media_type = source.text("media_type")
    cache, more = take_cache(block)
    extra = block.extra(NAME, cache=more, source=source.left or None)
    return Media(
        kind="image", data=data, url=url, file_id=file_id, media_type=media_type, cache=cache, extra=extra
    )


def parse_document(block: Members) -> Media | None:
    """A `document` block; `None` where its source is of an unknown kind."""
    source = _source(block)
    kind = source.need_text("type")
    data = url = file_id = text = form = cuts = None
    match kind:
        case "base64":
            data = source.need_text("data")
        case "text":
            text = source.need_text("data")
        case "url":
            url = source.need_text("url")
        case "file":
            file_id = source.need_text("file_id")
        case "content":
            form, content = "content", source.any("content")
            text, cuts = (content, None) if isinstance(content, str) else _joined(content)
            if text is None:
                return None
        case _:
            return None
    media_type = source.text("media_type")
    name = block.text("title")
    cite, config = _take_cite(block)
    cache, more = take_cache(block)
    extra = block.extra(NAME, cache=more, source=source.left or None, citations=config, form=form, cuts=cuts)
    return Media(
        kind="document",
        data=data,
        url=url,
        file_id=file_id,
        text=text,
        media_type=media_type,
        name=name,
        cite=cite,
        cache=cache,
        extra=extra,
    )


def parse_search_result(block: Members) -> Media | None:
    """A `search_result` block: a text with a source. `None` where it holds more than texts."""
    text, cuts = _joined(block.any("content"))
    if text is None:
        return None
    name = block.text("title")
    cite, config = _take_cite(block)
    cache, more = take_cache(block)
    extra = block.extra(NAME, cache=more, citations=config, form="search_result", cuts=cuts)
    return Media(kind="document", text=text, name=name, cite=cite, cache=cache, extra=extra)


def render_media(media: Media) -> dict[str, Json] | None:
    """The block; `None` for sounds and films, which Anthropic does not take."""
    block: dict[str, Json] | None = None
    match media.kind:
        case "image":
            block = {"type": "image", "source": _render_source(media)}
        case "document":
            block = _render_document(media)
        case "audio" | "video":
            return None
    put_cache(block, media)
    return put(block, media.extra, NAME)


def _render_document(media: Media) -> dict[str, Json]:
    form = note(media.extra, NAME, "form")
    if form == "search_result":
        block: dict[str, Json] = {"type": "search_result", "content": _cut(media)}
    elif form == "content":
        cuts = note(media.extra, NAME, "cuts")
        content = media.text if cuts is None else _cut(media)
        block = {"type": "document", "source": _with_left(media, {"type": "content", "content": content})}
    else:
        block = {"type": "document", "source": _render_source(media)}
    if media.name is not None:
        block["title"] = media.name
    config = note(media.extra, NAME, "citations")
    if media.cite is not None:
        block["citations"] = {"enabled": media.cite, **(config or {})}
    return block


def _render_source(media: Media) -> dict[str, Json]:
    source: dict[str, Json]
    if media.data is not None:
        source = _render_data(media, media.data, media.media_type)
    elif media.url is not None:
        source = _render_url(media, media.url)
    elif media.file_id is not None:
        source = {"type": "file", "file_id": media.file_id}
    else:
        source = {"type": "text", "media_type": media.media_type or "text/plain", "data": media.text or ""}
    return _with_left(media, source)


def _render_url(media: Media, url: str) -> dict[str, Json]:
    head, comma, data = url.partition(";base64,")
    if comma and head.startswith("data:"):
        return _render_data(media, data, head[5:] or media.media_type)
    return {"type": "url", "url": url}


def _render_data(media: Media, data: str, media_type: str | None) -> dict[str, Json]:
    """Base64. A document is a PDF here, so a text among them is sent as text."""
    if media.kind == "document":
        media_type = media_type or "application/pdf"
        if media_type.startswith("text/") and (text := _decoded(data)) is not None:
            return {"type": "text", "media_type": "text/plain", "data": text}
    elif media_type is None:
        media_type = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "image/png")
    return {"type": "base64", "media_type": media_type, "data": data}


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _with_left(media: Media, source: dict[str, Json]) -> dict[str, Json]:
    left = note(media.extra, NAME, "source")
    return {**left, **source} if left else source


def _source(block: Members) -> Members:
    source = block.members("source")
    if source is None:
        raise missing(block.at("source"), "an object")
    return source


def _take_cite(block: Members) -> tuple[bool | None, Json]:
    """Whether to cite, and what else the settings of citations say."""
    config = block.left.get("citations")
    if not isinstance(config, dict) or not isinstance(config.get("enabled"), bool):
        return None, None
    del block.left["citations"]
    return config["enabled"], {name: value for name, value in config.items() if name != "enabled"} or None


def _joined(content: Json) -> tuple[str | None, list[int] | None]:
    """Blocks of nothing but text as one text, and where each ends; else nothing."""
    if not isinstance(content, list):
        return None, None
    texts: list[str] = []
    for block in content:
        if not isinstance(block, dict) or block.keys() != {"type", "text"} or block["type"] != "text":
            return None, None
        if not isinstance(block["text"], str):
            return None, None
        texts.append(block["text"])
    ends, place = [], 0
    for text in texts:
        ends.append(place + len(text))
        place = ends[-1] + len(_BETWEEN)
    return _BETWEEN.join(texts), ends


def _cut(media: Media) -> list[Json]:
    """The text in its pieces again; in one, if it has been changed since."""
    text, ends = media.text or "", note(media.extra, NAME, "cuts")
    if isinstance(ends, list):
        if not ends and not text:
            return []
        starts = [0, *[end + len(_BETWEEN) for end in ends]]
        whole = all(text.startswith(_BETWEEN, end) for end, _ in pairwise(ends))
        if whole and ends and ends[-1] == len(text):
            return [
                {"type": "text", "text": text[start:end]} for start, end in zip(starts, ends, strict=False)
            ]
    return [{"type": "text", "text": text}]
