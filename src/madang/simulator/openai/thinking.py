"""What goes by a model's name: whether it thinks, for how long unless told, and how its answers show it.

A name that is none of OpenAI's (`sim-…`, or a test's own) does what it is asked and refuses nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_FAMILY = re.compile(r"(?:ft:)?(?:gpt-(?P<major>\d+)(?:\.(?P<minor>\d+))?|(?P<o>o\d))(?P<rest>(?:-.*)?)")
_PLAIN = re.compile(r"(?:ft:)?(?:chatgpt-4|gpt-4|gpt-3)")
_ALWAYS = ("-codex", "-pro")
"""These think even where their family does not unless asked."""


class Traits(msgspec.Struct, frozen=True):
    """What a model's name says. Defaults as recorded between August 2025 and August 2026."""

    thinks: bool = False
    plain: bool = False
    """Known not to think: asked to, it refuses."""
    effort: str | None = None
    """How hard it thinks if nothing is said."""
    context: str | None = None
    """Whose thoughts it sees: those of this turn, or all."""
    phased: bool = False
    """Its messages say whether they are commentary or the final answer."""
    top_p: float = 1.0
    retention: str = "in_memory"


@lru_cache(256)
def traits(model: str) -> Traits:
    """The traits of a model."""
    if _PLAIN.match(model):
        return Traits(plain=True)
    found = _FAMILY.fullmatch(model)
    if found is None or "-chat" in found["rest"] or (found["major"] and int(found["major"]) < 5):
        return Traits()
    if found["o"]:
        return Traits(thinks=True, effort="medium", context="current_turn")
    version = int(found["major"]), int(found["minor"] or 0)
    quiet = (5, 1) <= version <= (5, 4) and not any(mark in found["rest"] for mark in _ALWAYS)
    return Traits(
        thinks=True,
        effort="none" if quiet else "medium",
        context="all_turns" if version >= (5, 6) else "current_turn",
        phased=version >= (5, 4),
        top_p=0.98 if version >= (5, 2) else 1.0,
        retention="24h" if version >= (5, 1) else "in_memory",
    )
