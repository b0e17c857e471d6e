"""Takes a user's turn apart: what is asked, and which part of it is the text that it is asked about.

People write the instruction before the text, after it, before a colon, after `Question:` or without
a stop; first the turn is cut into units at all of these, then its two ends are read for instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from madang.providers.offline.asks import Ask, Find, Keywords, Plain, Resize, Summarise
from madang.providers.offline.instructions import read_instruction, read_question
from madang.providers.offline.sentences import Sentence, sentences
from madang.providers.offline.text import Text

MOST_SENTENCES = 20_000
"""Sentences of one text that are looked at, from its beginning; a megabyte of prose has some 13,000."""

_LONGEST_INSTRUCTION = 300
_EDGE = 4
"""Sentences at either end of a turn that may be instructions."""
_SMALL_TALK = (Plain.GREET, Plain.THANK, Plain.INTRODUCE)

_I = re.IGNORECASE
_OPENING = re.compile(r'"""|<(text|document|context|article|passage|doc)>', _I)
_TAG = re.compile(r'"""|</?\w+>')
_QUESTION = re.compile(
    r"(?:(?:^|(?<=\s))(?:question|질문|물음|문제)|^[ \t]*+q)[ \t]*[:：]\s*+([^\n?？]{1,300}[?？]?)",
    _I | re.MULTILINE,
)
_LABEL = re.compile(
    r"^[ \t]*+(?:text|context|passage|article|document|content|본문|글|지문|문맥|내용|문서|원문|기사|다음 글"
    r"|answer|short answer|a|답|답변|정답)[ \t]*+[:：]",
    _I | re.MULTILINE,
)
_COLON = re.compile(r"\s*+([^\n:：]{1,200}[:：])(?!//)")
# An order run on into its text without a stop: `요약해줘 도서관은 …`, `tl;dr The library …`.
_RUN_ON = re.compile(
    r"\s*+(?:[^\n.!?:]{0,30}요약\s?(?:해\s?줘요?|해\s?주세요|해\s?주십시오|해라|하라"
    r"|하시오|부탁해요?)|tl;?dr)"
    r"[.!,]?(?=[ \t]++\S)",
    _I,
)
# The same at the end, where people do not bother with a capital letter.
_TRAILING = re.compile(
    r"(?<=[.!?…\"”)\s])\s(?=(?:(?:please|pls|can you|could you|now)\s+)*"
    r"(?:summari[sz]e|tl;?dr|when|where|who|what|why|which|how)\b[^.!?\n]{0,160}[.?!]*\s*$)"
)
_ABOUT_TEXT = re.compile(
    r"\b(?:text|following|below|above|this|passage|article|context|document)\b|글|다음|본문|아래|위의|[:：]$",
    _I,
)
_QUOTED = re.compile(r"[\"“‘「『']([^\"”’」』']{2,})[\"”’」』']")


@dataclass(frozen=True, slots=True)
class Request:
    """A turn taken apart: what is asked (several things only if all are questions), and of which text."""

    asks: tuple[Ask, ...]
    words: str
    """The instruction as it was written; empty if there was none."""
    text: Text
    start: int
    end: int
    sentences: tuple[Sentence, ...]
    cut: bool
    """Whether the text has more sentences than are kept."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A unit of the turn that is addressed to us; `ask` is None for a bare label such as `Text:`."""

    unit: Sentence
    ask: Ask | None


def read_request(original: str) -> Request:
    """A turn taken apart."""
    text = Text(original)
    if marked := _marked(text.plain):
        return _around(text, *marked)
    units = _units(text.plain)
    tail = _said(text.plain, reversed(units[-_EDGE:]))
    head = _said(text.plain, units[: min(_EDGE, len(units) - len(tail))])
    return _decided(text, units, head, tail)


def _marked(plain: str) -> tuple[int, int] | None:
    """Where the text between marks is, if there is little outside them."""
    opening = _OPENING.search(plain)
    if not opening:
        return None
    closing = f"</{opening.group(1)}>" if opening.group(1) else '"""'
    start, end = opening.end(), plain.find(closing, opening.end())
    outside = opening.start() + len(plain) - end
    return (start, end) if end > start and outside <= 2 * _LONGEST_INSTRUCTION else None


def _around(text: Text, start: int, end: int) -> Request:
    """The text stands between marks; all else is instruction."""
    outside = [
        unit for part in (text.plain[:start], text.plain[end:]) for unit in _units(_TAG.sub(" ", part))
    ]
    said = [_Said(unit, read_instruction(unit.words)) for unit in outside]
    asks = _orders(said) or _questions(said) or (Plain.UNKNOWN,)
    words = " ".join(unit.words for unit in outside)
    found = sentences(text.plain, start, end)
    return Request(asks, words, text, start, end, tuple(found[:MOST_SENTENCES]), len(found) > MOST_SENTENCES)


def _units(plain: str) -> list[Sentence]:
    cuts = [0, *sorted(set(_cuts(plain))), len(plain)]
    return [unit for left, right in pairwise(cuts) for unit in sentences(plain, left, right)]


def _cuts(plain: str) -> Iterator[int]:
    """Where a unit ends that the splitting into sentences does not see."""
    for question in _QUESTION.finditer(plain):
        yield from question.span()
    for label in _LABEL.finditer(plain):
        yield from label.span()
    colon = _COLON.match(plain)
    if colon and _leads(colon.group(1)):
        yield colon.end()
    if run_on := _RUN_ON.match(plain):
        yield run_on.end()
    if trailing := _TRAILING.search(plain, max(0, len(plain) - _LONGEST_INSTRUCTION)):
        yield trailing.end()


def _leads(prefix: str) -> bool:
    """Whether what stands before the first colon is an instruction about what follows it."""
    last = sentences(prefix)[-1:]
    return bool(last and read_instruction(last[0].words.rstrip(":： "), alone=False))


def _said(plain: str, units: Iterable[Sentence]) -> list[_Said]:
    """The units at one end that are addressed to us, from the outside in."""
    found: list[_Said] = []
    for unit in units:
        label = bool(_LABEL.fullmatch(unit.words.strip()))
        ask = None if label else _ask(plain, unit)
        if ask is None and not label:
            break
        if isinstance(ask, Find) and _orders(found):
            break  # a question next to an order belongs to the text
        found.append(_Said(unit, ask))
    return found


def _ask(plain: str, unit: Sentence) -> Ask | None:
    words = unit.words
    if len(words) > _LONGEST_INSTRUCTION:
        return None
    if question := _QUESTION.match(words):
        asked = read_instruction(question.group(1))
        return asked if asked and asked is not Plain.UNKNOWN else read_question(question.group(1))
    alone = _own_line(plain, unit)
    ask = read_instruction(words, alone=alone) or _polite(words)
    if ask in _SMALL_TALK and plain[max(0, unit.start - 9) : unit.start].rstrip()[-1:] in (":", "："):
        return None  # `how many letters: thank you` is about the words after the colon
    if ask is Plain.UNKNOWN and not (alone or _ABOUT_TEXT.search(words)):
        return None
    return ask


def _polite(words: str) -> Ask | None:
    ask = read_instruction(words) if len(words) < 20 else None
    return ask if ask in _SMALL_TALK else None


def _own_line(plain: str, unit: Sentence) -> bool:
    before = plain[max(0, unit.start - 40) : unit.start].rstrip(" \t")
    after = plain[unit.end : unit.end + 40].lstrip(" \t")
    return (not before or before[-1] in "\r\n\0") and (not after or after[0] in "\r\n\0")


def _orders(said: Sequence[_Said]) -> tuple[Ask, ...]:
    """The first thing to be done that is no question and that we know."""
    for each in said:
        match each.ask:
            case None | Find() | Plain.UNKNOWN | Plain.GREET | Plain.THANK | Plain.INTRODUCE | Plain.NOTHING:
                continue
            case Summarise() | Resize() | Keywords() | Plain.COUNT | Plain.TRANSLATE:
                return (each.ask,)
    return ()


def _questions(said: Sequence[_Said]) -> tuple[Ask, ...]:
    return tuple(each.ask for each in said if isinstance(each.ask, Find))


def _no_questions(said: list[_Said]) -> list[_Said]:
    """What is said before the first question; that and the rest belong to the text."""
    return list(takewhile(lambda each: not isinstance(each.ask, Find), said))


def _decided(text: Text, units: list[Sentence], head: list[_Said], tail: list[_Said]) -> Request:
    """An order goes before a question, and what comes last before what comes first."""
    asks = _orders(tail) or _orders(head)
    if asks:
        head, tail = _no_questions(head), (tail if _orders(tail) else _no_questions(tail))
    elif asks := _questions(tail)[::-1]:
        head = _no_questions(head)
    else:
        asks = _questions(head) or tuple(each.ask for each in (*tail, *head) if each.ask)[:1]
    material = tuple(units[len(head) : len(units) - len(tail)])
    if material:
        asks = tuple(Summarise(ask.size) if isinstance(ask, Resize) else ask for ask in asks)
    words = " ".join(each.unit.words for each in (*head, *reversed(tail)))
    start, end = (head[-1].unit.end if head else 0), (tail[-1].unit.start if tail else len(text.plain))
    if not (material or text.plain[start:end].strip() or _questions(head + tail)):
        start, end = _quotation(text.plain)
        material = tuple(sentences(text.plain, start, end))
    cut = len(material) > MOST_SENTENCES
    return Request(
        asks or (Plain.NOTHING,), words, text, start, max(start, end), material[:MOST_SENTENCES], cut
    )


def _quotation(plain: str) -> tuple[int, int]:
    """The words in quotation marks of a turn that is otherwise all instruction: how many letters has "…"?"""
    quoted = _QUOTED.search(plain) if len(plain) <= 2 * _LONGEST_INSTRUCTION else None
    return quoted.span(1) if quoted else (0, 0)
