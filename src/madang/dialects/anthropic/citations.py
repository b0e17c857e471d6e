"""Citations, in the five ways in which Anthropic says where a statement comes from.

Where in its source a quote stands (characters, pages, blocks) is Anthropic's own and stays among the
leftovers. A link from another provider has no `encrypted_index`, which is how it is known again when
a client sends it back: Anthropic would refuse it, and does not get it.
"""

from __future__ import annotations

from madang.core.messages import Citation, Extra, Json, Text
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import Members, note, put, wrong

_LINK = "web_search_result_location"
_FOUND = "search_result_location"
_IN_DOCUMENT = frozenset(("char_location", "page_location", "content_block_location"))


def parse_citations(block: Members) -> tuple[tuple[Citation, ...], Json]:
    """A text block's citations, and a note where it has an empty list of them."""
    values = block.items("citations")
    if values is None:
        return (), None
    path = block.at("citations")
    return tuple([parse_citation(value, f"{path}.{n}") for n, value in enumerate(values)]), (
        None if values else "empty"
    )


def parse_citation(value: Json, path: str) -> Citation:
    """A citation."""
    if not isinstance(value, dict):
        raise wrong(path, value, "an object")
    one = Members(value, path)
    kind = one.left.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind == _LINK:
        return _parse_link(one)
    if kind == _FOUND:
        quote, title, url = one.text("cited_text"), one.text("title"), _take_url(one)
        return Citation(quote=quote, title=title, url=url, extra=_extra(one))
    if kind in _IN_DOCUMENT:
        quote, document = one.text("cited_text"), one.whole("document_index")
        title = one.text("document_title")
        file_id = one.text("file_id")
        return Citation(quote=quote, title=title, document=document, file_id=file_id, extra=_extra(one))
    return Citation(extra=one.extra(NAME))


def _parse_link(one: Members) -> Citation:
    quote, title, url = one.text("cited_text"), one.text("title"), one.text("url")
    if one.left.get("encrypted_index") == "":
        return Citation(quote=quote or None, title=title or None, url=url)
    return Citation(quote=quote, title=title, url=url, extra=_extra(one))


def _extra(one: Members) -> Extra:
    """What is left over, and a note on which of the five it is."""
    return one.extra(NAME, type=one.left.pop("type"))


def _take_url(one: Members) -> str | None:
    """A search result's source is an address, or any name its author gave it."""
    source = one.left.get("source")
    if isinstance(source, str) and source.startswith(("https://", "http://")):
        return one.text("source")
    return None


def render_citations(block: dict[str, Json], part: Text, *, told: bool) -> None:
    """Put a text's citations into its block; of another provider's only links, and only for a client."""
    found = [rendered for one in part.citations if (rendered := render_citation(one, told=told)) is not None]
    if found or note(part.extra, NAME, "citations"):
        block["citations"] = found


def render_citation(citation: Citation, *, told: bool) -> dict[str, Json] | None:
    """A citation, or nothing where it cannot be said."""
    kind = note(citation.extra, NAME, "type")
    if kind is not None:
        return put(_said(citation, kind), citation.extra, NAME)
    if NAME in citation.extra:
        return put({}, citation.extra, NAME)
    return _render_link(citation) if told and citation.url is not None else None


def _said(citation: Citation, kind: str) -> dict[str, Json]:
    title = "document_title" if kind in _IN_DOCUMENT else "title"
    members: dict[str, Json] = {
        "cited_text": citation.quote,
        title: citation.title,
        "document_index": citation.document,
        "file_id": citation.file_id,
        "source" if kind == _FOUND else "url": citation.url,
    }
    return {"type": kind, **{name: value for name, value in members.items() if value is not None}}


def _render_link(citation: Citation) -> dict[str, Json]:
    return {
        "type": _LINK,
        "cited_text": citation.quote or "",
        "title": citation.title or "",  # not null: Vercel's SDK would not read the answer at all
        "url": citation.url,
        "encrypted_index": "",
    }
