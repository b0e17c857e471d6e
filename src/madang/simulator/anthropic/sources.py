"""What an answer is taken from: documents it cites, and a web search that finds what it always finds."""

from __future__ import annotations

from collections.abc import Sequence

from madang.simulator.answers import as_json
from madang.simulator.anthropic.blocks import (
    Block,
    Json,
    block_id,
    opaque,
    search_result_block,
    server_tool_block,
    text_block,
)
from madang.simulator.anthropic.content import Source
from madang.simulator.phrases import phrases_for, topic_words
from madang.simulator.signing import sign
from madang.simulator.tokens import split
from madang.simulator.vocabulary import Stamp

_UNREAD = "This is what the document says. "
"""Quoted from documents the simulator cannot read: PDFs, addresses, files."""


def citations_of(sources: Sequence[Source]) -> list[Block]:
    """A block per source that quotes its first sentence, each followed by one that cites nothing."""
    blocks: list[Block] = []
    documents = results = 0
    for source in sources:
        of_search = source.kind == "search_result"
        citation = _citation(source, results if of_search else documents)
        results, documents = results + of_search, documents + (not of_search)
        blocks += [text_block(split(str(citation["cited_text"]).strip()), [citation]), text_block((" ",))]
    return blocks


def _citation(source: Source, index: int) -> Json:
    quote = _first_sentence(source.text) or _UNREAD
    if source.kind == "search_result":
        return {
            "type": "search_result_location",
            "cited_text": quote,
            "source": source.address,
            "title": source.title,
            "search_result_index": index,
            "start_block_index": 0,
            "end_block_index": 1,
        }
    head = {
        "type": f"{source.kind}_location",
        "cited_text": quote,
        "document_index": index,
        "document_title": source.title,
    }
    match source.kind:
        case "char":
            return {**head, "start_char_index": 0, "end_char_index": len(quote)}
        case "page":
            return {**head, "start_page_number": 1, "end_page_number": 2}
        case _:
            return {**head, "start_block_index": 0, "end_block_index": 1}


def _first_sentence(text: str) -> str:
    sentence, stop, _ = text.partition(". ")
    return sentence + stop


def searched(asked: str, stamp: Stamp) -> list[Block]:
    """A search of the web: the call, what it found, and words taken from the first find."""
    words = topic_words(asked) or [phrases_for(asked).topic]
    query = " ".join(words[:4])
    use_id = block_id("srvtoolu", stamp, 0)
    finds = [_find(words[0], number) for number in (1, 2)]
    first = finds[0]
    quote = f"The simulated web has this to say about {words[0]}. "
    citation = {
        "type": "web_search_result_location",
        "cited_text": quote,
        "url": first["url"],
        "title": first["title"],
        "encrypted_index": opaque("index", str(first["url"])),
    }
    return [
        server_tool_block("web_search", split(as_json({"query": query})), use_id),
        search_result_block(use_id, finds),
        text_block(split(quote.strip()), [citation]),
        text_block((" ",)),
    ]


def _find(topic: str, number: int) -> Json:
    url = f"https://example.com/{number}"
    return {
        "type": "web_search_result",
        "title": f"{topic}, page {number}",
        "url": url,
        "encrypted_content": sign(url),
        "page_age": "March 14, 2026" if number == 1 else None,
    }
