"""Signatures in another dialect's clothes, so that its clients send them back without knowing.

A reasoning block that was signed must come back unchanged while a tool loop is open. A client of
another dialect gets the signature wrapped in a field that its SDK returns: a thought signature, an
encrypted reasoning item, or, where there is no such field, the id of the tool call, which every
client returns. Whoever parses its request unwraps it. Nothing is kept on the server: any replica
can go on with the loop.

This protects nothing: a signature means nothing but to the provider that made it, which checks it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence

import msgspec

from madang.core.messages import Part, Reasoning, ToolCall

_MAGIC = b"madang"
MARK = "bWFkYW5n"
"""`_MAGIC` in base64, which six bytes fill exactly: it is in everything of ours, so one look finds any."""
_MARK_BYTES = MARK.encode()
_IN_ID = f"_{MARK}_"
_RATIO = 16
"""To how many times its size a payload may unpack: it comes from outside, and may be a bomb."""


class _Thought(msgspec.Struct, array_like=True, omit_defaults=True):
    text: str
    signature: str
    signer: str | None
    redacted: bool = False
    id: str | None = None


class _Load(msgspec.Struct, array_like=True):
    thoughts: list[_Thought]
    signature: str | None
    signer: str | None


class Unloaded(msgspec.Struct, frozen=True):
    """What the id of a tool call held."""

    id: str
    thoughts: tuple[Reasoning, ...] = ()
    signature: str | None = None
    signer: str | None = None


class Said(list[Part]):
    """What an assistant's message says so far, which knows the signatures of the thoughts in it."""

    __slots__ = ("_known", "_seen")

    def __init__(self) -> None:
        super().__init__()
        self._known: set[str | None] = set()
        self._seen = 0
        """How many parts have been looked at: a message may hold a hundred thousand."""

    def not_said(self, thoughts: Sequence[Reasoning]) -> list[Reasoning]:
        """Those that a call's id carried and the client has not sent back by themselves."""
        if not thoughts:
            return []
        self._known.update([part.signature for part in self[self._seen :] if isinstance(part, Reasoning)])
        self._seen = len(self)
        return [thought for thought in thoughts if thought.signature not in self._known]


_load = msgspec.json.Decoder(_Load)
_pair = msgspec.json.Decoder(tuple[str, str])


def is_carried(body: bytes) -> bool:
    """Whether a body may hold something of ours: a wrapped signature, a loaded id, a name of a thought."""
    return _MARK_BYTES in body


def wrap(signature: str, signer: str | None, own: str) -> str:
    """A signature for a field of dialect `own`: as it is if it is its own, else wrapped as base64."""
    if signer in (own, None) and not signature.startswith(MARK):
        return signature
    return base64.b64encode(_MAGIC + msgspec.json.encode((signer or own, signature))).decode()


def unwrap(text: str, own: str) -> tuple[str, str]:
    """The signature in a field of dialect `own`, and whose it is."""
    if text.startswith(MARK):
        try:
            signer, signature = _pair.decode(_from_base64(text)[len(_MAGIC) :])
        except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
            return text, own
        if _is_signer(signer):
            return signature, signer
    return text, own


def load(call: ToolCall, thoughts: Sequence[Reasoning] = ()) -> str:
    """The id of a call with its signature, and that of the signed thoughts before it, in it."""
    signed = [
        _Thought(thought.text, thought.signature, thought.signer, thought.redacted, thought.id)
        for thought in thoughts
        if thought.signature is not None
    ]
    if call.signature is None and not signed:
        return call.id
    payload = _Load(signed, call.signature, call.signer)
    plain = msgspec.json.encode(payload)
    packed = zlib.compress(plain, 6)
    if len(plain) > _RATIO * len(packed):
        packed = zlib.compress(plain, 0)
    return f"{call.id}{_IN_ID}{base64.urlsafe_b64encode(packed).rstrip(b'=').decode()}"


def unload(id: str) -> Unloaded:
    """The reverse; an id that is not one of ours is left as it is."""
    plain, mark, text = id.partition(_IN_ID)
    if not mark or not plain:
        return Unloaded(id)
    try:
        packed = _from_base64(text)
        found = _load.decode(zlib.decompressobj().decompress(packed, _RATIO * len(packed)))
    except (binascii.Error, zlib.error, msgspec.DecodeError, ValueError, RecursionError):
        return Unloaded(id)
    if not all(map(_is_signer, (found.signer, *[thought.signer for thought in found.thoughts]))):
        return Unloaded(id)
    thoughts = [
        Reasoning(text=t.text, signature=t.signature, signer=t.signer, redacted=t.redacted, id=t.id)
        for t in found.thoughts
    ]
    return Unloaded(plain, tuple(thoughts), found.signature, found.signer)


def plain_id(id: str) -> str:
    """A call's id without what it carries."""
    return unload(id).id if _IN_ID in id else id


def _is_signer(name: str | None) -> bool:
    """Whether it may be a dialect's name: it will be told in headers and messages."""
    return name is None or (name.isascii() and name.isidentifier() and len(name) < 50)


def _from_base64(text: str) -> bytes:
    text = text.replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
