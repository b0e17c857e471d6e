"""What the chat page needs of the house behind it: the models, and an answer in pieces.

Wired to the gateway in the composition root; the tests wire it to a script.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, Protocol

import msgspec

from madang.web.auth import Visitor


class ModelChoice(msgspec.Struct, frozen=True):
    """A model that a visitor may choose: `openai/gpt-4o`, `offline/extractive`, or an alias."""

    id: str
    title: str
    provider: str
    """Shown as the heading of its group."""


class Message(msgspec.Struct, frozen=True):
    """One turn of the conversation, as text."""

    role: Literal["user", "assistant"]
    text: str


class Piece(msgspec.Struct, frozen=True):
    """A delta of the answer. The last one may say why it stopped (`stop`, `length`, …)."""

    text: str
    stop_reason: str | None = None


class Backend(Protocol):
    """Where answers come from. The visitor is passed on so that a key's own limits hold here too."""

    async def models(self, visitor: Visitor) -> list[ModelChoice]:
        """What this visitor may ask, best first."""
        ...

    def stream(
        self, model: str, messages: Sequence[Message], visitor: Visitor
    ) -> AsyncGenerator[Piece, None]:
        """The answer. Raises `CallError`; `aclose()` tells the provider to stop."""
        ...
