"""`openai`, chat completions."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import openai
from openai.types.chat import ChatCompletion, ParsedChatCompletion

from tests.sdks.talk import (
    NOTHING,
    Call,
    Document,
    Errors,
    Function,
    Picture,
    Said,
    Shape,
    Stops,
    Talk,
    Usage,
    Wishes,
)

ERRORS: Errors = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    502: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}


class Chat:
    """Asks by `client.chat.completions`."""

    dialect: ClassVar[str] = "openai_chat"
    errors: ClassVar[Errors] = ERRORS
    broken: ClassVar[type[Exception]] = openai.APIError
    stops: ClassVar[Stops] = {"end": "stop", "length": "length", "tool": "tool_calls", "sequence": "stop"}

    def __init__(self, root: str, key: str) -> None:
        self._told: dict[str, Any] = {"base_url": f"{root}/v1", "api_key": key, "max_retries": 0}
        self.client = openai.OpenAI(**self._told)

    def ask(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        return _read(self.client.chat.completions.create(**_asked(model, talk, wishes)))

    async def ask_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with openai.AsyncOpenAI(**self._told) as client:
            return _read(await client.chat.completions.create(**_asked(model, talk, wishes)))

    def stream(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        with self.client.chat.completions.stream(**_asked(model, talk, wishes), **_USAGE) as stream:
            events = list(stream)
            return _put_together(events, stream.get_final_completion())

    async def stream_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with (
            openai.AsyncOpenAI(**self._told) as client,
            client.chat.completions.stream(**_asked(model, talk, wishes), **_USAGE) as stream,
        ):
            events = [event async for event in stream]
            return _put_together(events, await stream.get_final_completion())

    def parse(self, model: str, talk: Talk, shape: type[Shape]) -> Shape | None:
        parsed = self.client.chat.completions.parse(model=model, messages=talk, response_format=shape)
        return parsed.choices[0].message.parsed

    def losses(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> str | None:
        raw = self.client.chat.completions.with_raw_response.create(**_asked(model, talk, wishes))
        assert raw.parse().choices
        return raw.headers.get("x-madang-losses")

    def user(self, *parts: str | Picture | Document) -> Talk:
        return [{"role": "user", "content": _content(parts)}]

    def results(self, *told: tuple[Call, str]) -> Talk:
        return [{"role": "tool", "tool_call_id": call.id, "content": text} for call, text in told]

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def close(self) -> None:
        self.client.close()


_USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}


def _asked(model: str, talk: Talk, wishes: Wishes) -> dict[str, Any]:
    system = [{"role": "system", "content": wishes.system}] if wishes.system else []
    asked: dict[str, Any] = {"model": model, "messages": [*system, *talk]}
    if wishes.max_tokens is not None:
        asked["max_completion_tokens"] = wishes.max_tokens
    if wishes.temperature is not None:
        asked["temperature"] = wishes.temperature
    if wishes.stop:
        asked["stop"] = list(wishes.stop)
    if wishes.tools:
        asked["tools"] = [_tool(function) for function in wishes.tools]
    if wishes.choice is not None:
        asked["tool_choice"] = _choice(wishes.choice)
    if wishes.one_at_a_time:
        asked["parallel_tool_calls"] = False
    if wishes.think:
        asked["reasoning_effort"] = "low"
    return {**asked, **wishes.own}


def _tool(function: Function) -> dict[str, Any]:
    named = {"name": function.name, "description": function.description, "parameters": function.schema}
    return {"type": "function", "function": named}


def _choice(choice: str) -> object:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}


def _content(parts: Sequence[str | Picture | Document]) -> object:
    if len(parts) == 1 and isinstance(parts[0], str):
        return parts[0]
    return [_part(part) for part in parts]


def _part(part: str | Picture | Document) -> dict[str, Any]:
    match part:
        case str():
            return {"type": "text", "text": part}
        case Picture(data=data, media_type=media_type):
            url = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Document(data=data, name=name):
            url = f"data:application/pdf;base64,{base64.b64encode(data).decode()}"
            return {"type": "file", "file": {"filename": name, "file_data": url}}


def _read(completion: ChatCompletion | ParsedChatCompletion[Any]) -> Said:
    choice = completion.choices[0]
    usage = completion.usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    details = usage.completion_tokens_details
    calls = []
    for call in choice.message.tool_calls or ():
        assert call.type == "function"
        calls.append(Call(call.id, call.function.name, json.loads(call.function.arguments)))
    return Said(
        text=choice.message.content or "",
        stop=choice.finish_reason,
        usage=Usage(
            usage.prompt_tokens, usage.completion_tokens, details.reasoning_tokens if details else None
        ),
        turn=[choice.message],
        calls=tuple(calls),
        choices=len(completion.choices),
        model=completion.model,
        call_id=getattr(completion, "_request_id", None),
    )


def _put_together(events: Sequence[Any], final: ParsedChatCompletion[Any]) -> Said:
    said = _read(final)
    deltas = [event.delta for event in events if event.type == "content.delta"]
    assert "".join(deltas) == said.text
    done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
    assert [(one.name, json.loads(one.arguments)) for one in done] == [
        (call.name, call.arguments) for call in said.calls
    ]
    ids = {event.chunk.id for event in events if event.type == "chunk"}
    assert ids == {final.id}
    return Said(**{**said.__dict__, "pieces": len(deltas)})
