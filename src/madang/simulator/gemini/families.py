"""What families of Gemini models do, by the model's name.

After Google's pages on thinking, function calling and thought signatures, and recordings of August 2026.
A name that belongs to no family (`sim-…`, one of your own) does all that the newest can.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec


class Family(msgspec.Struct, frozen=True):
    """What a family does."""

    thinks: bool = True
    thinks_unasked: bool = True
    by_level: bool = True
    """Thinking is set by `thinkingLevel`; `thinkingBudget` is the older way."""
    must_think: bool = False
    ids: bool = True
    """Function calls carry an id."""
    wants_signatures: bool = False
    """A function call without its signature is refused."""
    mixes_tools: bool = True
    """Functions go together with Google's own tools, and with JSON."""


_ANY = Family()
_THREE = Family(wants_signatures=True)
_THREE_PRO = Family(wants_signatures=True, must_think=True)
_TWO_FIVE = Family(by_level=False, ids=False, mixes_tools=False)
_TWO_FIVE_PRO = msgspec.structs.replace(_TWO_FIVE, must_think=True)
_TWO_FIVE_LITE = msgspec.structs.replace(_TWO_FIVE, thinks_unasked=False)
_TWO = msgspec.structs.replace(_TWO_FIVE, thinks=False)


_TWO_FIVES = (("-pro", _TWO_FIVE_PRO), ("-lite", _TWO_FIVE_LITE))


@lru_cache(256)
def family_of(model: str) -> Family:
    """The family a model's name belongs to."""
    if model.startswith("gemini-3") or model.endswith("-latest"):
        return _THREE_PRO if "-pro" in model else _THREE
    if model.startswith("gemini-2.5"):
        return next((family for part, family in _TWO_FIVES if part in model), _TWO_FIVE)
    if model.startswith(("gemini-2", "gemini-1")):
        return _TWO
    return _ANY
