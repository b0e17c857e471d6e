"""What the chat's tests are played with: a backend that follows a script, a key store, a clock, a client."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from starlette.testclient import TestClient

from madang.web.auth import KeyHolder, Visitor
from madang.web.chat import Message, ModelChoice, Piece

GOOD_KEY = "mk_good"


@dataclass
class Script:
    """A backend that says what it is told to, and remembers what it was asked."""

    pieces: list[str | Exception] = field(default_factory=lambda: ["A *good* ", "answer."])
    stop_reason: str = "stop"
    choices: list[ModelChoice] = field(
        default_factory=lambda: [
            ModelChoice("offline/extractive", "Extractive", "Offline"),
            ModelChoice("openai/gpt-4o", "GPT-4o", "OpenAI"),
        ]
    )
    asked: list[tuple[str, list[Message], Visitor]] = field(default_factory=list)
    closed: int = 0

    async def models(self, visitor: Visitor) -> list[ModelChoice]:
        return self.choices

    async def stream(
        self, model: str, messages: Sequence[Message], visitor: Visitor
    ) -> AsyncGenerator[Piece, None]:
        self.asked.append((model, list(messages), visitor))
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield Piece(piece)
            yield Piece("", self.stop_reason)
        finally:
            self.closed += 1


@dataclass
class KeyStore:
    """One good key, until it is revoked."""

    revoked: bool = False

    def check(self, secret: str) -> KeyHolder | None:
        return KeyHolder("k1", "team <a>") if secret == GOOD_KEY and not self.revoked else None

    def holder(self, fingerprint: str) -> KeyHolder | None:
        return KeyHolder("k1", "team <a>") if fingerprint == "k1" and not self.revoked else None


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Surfer(TestClient):
    """A client that reads the token from the page, as the form and the script do."""

    def token(self, path: str = "/") -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.get(path).text)
        assert found is not None
        return found[1]
