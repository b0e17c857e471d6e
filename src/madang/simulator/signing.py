"""Signatures on what the imitated model thought, so that it can be told whether it comes back unchanged.

No secret is kept by them: the salt is in this file. A signature says which words it was made for, and
that the simulator made it.
"""

from __future__ import annotations

import base64
import binascii
from enum import Enum
from hashlib import blake2b

_SALT = b"madang-simulator"
_NONCE, _PROOF, _BOUND = 9, 12, 24


class Verdict(Enum):
    """What a signature is worth."""

    GOOD = "good"
    CHANGED = "changed"
    """The signature is the simulator's, but not for these words."""
    FOREIGN = "foreign"
    """Not the simulator's, or damaged."""


def sign(words: str, *seeds: object) -> str:
    """A signature for words; the seeds only make it distinct."""
    nonce = blake2b(f"{words}\x1f{seeds}".encode("utf-8", "surrogatepass"), digest_size=_NONCE).digest()
    return base64.b64encode(nonce + _proof(nonce) + _bound(nonce, words)).decode()


def verify(signature: str, words: str) -> Verdict:
    """Whether a signature was made here, and for these words."""
    try:
        data = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return Verdict.FOREIGN
    nonce, proof = data[:_NONCE], data[_NONCE : _NONCE + _PROOF]
    if len(data) != _NONCE + _PROOF + _BOUND or proof != _proof(nonce):
        return Verdict.FOREIGN
    return Verdict.GOOD if data.endswith(_bound(nonce, words)) else Verdict.CHANGED


def _proof(nonce: bytes) -> bytes:
    return blake2b(nonce, digest_size=_PROOF, key=_SALT).digest()


def _bound(nonce: bytes, words: str) -> bytes:
    return blake2b(nonce + words.encode("utf-8", "surrogatepass"), digest_size=_BOUND, key=_SALT).digest()
