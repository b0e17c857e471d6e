"""What families of Claude models take and refuse, by the model's name.

After Anthropic's pages on thinking and prefill, as of November 2026. A name that belongs to no family
(`sim-…`, one of your own) takes everything.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_VERSION = re.compile(r"claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2}))?(?=$|[-@:.])")


class Family(msgspec.Struct, frozen=True):
    """What a family takes."""

    manual: bool = True
    """`thinking: {type: "enabled"}` with a budget."""
    adaptive: bool = True
    """`thinking: {type: "adaptive"}`."""
    thinks_unasked: bool = False
    hides_thoughts: bool = False
    """Thinking is shown only if `display` asks for it."""
    prefill: bool = True
    """Whether the conversation may end with words put into the model's mouth."""
    sampling: bool = True
    """Whether `temperature` and `top_p` may be set at all."""
    one_of_sampling: bool = False
    """Whether `temperature` and `top_p` exclude each other."""
    effort: bool = True
    system_turns: bool = True
    """Whether a message may have the role `system`."""
    most_output: int | None = None


_ANY = Family()
_OLD = Family(adaptive=False, effort=False, system_turns=False, most_output=8_192)
_THREE_SEVEN = msgspec.structs.replace(_OLD, most_output=64_000)
_FOUR_ONE = msgspec.structs.replace(_THREE_SEVEN, one_of_sampling=True)
_OPUS_FOUR_FIVE = msgspec.structs.replace(_FOUR_ONE, effort=True)
"""Of the models before 4.6 the only one that takes an effort."""
_FOUR_SIX = Family(prefill=False, one_of_sampling=True, system_turns=False, most_output=128_000)
_FOUR_SEVEN = Family(
    manual=False,
    hides_thoughts=True,
    prefill=False,
    sampling=False,
    system_turns=False,
    most_output=128_000,
)
_FOUR_EIGHT = msgspec.structs.replace(_FOUR_SEVEN, system_turns=True)
_FIVE = msgspec.structs.replace(_FOUR_EIGHT, thinks_unasked=True)


@lru_cache(256)
def family_of(model: str) -> Family:
    """The family a model's name belongs to."""
    found = _VERSION.search(model)
    if found is None:
        return _ANY
    version = int(found[1]), int(found[2] or 0)
    if "opus" in model and version == (4, 5):
        return _OPUS_FOUR_FIVE
    return next((family for since, family in _SINCE if version >= since), _OLD)


_SINCE = (
    ((5, 0), _FIVE),
    ((4, 8), _FOUR_EIGHT),
    ((4, 7), _FOUR_SEVEN),
    ((4, 6), _FOUR_SIX),
    ((4, 1), _FOUR_ONE),
    ((3, 7), _THREE_SEVEN),
)
