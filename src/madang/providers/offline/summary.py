"""How long a summary is, and which sentences are in it. Which are central is decided in `rank.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from madang.providers.offline.asks import Change, Resize, Size
from madang.providers.offline.graphemes import count_clusters
from madang.providers.offline.rank import most_central
from madang.providers.offline.sentences import Sentence

MOST_QUOTED = 50
"""Sentences in one summary, whatever was asked for."""
_LONG_TEXT = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences by index, in the order of the text."""

    indices: tuple[int, ...]
    over: bool = False
    """Whether it is longer than asked, since no sentence is short enough."""


def summarise(sentences: Sequence[Sentence], size: Size) -> Summary:
    """The most central sentences, as many as fit the size."""
    ranked = most_central(sentences)
    number = length_for(size, len(sentences))
    if size.words is None and size.characters is None:
        return Summary(tuple(sorted(ranked[:number])))
    fitting = _fitting(sentences, ranked, size)[: number if size.sentences else MOST_QUOTED]
    if fitting:
        return Summary(tuple(sorted(fitting)))
    return Summary((_shortest(sentences, ranked),), over=True)


def shortest_central(sentences: Sequence[Sentence]) -> Summary:
    """One sentence, central but short: for whoever finds one sentence too long."""
    return Summary((_shortest(sentences, most_central(sentences)),))


def length_for(size: Size, total: int) -> int:
    """How many sentences that is, of a text of so many."""
    return min(total, MOST_QUOTED, size.sentences or _usual(total))


def resized(shown: int, resize: Resize) -> Size:
    """The size that `shorter`, `longer` or `as a list` makes of a summary of so many sentences."""
    asked = resize.size
    if asked.sentences or asked.words or asked.characters:
        return asked
    match resize.change:
        case Change.SHORTER:
            return replace(asked, sentences=max(1, shown - shown // 2))
        case Change.LONGER:
            return replace(asked, sentences=max(1, shown * 2))
        case Change.RESHAPED:
            return replace(asked, sentences=max(1, shown))


def _usual(total: int) -> int:
    if total <= 3:
        return 1
    return 2 if total <= 8 else 3 if total <= _LONG_TEXT else 5


def _fitting(sentences: Sequence[Sentence], ranked: Sequence[int], size: Size) -> list[int]:
    """The most central that fit together, taken greedily."""
    words, characters = size.words, size.characters
    fitting = []
    for index in ranked:
        long, wide = len(sentences[index].words.split()), count_clusters(sentences[index].words) + 1
        if (words is not None and long > words) or (characters is not None and wide - 1 > characters):
            continue
        fitting.append(index)
        words = None if words is None else words - long
        characters = None if characters is None else characters - wide
    return fitting


def _shortest(sentences: Sequence[Sentence], ranked: Sequence[int]) -> int:
    central = ranked[: max(1, len(ranked) // 3)]
    return min(central, key=lambda index: (len(sentences[index].words), index))
