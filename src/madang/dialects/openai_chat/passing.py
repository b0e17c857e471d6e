"""What a chat completion asks for, as far as passing it on needs to know."""

from __future__ import annotations

import msgspec

from madang.core.errors import BadRequest
from madang.dialects.json_body import JsonBody, kind_of

_encode = msgspec.json.Encoder().encode


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


_options = msgspec.json.Decoder(_StreamOptions | None)


class ChatRequest:
    """A request body with its outermost members known. Raises `BadRequest`."""

    __slots__ = ("asks_usage", "body", "model", "stream")
    goes_on_from = None

    def __init__(self, body: bytes) -> None:
        self.body = JsonBody(body)
        model = self.body.model
        if model is None:
            raise BadRequest("You must provide a model parameter.", code="missing_model", param="model")
        if not model.strip():
            raise BadRequest("'model' must not be blank.", code="invalid_model", param="model")
        self.model = model
        self.stream = self.body.stream
        self.asks_usage = self.stream and self._asks_usage()

    @property
    def certain(self) -> bool:
        """Whether nothing but `model` chooses the model."""
        return self.body.certain

    def for_target(self, model: str, *, add_usage: bool) -> bytes:
        """The body to send: the target's own name for the model, and usage asked for if wanted.

        Everything else keeps its bytes.
        """
        new: dict[str, bytes] = {}
        if model != self.model:
            new["model"] = _encode(model)
        if add_usage and self.stream and not self.asks_usage:
            new["stream_options"] = self._options_with_usage()
        return self.body.rewritten(new)

    def _asks_usage(self) -> bool:
        raw = self.body.members.get("stream_options")
        if raw is None:
            return False
        try:
            options = _options.decode(raw)
        except msgspec.DecodeError:
            raise BadRequest(
                f"'stream_options' must be an object, but is {kind_of(bytes(raw))}.",
                code="invalid_type",
                param="stream_options",
            ) from None
        return options is not None and bool(options.include_usage)

    def _options_with_usage(self) -> bytes:
        raw = self.body.members.get("stream_options")
        if raw is None or bytes(raw) == b"null":
            return b'{"include_usage":true}'
        return JsonBody(bytes(raw)).rewritten({"include_usage": b"true"})
