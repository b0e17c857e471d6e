"""What a message says: `content` as a string or as a list of blocks, block by block; and citations.

Media are in `media.py`, thoughts in `reasoning.py`. A list block of a type nobody here knows becomes
`Opaque`. The note `$content` says how `content` was written where that cannot be seen from the parts:
`list`, `empty` (`""`) or `absent`; a `null` stays among the leftovers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from madang.core.messages import (
    Cache,
    Citation,
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
from madang.dialects.openai_chat.form import NAME, absent, keep, noted, restore
from madang.dialects.openai_chat.media import BLOCKS, read_media, write_media
from madang.dialects.openai_chat.reasoning import read_thinking, write_thinking
from madang.dialects.reading import Members, wrong

_PLAIN = frozenset(("type", "text"))


class Content(msgspec.Struct, frozen=True, gc=False):
    """`content` as it was read."""

    parts: tuple[Part, ...]
    form: str | None
    """The note `$content`."""


def read_content(members: Members) -> Content:
    """`content`, taken from a message."""
    value = members.left.get("content")
    match value:
        case str():
            del members.left["content"]
            return Content((Text(value),), None) if value else Content((), "empty")
        case list():
            del members.left["content"]
            path = members.at("content")
            blocks = [read_block(block, f"{path}.{number}") for number, block in enumerate(value)]
            return Content(tuple(blocks), "list")
        case None:
            return Content((), None if "content" in members.left else "absent")
        case _:
            raise wrong(members.at("content"), value, "a string or a list of parts")


def read_block(block: Json, path: str) -> Part:
    """A block of a list."""
    if (
        type(block) is dict
        and block.keys() == _PLAIN
        and block["type"] == "text"
        and type(block["text"]) is str
    ):
        return Text(block["text"])
    members = Members(block, path)
    kind = members.need_text("type")
    if kind == "text":
        cache = read_mark(members)
        return Text(members.need_text("text"), cache=cache, extra=members.extra(NAME))
    if kind in BLOCKS:
        cache = read_mark(members)
        media = read_media(members, kind)
        return media if cache is None else msgspec.structs.replace(media, cache=cache)
    if kind == "refusal":
        return Refusal(members.need_text("refusal"), members.extra(NAME, form="block"))
    if kind == "thinking":
        thought = read_thinking(members)
        if thought is not None:
            return thought
    return Opaque(NAME, block)


def write_content(parts: Iterable[Part], form: Json = None) -> str | list[Json] | None:
    """`content` for parts of which some can be said; a string wherever that says all, `None` for nothing."""
    blocks = [block for part in parts if (block := write_block(part)) is not None]
    if form != "list":
        if not blocks:
            return None
        if len(blocks) == 1 and blocks[0].keys() == _PLAIN:
            text: str = blocks[0]["text"]
            return text
    return blocks


def in_one(content: str | list[Json] | None, between: str) -> str | list[Json] | None:
    """Words of several blocks as one string: many of OpenAI's likenesses take no list of them.

    "value must be a string" (Groq, of what system, assistant and tools say); "invalid type: sequence,
    expected a string" (DeepSeek, SiliconFlow, …): OpenHands #4643, LiteLLM #6642, qwen-code #2318.
    """
    if not isinstance(content, list) or not content or any(block.keys() != _PLAIN for block in content):
        return content
    return between.join([block["text"] for block in content])


def write_block(part: Part) -> dict[str, Json] | None:
    """A part as a block of a list; `None` where there is none for it."""
    match part:
        case Text():
            block: dict[str, Json] = {"type": "text", "text": part.text}
            if part.extra:
                write_mark(block, part.cache, part.extra)
                restore(block, part.extra)
            return block
        case Media():
            if part.text is not None:
                return {"type": "text", "text": f"{part.name}:\n{part.text}" if part.name else part.text}
            media = write_media(part)
            if media is not None:
                write_mark(media, part.cache, part.extra)
            return media
        case Refusal():
            return restore({"type": "refusal", "refusal": part.text}, part.extra)
        case Reasoning():
            return write_thinking(part)
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None
        case ToolCall() | ToolResult():
            return None


def read_mark(members: Members) -> Cache | None:
    """Anthropic's cache mark, which OpenRouter takes in this dialect; noted, so that it is written again."""
    mark = members.left.get("cache_control")
    if not isinstance(mark, dict) or not isinstance(mark.get("type"), str) or mark.keys() - {"type", "ttl"}:
        return None
    ttl = mark.get("ttl", "")
    if not isinstance(ttl, str):
        return None
    del members.left["cache_control"]
    members.left["$cache_control"] = mark["type"]
    return Cache(ttl or None)


def write_mark(out: dict[str, Json], cache: Cache | None, extra: Extra) -> None:
    """The mark again, for those who wrote it in this dialect; OpenAI itself knows none."""
    kind = noted(extra, "cache_control")
    if cache is not None and kind is not None:
        out["cache_control"] = {"type": kind} if cache.ttl is None else {"type": kind, "ttl": cache.ttl}


def cite(parts: Sequence[Part], annotations: Json) -> tuple[Part, ...] | None:
    """What was said, with its `annotations`; `None` where they are not all citations, or nothing is text."""
    citations = read_citations(annotations)
    if citations is None or not any(isinstance(part, Text) for part in parts):
        return None
    out: list[Part] = []
    start = 0
    last = sum(isinstance(part, Text) for part in parts)
    for part in parts:
        if isinstance(part, Text):
            last -= 1
            end = start + len(part.text) if last else None
            mine = [one for one in citations if _is_within(one, start, end)]
            part = msgspec.structs.replace(part, citations=tuple([moved(one, -start) for one in mine]))
            start += len(part.text)
        out.append(part)
    return tuple(out)


def _is_within(citation: Citation, start: int, end: int | None) -> bool:
    place = citation.start or 0
    return start <= place and (end is None or place < end)


def moved(citation: Citation, by: int) -> Citation:
    """A citation, counted from elsewhere."""
    if not by or citation.start is None:
        return citation
    end = None if citation.end is None else citation.end + by
    return msgspec.structs.replace(citation, start=citation.start + by, end=end)


def read_citations(annotations: Json) -> tuple[Citation, ...] | None:
    """`annotations` as citations; `None` where they are not all such, or none."""
    if not isinstance(annotations, list) or not annotations:
        return None
    if not all(
        isinstance(one, dict)
        and one.get("type") == "url_citation"
        and isinstance(one.get("url_citation"), dict)
        for one in annotations
    ):
        return None
    return tuple([_read_citation(Members(one, "annotations")) for one in annotations])


def _read_citation(members: Members) -> Citation:
    del members.left["type"]
    inner = Members(members.left.pop("url_citation"), "annotations.url_citation")
    unsaid = absent(inner, ("url", "title", "start_index", "end_index"))
    url, title, quote = inner.text("url"), inner.text("title"), inner.text("content")
    start, end = inner.whole("start_index"), inner.whole("end_index")
    if not start and not end:
        start = end = None  # OpenRouter writes 0 for both where it does not know (recorded 2026-06)
    file_id = inner.text("file_id")
    keep(members, "url_citation", inner)
    return Citation(
        url=url or None,
        title=title or None,
        quote=quote,
        file_id=file_id,
        start=start,
        end=end,
        extra=members.extra(NAME, unsaid=unsaid),
    )


def write_citations(texts: Sequence[Text]) -> list[Json]:
    """`annotations` for what an answer says, its texts standing one after the other."""
    out: list[Json] = []
    start = 0
    for text in texts:
        out += [write_citation(moved(citation, start)) for citation in text.citations]
        start += len(text.text)
    return out


def write_citation(citation: Citation) -> Json:
    """An annotation, with all that OpenAI's clients want to find in it; what is not known is empty."""
    inner: dict[str, Json] = {
        "url": citation.url or "",
        "title": citation.title or "",
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }
    if citation.quote is not None:
        inner["content"] = citation.quote
    if citation.file_id is not None:
        inner["file_id"] = citation.file_id
    for name in noted(citation.extra, "unsaid") or ():
        del inner[name]
    return restore({"type": "url_citation", "url_citation": inner}, citation.extra)
