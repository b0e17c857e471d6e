"""Ids that tell which thoughts they came from, and thoughts in an envelope only we can open.

OpenAI looks both up in its memory. Here they carry what is needed, so that a check holds across
requests that are not stored, across simulators and restarts.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import blake2b

from madang.simulator.vocabulary import Stamp

_KEY = b"madang simulator"
_NONE = 0xFF
_TOKEN, _TIME, _CHECK = 29, 8, 9
_VERSION = b"\x80"
"""The first byte of a Fernet token, as OpenAI's are: with four bytes of time they begin `gAAAAA`."""
_SHORTEST = 192
"""Bytes an envelope holds at least, so that it looks like thoughts."""


def response_id(stamp: Stamp) -> str:
    """The id of a response: `resp_` and 50 characters, as recorded."""
    return "resp_" + _body(stamp.token, f"{stamp.created & 0xFFFFFFFF:08x}", _NONE, _NONE)


def item_id(prefix: str, stamp: Stamp, index: int, thought: int | None) -> str:
    """The id of an output item; `thought` is the index of the reasoning item it must travel with."""
    time = f"{stamp.created & 0xFFFFFFFF:08x}"
    return f"{prefix}_{_body(stamp.token, time, index, _NONE if thought is None else thought)}"


def needed_thought(identifier: str) -> str | None:
    """The id of the reasoning item an item has to travel with; None if none, or if the id is not ours."""
    body = identifier.partition("_")[2]
    if len(body) != _TOKEN + _TIME + 4 + _CHECK:
        return None
    token, time, rest = body[:_TOKEN], body[_TOKEN : _TOKEN + _TIME], body[_TOKEN + _TIME :]
    try:
        index, thought = int(rest[:2], 16), int(rest[2:4], 16)
    except ValueError:
        return None
    if thought == _NONE or body != _body(token, time, index, thought):
        return None
    return f"rs_{_body(token, time, thought, _NONE)}"


def _body(token: str, time: str, index: int, thought: int) -> str:
    start = f"{token}{time}{index:02x}{thought:02x}"
    return start + blake2b(start.encode(), digest_size=5, key=_KEY).hexdigest()[:_CHECK]


def seal(identifier: str, created: int, size: int) -> str:
    """An envelope for the thoughts of a reasoning item: `gAAAAA…`, longer for `size` more tokens."""
    said = identifier.encode()
    filled = said + b"\0" + blake2b(said, key=_KEY).digest() * (max(_SHORTEST, size * 4) // 64)
    hidden = _masked(filled, created)
    head = _VERSION + created.to_bytes(8, "big")
    return base64.urlsafe_b64encode(head + hidden + _mac(head + hidden)).decode()


def unseal(envelope: str) -> str | None:
    """The id of the reasoning item whose thoughts these are; None if changed, or not ours."""
    try:
        data = base64.b64decode(envelope.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    head, hidden, mac = data[:9], data[9:-32], data[-32:]
    if base64.urlsafe_b64encode(data).decode() != envelope:  # another spelling of the same bytes is a change
        return None
    if head[:1] != _VERSION or not hmac.compare_digest(_mac(head + hidden), mac):
        return None
    return _masked(hidden, int.from_bytes(head[1:], "big")).partition(b"\0")[0].decode()


def _mac(data: bytes) -> bytes:
    return blake2b(data, digest_size=32, key=_KEY).digest()


def _masked(data: bytes, created: int) -> bytes:
    """The same bytes, unreadable; masked twice, readable again."""
    pad = blake2b(created.to_bytes(8, "big"), key=_KEY).digest()
    pads = pad * (len(data) // len(pad) + 1)
    return bytes(one ^ other for one, other in zip(data, pads, strict=False))
