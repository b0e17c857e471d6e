"""Text that both engines can keep: PostgreSQL has no NUL, UTF-8 no lone surrogates."""

from __future__ import annotations


def storable(text: str) -> str:
    """`text` with what cannot be kept replaced; most text comes back as it is."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
