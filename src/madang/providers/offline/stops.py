"""Which full stops end a sentence: not those of `Dr.`, `3.14`, `e.g.`, `2024. 3. 15.` or a quotation."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

_STOP = re.compile("[.!?…。！？｡．]+[\"'”’»」』》〉)\\]*\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]*")
_FULL_WIDTH = "。！？｡"
_QUOTATION = re.compile(
    r'“[^”\0]{0,200}”|"[^"\0]{0,200}"|「[^」\0]{0,200}」|『[^』\0]{0,200}』|\([^()\0]{0,200}\)'
)
_ABBREVIATION = re.compile(
    r"(?:^"
    r"|[\s(\"'“‘])(?:mr|mrs|ms|dr|prof|st|sr|jr|rev|hon|gen|col|lt|capt|sgt|no|nos|vol|pp?|figs?|eq|sec|ch"
    r"|vs|cf|al|inc|ltd|co|corp|dept|est|approx|ca|e\.g|i\.e|a\.m|p\.m|u\.s|u\.k|ph\.d|jan"
    r"|feb|mar|apr|jun|jul"
    r"|aug|sept?|oct|nov|dec|[a-z])\.$",
    re.IGNORECASE,
)
# These may also close a sentence: they do when a capital follows.
_MAY_CLOSE = re.compile(r"(?:inc|ltd|co|corp|a\.m|p\.m|u\.s|u\.k|ph\.d|al|est)\.$", re.IGNORECASE)
_NUMBERED = re.compile(r"\s*\(?(?:\d{1,3}|[가-하]|[IVXivx]{1,4})\.$")
_DATE_BEGUN = re.compile(r"\d{4}\s*\.(?:\s*\d{1,2}\s*\.)?$")
_DATE_DONE = re.compile(r"\d{4}\s*\.\s*\d{1,2}\s*\.\s*\d{1,2}\s*\.$")
_NUMBER_NEXT = re.compile(r"\s*\d{1,2}(?:\s*\.|\b)")
_LOWER_NEXT = re.compile(r"[ \t]*[a-z]")
_TAG_NEXT = re.compile(r"\s*(?:이?라고|이?라는|이?라며|하고|하며|라면서)(?=[\s.,])")
_KOREAN_FINAL = re.compile(r"[다요까죠네음함임됨자라오]$")
_TIGHT_NEXT = re.compile(r"[가-힣“\"‘「(]")
_HANGUL = re.compile("[가-힣]")
_LOOK = 24
"""Characters looked at on either side of a stop."""


def sentence_ends(plain: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of one block, as start and end; white space at their edges included."""
    quotations = [match.span() for match in _QUOTATION.finditer(plain, start, end)]
    openings = [opening for opening, _ in quotations]
    first = start
    for stop in _STOP.finditer(plain, start, end):
        inside = bisect_right(openings, stop.start()) - 1
        if inside >= 0 and stop.end() < quotations[inside][1]:
            continue
        if _ends(plain, first, stop, end):
            yield first, stop.end()
            first = stop.end()
    if first < end:
        yield first, end


def _ends(plain: str, first: int, stop: re.Match[str], end: int) -> bool:
    mark, after = stop.group(), plain[stop.end() : min(end, stop.end() + _LOOK)]
    if not after.strip():
        return True
    if mark[0] in _FULL_WIDTH:
        return mark[-1] in _FULL_WIDTH or after[0].isspace()
    before = plain[max(first, stop.start() - _LOOK) : stop.start()]
    if not after[0].isspace():
        return bool(_KOREAN_FINAL.search(before)) and mark in ".!?…。" and bool(_TIGHT_NEXT.match(after))
    if _LOWER_NEXT.match(after) and not _HANGUL.match(before[-1:]):
        return False
    if len(mark.rstrip(".!?…．")) and _TAG_NEXT.match(after):
        return False
    if mark.startswith(("..", "…")):
        return before[-1:] in tuple("다요까죠네") or after.lstrip()[:1].isupper()
    return mark[0] != "." or _full_stop_ends(before + ".", plain[first : stop.start() + 1][-_LOOK:], after)


def _full_stop_ends(before: str, sentence: str, after: str) -> bool:
    if _NUMBERED.fullmatch(sentence):
        return False
    if _DATE_BEGUN.search(before) and _NUMBER_NEXT.match(after):
        return False
    if _DATE_DONE.search(before) and _HANGUL.match(after.lstrip()):
        return False
    if _ABBREVIATION.search(before):
        return bool(_MAY_CLOSE.search(before)) and after.lstrip()[:1].isupper()
    return True
