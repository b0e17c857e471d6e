"""Puts the answers to questions into words: what the text says, comes near to saying, or does not say."""

from __future__ import annotations

from collections.abc import Sequence

from madang.providers.offline.asks import Find
from madang.providers.offline.conversation import Conversation
from madang.providers.offline.find import Certainty, Found, find, of_the_kind
from madang.providers.offline.instructions import leans_back
from madang.providers.offline.language import language_of
from madang.providers.offline.phrases import Phrases
from madang.providers.offline.quoting import quoted
from madang.providers.offline.sources import Source
from madang.providers.offline.summary import Summary

_FEW = 3
"""Sentences below which what we were given is hardly a text to look things up in."""


def findings(talk: Conversation, questions: Sequence[Find], phrases: Phrases) -> list[str]:
    """The paragraphs that answer one or several questions."""
    if not talk.sources:
        return [phrases.cannot_know, phrases.what_i_am, phrases.real_model, phrases.unaided]
    before = [ask.question for request in talk.earlier for ask in request.asks if isinstance(ask, Find)][-1:]
    paragraphs: list[str] = []
    any_found = False
    for number, question in enumerate(questions, 1):
        found = _found(talk, question, "".join(before[-1:]))
        mark = f"**{number}.** " if len(questions) > 1 else ""
        paragraphs.extend(_finding(talk, question, found, phrases, mark))
        any_found = any_found or found is not None
        before.append(question.question)
    if any_found:
        return [*paragraphs, phrases.quoted]
    few = sum(len(source.sentences) for source in talk.sources) < _FEW
    return [*paragraphs, *([phrases.real_model] if few else []), phrases.searched]


def _found(talk: Conversation, question: Find, before: str) -> Found | None:
    texts = [source.words for source in talk.sources]
    found = find(question, texts, before if leans_back(question.question) else "")
    return found or (of_the_kind(question, texts) if _foreign(talk, question) else None)


def _foreign(talk: Conversation, question: Find) -> bool:
    """Whether no source is in the question's language."""
    asked = language_of(question.question)
    return asked is not None and all(source.language not in (asked, None) for source in talk.sources)


def _finding(
    talk: Conversation, question: Find, found: Found | None, phrases: Phrases, mark: str
) -> list[str]:
    if found is None:
        return [mark + (phrases.foreign if _foreign(talk, question) else _silent(talk, phrases))]
    source = talk.sources[found.source]
    lead = _lead(source, question, found, phrases)
    return [mark + lead[:1].upper() + lead[1:], quoted(source, Summary(found.indices))]


def _lead(source: Source, question: Find, found: Found, phrases: Phrases) -> str:
    place, total = phrases.places[source.origin], len(source.sentences)
    where = _where(found, total, phrases)
    sought = phrases.sought.get(question.seeks)
    match found.certainty:
        case Certainty.SAYS:
            return phrases.says.format(place=place, where=where)
        case Certainty.NEAREST if sought:
            return phrases.nearest.format(place=place, where=where, sought=sought)
        case Certainty.NEAREST:
            return phrases.nearest_plain.format(place=place, where=where)
        case Certainty.OF_THE_KIND:
            return phrases.foreign_kind.format(place=place, kind=phrases.kinds[question.seeks])


def _where(found: Found, total: int, phrases: Phrases) -> str:
    if total == 1:
        return ""
    form = phrases.where if len(found.indices) == 1 else phrases.where_several
    return form.format(numbers=", ".join(str(index + 1) for index in found.indices), total=total)


def _silent(talk: Conversation, phrases: Phrases) -> str:
    total = sum(len(source.sentences) for source in talk.sources)
    looked = phrases.looked_through_one if total == 1 else phrases.looked_through.format(total=total)
    return phrases.silent.format(looked=looked)
