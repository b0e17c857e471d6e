"""Whose model it is, by its name: OpenAI's likenesses take less than OpenAI, or want something else.

Only translated requests are fitted to it; one that came in this dialect goes as its client wrote it.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache

import msgspec


class Maker(msgspec.Struct, frozen=True, gc=False):
    """What the makers of a model have decided."""

    max_tokens: str = "max_tokens"
    """The limit's name. OpenAI has a new one, and its reasoning models refuse the old one."""
    seed: str = "seed"
    developer: bool = False
    """Whether there is a role `developer` (OpenAI's, since o1); elsewhere it is `system`."""
    thoughts: bool = False
    """Whether unsigned thoughts are wanted back, as `reasoning_content`, and `thinking` is a setting."""
    usage: bool = True
    """Whether a stream can be asked for its usage."""
    unknown: frozenset[str] = frozenset()
    """Settings that are refused."""
    short_ids: bool = False
    """Whether ids of calls are nine letters and digits."""
    reasons: bool = True
    """Whether it may be told how much to think; some refuse to be told, and never do."""
    every_effort: bool = False
    """Whether there may be more of them than low, medium and high."""


ANYBODY = Maker()
OPENAI = Maker(max_tokens="max_completion_tokens", developer=True, every_effort=True)
# Groq: 400 "`reasoning_effort` is not supported with this model"; others let it pass, to no effect.
THOUGHTLESS = Maker(reasons=False)
# 400 "The reasoning_content in the thinking mode must be passed back to the API", 2025-12 and after:
# api-docs.deepseek.com/guides/thinking_mode; Moonshot's Kimi says the same in other words.
DEEPSEEK = Maker(thoughts=True, every_effort=True)
# 422 extra_forbidden on what is not in docs.mistral.ai/api (read 2026-11), and 400 on other ids.
MISTRAL = Maker(
    seed="random_seed",
    usage=False,
    unknown=frozenset(("user", "logprobs", "top_logprobs", "service_tier")),
    short_ids=True,
)

_MAKERS = (
    # Not gpt-oss, whose weights are everybody's.
    (re.compile(r"(?:.*/)?(?:ft:)?(?:gpt-(?!oss)|chatgpt-|codex-|o[1-9])"), OPENAI),
    (re.compile(r"(?:.*/)?(?:deepseek-|kimi-)", re.IGNORECASE), DEEPSEEK),
    (
        re.compile(
            r"(?:.*/)?(?:(?:meta-)?llama-?[1-4]|codellama|gemma-?[1-3]|mixtral|qwen-?[12]|command-r)(?!\d|eas)",
            re.IGNORECASE,
        ),
        THOUGHTLESS,
    ),
    # As Mistral itself names them; under other names others serve them.
    (
        re.compile(
            r"(?:(?:open-)?mistral|open-mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral)"
            r"-(?:[a-z0-9.-]*-)?(?:latest|\d{4})$"
        ),
        MISTRAL,
    ),
)
_SHORT_ID = re.compile(r"[A-Za-z0-9]{9}")


@lru_cache(maxsize=1024)
def maker(model: str) -> Maker:
    """Whose a model is."""
    return next((found for pattern, found in _MAKERS if pattern.match(model)), ANYBODY)


def short_id(id: str) -> str:
    """A call's id in nine letters and digits, the same every time."""
    if _SHORT_ID.fullmatch(id):
        return id
    return f"c{zlib.crc32(id.encode()):08x}"
