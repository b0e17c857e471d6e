"""Embeddings on OpenAI's wire: `POST /v1/embeddings`.

A vector is a list of numbers, or the base64 of 32-bit floats, little-endian, for which OpenAI's SDKs
ask if nobody else says anything.
"""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Sequence

from madang.core.embeddings import EmbedRequest, EmbedResponse
from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.core.record import Usage
from madang.dialects.reading import (
    Members,
    bad_value,
    missing,
    note,
    put,
    read_json,
    read_object,
    reading_answer,
    write_json,
    wrong,
)

_NAME = "openai_chat"


def parse_request(body: bytes) -> EmbedRequest:
    """A request for vectors. Raises `BadRequest`."""
    top = Members(read_object(body))
    form = top.left.get("encoding_format")
    if form is not None and not isinstance(form, str):
        raise wrong("encoding_format", form, "a string")
    if form not in (None, "float", "base64"):
        raise bad_value("encoding_format", form, "'float' or 'base64'")
    model = top.need_text("model")
    inputs, single = _parse_input(top.any("input"))
    return EmbedRequest(
        model=model,
        inputs=inputs,
        dimensions=top.whole("dimensions"),
        user=top.text("user"),
        extra=top.extra(_NAME, form="text" if single else "list"),
    )


def render_request(request: EmbedRequest, model: str) -> bytes:
    """The reverse. Who did not speak this dialect wants numbers."""
    form = note(request.extra, _NAME, "form")
    single = form == "text" and len(request.inputs) == 1
    out: dict[str, Json] = {"model": model, "input": request.inputs[0] if single else list(request.inputs)}
    if request.dimensions is not None:
        out["dimensions"] = request.dimensions
    if request.user is not None:
        out["user"] = request.user
    if form is None:
        out["encoding_format"] = "float"
    return write_json(put(out, request.extra, _NAME))


def _parse_input(value: Json) -> tuple[tuple[str, ...], bool]:
    """The texts, and whether it was one without a list."""
    if value is None or value == []:
        raise missing("input", "a string, or a list of at least one string")
    if isinstance(value, str):
        return (value,), True
    if not isinstance(value, list):
        raise wrong("input", value, "a string or a list of strings")
    for number, one in enumerate(value):
        if isinstance(one, list) or (isinstance(one, int) and not isinstance(one, bool)):
            raise BadRequest(
                "'input' holds tokens, which only the model they were made for can read; a target of another "
                "dialect needs the text itself.",
                code="not_expressible",
                param="input",
            )
        if not isinstance(one, str):
            raise wrong(f"input.{number}", one, "a string")
    return tuple(value), False


@reading_answer
def parse_response(body: bytes) -> EmbedResponse:
    """The vectors, in the order of the inputs. Raises `BrokenAnswer`."""
    top = Members(read_json(body))
    found: dict[int, Sequence[float]] = {}
    lefts: list[dict[str, Json]] = []
    for place, block in enumerate(top.each("data")):
        number = block.whole("index")
        found[place if number is None else number] = _read_vector(block.any("embedding"))
        if block.left.get("object") == "embedding":
            del block.left["object"]
        lefts.append(block.left)
    if top.left.get("object") == "list":
        del top.left["object"]
    usage = top.members("usage")
    return EmbedResponse(
        vectors=tuple([found[number] for number in sorted(found)]),
        usage=_read_usage(usage) if usage is not None else None,
        model=top.text("model") or "",
        extra=top.extra(_NAME, each=lefts if any(lefts) else None),
    )


def render_response(response: EmbedResponse, request: EmbedRequest) -> bytes:
    """The reverse, in the form that was asked for."""
    wants_base64 = request.extra.get(_NAME, {}).get("encoding_format") == "base64"
    each = note(response.extra, _NAME, "each") or ()
    data = [
        {
            "object": "embedding",
            "index": number,
            "embedding": _packed(vector) if wants_base64 else vector,
            **(each[number] if number < len(each) else {}),
        }
        for number, vector in enumerate(response.vectors)
    ]
    out = {
        "object": "list",
        "data": data,
        "model": response.model or request.model,
        "usage": _write_usage(response.usage or Usage()),
    }
    return write_json(put(out, response.extra, _NAME))


def _read_usage(block: Members) -> Usage:
    prompt, total = block.whole("prompt_tokens"), block.whole("total_tokens")
    if total != prompt and total is not None:
        block.left["total_tokens"] = total
    return Usage(input_tokens=prompt, extra=block.extra(_NAME))


def _write_usage(usage: Usage) -> dict[str, Json]:
    # OpenAI's SDK insists on both; where nobody counted there is nothing better to say.
    count = usage.input_tokens or 0
    left = usage.extra.get(_NAME, {})
    return {"prompt_tokens": count, "total_tokens": count, **left}


def _read_vector(value: Json) -> Sequence[float]:
    if isinstance(value, str):
        return _unpacked(value)
    array("d", value)  # raises where one is no number
    return list(value)


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(_little(array("f", vector)).tobytes()).decode()


def _unpacked(text: str) -> Sequence[float]:
    values = array("f")
    values.frombytes(base64.b64decode(text, validate=True))
    return _little(values).tolist()


def _little(values: array[float]) -> array[float]:
    if sys.byteorder == "big":
        values.byteswap()
    return values
