"""`anthropic`, messages."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar

import anthropic

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


class Claude:
    """Asks by `client.messages`."""

    dialect: ClassVar[str] = "anthropic"
    errors: ClassVar[Errors] = {
        400: anthropic.BadRequestError,
        401: anthropic.AuthenticationError,
        403: anthropic.PermissionDeniedError,
        404: anthropic.NotFoundError,
        429: anthropic.RateLimitError,
        500: anthropic.InternalServerError,
        502: anthropic.InternalServerError,
        503: anthropic.InternalServerError,
        529: anthropic.InternalServerError,
    }
    broken: ClassVar[type[Exception]] = anthropic.APIStatusError
    stops: ClassVar[Stops] = {
        "end": "end_turn",
        "length": "max_tokens",
        "tool": "tool_use",
        "sequence": "stop_sequence",
    }

    def __init__(self, root: str, key: str) -> None:
        self._told: dict[str, Any] = {"base_url": root, "api_key": key, "max_retries": 0}
        self.client = anthropic.Anthropic(**self._told)

    def ask(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        return _read(self.client.messages.create(**_asked(model, talk, wishes)))

    async def ask_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with anthropic.AsyncAnthropic(**self._told) as client:
            return _read(await client.messages.create(**_asked(model, talk, wishes)))

    def stream(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        with self.client.messages.stream(**_asked(model, talk, wishes)) as stream:
            events = list(stream)
            return _put_together(events, stream.get_final_message(), stream.request_id)

    async def stream_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with (
            anthropic.AsyncAnthropic(**self._told) as client,
            client.messages.stream(**_asked(model, talk, wishes)) as stream,
        ):
            events = [event async for event in stream]
            return _put_together(events, await stream.get_final_message(), stream.request_id)

    def parse(self, model: str, talk: Talk, shape: type[Shape]) -> Shape | None:
        parsed = self.client.messages.parse(model=model, max_tokens=1024, messages=talk, output_format=shape)
        return parsed.parsed_output

    def losses(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> str | None:
        raw = self.client.messages.with_raw_response.create(**_asked(model, talk, wishes))
        assert raw.parse().content
        return raw.headers.get("x-madang-losses")

    def user(self, *parts: str | Picture | Document) -> Talk:
        if len(parts) == 1 and isinstance(parts[0], str):
            return [{"role": "user", "content": parts[0]}]
        return [{"role": "user", "content": [_part(part) for part in parts]}]

    def results(self, *told: tuple[Call, str]) -> Talk:
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in told]
        return [{"role": "user", "content": results}]

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def close(self) -> None:
        self.client.close()


def _asked(model: str, talk: Talk, wishes: Wishes) -> dict[str, Any]:
    most = 4096 if wishes.max_tokens is None else wishes.max_tokens
    asked: dict[str, Any] = {"model": model, "max_tokens": most, "messages": list(talk)}
    if wishes.system is not None:
        asked["system"] = wishes.system
    if wishes.temperature is not None:
        # Since the models of 2026 refuse it, its SDK has no word for it.
        asked["extra_body"] = {"temperature": wishes.temperature}
    if wishes.stop:
        asked["stop_sequences"] = list(wishes.stop)
    if wishes.tools:
        asked["tools"] = [_tool(function) for function in wishes.tools]
    if wishes.choice is not None or wishes.one_at_a_time:
        asked["tool_choice"] = _choice(wishes.choice or "auto")
    if wishes.one_at_a_time:
        asked["tool_choice"]["disable_parallel_tool_use"] = True
    if wishes.think:
        asked |= _thinking(model)
    return {**asked, **wishes.own}


def _thinking(model: str) -> dict[str, Any]:
    """Claude thinks as it sees fit since Opus 4.6, and takes no budget since Opus 4.7."""
    if "opus" in model or "sonnet" in model:
        thinking = {"type": "adaptive", "display": "summarized"}
        return {"thinking": thinking, "output_config": {"effort": "low"}}
    return {"thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"}}


def _tool(function: Function) -> dict[str, Any]:
    return {"name": function.name, "description": function.description, "input_schema": function.schema}


def _choice(choice: str) -> dict[str, Any]:
    kinds = {"auto": "auto", "none": "none", "required": "any"}
    return {"type": kinds[choice]} if choice in kinds else {"type": "tool", "name": choice}


def _part(part: str | Picture | Document) -> dict[str, Any]:
    match part:
        case str():
            return {"type": "text", "text": part}
        case Picture():
            return image(part)
        case Document(data=data, name=name):
            source = {
                "type": "base64",
                "media_type": "application/pdf",
                "data": base64.b64encode(data).decode(),
            }
            return {"type": "document", "source": source, "title": name}


def image(picture: Picture) -> dict[str, Any]:
    """A picture, in what the user says or in a tool's result."""
    data = base64.b64encode(picture.data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": picture.media_type, "data": data}}


def _read(message: Any, call_id: str | None = None) -> Said:
    details = message.usage.output_tokens_details
    return Said(
        text="".join(block.text for block in message.content if block.type == "text"),
        stop=str(message.stop_reason),
        usage=Usage(
            message.usage.input_tokens, message.usage.output_tokens, details and details.thinking_tokens
        ),
        turn=[{"role": "assistant", "content": message.content}],
        calls=tuple(
            Call(block.id, block.name, dict(block.input))
            for block in message.content
            if block.type == "tool_use"
        ),
        thoughts="".join(block.thinking for block in message.content if block.type == "thinking"),
        model=message.model,
        call_id=call_id or getattr(message, "_request_id", None),
    )


def _put_together(events: Sequence[Any], final: Any, call_id: str | None) -> Said:
    said = _read(final, call_id)
    deltas = [event.text for event in events if event.type == "text"]
    assert "".join(deltas) == said.text
    thoughts = [event.thinking for event in events if event.type == "thinking"]
    assert "".join(thoughts) == said.thoughts
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    return Said(**{**said.__dict__, "pieces": len(deltas)})
