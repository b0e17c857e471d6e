"""Which sentences a text turns on: LexRank over shared words, leaning towards the beginning.

Sentences are vectors of tf-idf weights, joined by their cosine; a sentence is central if central
sentences resemble it. Erkan and Radev, "LexRank", JAIR 22 (2004), the continuous form; Mihalcea and
Tarau, "TextRank" (EMNLP 2004), for the idea of doing so over any overlap. Where LexRank jumps to any
sentence alike, we jump to early ones more often, and raise their scores: news and reports begin with what matters.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from madang.providers.offline.sentences import Sentence
from madang.providers.offline.words import features

MOST_RANKED = 200
"""Sentences compared with each other; of a longer text, the 200 nearest to the whole in words."""

_DAMPING = 0.8
_ROUNDS = 30
_ALIKE = 0.7
"""The cosine from which a sentence only repeats one that was chosen."""
_SHORT = 4
"""A sentence of fewer features says too little by itself to stand for a text."""
_ASKING = re.compile(r"[?？][\"'”’)\]]*$")

Vector = dict[str, float]


def most_central(sentences: Sequence[Sentence]) -> list[int]:
    """Indices of the sentences, the most central first, repetitions last."""
    vectors = _vectors([features(sentence.words) for sentence in sentences])
    chosen = _nearest_to_whole(vectors)
    links = _links([vectors[index] for index in chosen])
    priors = [_prior(index) for index in chosen]
    weights = [
        _weight(sentences[index], vectors[index]) * (1 + prior)
        for index, prior in zip(chosen, priors, strict=True)
    ]
    scores = [score * weight for score, weight in zip(_centrality(links, priors), weights, strict=True)]
    order = sorted(range(len(chosen)), key=lambda at: (-scores[at], at))
    ranked = [chosen[at] for at in _repetitions_last(order, links)]
    left_out = set(chosen)
    return ranked + [index for index in range(len(sentences)) if index not in left_out]


def _vectors(lists: Sequence[list[str]]) -> list[Vector]:
    """Unit vectors of tf-idf weights; empty for a sentence without features."""
    frequency = Counter(feature for found in lists for feature in dict.fromkeys(found))
    idf = {feature: math.log(1 + len(lists) / count) for feature, count in frequency.items()}
    vectors = []
    for found in lists:
        weights = {feature: count * idf[feature] for feature, count in Counter(found).items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        vectors.append({feature: weight / length for feature, weight in weights.items()})
    return vectors


def _nearest_to_whole(vectors: Sequence[Vector]) -> list[int]:
    """The sentences worth comparing pair by pair: this is what keeps long texts from costing a square."""
    if len(vectors) <= MOST_RANKED:
        return list(range(len(vectors)))
    whole: Counter[str] = Counter()
    for vector in vectors:
        whole.update(vector)
    nearness = [
        sum(weight * whole[feature] for feature, weight in vector.items()) * _prior(index)
        for index, vector in enumerate(vectors)
    ]
    return sorted(sorted(range(len(vectors)), key=lambda index: (-nearness[index], index))[:MOST_RANKED])


def _prior(index: int) -> float:
    return 0.2 + 0.8 / (index + 1)


def _weight(sentence: Sentence, vector: Vector) -> float:
    weight = 0.5 if len(vector) < _SHORT else 1.0
    return weight * 0.6 if _ASKING.search(sentence.words) else weight


def _links(vectors: Sequence[Vector]) -> list[dict[int, float]]:
    """For each sentence, those that share words with it and their cosine."""
    holders: dict[str, list[int]] = {}
    for index, vector in enumerate(vectors):
        for feature in vector:
            holders.setdefault(feature, []).append(index)
    links: list[dict[int, float]] = [{} for _ in vectors]
    for feature, indices in holders.items():
        for left in indices:
            weight, row = vectors[left][feature], links[left]
            for right in indices:
                if right != left:
                    row[right] = row.get(right, 0.0) + weight * vectors[right][feature]
    return links


def _centrality(links: Sequence[dict[int, float]], priors: Sequence[float]) -> list[float]:
    """The stationary weights of a walk along the links that now and then jumps, by `priors`."""
    total = sum(priors)
    jumps = [prior / total for prior in priors] if priors else []
    spread = [sum(row.values()) for row in links]
    scores = jumps
    for _ in range(_ROUNDS):
        shares = [score / out if out else 0.0 for score, out in zip(scores, spread, strict=True)]
        scores = [
            (1 - _DAMPING) * jump + _DAMPING * sum(weight * shares[other] for other, weight in row.items())
            for jump, row in zip(jumps, links, strict=True)
        ]
    return scores


def _repetitions_last(order: Sequence[int], links: Sequence[dict[int, float]]) -> list[int]:
    fresh: list[int] = []
    repeated: list[int] = []
    for at in order:
        again = any(links[at].get(other, 0.0) > _ALIKE for other in fresh)
        (repeated if again else fresh).append(at)
    return fresh + repeated
