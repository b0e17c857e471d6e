"""`openai`, the Responses API."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import openai
from openai.types.responses import ParsedResponse, Response

from tests.sdks.chat import ERRORS
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


class Responses:
    """Asks by `client.responses`."""

    dialect: ClassVar[str] = "openai_responses"
    errors: ClassVar[Errors] = ERRORS
    broken: ClassVar[type[Exception]] = openai.APIError
    stops: ClassVar[Stops] = {
        "end": "completed",
        "length": "max_output_tokens",
        "tool": "completed",
        "sequence": "completed",
    }

    def __init__(self, root: str, key: str) -> None:
        self._told: dict[str, Any] = {"base_url": f"{root}/v1", "api_key": key, "max_retries": 0}
        self.client = openai.OpenAI(**self._told)

    def ask(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        return _read(self.client.responses.create(**_asked(model, talk, wishes)))

    async def ask_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with openai.AsyncOpenAI(**self._told) as client:
            return _read(await client.responses.create(**_asked(model, talk, wishes)))

    def stream(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        with self.client.responses.stream(**_asked(model, talk, wishes)) as stream:
            return _put_together(list(stream))

    async def stream_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with (
            openai.AsyncOpenAI(**self._told) as client,
            client.responses.stream(**_asked(model, talk, wishes)) as stream,
        ):
            return _put_together([event async for event in stream])

    def parse(self, model: str, talk: Talk, shape: type[Shape]) -> Shape | None:
        return self.client.responses.parse(model=model, input=talk, text_format=shape).output_parsed

    def losses(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> str | None:
        raw = self.client.responses.with_raw_response.create(**_asked(model, talk, wishes))
        assert raw.parse().output
        return raw.headers.get("x-madang-losses")

    def user(self, *parts: str | Picture | Document) -> Talk:
        if len(parts) == 1 and isinstance(parts[0], str):
            return [{"role": "user", "content": parts[0]}]
        return [{"role": "user", "content": [_part(part) for part in parts]}]

    def results(self, *told: tuple[Call, str]) -> Talk:
        return [{"type": "function_call_output", "call_id": call.id, "output": text} for call, text in told]

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def close(self) -> None:
        self.client.close()


def _asked(model: str, talk: Talk, wishes: Wishes) -> dict[str, Any]:
    asked: dict[str, Any] = {"model": model, "input": list(talk)}
    if wishes.system is not None:
        asked["instructions"] = wishes.system
    if wishes.max_tokens is not None:
        asked["max_output_tokens"] = wishes.max_tokens
    if wishes.temperature is not None:
        asked["temperature"] = wishes.temperature
    if wishes.tools:
        asked["tools"] = [_tool(function) for function in wishes.tools]
    if wishes.choice is not None:
        asked["tool_choice"] = _choice(wishes.choice)
    if wishes.one_at_a_time:
        asked["parallel_tool_calls"] = False
    if wishes.think:
        asked |= {
            "reasoning": {"effort": "low", "summary": "auto"},
            "include": ["reasoning.encrypted_content"],
            "store": False,
        }
    return {**asked, **wishes.own}


def _tool(function: Function) -> dict[str, Any]:
    return {
        "type": "function",
        "name": function.name,
        "description": function.description,
        "parameters": function.schema,
        "strict": True,
    }


def _choice(choice: str) -> object:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "name": choice}


def _part(part: str | Picture | Document) -> dict[str, Any]:
    match part:
        case str():
            return {"type": "input_text", "text": part}
        case Picture():
            return image(part)
        case Document(data=data, name=name):
            url = f"data:application/pdf;base64,{base64.b64encode(data).decode()}"
            return {"type": "input_file", "filename": name, "file_data": url}


def image(picture: Picture) -> dict[str, Any]:
    """A picture, in what the user says or in a tool's result."""
    url = f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"
    return {"type": "input_image", "image_url": url}


def _read(response: Response | ParsedResponse[Any]) -> Said:
    usage = response.usage
    assert usage is not None
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    incomplete = response.incomplete_details
    thoughts = [part.text for item in response.output if item.type == "reasoning" for part in item.summary]
    return Said(
        text=response.output_text,
        stop=str((incomplete and incomplete.reason) or response.status),
        usage=Usage(usage.input_tokens, usage.output_tokens, usage.output_tokens_details.reasoning_tokens),
        turn=list(response.output),
        calls=tuple(
            Call(item.call_id, item.name, json.loads(item.arguments))
            for item in response.output
            if item.type == "function_call"
        ),
        thoughts="".join(thoughts),
        model=response.model,
        call_id=getattr(response, "_request_id", None),
    )


def _put_together(events: Sequence[Any]) -> Said:
    """What the last event holds; the helper checks it against its own snapshot, and we against the deltas."""
    last = events[-1]
    assert last.type in ("response.completed", "response.incomplete")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = _read(last.response)
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == said.text
    arguments = [event.arguments for event in events if event.type == "response.function_call_arguments.done"]
    assert [json.loads(one) for one in arguments] == [call.arguments for call in said.calls]
    return Said(**{**said.__dict__, "pieces": len(deltas)})
