"""`google-genai`, models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from google import genai
from google.genai import types
from google.genai.errors import ClientError, ServerError

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


class GenAI:
    """Asks by `client.models`."""

    dialect: ClassVar[str] = "gemini"
    errors: ClassVar[Errors] = {
        **dict.fromkeys((400, 401, 403, 404, 429), ClientError),
        **dict.fromkeys((500, 502, 503, 529), ServerError),
    }
    broken: ClassVar[type[Exception]] = ServerError
    stops: ClassVar[Stops] = {"end": "STOP", "length": "MAX_TOKENS", "tool": "STOP", "sequence": "STOP"}

    def __init__(self, root: str, key: str) -> None:
        self._told: dict[str, Any] = {"api_key": key, "http_options": types.HttpOptions(base_url=root)}
        self.client = genai.Client(**self._told)

    def ask(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        return _read([self.client.models.generate_content(**_asked(model, talk, wishes))])

    async def ask_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with genai.Client(**self._told).aio as client:
            return _read([await client.models.generate_content(**_asked(model, talk, wishes))])

    def stream(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        return _read(list(self.client.models.generate_content_stream(**_asked(model, talk, wishes))))

    async def stream_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        async with genai.Client(**self._told).aio as client:
            stream = await client.models.generate_content_stream(**_asked(model, talk, wishes))
            return _read([chunk async for chunk in stream])

    def parse(self, model: str, talk: Talk, shape: type[Shape]) -> Shape | None:
        config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=shape)
        answer = self.client.models.generate_content(model=model, contents=talk, config=config)
        return answer.parsed if isinstance(answer.parsed, shape) else None

    def losses(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> str | None:
        answer = self.client.models.generate_content(**_asked(model, talk, wishes))
        assert answer.candidates
        assert answer.sdk_http_response is not None
        return (answer.sdk_http_response.headers or {}).get("x-madang-losses")

    def user(self, *parts: str | Picture | Document) -> Talk:
        return [types.Content(role="user", parts=[_part(part) for part in parts])]

    def results(self, *told: tuple[Call, str]) -> Talk:
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id or None, name=call.name, response={"result": text}
                )
            )
            for call, text in told
        ]
        return [types.Content(role="user", parts=parts)]

    def models(self) -> list[str]:
        return [(model.name or "").removeprefix("models/") for model in self.client.models.list()]

    def close(self) -> None:
        self.client.close()


def _asked(model: str, talk: Talk, wishes: Wishes) -> dict[str, Any]:
    config = types.GenerateContentConfig(
        system_instruction=wishes.system,
        max_output_tokens=wishes.max_tokens,
        temperature=wishes.temperature,
        stop_sequences=list(wishes.stop) or None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        **wishes.own,
    )
    if wishes.tools:
        declared = [_tool(function) for function in wishes.tools]
        config.tools = [types.Tool(function_declarations=declared)]
    if wishes.choice is not None:
        config.tool_config = types.ToolConfig(function_calling_config=_choice(wishes.choice))
    if wishes.think:
        config.thinking_config = _thinking(model)
    return {"model": model, "contents": list(talk), "config": config}


def _thinking(model: str) -> types.ThinkingConfig:
    """Gemini 2.5 takes a budget, and those since 3 a level."""
    if "2.5" in model:
        return types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    return types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)


def _tool(function: Function) -> types.FunctionDeclaration:
    return types.FunctionDeclaration(
        name=function.name, description=function.description, parameters_json_schema=function.schema
    )


def _choice(choice: str) -> types.FunctionCallingConfig:
    modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
    if choice in modes:
        return types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode(modes[choice]))
    return types.FunctionCallingConfig(
        mode=types.FunctionCallingConfigMode.ANY, allowed_function_names=[choice]
    )


def _part(part: str | Picture | Document) -> types.Part:
    match part:
        case str():
            return types.Part(text=part)
        case Picture(data=data, media_type=media_type):
            return types.Part.from_bytes(data=data, mime_type=media_type)
        case Document(data=data):
            return types.Part.from_bytes(data=data, mime_type="application/pdf")


def _read(chunks: Sequence[types.GenerateContentResponse]) -> Said:
    """An answer in one piece or several; its parts are put together as the SDK's chats do."""
    parts = [part for chunk in chunks for part in chunk.parts or ()]
    texts = [part.text for part in parts if part.text and not part.thought]
    last = chunks[-1]
    assert last.candidates
    usage = last.usage_metadata
    assert usage is not None
    thought = usage.thoughts_token_count or 0
    output = (usage.candidates_token_count or 0) + thought
    assert usage.total_token_count == (usage.prompt_token_count or 0) + output
    head = chunks[0].sdk_http_response
    return Said(
        text="".join(texts),
        stop=last.candidates[0].finish_reason.name if last.candidates[0].finish_reason else "",
        usage=Usage(usage.prompt_token_count or 0, output, thought),
        turn=[types.Content(role="model", parts=parts)],
        calls=tuple(
            Call(call.id or "", call.name or "", dict(call.args or {}))
            for part in parts
            if (call := part.function_call) is not None
        ),
        choices=len(last.candidates),
        thoughts="".join(part.text for part in parts if part.thought and part.text),
        model=last.model_version or "",
        call_id=(head.headers or {}).get("x-request-id") if head is not None else None,
        pieces=len(texts),
    )
