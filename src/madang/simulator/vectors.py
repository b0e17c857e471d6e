"""Vectors for texts: they repeat, and are nearer for texts with more in common.

Feature hashing: every word and every run of letters adds to a few places of the vector.
"""

from __future__ import annotations

import math
import re
import struct
from hashlib import blake2b

_WORD = re.compile(r"\w+")
_PLACES = 4
_SALT = (1 << 64) - 1


def vector(text: str, size: int, seed: int) -> list[float]:
    """A vector of length one. Never all zero: the seed always leaves a trace."""
    values = [0.0] * size
    for feature, weight in _features(text):
        digest = blake2b(
            feature.encode("utf-8", "surrogatepass"),
            digest_size=4 * _PLACES,
            salt=(seed & _SALT).to_bytes(8, "big"),
        ).digest()
        for place in struct.unpack(f"<{_PLACES}I", digest):
            values[(place >> 1) % size] += weight if place & 1 else -weight
    length = math.sqrt(sum(value * value for value in values))
    if length == 0.0:
        values[seed % size] = length = 1.0
    return [value / length for value in values]


def _features(text: str) -> list[tuple[str, float]]:
    words = _WORD.findall(text.lower())
    runs = [word[at : at + 2] for word in words for at in range(len(word) - 1) if not word.isascii()]
    return [("", 0.1), *((word, 1.0) for word in words), *((run, 0.5) for run in runs)]
