"""The built-in `offline` provider's words: extractive, deterministic, in Korean and English.

No language model, no network, no clock, no chance; the standard library alone. What it does and how
is in `docs/offline.md`. The way of a call: `conversation` reads the turns (`request`, `instructions`),
`rank` and `find` choose sentences, `reply` puts the answer together from `phrases` and quotations.
"""

from madang.providers.offline.reply import answer
from madang.providers.offline.stream import count_tokens, pieces
from madang.providers.offline.turns import Answer, Turn

__all__ = ["Answer", "Turn", "answer", "count_tokens", "pieces"]
