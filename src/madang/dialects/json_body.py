"""A JSON request body, read only as far as somebody needs: its outermost members, unopened.

The bytes stay as they came. Where the model's name must change, only its own bytes do, unless
the body is one that two readers could read in two ways (the name twice, or spelt with escapes):
then it is written anew from its members, each with its exact bytes, so that the provider reads
what we read, and nobody asks for a model other than the one that was allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from madang.core.errors import BadRequest

T = TypeVar("T")

_members = msgspec.json.Decoder(dict[str, Raw])
_model = msgspec.json.Decoder(str | None)
_flag = msgspec.json.Decoder(bool | None)
_encoder = msgspec.json.Encoder()

_SMALL = 4096
"""Bytes of a body below which looking through it is cheaper than writing it anew."""
_MODEL_KEY = re.compile(rb'"model"\s*:\s*')
# A letter written as an escape: legal, never needed, and a way to hide a second "model".
_CHOOSING = frozenset(("model", "models", "fallbacks"))
"""Members that some provider or other takes for a choice of models (OpenRouter: `models`)."""
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")


class JsonBody:
    """A body that is a JSON object. Raises `BadRequest` on reading one that is not."""

    __slots__ = ("bytes", "members", "model", "stream")

    def __init__(self, body: bytes) -> None:
        self.bytes = body
        self.members = _read(body)
        self.model: str | None = self._member("model", _model, "a string")
        self.stream: bool = bool(self._member("stream", _flag, "true or false"))

    @property
    def certain(self) -> bool:
        """Whether no other member chooses a model for any reader; Go's finds `Model` as well as `model`."""
        return _CHOOSING.isdisjoint(name.casefold() for name in self.members if name != "model")

    def rewritten(self, new: Mapping[str, bytes]) -> bytes:
        """The body with the members of `new` (name to JSON) replaced or added, all else as it came.

        With nothing to replace it is the body itself, unless that is ambiguous.
        """
        body = self.bytes
        if len(body) < _SMALL and body.count(b'"model"') == 1 and b"\\u00" not in body:
            return self._in_place(new) or self._anew(new)[0]
        out, grown = self._anew(new)
        if len(out) - grown == len(body):
            # Writing it anew made it no shorter: there was no white space and no name twice, so this
            # is the body to the byte, but for what is new.
            return out
        if not self.members or _ESCAPED_LETTER.search(body):
            return out
        named = len(_MODEL_KEY.findall(body))
        if named > 1:
            named -= sum(len(_MODEL_KEY.findall(bytes(value))) for value in self.members.values())
            return out if new or named > 1 else body
        return self._in_place(new) or out

    def _anew(self, new: Mapping[str, bytes]) -> tuple[bytes, int]:
        """The body written from its members, and by how much that is longer for what is new."""
        members = self.members
        out = _encoder.encode({**members, **{name: Raw(value) for name, value in new.items()}})
        grown = 0
        for name, value in new.items():
            old = members.get(name)
            grown += len(value) - len(bytes(old)) if old is not None else len(value) + len(name) + 4
        return out, grown

    def _in_place(self, new: Mapping[str, bytes]) -> bytes | None:
        body = self.bytes
        if not self.members:
            return None
        for name, value in new.items():
            if name not in self.members:
                start = body.index(b"{") + 1
                body = body[:start] + b'"%s": %s, ' % (name.encode(), value) + body[start:]
                continue
            key = _MODEL_KEY.search(body) if name == "model" else None
            old = bytes(memoryview(self.members[name]))
            if key is None or not body.startswith(old, key.end()):
                return None
            body = body[: key.end()] + value + body[key.end() + len(old) :]
        return body

    def _member(self, name: str, decoder: msgspec.json.Decoder[T], want: str) -> T | None:
        raw = self.members.get(name)
        if raw is None:
            return None
        try:
            return decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BadRequest(
                f"'{name}' must be {want}, but is {kind_of(bytes(raw))}.", code="invalid_type", param=name
            ) from None


def kind_of(value: bytes) -> str:
    """What a JSON value is, in words."""
    return _KINDS.get(value[:1], "a number")


_KINDS = {b'"': "a string", b"{": "an object", b"[": "a list", b"t": "true", b"f": "false", b"n": "null"}


def _read(body: bytes) -> Mapping[str, Raw]:
    try:
        found = _members.decode(body)
        if not body.isascii():
            body.decode()  # the decoder does not look into what it does not open
    except msgspec.ValidationError:
        raise BadRequest(
            f"The request body must be a JSON object, but is {kind_of(body.lstrip())}.", code="invalid_type"
        ) from None
    except UnicodeDecodeError as problem:
        raise BadRequest(
            f"The request body is not valid UTF-8 (byte {problem.start}).", code="invalid_encoding"
        ) from None
    except RecursionError:
        raise BadRequest(
            "The request body is nested too deeply to be read.", code="nested_too_deeply"
        ) from None
    except msgspec.DecodeError as problem:
        return _read_slowly(body, problem)
    return found


def _read_slowly(body: bytes, problem: msgspec.DecodeError) -> Mapping[str, Raw]:
    """What msgspec refuses and JSON allows: a lone surrogate written as an escape (RFC 8259, section 8.2)."""
    try:
        if rb"\u" not in body:
            raise ValueError
        # Decoded here: `loads` would guess an encoding, and take UTF-16 and surrogates as bytes.
        members = json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequest(_malformed(body, str(problem)), code="invalid_json") from None
    if not isinstance(members, dict):
        raise BadRequest("The request body must be a JSON object.", code="invalid_type")
    return {name: Raw(json.dumps(value).encode()) for name, value in members.items()}


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _malformed(body: bytes, said: str) -> str:
    if not body.strip():
        return "The request body is empty; send a JSON object."
    if body.startswith(b"\xef\xbb\xbf"):
        return "The request body is not valid JSON: it begins with a byte order mark; leave that out."
    if "truncated" in said:
        return "The request body is not valid JSON: it ends too early."
    return f"The request body is not valid JSON: {said.removeprefix('JSON is malformed: ')}."
