"""Embeddings: `embedContent` (one text) and `batchEmbedContents` (a list of the same requests).

Only texts: an image that `gemini-embedding-2` embeds passes to Google as it is, and nowhere else.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from madang.core.embeddings import EmbedRequest, EmbedResponse
from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.dialects.gemini.spelling import NAME, Spelled, leftover, respell
from madang.dialects.gemini.usage import parse_usage, render_usage
from madang.dialects.reading import (
    Members,
    missing,
    note,
    put,
    read_json,
    read_object,
    reading_answer,
    write_json,
)

_PREFIX = "models/"


def parse_request(body: bytes, model: str | None) -> EmbedRequest:
    """A request for vectors. Raises `BadRequest`."""
    top = Members(read_object(body))
    values = top.items("requests")
    if values is None and "requests" in top.left:
        raise missing("requests", "a list of at least one request")
    single = values is None
    blocks = [
        Spelled(value, "" if single else f"requests.{number}")
        for number, value in enumerate([top.left] if values is None else values)
    ]
    if not blocks:
        raise missing("requests", "a list of at least one request")
    said = [block.text("model") for block in blocks]
    name = model if model is not None else said[0]
    if name is None:
        raise missing(blocks[0].at("model"), "the model's name, here or in the path")
    texts: list[str] = []
    each: list[dict[str, Json]] = []
    settings = _parse_settings(blocks)
    for block, own in zip(blocks, said, strict=True):
        pieces = _parse_texts(block)
        texts.append("".join(pieces))
        cuts = [len(piece) for piece in pieces] if len(pieces) != 1 else None
        notes = block.extra(NAME, cuts=cuts, named=(own is not None) if (own is None) != single else None)
        each.append({**notes.get(NAME, {})})
    left = {} if single else top.left
    return EmbedRequest(
        model=name.removeprefix(_PREFIX),
        inputs=tuple(texts),
        extra={NAME: {**left, "$each": each, "$single": single}},
        **settings,
    )


def render_request(request: EmbedRequest, model: str) -> bytes:
    """The body of `batchEmbedContents`; of `embedContent`, if that is what came."""
    each = note(request.extra, NAME, "each") or ()
    single = bool(note(request.extra, NAME, "single"))
    requests = [
        _render_one(request, text, model, each[number] if number < len(each) else {}, named=not single)
        for number, text in enumerate(request.inputs)
    ]
    if single and len(requests) == 1:
        return write_json(requests[0])
    return write_json(put({"requests": requests}, request.extra, NAME))


def _render_one(
    request: EmbedRequest, text: str, model: str, left: dict[str, Json], *, named: bool
) -> dict[str, Json]:
    extra = {NAME: left}
    out: dict[str, Json] = {}
    if note(extra, NAME, "named") if "$named" in left else named:
        out["model"] = _PREFIX + model.removeprefix(_PREFIX)
    cuts = note(extra, NAME, "cuts")
    parts = [{"text": piece} for piece in _cut(text, cuts if cuts is not None else [len(text)])]
    content = {**leftover(extra, "content"), "parts": parts}
    out["content"] = content
    if request.dimensions is not None:
        out["outputDimensionality"] = request.dimensions
    if request.task is not None:
        out["taskType"] = request.task
    if request.title is not None:
        out["title"] = request.title
    out = put(out, extra, NAME)
    respell(extra, content, out)
    return out


def _cut(text: str, lengths: Sequence[int]) -> list[str]:
    """A text in pieces of these lengths, if it still is as long."""
    if sum(lengths) != len(text):
        return [text]
    pieces, start = [], 0
    for length in lengths:
        pieces.append(text[start : start + length])
        start += length
    return pieces


def _parse_texts(block: Spelled) -> list[str]:
    content = block.members("content")
    if content is None:
        raise missing(block.at("content"), "an object with 'parts'")
    path = content.at("parts")
    values = content.listed("parts")
    if not values:
        raise missing(path, "a list of at least one part with 'text'")
    texts = []
    for number, value in enumerate(values):
        part = Members(value, f"{path}.{number}")
        text = part.text("text")
        if text is None:
            raise BadRequest(
                f"'{part.path}' is no text, and only texts are embedded by a target of another dialect.",
                code="not_expressible",
                param=part.path,
            )
        texts.append(text)
    block.keep("content", content)
    return texts


def _parse_settings(blocks: Sequence[Spelled]) -> dict[str, Json]:
    """What is wanted of all; where one wants something else, it is left over with each."""
    found: dict[str, Json] = {}
    for ours, name in (("dimensions", "outputDimensionality"), ("task", "taskType"), ("title", "title")):
        values = [block.whole(name) if ours == "dimensions" else block.text(name) for block in blocks]
        if all(value == values[0] for value in values):
            found[ours] = values[0]
            continue
        for block, value in zip(blocks, values, strict=True):
            if value is not None:
                block.left[name] = value
    return found


@reading_answer
def parse_response(body: bytes) -> EmbedResponse:
    """The vectors. Raises `BrokenAnswer`."""
    top = Members(read_json(body))
    blocks = list(top.each("embeddings"))
    single = top.members("embedding") if not blocks else None
    if single is not None:
        blocks = [single]
    vectors = tuple([_vector(block) for block in blocks])
    usage = top.object("usageMetadata")
    each = [block.left for block in blocks] if any(block.left for block in blocks) else None
    return EmbedResponse(
        vectors=vectors,
        usage=parse_usage(usage) if usage is not None else None,
        extra=top.extra(NAME, each=each, single=single is not None or None),
    )


def _vector(block: Members) -> Sequence[float]:
    values = block.items("values") or []
    array("d", values)  # raises where one is no number
    return values


def render_response(response: EmbedResponse, *, batch: bool) -> bytes:
    """The reverse; without `batch`, the answer to `embedContent`."""
    each = note(response.extra, NAME, "each") or ()
    embeddings = [
        {"values": vector, **(each[number] if number < len(each) else {})}
        for number, vector in enumerate(response.vectors)
    ]
    out: dict[str, Json] = {"embeddings": embeddings} if batch else {"embedding": (embeddings or [{}])[0]}
    if response.usage is not None:
        out["usageMetadata"] = render_usage(response.usage)
    return write_json(put(out, response.extra, NAME))
