"""Finds the sentences that answer a question: shared words by their rarity, and a cue of the kind asked for.

A sentence also gets part of what the one before it matched, since "It has 40,000 books" is about the
library of the sentence before. How sure we are is said, not hidden: see `Certainty`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from madang.providers.offline.asks import Find
from madang.providers.offline.cues import NEEDED, cue
from madang.providers.offline.words import predicate, terms

_ENOUGH, _NEAR = 0.5, 0.3
"""The share of the question's words, weighed by rarity, that an answer or a near miss contains."""
_CARRIED, _CARRIED_BY_PRONOUN = 0.4, 0.7
"""What a word of the sentence before still counts; more where this sentence begins by pointing back."""
_PARTLY = 0.7
"""What a word counts that is only part of another one: 도서관 in 시립도서관."""
_CUE = 0.25
_TIED = 0.1
_MOST = 2
_EARLIER = 0.5
_ASKING_WORDS = frozenset(
    (
        "언제 어디 어디서 누 누가 누구 무엇 무슨 뭐 뭘 뭔 왜 얼마 얼마나 몇 며칠 어떤 어느"
        " 어떻 어떻게 이유 글 본문 지문 내용"
        " 문서 위 다음 따르 따르면 의하면 질문 명 개 권 마리 대 살 번 년 월 일 시 분 시간"
        " 연도 날짜 해 거 것 건"
        " text passage article document year date time number question answer reason people person place"
    ).split()
)
_TELL = ("알려", "말해", "답해", "대답", "찾아")
_POINTS_BACK = re.compile(
    r"(?:it|he|she|they|this|that|these|those|its|his|her|their|there|then)\b"
    r"|(?:그|이|그것|이것|그곳|이곳|그녀|그들|그때|당시|이때|여기|거기)(?:은|는|이|가|의"
    r"|에|에서|에는|도|를|을)?\s",
    re.IGNORECASE,
)
_QUESTION_MARK = re.compile(r"[?？][\"'”’)\]]*$")


class Certainty(Enum):
    """How a quoted sentence stands to the question."""

    SAYS = auto()
    """It has most of the question's words, and the kind of thing asked for."""
    NEAREST = auto()
    """It comes nearest; whether it answers is for the reader to say."""
    OF_THE_KIND = auto()
    """It holds a date, a number or a reason, but its words are of another language than the question's."""


@dataclass(frozen=True, slots=True)
class Found:
    """Sentences of one source, by index, in their order."""

    certainty: Certainty
    source: int
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A sentence, made ready for looking words up in it."""

    words: str
    folded: str
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Match:
    source: int
    index: int
    own: float
    """The share of the question's words in the sentence itself."""
    share: float
    """The same with what is carried over from the sentence before."""
    cue: float

    @property
    def score(self) -> float:
        return self.share + _CUE * self.cue


def find(question: Find, sources: Sequence[Sequence[str]], earlier: str = "") -> Found | None:
    """The best answer in sentences of several sources, nearest source first; None if nothing matches.

    `earlier` is the question before, where this one leans on it.
    """
    wanted = _wanted(question.question, earlier)
    prepared = [[_read(sentence) for sentence in source] for source in sources]
    weights = _weights(wanted, prepared)
    if not weights:
        return None
    matches = [
        match
        for number, source in enumerate(prepared)
        for match in _matches(number, source, weights, question)
    ]
    return _decided(question, matches)


def _read(sentence: str) -> _Read:
    return _Read(sentence, sentence.casefold(), frozenset(terms(sentence)))


def has_content(question: Find) -> bool:
    """Whether there is a word in a question that could be looked for: not in `what does it say?`"""
    return bool(_content(question.question))


def of_the_kind(question: Find, sources: Sequence[Sequence[str]]) -> Found | None:
    """The first sentences with the kind of thing asked for, where words cannot be compared."""
    for number, source in enumerate(sources):
        held = [index for index, sentence in enumerate(source) if cue(sentence, question)]
        if held and question.seeks in NEEDED:
            return Found(Certainty.OF_THE_KIND, number, tuple(held[:_MOST]))
    return None


def _wanted(question: str, earlier: str) -> dict[str, float]:
    wanted = dict.fromkeys(_content(earlier), _EARLIER)
    return wanted | dict.fromkeys(_content(question), 1.0)


def _content(question: str) -> list[str]:
    found = terms(question)
    if found and question.rstrip(" ?？.!~").endswith(found[-1]):  # a Korean question ends with its verb
        found[-1] = predicate(found[-1])
    return [term for term in found if term not in _ASKING_WORDS and not term.startswith(_TELL)]


def _weights(wanted: dict[str, float], prepared: Sequence[Sequence[_Read]]) -> dict[str, float]:
    """How much of the whole each word of the question is worth; the rarer, the more."""
    total = sum(len(source) for source in prepared)
    weights = {}
    for term, share in wanted.items():
        holders = sum(_held(term, sentence) > 0 for source in prepared for sentence in source)
        weights[term] = share * math.log(1 + (total + 1) / (holders + 0.5))
    whole = sum(weights.values())
    return {term: weight / whole for term, weight in weights.items()}


def _held(term: str, sentence: _Read) -> float:
    if term in sentence.terms:
        return 1.0
    long_enough = len(term) >= (4 if term.isascii() else 2)
    return _PARTLY if long_enough and term in sentence.folded else 0.0


def _matches(number: int, source: Sequence[_Read], weights: dict[str, float], question: Find) -> list[_Match]:
    matches = []
    before = dict.fromkeys(weights, 0.0)
    for index, sentence in enumerate(source):
        held = {term: _held(term, sentence) for term in weights}
        own = sum(weights[term] * held[term] for term in weights)
        share = own + _carried(sentence, held, before, weights, own)
        before = held
        if share >= _NEAR and not _QUESTION_MARK.search(sentence.words):
            matches.append(_Match(number, index, own, share, cue(sentence.words, question)))
    return matches


def _carried(
    sentence: _Read, held: dict[str, float], before: dict[str, float], weights: dict[str, float], own: float
) -> float:
    missing = sum(weights[term] * before[term] for term in weights if not held[term])
    if _POINTS_BACK.match(sentence.words):
        return _CARRIED_BY_PRONOUN * missing
    # A sentence that has little of the question itself is about something else.
    return min(own, _CARRIED * missing)


def _decided(question: Find, matches: list[_Match]) -> Found | None:
    answers = [
        match for match in matches if match.share >= _ENOUGH and (match.cue or question.seeks not in NEEDED)
    ]
    if answers:
        best = max(answers, key=lambda match: (match.score, -match.source, -match.index))
        return Found(Certainty.SAYS, best.source, _with_company(best, answers, matches))
    near = [match for match in matches if match.own >= _NEAR]
    if not near:
        return None
    best = max(near, key=lambda match: (match.score, -match.source, -match.index))
    return Found(Certainty.NEAREST, best.source, (best.index,))


def _with_company(best: _Match, answers: list[_Match], matches: list[_Match]) -> tuple[int, ...]:
    """The best, with the sentence it leans on, or else with one that answers as well."""
    if best.own < _ENOUGH:
        leaned_on = [m for m in matches if m.source == best.source and m.index == best.index - 1]
        return tuple(match.index for match in (*leaned_on, best))
    equals = [
        m for m in answers if m.source == best.source and m is not best and m.score >= best.score - _TIED
    ]
    return tuple(sorted(match.index for match in [best, *equals][:_MOST]))
