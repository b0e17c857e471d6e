"""Where sentences begin and end, in Korean and English prose with Markdown in it.

Two steps: lines become blocks (a paragraph, a list item, a table row), blocks become sentences.
Headings, rules and fenced code are no sentences. Which full stops end one is in `stops.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from madang.providers.offline.stops import sentence_ends
from madang.providers.offline.text import BREAK

LONGEST = 600
"""Characters in a sentence; what goes on longer is cut at white space, or anywhere if there is none."""

_LINE = re.compile(r"[^\n\r\0]*(\r\n|[\n\r\0]|$)")
_FENCE = re.compile(r"[ \t]*+(```+|~~~+)[ \t]*+([\w+#.-]*)")
_CLOSERS = {mark: re.compile(rf"^[ \t]*+{mark}++[ \t]*$", re.MULTILINE) for mark in ("```", "~~~")}
_PROSE = frozenset(("", "text", "txt", "plain", "md", "markdown"))
_HEADING = re.compile(r"[ \t]*+#{1,6}[ \t]")
_RULE = re.compile(r"[-=*_+|: \t]{3,}+$")
_MARKER = re.compile(
    r"[ \t]*+(?:(?:(?:[-*+•·▪◦‣○●※>]|\(?\d{1,3}[.)]|[가나다라마바사아]\.|[①-⑳])[ \t]++)++|[•※①-⑳>|])"
)
_TABLE_EDGE = re.compile(r"[ \t|]+$")
_WORD = re.compile(r"[^\W_]")
_WIDE = re.compile("[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]")
_WRAPPED = range(40, 121)
"""The width, in columns, of a line that may go on in the next; a shorter one stands for itself."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a plain text, with where it stands there."""

    start: int
    end: int
    words: str


def sentences(plain: str, start: int = 0, end: int | None = None) -> list[Sentence]:
    """The sentences of `plain[start:end]`, in order. Fenced prose counts only where nothing else is."""
    stop = len(plain) if end is None else end
    return _sentences(plain, start, stop, fenced=False) or _sentences(plain, start, stop, fenced=True)


def _sentences(plain: str, start: int, end: int, *, fenced: bool) -> list[Sentence]:
    return [
        Sentence(left, right, plain[left:right])
        for block_start, block_end in _blocks(plain, start, end, fenced=fenced)
        for first, last in sentence_ends(plain, block_start, block_end)
        for left, right in _bounded(plain, first, last)
        if _WORD.search(plain, left, right)
    ]


def _blocks(plain: str, start: int, end: int, *, fenced: bool) -> Iterator[tuple[int, int]]:
    """Runs of text that no sentence crosses the end of."""
    opened: int | None = None
    for line_start, line_end, closed in _prose_lines(plain, start, end, fenced=fenced):
        marker = _MARKER.match(plain, line_start, line_end)
        if marker:
            if opened is not None:
                yield opened, line_start
            opened = marker.end()
        elif opened is None:
            opened = line_start
        if closed or not _goes_on(plain, line_start, line_end):
            yield opened, _without_edge(plain, opened, line_end)
            opened = None


def _without_edge(plain: str, start: int, end: int) -> int:
    if plain[end - 1 : end] != "|":
        return end
    edge = _TABLE_EDGE.search(plain, max(start, end - 8), end)
    return edge.start() if edge else end


def _prose_lines(plain: str, start: int, end: int, *, fenced: bool) -> Iterator[tuple[int, int, bool]]:
    """Each line of prose, and whether what comes after it closes its block."""
    held: tuple[int, int] | None = None
    for line_start, line_end, broken in _lines(plain, start, end, fenced=fenced):
        prose = _is_prose(plain, line_start, line_end)
        if held:
            yield *held, not prose
        held = (line_start, line_end) if prose else None
        if held and broken:
            yield *held, True
            held = None
    if held:
        yield *held, True


def _lines(plain: str, start: int, end: int, *, fenced: bool) -> Iterator[tuple[int, int, bool]]:
    """Start, end and whether a break follows; lines of fenced code are left out."""
    position, unclosed = start, set[str]()
    while position < end:
        fence = _FENCE.match(plain, position, end)
        if fence:
            position = _after_fence(plain, fence, end, unclosed, fenced=fenced)
            yield position, position, True
            continue
        line = _LINE.match(plain, position, end)
        stop, after = (line.start(1), line.end()) if line else (end, end)
        yield position, stop, plain[stop:after] == BREAK
        position = max(after, position + 1)


def _after_fence(plain: str, fence: re.Match[str], end: int, unclosed: set[str], *, fenced: bool) -> int:
    """Where reading goes on: after the block, or after this line if it never closes or holds prose."""
    newline = plain.find("\n", fence.end(), end)
    line_end = end if newline < 0 else newline + 1
    mark = fence.group(1)[:3]
    if mark in unclosed or (fenced and fence.group(2).lower() in _PROSE):
        return line_end
    closer = _CLOSERS[mark].search(plain, line_end, end)
    if closer is None:
        unclosed.add(mark)
        return line_end
    return closer.end()


def _is_prose(plain: str, start: int, end: int) -> bool:
    if not plain[start:end].strip():
        return False
    return not (_HEADING.match(plain, start, end) or _RULE.match(plain, start, end))


def _goes_on(plain: str, start: int, end: int) -> bool:
    """Whether a sentence may go on in the next line: it was wrapped there by somebody's editor."""
    if end - start > _WRAPPED.stop or plain[end - 1] in ":：|":
        return False
    return end - start + len(_WIDE.findall(plain, start, end)) in _WRAPPED


def _bounded(plain: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST:
        cut = max(plain.rfind(" ", start, start + LONGEST), plain.rfind("\n", start, start + LONGEST))
        cut = cut if cut > start else start + LONGEST
        yield _stripped(plain, start, cut)
        start = cut
    yield _stripped(plain, start, end)


def _stripped(plain: str, start: int, end: int) -> tuple[int, int]:
    while start < end and plain[start].isspace():
        start += 1
    while end > start and plain[end - 1].isspace():
        end -= 1
    return start, end
