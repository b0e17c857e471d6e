"""The words a text is about: those that occur most, then those with the most different neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from madang.providers.offline.sentences import Sentence
from madang.providers.offline.words import nouns

USUAL, MOST = 7, 50
_NEIGHBOURHOOD = 2


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word as it first occurs (`start` and `end` in the plain text), and how often it does."""

    start: int
    end: int
    count: int


def keywords(sentences: Sequence[Sentence], number: int | None) -> list[Keyword]:
    """The weightiest words, the weightiest first."""
    places: dict[str, list[tuple[int, int]]] = {}
    neighbours: dict[str, set[str]] = {}
    for sentence in sentences:
        before: list[str] = []
        for start, end, stem in nouns(sentence.words):
            places.setdefault(stem, []).append((sentence.start + start, sentence.start + end))
            for other in before[-_NEIGHBOURHOOD:]:
                neighbours.setdefault(stem, set()).add(other)
                neighbours.setdefault(other, set()).add(stem)
            before.append(stem)
    likely = [stem for stem in places if len(stem) > 1 or len(places[stem]) > 1]
    order = sorted(
        likely, key=lambda stem: (-len(places[stem]), -len(neighbours.get(stem, ())), places[stem][0])
    )
    wanted = min(MOST, USUAL if number is None else max(1, number))
    return [_keyword(places[stem]) for stem in order[:wanted]]


def _keyword(places: Sequence[tuple[int, int]]) -> Keyword:
    """Under the form that occurs most, and of several the longest: 휴가, where 휴가를 came out as 휴 once."""
    lengths = Counter(end - start for start, end in places)
    usual = max(lengths, key=lambda length: (lengths[length], length))
    start, end = next(place for place in places if place[1] - place[0] == usual)
    return Keyword(start, end, len(places))
