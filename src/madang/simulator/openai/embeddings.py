"""POST /v1/embeddings: vectors that repeat, and that are nearer for texts with more in common.

Feature hashing: every word and every run of three letters adds to a few places of the vector.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from madang.simulator.dialect import Reply, Wishes
from madang.simulator.openai.chat_requests import read_model
from madang.simulator.openai.fields import Fields, invalid, read_object, wrong_type
from madang.simulator.request import Request
from madang.simulator.tokens import estimate
from madang.simulator.vocabulary import ApiError

_WORD = re.compile(r"\w+")
_PLACES = 4
_SALT = (1 << 64) - 1
_SIZES = {"text-embedding-3-large": 3072}
_DEFAULT_SIZE = 1536
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


def vector(text: str, size: int, seed: int) -> list[float]:
    """A vector of length one. Never all zero: the seed always leaves a trace."""
    values = [0.0] * size
    for feature, weight in _features(text):
        digest = blake2b(
            feature.encode("utf-8", "surrogatepass"),
            digest_size=4 * _PLACES,
            salt=(seed & _SALT).to_bytes(8, "big"),
        ).digest()
        for place in struct.unpack(f"<{_PLACES}I", digest):
            values[(place >> 1) % size] += weight if place & 1 else -weight
    length = math.sqrt(sum(value * value for value in values))
    if length == 0.0:
        values[seed % size] = length = 1.0
    return [value / length for value in values]


def _features(text: str) -> list[tuple[str, float]]:
    words = _WORD.findall(text.lower())
    runs = [word[at : at + 2] for word in words for at in range(len(word) - 1) if not word.isascii()]
    return [("", 0.1), *((word, 1.0) for word in words), *((run, 0.5) for run in runs)]


def read_embedding(request: Request, strict: bool) -> Embedding:
    """A body as an embedding request. Raises ApiError."""
    fields = read_object(request.body)
    model = read_model(fields)
    if strict:
        fields.refuse_unknown(_KNOWN)
    inputs, tokens = _inputs(fields)
    size = fields.integer("dimensions", 1, _SIZES["text-embedding-3-large"])
    if size is None:
        size = _SIZES.get(model, _DEFAULT_SIZE)
    encoding = fields.one_of("encoding_format", ("float", "base64"))
    return Embedding(model, inputs, tokens, size, encoding == "base64")


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
