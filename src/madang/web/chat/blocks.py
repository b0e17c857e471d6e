"""A growing answer as top-level blocks: finished ones are set once, only the last is set again.

So a long answer costs what its length costs, not its square. A block is finished when a later
one has started on a whole line: half a line (`#`, `1`) may still turn out to continue it.
"""

from __future__ import annotations

import itertools
import re

import msgspec

from madang.web.chat.render import References, block_starts, to_html

LONGEST_BLOCK = 8_000
"""Characters. A longer block is cut: rendering it anew for each piece would hold up everybody."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class Blocks:
    """Markdown in, in any pieces; the sources of finished blocks out."""

    def __init__(self) -> None:
        self.tail = ""
        """The block under way."""
        self._held = ""

    def feed(self, text: str) -> list[str]:
        """Add to the answer; give back the blocks that this finished."""
        finished = []
        text = self._held + text
        # A "\r" may be half of a "\r\n": it waits for the next piece.
        self._held = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        for start in range(0, len(text), LONGEST_BLOCK):
            self.tail += text[start : start + LONGEST_BLOCK]
            finished += self._take_finished(self.tail.rpartition("\n")[0])
            finished += self._take_too_long()
        return finished

    def end(self) -> list[str]:
        """What is left: now the last line is known to be whole."""
        self.tail += self._held.replace("\r", "\n")
        finished = self._take_finished(self.tail)
        last, self.tail = self.tail, ""
        return [*finished, last] if last.strip() else finished

    def _take_finished(self, whole: str) -> list[str]:
        """The blocks before the last that starts in `whole`, the lines of the tail that are whole."""
        lines, bounds = self.tail.split("\n"), [0, *block_starts(whole)[1:]]
        self.tail = "\n".join(lines[bounds[-1] :])
        return ["\n".join(lines[a:b]) + "\n" for a, b in itertools.pairwise(bounds)]

    def _take_too_long(self) -> list[str]:
        finished = []
        while len(self.tail) > LONGEST_BLOCK:
            head, self.tail = cut(self.tail)
            finished.append(head)
        return finished


def cut(block: str) -> tuple[str, str]:
    """One block as two: at a line's end if there is one, else at a space; code stays code."""
    fence = _FENCE.match(block)
    opening = block.partition("\n")[0] if fence else ""
    at = max(block.rfind("\n", len(opening) + 1, LONGEST_BLOCK), 0) or block.rfind(" ", 0, LONGEST_BLOCK) + 1
    at = at or LONGEST_BLOCK
    head, rest = block[:at], block[at:]
    # An opening line that is itself endless is no code worth keeping together.
    if fence is None or at <= len(opening) or len(opening) > LONGEST_BLOCK // 2:
        return head, rest.removeprefix("\n")
    return f"{head}\n{fence[1]}", f"{opening}\n{rest.removeprefix(chr(10))}"


class SetBlock(msgspec.Struct, frozen=True):
    """HTML of block `i`. `last` is the block under way, to be set again."""

    i: int
    html: str
    last: bool = False


class Typesetter:
    """Markdown in, in any pieces; HTML of what changed out."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._set: list[tuple[str, str]] = []
        self._references: References = {}

    def add(self, text: str) -> list[SetBlock]:
        """The finished blocks, and the one under way."""
        changed = [self._freeze(source) for source in self._blocks.feed(text)]
        if tail := self._blocks.tail:
            # A copy, so that half a definition (`[1]: https://exam`) does not count.
            changed.append(SetBlock(len(self._set), to_html(tail, dict(self._references)), last=True))
        return changed

    def end(self) -> list[SetBlock]:
        """The last block, and earlier ones whose links were defined only after them."""
        changed = [self._freeze(source) for source in self._blocks.end()]
        return changed + (self._with_late_links() if self._references else [])

    def html(self) -> list[str]:
        return [html for _, html in self._set]

    def _freeze(self, source: str) -> SetBlock:
        self._set.append((source, to_html(source, self._references)))
        return SetBlock(len(self._set) - 1, self._set[-1][1])

    def _with_late_links(self) -> list[SetBlock]:
        changed = []
        for i, (source, html) in enumerate(self._set):
            again = to_html(source, self._references) if "[" in source else html
            if again != html:
                self._set[i] = (source, again)
                changed.append(SetBlock(i, again))
        return changed


def set_answer(text: str) -> list[str]:
    """A whole answer as HTML blocks, the same ones that streaming it would end with."""
    typesetter = Typesetter()
    typesetter.add(text)
    typesetter.end()
    return typesetter.html()
