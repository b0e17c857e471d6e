"""What Claude models take, read from their names: the API refuses settings that a model has not.

Sources: platform.claude.com, "Thinking", "Effort", "Structured outputs" and the migration guides of
Opus 4.6 to Opus 5.5, Sonnet 5.5, Haiku 5.5 (read 2026-11). A version that is newer than these is taken
for one like the newest. A name that tells no version (an alias, another maker's model) is `OTHER`: what
the dialect can say today, as the column `ANTHROPIC` of `losses.py` has it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

Thinking = Literal["none", "budget", "adaptive"]


class Claude(msgspec.Struct, frozen=True, kw_only=True):
    """A model, as far as its requests differ from others'."""

    max_tokens: int
    """What is asked for where the client sets no limit: what it may say at most, or 64,000."""
    most: int | None = None
    """What it may say at most, where more is refused ("max_tokens: 64000 > 8192, …")."""
    thinking: Thinking
    """Not at all; so many tokens (`budget_tokens`); or as it sees fit (`adaptive`, with `effort`)."""
    off: Literal["disabled", "between_tools"] | None = "disabled"
    """How to ask it not to think; `None`: it cannot but think, or cannot think."""
    efforts: tuple[str, ...] = ()
    """The values of `output_config.effort`; none where it has no such setting."""
    sampling: bool = True
    """Whether it takes `temperature`, `top_p` and `top_k`."""
    both: bool = True
    """Whether it takes `temperature` together with `top_p`."""
    prefill: bool = True
    """Whether the assistant may have the last word, to be continued."""
    schema: bool = True
    """Whether it can be held to a JSON schema (`output_config.format`, strict tools)."""
    forced: bool = True
    """Whether a tool can be forced on it."""


_GENTLE = ("low", "medium", "high")
_TO_MAX = (*_GENTLE, "max")
_ALL = (*_GENTLE, "xhigh", "max")

OTHER = Claude(max_tokens=8192, thinking="adaptive", efforts=_ALL)

_ALWAYS_THINKING = frozenset(("fable", "mythos"))
_FAMILIES = frozenset(("opus", "sonnet", "haiku", "instant", *_ALWAYS_THINKING))
_WORDS = re.compile(r"[a-z]+|\d+")


@lru_cache(maxsize=1024)
def claude(model: str) -> Claude:
    """What a model takes that a provider calls so: `claude-opus-4-7`, `us.anthropic.claude-…-v1:0`."""
    _, found, rest = model.lower().rpartition("claude")
    if not found:
        return OTHER
    family, version = _read_name(rest)
    if version is None and family not in _ALWAYS_THINKING:
        return OTHER
    return _by_version(family, version or (5, 0))


def _read_name(rest: str) -> tuple[str, tuple[int, int] | None]:
    """Family and version of `-opus-4-1-20250805`, `-3-5-haiku-latest` or `-sonnet-4.5`."""
    family = ""
    numbers: list[int] = []
    for word in _WORDS.findall(rest):
        if word in _FAMILIES:
            family = word
        elif word.isdigit() and len(word) <= 2 and len(numbers) < 2:
            numbers.append(int(word))
        else:
            break
    if not numbers:
        return family, None
    return family, (numbers[0], numbers[1] if len(numbers) > 1 else 0)


def _by_version(family: str, version: tuple[int, int]) -> Claude:
    if version < (3, 7):
        most = 8192 if version == (3, 5) else 4096
        return Claude(max_tokens=most, most=most, thinking="none", off=None, schema=False)
    if version < (4, 5):
        most = 32_000 if family == "opus" else 64_000
        late = version >= (4, 1)
        return Claude(max_tokens=most, most=most, thinking="budget", both=not late, schema=late)
    if version < (4, 6):
        efforts = _GENTLE if family == "opus" else ()
        return Claude(max_tokens=64_000, most=64_000, thinking="budget", efforts=efforts, both=False)
    if version < (4, 7):
        return Claude(max_tokens=64_000, thinking="adaptive", efforts=_TO_MAX, both=False, prefill=False)
    return Claude(
        max_tokens=64_000,
        thinking="adaptive",
        off=_off(family, version),
        efforts=_ALL,
        sampling=False,
        prefill=False,
        forced=version < (5, 1) or family == "haiku",
    )


def _off(family: str, version: tuple[int, int]) -> Literal["disabled", "between_tools"] | None:
    if family in _ALWAYS_THINKING or (family == "opus" and version >= (5, 5)):
        return None
    return "between_tools" if family == "sonnet" and version >= (5, 5) else "disabled"
