"""Where a text may be cut: never inside what a reader sees as one character.

This follows UAX #29 (https://unicode.org/reports/tr29/), cautiously: where the standard needs a
table that `unicodedata` does not have, two code points stay together rather than being cut.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

ZERO_WIDTH_JOINER = "\u200d"
_MARKS = frozenset(("Mn", "Me", "Mc"))
# Not marks by category, yet they belong to what stands before them: joiners, Thai and Lao AM,
# half-width voicing marks.
_TRAILERS = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f")
# Signs that belong to what comes after them (Grapheme_Cluster_Break=Prepend, the common ones).
_LEADERS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e")
_VIRAMA = 9
"""The canonical combining class of the signs that bind two consonants of an Indic script."""


def cluster_end(text: str, start: int) -> int:
    """The index after the character, as a reader sees it, that begins at `start`."""
    end, flags = start + 1, int(_is_flag_half(text[start]))
    while end < len(text):
        right = text[end]
        completes_flag = flags % 2 == 1 and _is_flag_half(right)
        if not completes_flag and not joins(text[end - 1], right):
            break
        flags = flags + 1 if _is_flag_half(right) else 0
        end += 1
    return end


def count_clusters(text: str) -> int:
    """How many characters a reader sees."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    count = position = 0
    while position < len(text):
        position = cluster_end(text, position)
        count += 1
    return count


@lru_cache(maxsize=8192)
def joins(left: str, right: str) -> bool:
    """Whether there is no cut between two neighbouring code points; flags are seen to elsewhere."""
    return (
        (left == "\r" and right == "\n")
        or _extends(right)
        or left == ZERO_WIDTH_JOINER
        or left in _LEADERS
        or _same_syllable(_jamo(left), _jamo(right))
        or ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")
        or (unicodedata.combining(left) == _VIRAMA and unicodedata.category(right) == "Lo")
    )


def _extends(right: str) -> bool:
    return (
        unicodedata.category(right) in _MARKS
        or right in _TRAILERS
        or "\U0001f3fb" <= right <= "\U0001f3ff"
        or "\U000e0020" <= right <= "\U000e007f"
    )


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _jamo(character: str) -> str:
    """Which part of a Hangul syllable this is: `L`, `V`, `T`, `LV`, `LVT`, or empty for none."""
    if "가" <= character <= "힣":
        return "LV" if (ord(character) - 0xAC00) % 28 == 0 else "LVT"
    if "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c":
        return "L"
    if "\u1160" <= character <= "\u11a7" or "\ud7b0" <= character <= "\ud7c6":
        return "V"
    if "\u11a8" <= character <= "\u11ff" or "\ud7cb" <= character <= "\ud7fb":
        return "T"
    return ""


def _same_syllable(left: str, right: str) -> bool:
    if left == "L":
        return right in ("L", "V", "LV", "LVT")
    if left in ("LV", "V"):
        return right in ("V", "T")
    return left in ("LVT", "T") and right == "T"
