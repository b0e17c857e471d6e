"""`contents` and `systemInstruction` of a request: checked as Google checks them, read as turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from madang.simulator.answers import as_json
from madang.simulator.gemini.errors import invalid, violated
from madang.simulator.gemini.fields import Fields, snake
from madang.simulator.signing import Verdict, verify
from madang.simulator.tokens import estimate
from madang.simulator.vocabulary import Turn

_DATA: Final = (
    *("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode"),
    *("codeExecutionResult", "toolCall", "toolResponse"),
)
_ABOUT: Final = ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
_ROLES = ("user", "model", "function")
_DUMMIES: Final = frozenset(
    (
        "skip_thought_signature_validator",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        "context_engineering_is_the_way_to_go",
        "Y29udGV4dF9lbmdpbmVlcmluZ19pc190aGVfd2F5X3RvX2dv",
    )
)
"""Signatures that Google takes for a model's that made none: as they stand, or as bytes in base64."""
_MODALITIES: Final = {"image": "IMAGE", "audio": "AUDIO", "video": "VIDEO", "application": "DOCUMENT"}
_PER_MEDIA: Final = 258
"""What Gemini counts for an image, recorded; here for every file."""


class Part(msgspec.Struct, frozen=True):
    """One part, as far as it matters."""

    kind: str
    text: str = ""
    name: str = ""
    modality: str = "TEXT"
    kinds: tuple[str, ...] = ()
    """What is attached: `image`, `audio`, `video`, `file`."""
    thought: bool = False
    signed: bool = False
    tokens: int = 0


class Content(msgspec.Struct, frozen=True):
    """One message, its parts read."""

    role: str
    at: int
    parts: tuple[Part, ...]

    def calls(self) -> list[Part]:
        """Its function calls."""
        return [part for part in self.parts if part.kind == "functionCall"]

    def responses(self) -> list[Part]:
        """Its functions' responses."""
        return [part for part in self.parts if part.kind == "functionResponse"]


def read_contents(request: Fields) -> tuple[Content, ...]:
    """The conversation. Raises ApiError."""
    contents = tuple(_content(fields, at) for at, fields in enumerate(request.objects("contents")))
    if not contents:
        invalid("* GenerateContentRequest.contents: contents is not specified\n")
    return contents


def read_system(request: Fields) -> tuple[Part, ...]:
    """The system instruction. Raises ApiError."""
    system = request.section("systemInstruction")
    return () if system is None else _content(system, 0).parts


def _content(fields: Fields, at: int) -> Content:
    fields.refuse_unknown(("role", "parts"))
    role = fields.text("role") or "user"
    if role not in _ROLES and fields.where.startswith("contents"):
        invalid("Please use a valid role: user, model.")
    parts = tuple(_part(part) for part in fields.objects("parts"))
    if not parts:
        invalid(f"* GenerateContentRequest.{fields.where}.parts: contents.parts must not be empty.\n")
    return Content("user" if role == "function" else role, at, parts)


def _part(part: Fields) -> Part:
    part.refuse_unknown((*_DATA, *_ABOUT))
    kinds = [name for name in _DATA if name in part]
    signature = _signature(part)
    if len(kinds) > 1:
        violated(
            f"Invalid value at '{part.where}' (oneof), oneof field 'data' is already set. Cannot set "
            f"'{snake(kinds[1])}'",
            part.where,
        )
    # A signature may come alone or with an empty text, as a stream ends with it: recorded, both.
    empty = not kinds or (kinds == ["text"] and not part.text("text"))
    if empty and signature is None:
        invalid(
            f"* GenerateContentRequest.{part.where}.data: required oneof field 'data' must have one "
            "initialized field\n"
        )
    read = _data(part, kinds[0] if kinds else "text")
    if signature is not None:
        _check_signature(signature, read)
    return msgspec.structs.replace(read, thought=part.boolean("thought"), signed=signature is not None)


def _signature(part: Fields) -> str | None:
    signature = part.text("thoughtSignature")
    return signature if signature is None or signature in _DUMMIES else part.data("thoughtSignature")


def _check_signature(signature: str, part: Part) -> None:
    if signature in _DUMMIES:
        return
    verdict = verify(signature, part.name)
    wrong_call = part.kind == "functionCall" and verdict is Verdict.CHANGED
    if verdict is Verdict.FOREIGN or wrong_call:
        invalid("Corrupted thought signature.")


def _data(part: Fields, kind: str) -> Part:
    match kind:
        case "text":
            text = part.text("text") or ""
            return Part(kind, text, tokens=estimate(text))
        case "inlineData" | "fileData":
            return _media(part, kind)
        case "functionCall":
            return _call(part)
        case "functionResponse":
            return _response(part)
        case _:
            told = as_json(part.mapping(kind))
            return Part(kind, tokens=estimate(told))


def _media(part: Fields, kind: str) -> Part:
    media = part.section(kind) or part
    if kind == "inlineData":
        media.refuse_unknown(("mimeType", "data", "displayName"))
        media.data("data")
    else:
        media.refuse_unknown(("mimeType", "fileUri", "displayName"))
        media.text("fileUri")
    mime = media.text("mimeType") or ""
    if kind == "inlineData" and "/" not in mime:
        invalid(f"* GenerateContentRequest.{media.where}.mime_type: mime_type is required.\n")
    family = mime.partition("/")[0]
    what = family if family in ("image", "audio", "video") else "file"
    return Part(kind, modality=_MODALITIES.get(family, "TEXT"), kinds=(what,), tokens=_PER_MEDIA)


def _call(part: Fields) -> Part:
    call = part.section("functionCall") or part
    call.refuse_unknown(("name", "args", "id"))
    name = call.text("name")
    if not name:
        invalid(f"* GenerateContentRequest.{call.where}.name: Name cannot be empty.\n")
    call.text("id")
    told = as_json(call.mapping("args") or {})
    return Part("functionCall", told, name, tokens=estimate(name) + estimate(told))


def _response(part: Fields) -> Part:
    response = part.section("functionResponse") or part
    response.refuse_unknown(("name", "response", "id", "parts", "willContinue", "scheduling"))
    name = response.text("name")
    if not name:
        invalid(f"* GenerateContentRequest.{response.where}.name: Name cannot be empty.\n")
    told = _told(response.mapping("response") or {})
    media = [_media(item, item.names()[0]) for item in response.objects("parts") if item.names()]
    tokens = estimate(name) + estimate(told) + sum(item.tokens for item in media)
    kinds = tuple(kind for item in media for kind in item.kinds)
    return Part("functionResponse", told, name, kinds=kinds, tokens=tokens)


def _told(response: dict[str, object]) -> str:
    """What a function has returned: its words if it is but words, else JSON."""
    values = list(response.values())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else as_json(response)


def turns_of(contents: Sequence[Content], system: Sequence[Part]) -> tuple[Turn, ...]:
    """The conversation in no provider's words: a function's response is a turn of its own."""
    told = "\n".join(part.text for part in system)
    turns = [Turn("system", told)] if told else []
    for content in contents:
        turns += _turns(content)
    return tuple(turns)


def _turns(content: Content) -> Iterator[Turn]:
    spoken = ("text", "inlineData", "fileData")
    said = [part for part in content.parts if part.kind in spoken and not part.thought]
    responses = content.responses()
    if said or not responses:
        text = "\n".join(part.text for part in said if part.text)
        role = "assistant" if content.role == "model" else content.role
        kinds = tuple(kind for part in said for kind in part.kinds)
        yield Turn(role, text, len(kinds), kinds=kinds)
    for response in responses:
        kinds = response.kinds
        yield Turn("tool", response.text, len(kinds), response.name, kinds=kinds)
