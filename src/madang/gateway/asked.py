"""What a call asks for, as far as finding a target needs to know; and its body for that target.

A body is opened only as far as that: the model's name and whether a stream is wanted, in JSON, in
forms, or in the path. Only where the name must change is it touched. Reading all of it, for a target
that speaks another dialect, is `translate.py`'s work.
"""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

from madang.core.errors import BadRequest, UnsupportedMedia
from madang.dialects.json_body import JsonBody
from madang.dialects.multipart import find_field, replace_field
from madang.dialects.openai_chat.passing import ChatRequest
from madang.gateway.call import Call
from madang.gateway.paths import Place

_encode = msgspec.json.Encoder().encode
_id = msgspec.json.Decoder(str | None)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_COUNTED, _BATCH = "generateContentRequest", "requests"
_OTHERWISE = frozenset(("generatecontentrequest", "requests"))
"""These, as Google's or another's reader may take them from another spelling (`generate_content_request`)."""
_BOUNDARY = re.compile(rb'boundary=(?:"([^"\\]{1,200})"|([^\s"\\]{1,200}))', re.IGNORECASE)


class Asked(Protocol):
    """A request, known as far as routing needs."""

    @property
    def model(self) -> str | None:
        """The model it names, if its operation names one."""

    @property
    def stream(self) -> bool:
        """Whether it asks for a stream, as far as we know."""

    @property
    def goes_on_from(self) -> str | None:
        """The id of a stored answer that it goes on from."""

    @property
    def asks_usage(self) -> bool:
        """Whether it asked for the usage of a stream itself."""

    @property
    def certain(self) -> bool:
        """Whether nothing else in the body chooses a model, whoever reads it."""

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        """The body to send to a target that calls the model so."""


class _Opaque:
    __slots__ = ("_body",)
    model: str | None = None
    stream = False
    asks_usage = True
    certain = False
    goes_on_from = None

    def __init__(self, body: bytes) -> None:
        self._body = body

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        return self._body


class _OpaqueJson:
    __slots__ = ("_json", "model", "stream")
    asks_usage = True
    goes_on_from = None

    def __init__(self, body: bytes) -> None:
        self._json = JsonBody(body)
        self.model = self._json.model
        self.stream = self._json.stream

    @property
    def certain(self) -> bool:
        return self._json.certain

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        return self._json.rewritten({"model": _encode(model)} if model != self.model else {})


class _Native:
    """A request for an answer that its dialect's targets get as it is."""

    __slots__ = ("_json", "model", "stream")
    asks_usage = True

    def __init__(self, body: bytes) -> None:
        self._json = JsonBody(body)
        self.model = self._json.model
        self.stream = self._json.stream
        if self.model is None and "prompt" not in self._json.members:
            raise BadRequest("You must provide a model parameter.", code="missing_model", param="model")
        if self.model is not None and not self.model.strip():
            raise BadRequest("'model' must not be blank.", code="invalid_model", param="model")

    @property
    def goes_on_from(self) -> str | None:
        raw = self._json.members.get("previous_response_id")
        try:
            return _id.decode(raw) if raw is not None else None
        except msgspec.DecodeError:
            return None  # the provider says what is wrong with it

    @property
    def certain(self) -> bool:
        return self._json.certain

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        return self._json.rewritten({"model": _encode(model)} if model != self.model else {})


class _Google:
    """A request whose model stands in the path; where the body says it again, both must agree."""

    __slots__ = ("_inner", "_json", "model", "stream")
    asks_usage = True
    goes_on_from = None

    def __init__(self, body: bytes, place: Place) -> None:
        self._json = JsonBody(body)
        self._inner: dict[str, list[JsonBody]] = {}
        """The requests within it: a whole one whose tokens are counted, those of a batch."""
        members = self._json.members
        if _COUNTED in members:
            self._inner[_COUNTED] = [JsonBody(bytes(members[_COUNTED]))]
        if _BATCH in members:
            self._inner[_BATCH] = self._batch(members[_BATCH])
        self.model = place.model
        self.stream = bool(place.stream)

    @property
    def certain(self) -> bool:
        inner = [one for bodies in self._inner.values() for one in bodies]
        return all(one.certain and _OTHERWISE.isdisjoint(_spellings(one)) for one in (self._json, *inner))

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        name = model if model.startswith("tunedModels/") else f"models/{model}"
        bodies = [self._json, *[one for bodies in self._inner.values() for one in bodies]]
        if model == self.model and all(one.model in (None, model, name) for one in bodies):
            return self._json.bytes if self._json.model is None else self._json.rewritten({})
        written = _encode(name)
        new = {"model": written} if self._json.model is not None else {}
        for place, inner in self._inner.items():
            within = [one.rewritten({"model": written}) for one in inner]
            new[place] = within[0] if place == _COUNTED else b"[" + b",".join(within) + b"]"
        return self._json.rewritten(new)

    def _batch(self, written: msgspec.Raw) -> list[JsonBody]:
        try:
            return [JsonBody(bytes(one)) for one in _list.decode(written)]
        except msgspec.DecodeError:
            raise BadRequest(
                "'requests' must be a list of objects.", code="invalid_type", param="requests"
            ) from None


def _spellings(body: JsonBody) -> list[str]:
    return [name.replace("_", "").casefold() for name in body.members if name not in (_COUNTED, _BATCH)]


class _OpaqueForm:
    __slots__ = ("_body", "_boundary", "model")
    stream = False
    goes_on_from = None
    asks_usage = True
    certain = True

    def __init__(self, body: bytes, boundary: bytes) -> None:
        self._body = body
        self._boundary = boundary
        found = find_field(body, boundary, b"model")
        try:
            self.model = found.decode() if found is not None else None
        except UnicodeDecodeError:
            raise BadRequest("'model' is not valid UTF-8.", code="invalid_encoding", param="model") from None

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        if model == self.model:
            return self._body
        return replace_field(self._body, self._boundary, b"model", model.encode())


def read(call: Call) -> Asked:
    """Read a call as far as needed. Raises `ClientError`."""
    if call.refusal is not None:
        raise call.refusal
    encoding = call.header(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise UnsupportedMedia(
            "Compressed request bodies are not taken; send the body without Content-Encoding.",
            code="unsupported_content_encoding",
        )
    if call.dialect is not None:
        return of_answer(call.place, call.body)
    if call.place.verb is not None and call.method == "POST":
        return _Google(call.body, call.place)
    if not call.body:
        return _Opaque(b"")
    if sum(name == b"content-type" for name, _ in call.headers) > 1:
        raise BadRequest("The request has two Content-Types.", code="invalid_content_type")
    kind, _, parameters = (call.header(b"content-type") or b"").partition(b";")
    kind = kind.strip().lower()
    if kind == b"multipart/form-data":
        return _OpaqueForm(call.body, _boundary(parameters))
    if kind == b"application/json" or (not kind and call.body.lstrip()[:1] == b"{"):
        return _OpaqueJson(call.body)
    return _Opaque(call.body)


def of_answer(place: Place, body: bytes) -> Asked:
    """A body that asks for an answer, in the dialect of its place. Raises `BadRequest`."""
    if place.dialect == "openai_chat":
        return ChatRequest(body)
    return _Native(body) if place.verb is None else _Google(body, place)


def _boundary(parameters: bytes) -> bytes:
    told = [one.strip() for one in parameters.split(b";") if one.strip().lower().startswith(b"boundary")]
    found = _BOUNDARY.fullmatch(told[0]) if len(told) == 1 else None
    if found is None:
        raise BadRequest(
            "The Content-Type says multipart/form-data without a boundary, or with one that is none.",
            code="missing_boundary",
        )
    return found[1] or found[2]
