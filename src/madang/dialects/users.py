"""A client's name for its own user, as another dialect's provider takes it.

OpenAI takes 64 characters, and others 128; Claude Code's are 150 and more (a JSON object, since 2026-04).
Anthropic refuses e-mail addresses and telephone numbers, and its likenesses whatever is not
`[a-zA-Z0-9_-]+`. A provider wants to know who is who, not who it is: a fingerprint will do.
"""

from __future__ import annotations

import re
from hashlib import blake2b

MOST = 64
"""Characters."""
_PLAIN = re.compile(r"(?!\d{7,}$)[A-Za-z0-9_-]+")


def is_plain(user: str) -> bool:
    """Whether it can be nobody's address or number, and everybody takes it."""
    return _PLAIN.fullmatch(user) is not None


def short(user: str) -> str:
    """A name that is not too long."""
    return user if len(user) <= MOST else _fingerprint(user)


def plain(user: str) -> str:
    """A name that is neither too long nor a person's."""
    return user if len(user) <= MOST and is_plain(user) else _fingerprint(user)


def _fingerprint(user: str) -> str:
    return f"user_{blake2b(user.encode(), digest_size=16).hexdigest()}"
