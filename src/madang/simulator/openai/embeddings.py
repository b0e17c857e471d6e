"""POST /v1/embeddings: the request and its answer; the vectors are made in `vectors.py`."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

import msgspec

from madang.simulator.dialect import Reply, Wishes
from madang.simulator.openai.chat_requests import read_model
from madang.simulator.openai.fields import Fields, invalid, read_object, wrong_type
from madang.simulator.request import Request
from madang.simulator.tokens import estimate
from madang.simulator.vectors import vector
from madang.simulator.vocabulary import ApiError

_SIZES = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536}
_UNSHORTENED = ("text-embedding-ada-002",)
_DEFAULT_SIZE, _LARGEST = 1536, 3072
_MOST_INPUTS = 2048
_KNOWN = frozenset(("model", "input", "encoding_format", "dimensions", "user"))


class Embedding(msgspec.Struct, frozen=True):
    """A request for vectors."""

    model: str
    inputs: tuple[str, ...]
    prompt_tokens: int
    size: int
    base64: bool

    @property
    def text(self) -> str:
        """All inputs."""
        return "\n".join(self.inputs)

    @property
    def cost(self) -> int:
        """The input's tokens."""
        return self.prompt_tokens

    @property
    def streamed(self) -> bool:
        """Never."""
        return False

    def reply(self, wishes: Wishes) -> Reply:
        """The vectors."""
        body = {
            "object": "list",
            "data": [self._entry(text, index, wishes.seed) for index, text in enumerate(self.inputs)],
            "model": self.model,
            "usage": {"prompt_tokens": self.prompt_tokens, "total_tokens": self.prompt_tokens},
        }
        return Reply(msgspec.json.encode(body))

    def _entry(self, text: str, index: int, seed: int) -> dict[str, object]:
        values = vector(text, self.size, seed)
        shown: object = values
        if self.base64:
            shown = base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
        return {"object": "embedding", "embedding": shown, "index": index}


def read_embedding(request: Request, strict: bool) -> Embedding:
    """A body as an embedding request. Raises ApiError."""
    fields = read_object(request.body)
    model = read_model(fields)
    if strict:
        fields.refuse_unknown(_KNOWN)
    inputs, tokens = _inputs(fields)
    size = _size(fields, model)
    encoding = fields.one_of("encoding_format", ("float", "base64"))
    return Embedding(model, inputs, tokens, size, encoding == "base64")


def _size(fields: Fields, model: str) -> int:
    """How long the vectors are: as long as the model's, unless shorter ones are wanted."""
    own, wanted = _SIZES.get(model), fields.integer("dimensions", 1)
    if wanted is None:
        return own or _DEFAULT_SIZE
    if model in _UNSHORTENED:
        raise ApiError(400, "This model does not support specifying dimensions.")
    if wanted > (most := own or _LARGEST):
        invalid(
            f"Invalid value for 'dimensions' = {wanted}. Must be less than or equal to {most}.", "dimensions"
        )
    return wanted


def _inputs(fields: Fields) -> tuple[tuple[str, ...], int]:
    """The texts, and what they cost in all. Token numbers count one each and are read as words."""
    fields.required("input")
    value = fields.raw("input")
    if isinstance(value, str):
        if not value:
            invalid("Invalid 'input': input cannot be an empty string.", "input", "invalid_value")
        return (value,), estimate(value)
    items = fields.array("input", "one of a string, array of strings or array of tokens", _MOST_INPUTS, 1)
    if items is None:
        wrong_type("input", "a string or an array", None)
    if all(_is_token(item) for item in items):
        items = [items]
    read = [_input(item, at) for at, item in enumerate(items)]
    return tuple(text for text, _ in read), sum(tokens for _, tokens in read)


def _input(item: object, at: int) -> tuple[str, int]:
    if isinstance(item, str) and item:
        return item, estimate(item)
    if isinstance(item, list) and item and all(_is_token(token) for token in item):
        return _token_text(item), len(item)
    where = f"input[{at}]"
    message = f"Invalid '{where}': expected a non-empty string or an array of tokens."
    raise ApiError(400, message, param=where, code="invalid_value")


def _is_token(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def _token_text(tokens: Sequence[object]) -> str:
    return " ".join(map(str, tokens))
