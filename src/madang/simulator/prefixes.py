"""The beginnings of prompts that were cached: written once, read ever after.

They do not age, and there is no smallest size: a test need not wait five minutes or send a book.
"""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 10_000


class Prefixes:
    """What a simulator has cached. A forgetful one caches nothing, so that answers repeat to the byte."""

    def __init__(self, *, forgetful: bool = False) -> None:
        self._known: dict[str, None] = {}
        self._forgetful = forgetful

    def longest(self, marked: Sequence[str]) -> int:
        """How many of the prefixes, shortest first, are cached; all of them are from now on."""
        known = next((at for at in range(len(marked), 0, -1) if marked[at - 1] in self._known), 0)
        if not self._forgetful:
            if len(self._known) + len(marked) > _MOST:
                self._known.clear()
            self._known.update(dict.fromkeys(marked))
        return known
