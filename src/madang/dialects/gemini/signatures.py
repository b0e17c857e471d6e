"""Thought signatures: the member `thoughtSignature` of a part, and whose it is.

Gemini's own come and go as they are. A client gets those of other dialects wrapped by `carry.wrap`
in base64, since Google's SDKs decode the member to bytes and encode it again, some in the URL-safe
alphabet: a signature that comes back so is the same, and is read in the standard alphabet.
"""

from __future__ import annotations

from typing import NamedTuple

from madang.core.messages import Extra, Json, Reasoning, ToolCall
from madang.dialects.carry import unwrap, wrap
from madang.dialects.gemini.spelling import NAME, Spelled
from madang.dialects.reading import note

SKIP = "skip_thought_signature_validator"
"""For a call that Gemini 3 did not make: it refuses calls of the current turn without a signature, but
takes this one (ai.google.dev/gemini-api/docs/thought-signatures, FAQ, 2026)."""
_NO_SIGNATURES = frozenset(
    (
        SKIP,
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        "context_engineering_is_the_way_to_go",
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
    )
)
"""That and its elder, as text and as the bytes an SDK makes of it: nobody has signed: a note of form."""
_REDACTED, _SHOWN = "-", "+"
"""What a wrapped signature begins with: whether it is all there is of a thought (Go's SDK drops an empty
`text`, so that its absence says nothing); up to the end of the line the name of the thought follows."""


class Signed(NamedTuple):
    """What was read."""

    signature: str | None = None
    signer: str | None = None
    redacted: bool = False
    id: str | None = None
    """Of a thought: OpenAI's name of it."""
    url_safe: bool | None = None
    in_its_place: str | None = None
    """What says that there is none."""

    @property
    def notes(self) -> dict[str, Json]:
        """How it was written."""
        return {"url_safe": self.url_safe, "no_signature": self.in_its_place}


def parse_signature(block: Spelled) -> Signed:
    """The signature of a part, or nothing."""
    text = block.text("thoughtSignature")
    if text is None:
        return Signed()
    if text in _NO_SIGNATURES:
        return Signed(in_its_place=text)
    signature, signer = unwrap(text, NAME)
    if signer != NAME:
        head, _, signature = signature.partition("\n")
        return Signed(signature, signer, head.startswith(_REDACTED), head[1:] or None)
    if is_url_safe(text):
        return Signed(standard(text), NAME, url_safe=True)
    return Signed(text, NAME)


def is_ours(signer: str | None) -> bool:
    """Whether Gemini's providers understand the signature."""
    return signer == NAME or signer is None


def mark_unsigned(part: dict[str, Json], extra: Extra) -> None:
    """Put in a signature's place what was there."""
    said = note(extra, NAME, "no_signature")
    if said is not None:
        part["thoughtSignature"] = said


def sign(part: dict[str, Json], signature: str, extra: Extra) -> None:
    """Put a signature of Gemini's own on a part."""
    part["thoughtSignature"] = url_safe(signature) if note(extra, NAME, "url_safe") else signature


def sign_for_client(part: dict[str, Json], signed: Reasoning | ToolCall, signature: str) -> None:
    """Put anybody's signature on a part that goes to a client."""
    if is_ours(signed.signer):
        sign(part, signature, signed.extra)
    elif isinstance(signed, Reasoning):
        head = f"{_REDACTED if signed.redacted else _SHOWN}{signed.id or ''}"
        part["thoughtSignature"] = wrap(f"{head}\n{signature}", signed.signer, NAME)
    else:
        part["thoughtSignature"] = wrap(f"{_SHOWN}\n{signature}", signed.signer, NAME)


def is_url_safe(data: str) -> bool:
    """Whether base64 is in the URL-safe alphabet, as far as it shows."""
    return "-" in data or "_" in data


def standard(data: str) -> str:
    """Base64 in the standard alphabet."""
    return data.replace("-", "+").replace("_", "/")


def url_safe(data: str) -> str:
    """Base64 in the URL-safe alphabet."""
    return data.replace("+", "-").replace("/", "_")
