"""Puts the answer together: our own sentences from `phrases.py` around quotations from the text."""

from __future__ import annotations

from collections.abc import Sequence

from madang.providers.offline.asks import Ask, Change, Find, Keywords, Plain, Resize, Size, Summarise
from madang.providers.offline.conversation import Conversation, read_conversation
from madang.providers.offline.find import has_content
from madang.providers.offline.findings import findings
from madang.providers.offline.graphemes import count_clusters
from madang.providers.offline.keywords import keywords
from madang.providers.offline.phrases import Phrases, phrases_in
from madang.providers.offline.quoting import quoted, summary_lead
from madang.providers.offline.sentences import sentences
from madang.providers.offline.sources import Origin, Source, to_summarise
from madang.providers.offline.standing import standing, summarised_unasked
from madang.providers.offline.stream import count_tokens, pieces
from madang.providers.offline.summary import Summary, resized, shortest_central, summarise
from madang.providers.offline.text import BREAK
from madang.providers.offline.turns import Answer, Turn


def answer(turns: Sequence[Turn], *, max_tokens: int | None = None, stop: Sequence[str] = ()) -> Answer:
    """The answer to the last user turn. Never raises; the same turns always get the same answer.

    `max_tokens` counts pieces, as `count_tokens` does; of several stop sequences the first met ends the text.
    """
    conversation = read_conversation(turns)
    said = _cut_at(_said(conversation), stop)
    parts = pieces(said)
    stopped = max_tokens is None or len(parts) <= max_tokens
    kept = parts if stopped else parts[: max(0, max_tokens or 0)]
    return Answer(
        text="".join(kept),
        input_tokens=sum(count_tokens(turn.text) for turn in turns),
        output_tokens=len(kept),
        stop_reason="stop" if stopped else "length",
    )


def _cut_at(text: str, stop: Sequence[str]) -> str:
    found = [at for sequence in stop if sequence and (at := text.find(sequence)) >= 0]
    return text[: min(found)] if found else text


def _said(talk: Conversation) -> str:
    phrases = phrases_in(talk.language)
    body = _reply(talk, talk.request.asks, phrases)
    return "\n\n".join([*body[:-1], phrases.cut, body[-1]] if talk.cut else body)


def _reply(talk: Conversation, asks: tuple[Ask, ...], phrases: Phrases) -> list[str]:
    """The paragraphs of the answer, the last one saying what we are."""
    match asks[0]:
        case Summarise() as ask:
            return _summary(talk, ask, phrases)
        case Find() as ask if talk.sources and not talk.earlier and not has_content(ask):
            return _summary(talk, Summarise(), phrases)
        case Find():
            return findings(talk, [ask for ask in asks if isinstance(ask, Find)], phrases)
        case Resize() as ask:
            return _changed(talk, ask, phrases)
        case Keywords(number):
            return _keywords(talk, number, phrases)
        case Plain() as ask:
            return _plain(talk, ask, phrases)


def _plain(talk: Conversation, ask: Plain, phrases: Phrases) -> list[str]:
    match ask:
        case Plain.COUNT:
            return _counts(talk, phrases)
        case Plain.TRANSLATE:
            return [phrases.cannot_translate, phrases.real_model, phrases.unaided]
        case Plain.GREET:
            return [phrases.hello, *_introduction(phrases)]
        case Plain.THANK:
            return [phrases.welcome, phrases.unaided]
        case Plain.INTRODUCE:
            return _introduction(phrases)
        case Plain.UNKNOWN:
            return _instead(talk, phrases)
        case Plain.NOTHING:
            return _unasked(talk, phrases)


def _introduction(phrases: Phrases) -> list[str]:
    return [phrases.what_i_am, phrases.how_to_use, phrases.real_model, phrases.unaided]


def _instead(talk: Conversation, phrases: Phrases) -> list[str]:
    source = to_summarise(talk.sources)
    if source is None:
        return [phrases.cannot_do, *_introduction(phrases)]
    return [phrases.cannot_do_but, quoted(source, _gist(source)), phrases.real_model, phrases.quoted]


def _unasked(talk: Conversation, phrases: Phrases) -> list[str]:
    if not summarised_unasked(talk.request):
        return _introduction(phrases)
    source = talk.sources[0]
    return [phrases.no_request, quoted(source, _gist(source)), phrases.quoted]


def _gist(source: Source) -> Summary:
    return summarise(source.sentences, Size())


def _summary(talk: Conversation, ask: Summarise, phrases: Phrases) -> list[str]:
    source = to_summarise(talk.sources)
    if source is None:
        return [phrases.nothing_to_summarise, phrases.what_i_am, phrases.unaided]
    summary = summarise(source.sentences, ask.size)
    lead = summary_lead(source, summary, phrases)
    return [lead, *_summary_body(source, summary, ask, phrases)]


def _summary_body(source: Source, summary: Summary, ask: Summarise, phrases: Phrases) -> list[str]:
    paragraphs = [quoted(source, summary, listed=ask.size.listed)]
    if summary.over:
        paragraphs.append(phrases.over)
    total = len(source.sentences)
    if ask.size.sentences and len(summary.indices) == total < ask.size.sentences:
        paragraphs.append(phrases.fewer.format(asked=ask.size.sentences, total=total))
    if ask.language and source.language not in (ask.language, None):
        paragraphs.append(phrases.cannot_translate_quotes)
    return [*paragraphs, phrases.quoted]


def _changed(talk: Conversation, resize: Resize, phrases: Phrases) -> list[str]:
    """A follow-up to the summary, or to the finding, before it."""
    source = to_summarise(talk.sources)
    if source is None:
        return [phrases.nothing_to_change, *_introduction(phrases)]
    before = standing(talk.earlier, source.sentences)
    if isinstance(before, Find):
        return [phrases.least, *findings(talk, (before,), phrases)]
    if before is None:
        return _summary(talk, Summarise(resize.size), phrases)
    shown = summarise(source.sentences, before)
    if resize.change is Change.SHORTER and len(shown.indices) == 1:
        shorter = shortest_central(source.sentences)
        lead = phrases.least if shorter.indices == shown.indices else phrases.shortest
        return [lead, quoted(source, shorter), phrases.quoted]
    return _summary(talk, Summarise(resized(len(shown.indices), resize)), phrases)


def _keywords(talk: Conversation, number: int | None, phrases: Phrases) -> list[str]:
    source = to_summarise(talk.sources)
    if source is None:
        return [phrases.nothing_to_search, phrases.what_i_am, phrases.unaided]
    place = phrases.places[source.origin]
    found = keywords(source.sentences, number)
    if not found:
        return [phrases.no_keywords.format(place=place), phrases.unaided]
    lines = [f"- {source.text.quote(word.start, word.end)} ({word.count})" for word in found]
    return [phrases.keywords.format(place=place), "\n".join(lines), phrases.counted]


def _counts(talk: Conversation, phrases: Phrases) -> list[str]:
    request, source = talk.request, to_summarise(talk.sources)
    origin = Origin.MESSAGE
    text = request.text.plain[request.start : request.end].strip()
    if not text and source:
        origin, text = source.origin, source.text.plain[source.start : source.end].strip()
    if not text:
        return [phrases.nothing_to_count, phrases.what_i_am, phrases.unaided]
    words = text.replace(BREAK, " ").split()
    counts = phrases.counts.format(
        place=phrases.places[origin],
        words=len(words),
        characters=count_clusters(text.replace(BREAK, "")),
        letters=count_clusters("".join(words)),
        sentences=len(sentences(text)),
    )
    return [counts, phrases.counted]
