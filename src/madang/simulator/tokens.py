"""Tokens by a simple rule, not by a vocabulary.

A prompt costs a token per four UTF-8 bytes of each message, rounded up, and a few per message. An
answer costs one per piece, and a piece is what one stream event carries.
"""

from __future__ import annotations

import re

PER_MESSAGE = 4
PER_REQUEST = 3
PER_ATTACHMENT = 85
"""What OpenAI charges for an image at low detail; here for every image, sound and file."""

_PIECE = re.compile(r"\s?[A-Za-z]{1,8}|\s?\d{1,3}|\s?[가-힣]{1,2}|\s?[^\s]|\s")


def estimate(text: str) -> int:
    """Tokens of a text in a prompt: a quarter of its UTF-8 bytes, rounded up."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return (size + 3) // 4


def split(text: str) -> tuple[str, ...]:
    """The pieces of a text; joined they are the text again."""
    return tuple(_PIECE.findall(text))
