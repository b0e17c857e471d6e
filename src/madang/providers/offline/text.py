"""A text twice: as it came, to quote from, and plain, to match on.

Plain means: composed (NFC, so that Hangul typed on any system compares equal), without invisible
characters, and with NUL wherever nothing may be quoted across: control characters and surrogates,
which would upset a terminal or could not be sent as UTF-8.
"""

from __future__ import annotations

import re
import unicodedata
from array import array

from madang.providers.offline.graphemes import cluster_end

BREAK = "\0"
_UNQUOTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# The composed Latin and Korean that need no closer look.
_STRETCH = re.compile("[\t\n\r -~가-힣]+(?=[\t\n\r -~가-힣])")


class Text:
    """A text as it came (`original`) and as it is matched (`plain`)."""

    __slots__ = ("_offsets", "original", "plain")

    def __init__(self, original: str) -> None:
        self.original = original
        self._offsets: array[int] | None = None
        plain = original
        if not unicodedata.is_normalized("NFC", original) or _INVISIBLE.search(original):
            plain, self._offsets = _compose(original)
        self.plain = _UNQUOTABLE.sub(BREAK, plain)

    def quote(self, start: int, end: int) -> str:
        """What stood in the original where `plain[start:end]` is."""
        if self._offsets is None:
            return self.original[start:end]
        return self.original[self._offsets[start] : self._offsets[end]]


def _compose(original: str) -> tuple[str, array[int]]:
    """The plain text, and for each of its characters (and its end) where that began in the original."""
    parts: list[str] = []
    offsets: array[int] = array("Q")
    position = 0
    while position < len(original):
        stretch = _STRETCH.match(original, position)
        if stretch:
            end, part = stretch.end(), stretch.group()
            offsets.extend(range(position, end))
        else:
            end = cluster_end(original, position)
            unquotable = _UNQUOTABLE.search(original, position, end)
            if unquotable:  # it stands alone, so that no quotation begins or ends with it
                end = unquotable.start() if unquotable.start() > position else position + 1
            part = _INVISIBLE.sub("", unicodedata.normalize("NFC", original[position:end]))
            offsets.extend([position] * len(part))
        parts.append(part)
        position = end
    offsets.append(len(original))
    return "".join(parts), offsets
