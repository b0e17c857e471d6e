"""Counting tokens and embedding texts at a target that speaks another dialect."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from madang.core.embeddings import EmbedResponse
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
from madang.gateway.call import Call, Headers
from madang.gateway.translate import WholeReply
from madang.providers.door import Reply
from madang.routing.routes import Target

_JSON: Headers = [(b"content-type", b"application/json")]
_COUNTED = frozenset(
    ("input", "instructions", "model", "parallel_tool_calls", "reasoning", "text", "tool_choice", "tools")
)
"""What OpenAI's `/responses/input_tokens` takes (openai-python 3.51, `InputTokenCountParams`)."""
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
    model = target.model or ""
    render: Callable[[int], bytes]
    match call.place.counts:
        case "gemini":
            request = gemini.parse_count_request(call.body, call.place.model or "")
            render = gemini.render_count
        case "openai_responses":
            request, render = DIALECTS["openai_responses"].parse_request(call.body, None, None), _render_count
        case _:
            request, render = anthropic.parse_count_request(call.body), anthropic.render_count
    for dialect in target.provider.dialects:
        try:
            lost = losses.find(request, dialect, model)
            found = await _asked(target, model, request, dialect)
        except BadRequest:
            continue  # that dialect has no words for it; it is counted in another way
        except ProviderError as problem:
            if problem.status not in (404, 405, 501):
                raise
            continue
        if found is not None:
            return _reply(render(found), losses.header(lost) or None)
    return _reply(render(estimate(request)), "count;emulate")


async def _asked(target: Target, model: str, request: Request, dialect: str) -> int | None:
    parse: Callable[[bytes], int]
    match dialect:
        case "anthropic":
            path, parse = "/messages/count_tokens", anthropic.parse_count
            body = anthropic.render_count_request(request, model)
        case "gemini":
            path, parse = path_of(model, "countTokens"), gemini.parse_count
            body = gemini.render_count_request(request, model)
        case "openai_responses":
            path, parse = "/responses/input_tokens", _parse_count
            whole = _object.decode(DIALECTS[dialect].render_request(request, model))
            body = msgspec.json.encode({name: whole[name] for name in whole.keys() & _COUNTED})
        case _:
            return None
    return parse(await _ask(target, path, body, dialect))


def _parse_count(body: bytes) -> int:
    try:
        return _count.decode(body).input_tokens
    except msgspec.DecodeError as problem:
        raise BrokenAnswer(f"The provider's count cannot be read: {problem}") from None


def _render_count(tokens: int) -> bytes:
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})


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


async def embed(call: Call, target: Target) -> WholeReply:
    """Vectors for texts. Raises `BadRequest` where the target embeds none, else `CallError`."""
    model, name = target.model or "", call.place.model or ""
    speaks = target.provider.dialects
    openai = "openai_chat" in speaks or "openai_responses" in speaks
    if call.place.embeds == "gemini" and openai:
        request = gemini_embeddings.parse_request(call.body, name)
        response = await _embed_at_openai(target, openai_embeddings.render_request(request, model))
        batch = call.place.verb == "batchEmbedContents"
        return _reply(gemini_embeddings.render_response(response, batch=batch), None, response.usage)
    if call.place.embeds == "openai_chat" and openai:
        request = openai_embeddings.parse_request(call.body)
        response = await _embed_at_openai(target, openai_embeddings.render_request(request, model))
        return _reply(openai_embeddings.render_response(response, request), None, response.usage)
    if call.place.embeds == "openai_chat" and "gemini" in speaks:
        request = openai_embeddings.parse_request(call.body)
        path = path_of(model, "batchEmbedContents")
        body = await _ask(target, path, gemini_embeddings.render_request(request, model), "gemini")
        response = gemini_embeddings.parse_response(body)
        return _reply(openai_embeddings.render_response(response, request), None, response.usage)
    raise BadRequest(f"The provider '{target.provider.name}' embeds no texts.", code="not_offered")


async def _embed_at_openai(target: Target, body: bytes) -> EmbedResponse:
    return openai_embeddings.parse_response(await _ask(target, "/embeddings", body, "openai_chat"))


async def _ask(target: Target, path: str, body: bytes, dialect: str) -> bytes:
    reply: Reply = await target.door.send("POST", path, b"", _JSON, body)
    try:
        answer = await reply.read()
    finally:
        reply.close()
    if reply.status != 200:
        raise DIALECTS[dialect].parse_error(reply.status, answer)
    return answer


def _reply(body: bytes, lost: str | None, usage: Usage | None = None) -> WholeReply:
    return WholeReply(200, _JSON, body, Heard(usage=usage), lost)
