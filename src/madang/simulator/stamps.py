"""Ids and times of answers: one after the other, or frozen so that the same request gets the same."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import blake2b

from madang.simulator.vocabulary import Stamp

FROZEN_AT = 1_700_000_000
_TOKEN, _REQUEST_ID = 29, 32


class Stamps:
    """Hands out stamps."""

    def __init__(self, seed: int, wall: Callable[[], int], *, frozen: bool) -> None:
        self._seed, self._wall, self._frozen = seed, wall, frozen
        self._token, self._request = secrets.token_hex(9)[:17], secrets.token_hex(10)
        self._count = 0

    def second(self) -> int:
        """Seconds since 1970."""
        return FROZEN_AT if self._frozen else self._wall() // 1_000_000

    def next(self, path: str, body: bytes) -> Stamp:
        """The stamp of the answer to a request."""
        if self._frozen:
            digest = blake2b(f"{self._seed} {path} ".encode() + body, digest_size=31).hexdigest()
            return Stamp(digest[:_TOKEN], "req_" + digest[-_REQUEST_ID:], FROZEN_AT)
        self._count += 1
        return Stamp(
            f"{self._token}{self._count:012x}", f"req_{self._request}{self._count:012x}", self.second()
        )
