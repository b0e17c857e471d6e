"""What comes in and what goes out: the turns of a conversation, and an answer to the last one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it came; `role` is `system`, `developer`, `user`, `assistant` or `tool`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Tokens are counted by `count_tokens`, on both sides."""

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: Literal["stop", "length"]
