"""Where an answer's statements come from: `groundingMetadata`, and the citations of its text.

Gemini counts bytes of UTF-8, we count characters. It repeats the words that a source supports; of
those we keep no copy, and cut them out of the text anew, so that a text that was rewritten on the
way shows nowhere what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from madang.core.messages import Citation, Json, Part, Text

FIELD = "groundingMetadata"
_CUT = "$text"
"""In place of a segment's `text`, where that is what its place in the answer's text says."""


def parse_grounding(left: dict[str, Json], parts: list[Part]) -> list[Part]:
    """The parts with their citations. What is left over of the metadata stays in `left`."""
    metadata = left.get(FIELD)
    if not isinstance(metadata, dict):
        return parts
    texts = [part.text if isinstance(part, Text) else None for part in parts]
    left[FIELD] = without_words(metadata, texts)
    found: dict[int, list[Citation]] = {}
    for place, citation in citations_of(metadata, texts):
        found.setdefault(place, []).append(citation)
    for place, citations in found.items():
        part = parts[place]
        if isinstance(part, Text):
            parts[place] = msgspec.structs.replace(part, citations=tuple(citations))
    if metadata == metadata_of(enumerate(parts)):
        del left[FIELD]
    return parts


def citations_of(metadata: Json, texts: Sequence[str | None]) -> Iterator[tuple[int, Citation]]:
    """The citations that metadata make of the texts, each with the place of its part."""
    chunks = metadata.get("groundingChunks")
    if not isinstance(chunks, list):
        return
    for support, segment in _supports(metadata):
        place = _place(segment, texts)
        if place is None:
            continue
        text = texts[place] or ""
        start, end = _span(segment)
        for index in support.get("groundingChunkIndices") or ():
            if isinstance(index, int) and 0 <= index < len(chunks) and isinstance(chunks[index], dict):
                yield place, _citation(chunks[index], _characters(text, start), _characters(text, end))


def metadata_of(parts: Iterable[tuple[int, Part]]) -> dict[str, Json] | None:
    """Metadata that say the same as the citations of these parts, which stand at these places."""
    chunks: list[dict[str, Json]] = []
    supports: list[dict[str, Json]] = []
    for place, part in parts:
        if not isinstance(part, Text):
            continue
        last: tuple[int | None, int | None] | None = None
        for citation in part.citations:
            chunk = _chunk(citation)
            if chunk not in chunks:
                chunks.append(chunk)
            index = chunks.index(chunk)
            if last == (citation.start, citation.end):
                supports[-1]["groundingChunkIndices"].append(index)
                continue
            last = (citation.start, citation.end)
            segment = _segment(place, part.text, citation)
            supports.append({"segment": segment, "groundingChunkIndices": [index]})
    return {"groundingChunks": chunks, "groundingSupports": supports} if supports else None


def without_words(metadata: dict[str, Json], texts: Sequence[str | None]) -> dict[str, Json]:
    """Metadata without the words that the texts have anyway."""
    supports = []
    for support, segment in _supports(metadata):
        if segment.get("text") is not None and segment["text"] == _words(segment, texts):
            segment = {**segment, _CUT: True}
            del segment["text"]
            support = {**support, "segment": segment}
        supports.append(support)
    if len(supports) != len(metadata.get("groundingSupports") or ()):
        return metadata
    return {**metadata, "groundingSupports": supports} if supports else metadata


def with_words(metadata: dict[str, Json], texts: Sequence[str | None]) -> dict[str, Json]:
    """The reverse."""
    supports = []
    for support, segment in _supports(metadata):
        if _CUT in segment:
            segment = {**segment, "text": _words(segment, texts)}
            del segment[_CUT]
            support = {**support, "segment": segment}
        supports.append(support)
    if len(supports) != len(metadata.get("groundingSupports") or ()):
        return metadata
    return {**metadata, "groundingSupports": supports} if supports else metadata


def _supports(metadata: dict[str, Json]) -> Iterator[tuple[dict[str, Json], dict[str, Json]]]:
    supports = metadata.get("groundingSupports")
    for support in supports if isinstance(supports, list) else ():
        if isinstance(support, dict) and isinstance(support.get("segment"), dict):
            yield support, support["segment"]


def _place(segment: dict[str, Json], texts: Sequence[str | None]) -> int | None:
    """The part a segment lies in: the one it says, or else the first text."""
    said = segment.get("partIndex") or 0
    if isinstance(said, int) and 0 <= said < len(texts) and texts[said] is not None:
        return said
    return next((place for place, text in enumerate(texts) if text is not None), None)


def _span(segment: dict[str, Json]) -> tuple[int | None, int | None]:
    start, end = segment.get("startIndex"), segment.get("endIndex")
    end = end if isinstance(end, int) else None
    if not isinstance(start, int):
        start = 0 if end is not None else None  # proto's JSON leaves zeros out
    return start, end


def _words(segment: dict[str, Json], texts: Sequence[str | None]) -> str:
    place = _place(segment, texts)
    if place is None:
        return ""
    start, end = _span(segment)
    return (texts[place] or "").encode()[start or 0 : end].decode(errors="ignore")


def _characters(text: str, count: int | None) -> int | None:
    if count is None or text.isascii():
        return count
    return len(text.encode()[:count].decode(errors="ignore"))


def _citation(chunk: dict[str, Json], start: int | None, end: int | None) -> Citation:
    source = next((value for value in chunk.values() if isinstance(value, dict)), {})
    url, title, quote = source.get("uri"), source.get("title"), source.get("text")
    return Citation(
        url=url if isinstance(url, str) else None,
        title=title if isinstance(title, str) else None,
        quote=quote if isinstance(quote, str) else None,
        start=start,
        end=end,
    )


def _chunk(citation: Citation) -> dict[str, Json]:
    source: dict[str, Json] = {}
    if citation.url is not None:
        source["uri"] = citation.url
    if citation.title is not None:
        source["title"] = citation.title
    if citation.quote is None and citation.url is not None:
        return {"web": source}
    if citation.quote is not None:
        source["text"] = citation.quote
    return {"retrievedContext": source}  # what has no address is no page of the web (Vercel's SDK insists)


def _segment(place: int, text: str, citation: Citation) -> dict[str, Json]:
    segment: dict[str, Json] = {}
    if place:
        segment["partIndex"] = place
    start, end = citation.start, citation.end
    if start is None and end is None:
        return segment
    if start:
        segment["startIndex"] = len(text[:start].encode())
    if end is not None:
        segment["endIndex"] = len(text[:end].encode())
    segment["text"] = text[start or 0 : end]
    return segment
