"""OpenAI's prompt cache: a prompt of 1,024 tokens or more is read faster when its beginning was read before.

What is found counts in steps of 128 tokens. Here a beginning ends with a message, not in it.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from madang.simulator.prefixes import Prefixes
from madang.simulator.vocabulary import ChatRequest

_LEAST, _STEP = 1024, 128


def cached_tokens(request: ChatRequest, prefixes: Prefixes) -> int:
    """How many tokens of the prompt were there before; from now on all are."""
    if request.prompt_tokens < _LEAST:
        return 0
    digest = blake2b(request.model.encode("utf-8", "surrogatepass"), digest_size=16)
    digest.update(msgspec.json.encode([(tool.name, tool.schema) for tool in request.tools]))
    size = request.prompt_tokens - sum(turn.tokens for turn in request.turns)
    marks: list[str] = []
    sizes: list[int] = []
    for turn in request.turns:
        said = f"\x1e{turn.role}\x1f{turn.attachments}\x1f{turn.tokens}\x1f{turn.text}"
        digest.update(said.encode("utf-8", "surrogatepass"))
        size += turn.tokens
        if size >= _LEAST:
            marks.append(digest.hexdigest())
            sizes.append(size)
    known = prefixes.longest(marks)
    return sizes[known - 1] // _STEP * _STEP if known else 0
