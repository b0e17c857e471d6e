"""The pieces an answer is streamed in, and the token count that goes with them.

A piece is a word with the white space after it. It weighs at most 16, where a wide character
(Hangul, Han, kana, most emoji) weighs five and any other one; so English goes word by word and
Korean in groups of up to three syllables. The first white space after a word is free, so that it
never stands alone. No piece ends inside a character as a reader sees it.
"""

from __future__ import annotations

import re
import unicodedata

from madang.providers.offline.graphemes import cluster_end

_HEAVIEST, _WIDE = 16, 5

# A whole piece of plain characters, recognised without looking at each of them: the same
# pieces `_piece_end` finds, some ten times as fast.
_PLAIN = re.compile(r"[!-~]{1,16}[ \n](?=[!-~가-힣])|[가-힣]{1,3} (?=[!-~가-힣])|[가-힣]{3}(?=[가-힣])")


def pieces(text: str) -> list[str]:
    """The text in the pieces a stream sends; joined they are the text again."""
    found, start = [], 0
    plain = _PLAIN.match
    while start < len(text):
        match = plain(text, start)
        end = match.end() if match else _piece_end(text, start)
        found.append(text[start:end])
        start = end
    return found


def count_tokens(text: str) -> int:
    """One token for each piece."""
    return len(pieces(text))


def _piece_end(text: str, start: int) -> int:
    end, weight, after_space = start, 0, True
    while end < len(text):
        following = cluster_end(text, end)
        space = text[end:following].isspace()
        if not space or after_space:
            weight += _WIDE if unicodedata.east_asian_width(text[end]) in "WF" else 1
        new_word = after_space and not space
        if end > start and (new_word or weight > _HEAVIEST):
            break
        end, after_space = following, space
    return end
