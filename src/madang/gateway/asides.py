"""Counting tokens and embedding texts at a target that speaks another dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from madang.core.embeddings import EmbedRequest, EmbedResponse
from madang.core.errors import BadRequest, BrokenAnswer, ProviderError
from madang.core.messages import Media, Message, Opaque, Part, Reasoning, Refusal, Text, ToolCall, ToolResult
from madang.core.record import Usage
from madang.core.requests import Request
from madang.dialects import losses
from madang.dialects.anthropic import counting as anthropic
from madang.dialects.every import DIALECTS
from madang.dialects.gemini import counting as gemini
from madang.dialects.gemini import embeddings as gemini_embeddings
from madang.dialects.gemini.requests import path_of
from madang.dialects.openai_chat import embeddings as openai_embeddings
from madang.dialects.tap import Heard
from madang.gateway.beside import beside
from madang.gateway.call import Call, Headers
from madang.gateway.translate import WholeReply, read_error, read_whole
from madang.providers.door import Reply
from madang.routing.routes import Target

_JSON: Headers = [(b"content-type", b"application/json")]
_COUNTED = frozenset(
    ("input", "instructions", "model", "parallel_tool_calls", "reasoning", "text", "tool_choice", "tools")
)
"""What OpenAI's `/responses/input_tokens` takes (openai-python 3.51, `InputTokenCountParams`)."""
_EMBEDDING = frozenset(("openai_chat", "openai_responses", "gemini"))
_KEPT_ELSEWHERE = ("conversation", "previous_response_id", "prompt")
"""What stands for words that only its provider has: nobody else can say how many they are."""
_PER_MESSAGE = 4
_PER_MEDIA = 1000
_PER_CHARACTER = {True: 0.25, False: 0.75}
"""Tokens for an ASCII character and for another one: what tokenizers of today need of English and of
Korean, within a fifth or so. An estimate, and said to be one."""


class _Count(msgspec.Struct):
    input_tokens: int


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_count = msgspec.json.Decoder(_Count)


async def count(call: Call, target: Target) -> WholeReply:
    """How many tokens a request has, by the target's own count if it has one. Raises `CallError`."""
    model, size = target.model or "", len(call.body)
    request = await beside(size, _parse_counted, call)
    for dialect in target.provider.dialects:
        try:
            lost = await beside(size, losses.find, request, dialect, model)
            question = await beside(size, _question, request, dialect, model)
            if question is None:
                continue
            found = question.parse(await _ask(target, question.path, question.body, dialect))
        except BadRequest as problem:
            if problem.param in _KEPT_ELSEWHERE:
                raise
            continue  # that dialect has no words for it; it is counted in another way
        except ProviderError as problem:
            if problem.status not in (404, 405, 501):
                raise
            continue
        return _reply(_RENDER[call.place.counts or ""](found), losses.header(lost) or None)
    counted = await beside(size, estimate, request)
    return _reply(_RENDER[call.place.counts or ""](counted), "count;emulate")


def _parse_counted(call: Call) -> Request:
    match call.place.counts:
        case "gemini":
            return gemini.parse_count_request(call.body, call.place.model or "")
        case "openai_responses":
            return DIALECTS["openai_responses"].parse_request(call.body, None, None)
        case _:
            return anthropic.parse_count_request(call.body)


class _Question(msgspec.Struct, frozen=True):
    """How a dialect is asked for a count."""

    path: str
    body: bytes
    parse: Callable[[bytes], int]


def _question(request: Request, dialect: str, model: str) -> _Question | None:
    match dialect:
        case "anthropic":
            body = anthropic.render_count_request(request, model)
            return _Question("/messages/count_tokens", body, anthropic.parse_count)
        case "gemini":
            body = gemini.render_count_request(request, model)
            return _Question(path_of(model, "countTokens"), body, gemini.parse_count)
        case "openai_responses":
            whole = _object.decode(DIALECTS[dialect].render_request(request, model))
            body = msgspec.json.encode({name: whole[name] for name in whole.keys() & _COUNTED})
            return _Question("/responses/input_tokens", body, _parse_count)
        case _:
            return None


def _parse_count(body: bytes) -> int:
    try:
        return _count.decode(body).input_tokens
    except msgspec.DecodeError as problem:
        raise BrokenAnswer(f"The provider's count cannot be read: {problem}") from None


def _render_count(tokens: int) -> bytes:
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})


_RENDER: Mapping[str, Callable[[int], bytes]] = {
    "anthropic": anthropic.render_count,
    "gemini": gemini.render_count,
    "openai_responses": _render_count,
}
"""By the dialect in which the count was asked for."""


def estimate(request: Request) -> int:
    """About how many tokens a request has, for a provider that will not say."""
    weight = sum(_weigh(message) for message in request.messages)
    for tool in request.tools:
        weight += len(msgspec.json.encode(tool)) * _PER_CHARACTER[True]
    return max(1, round(weight))


def _weigh(message: Message) -> float:
    return _PER_MESSAGE + sum(_weigh_part(part) for part in message.parts)


def _weigh_part(part: Part) -> float:
    match part:
        case Text(text=text) | Refusal(text=text) | Reasoning(text=text):
            return _weigh_text(text)
        case Media(text=text):
            return _PER_MEDIA if text is None else _weigh_text(text)
        case ToolCall():
            return _PER_MESSAGE + _weigh_text(part.name) + _weigh_text(part.arguments)
        case ToolResult():
            return _PER_MESSAGE + sum(_weigh_part(inner) for inner in part.parts)
        case Opaque():
            return 0.0


def _weigh_text(text: str) -> float:
    # Not character by character: a prompt may be 30 MB, and nothing else is answered meanwhile.
    plain = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
    return plain * _PER_CHARACTER[True] + (len(text) - plain) * _PER_CHARACTER[False]


def embeds(target: Target) -> bool:
    """Whether a target may embed texts at all."""
    return not _EMBEDDING.isdisjoint(target.provider.dialects)


async def embed(call: Call, target: Target) -> WholeReply:
    """Vectors for texts. Raises `BadRequest` where the target embeds none, else `CallError`."""
    model, name = target.model or "", call.place.model or ""
    speaks = target.provider.dialects
    openai = "openai_chat" in speaks or "openai_responses" in speaks
    if call.place.embeds == "gemini" and openai:
        batch = call.place.verb == "batchEmbedContents"
        request = await beside(len(call.body), gemini_embeddings.parse_request, call.body, name)
        if not batch and len(request.inputs) != 1:
            raise BadRequest(
                "embedContent embeds one text; 'requests' is for batchEmbedContents.",
                code="invalid_value",
                param="requests",
            )
        asked = await beside(len(call.body), openai_embeddings.render_request, request, model)
        body = await _ask(target, "/embeddings", asked, "openai_chat")
        response = _of_each(request, await beside(len(body), openai_embeddings.parse_response, body))
        told = await beside(len(body), gemini_embeddings.render_response, response, batch=batch)
        return _reply(told, None, response.usage)
    if call.place.embeds == "openai_chat" and "gemini" in speaks:
        request = await beside(len(call.body), openai_embeddings.parse_request, call.body)
        asked = await beside(len(call.body), gemini_embeddings.render_request, request, model)
        body = await _ask(target, path_of(model, "batchEmbedContents"), asked, "gemini")
        response = _of_each(request, await beside(len(body), gemini_embeddings.parse_response, body))
        told = await beside(len(body), openai_embeddings.render_response, response, request)
        return _reply(told, None, response.usage)
    raise BadRequest(f"The provider '{target.provider.name}' embeds no texts.", code="not_offered")


def _of_each(request: EmbedRequest, response: EmbedResponse) -> EmbedResponse:
    """The vectors, if there is one of each text: else nobody could tell which is whose."""
    if len(response.vectors) != len(request.inputs):
        raise BrokenAnswer(
            f"The provider gave {len(response.vectors)} vectors for {len(request.inputs)} texts."
        )
    return response


async def _ask(target: Target, path: str, body: bytes, dialect: str) -> bytes:
    reply: Reply = await target.door.send("POST", path, b"", _JSON, body)
    try:
        if reply.status >= 400:
            raise await read_error(reply, DIALECTS[dialect], target.provider)
        if reply.status != 200:
            raise BrokenAnswer(f"The provider answered with status {reply.status}.")
        return await read_whole(reply)
    finally:
        reply.close()


def _reply(body: bytes, lost: str | None, usage: Usage | None = None) -> WholeReply:
    return WholeReply(200, _JSON, body, Heard(usage=usage), lost)
