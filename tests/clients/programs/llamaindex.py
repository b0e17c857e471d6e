"""LlamaIndex's LLMs, as its documentation shows them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import anthropic
import openai
from google.genai import errors, types
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.google_genai import GoogleGenAI
from llama_index.llms.openai_like import OpenAILike, OpenAILikeResponses
from pydantic import BaseModel, Field

from tests.clients.programs.run import Task, raised, run
from tests.clients.programs.said import CITY, LOOKED_AT, PICTURE, SYSTEM, TOLD


def llm(task: Task, name: str, *, think: bool = False, by_schema: bool = False) -> Any:
    """An LLM of the cell's class."""
    return _made(task.cell.client, task.house.root, task.house.key, name, think, by_schema)


@cache
def _made(client: str, root: str, key: str, name: str, think: bool, by_schema: bool) -> Any:
    told: dict[str, Any] = {"model": name, "api_key": key, "max_retries": 0}
    told |= WISHES[client] if think else {}
    like = {"api_base": f"{root}/v1", "is_function_calling_model": True}
    match client:
        case "OpenAILike":
            return OpenAILike(**told, **like, is_chat_model=True, should_use_structured_outputs=by_schema)
        case "OpenAILikeResponses":
            return OpenAILikeResponses(**told, **like)
        case "Anthropic":
            return Anthropic(**told, base_url=root, max_tokens=4096)
        case "GoogleGenAI":
            return GoogleGenAI(**told, http_options=types.HttpOptions(base_url=root))
    raise LookupError(client)


_REASONING = {"effort": "low", "summary": "auto"}
_THINKING = types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)
WISHES: dict[str, dict[str, Any]] = {
    # It always sends a temperature, which OpenAI's that think do not take.
    "OpenAILike": {"additional_kwargs": {"reasoning_effort": "low", "temperature": None}},
    # The options alone are sent to models that it knows, by their bare names.
    "OpenAILikeResponses": {"reasoning_options": _REASONING, "additional_kwargs": {"reasoning": _REASONING}},
    "Anthropic": {"thinking_dict": {"type": "enabled", "budget_tokens": 1024}},
    "GoogleGenAI": {"generation_config": types.GenerateContentConfig(thinking_config=_THINKING)},
}
"""How each is asked to think."""


def user(*blocks: str | ImageBlock) -> ChatMessage:
    return ChatMessage(
        role="user", blocks=[TextBlock(text=one) if isinstance(one, str) else one for one in blocks]
    )


def system() -> ChatMessage:
    return ChatMessage(role="system", content=SYSTEM)


def weather(city: str) -> str:
    """Tells the weather of a city."""
    return TOLD


def clock(zone: str) -> str:
    """Tells the time of a zone."""
    return "Noon."


TOOLS = [FunctionTool.from_defaults(weather), FunctionTool.from_defaults(clock)]


def answer(task: Task) -> None:
    said = llm(task, task.cell.models.plain).chat([system(), user(task.say("How are birds?"))])
    assert "simulated" in said.message.content, said


def stream(task: Task) -> None:
    model, asked = llm(task, task.cell.models.plain), [system(), user(task.say("How are birds?"))]
    whole = model.chat(asked)

    async def collected() -> list[Any]:
        return [piece async for piece in await model.astream_chat(asked)]

    for pieces in (list(model.stream_chat(asked)), task.wait_for(collected())):
        assert len([piece for piece in pieces if piece.delta]) > 3, pieces
        assert "".join(piece.delta or "" for piece in pieces) == whole.message.content, pieces
        assert pieces[-1].message.content == whole.message.content, pieces


def tools(task: Task) -> None:
    _loop(llm(task, task.cell.models.plain), task)


def thinking(task: Task) -> None:
    _loop(llm(task, task.cell.models.thinking, think=True), task)


def _loop(model: Any, task: Task) -> None:
    talk = [user(task.say("How is the weather in Seoul?"))]
    for _ in range(2):
        called = model.chat_with_tools(TOOLS, chat_history=talk)
        (call,) = model.get_tool_calls_from_response(called)
        assert call.tool_name == "weather", call
        assert isinstance(call.tool_kwargs["city"], str), call
        talk += [called.message, _result(call.tool_id, TOLD)]
        said = model.chat_with_tools(TOOLS, chat_history=talk)
        assert said.message.content == f"The result of weather is: {TOLD}", said
        talk += [said.message, user("And the weather in Busan?")]


def _result(id: str, text: str) -> ChatMessage:
    return ChatMessage(role="tool", content=text, additional_kwargs={"tool_call_id": id})


def parallel(task: Task) -> None:
    model = llm(task, task.cell.models.plain)
    talk = [user(task.say("Tell me the weather in Seoul and the clock there."))]
    called = model.chat_with_tools(TOOLS, chat_history=talk, allow_parallel_tool_calls=True)
    first, second = model.get_tool_calls_from_response(called)
    assert (first.tool_name, second.tool_name) == ("weather", "clock"), called
    talk += [called.message, _result(first.tool_id, "Snow."), _result(second.tool_id, "Noon.")]
    said = model.chat_with_tools(TOOLS, chat_history=talk)
    assert said.message.content == "The result of weather is: Snow. The result of clock is: Noon.", said


def agent(task: Task) -> None:
    _run_agent(llm(task, task.cell.models.plain), task)


def thinking_streamed(task: Task) -> None:
    """Agents stream what their models say."""
    _run_agent(llm(task, task.cell.models.thinking, think=True), task)


def _run_agent(model: Any, task: Task) -> None:
    runner = FunctionAgent(tools=TOOLS, llm=model, system_prompt=SYSTEM)

    async def ran() -> Any:
        return await runner.run(task.say("How is the weather in Seoul?"))

    said = task.wait_for(ran())
    assert str(said) == f"The result of weather is: {TOLD}", said
    assert [call.tool_name for call in said.tool_calls] == ["weather"], said


def predict_and_call(task: Task) -> None:
    said = llm(task, task.cell.models.plain).predict_and_call(TOOLS, task.say("How is the weather in Seoul?"))
    assert said.response == TOLD, said
    assert [source.tool_name for source in said.sources] == ["weather"], said


def image(task: Task) -> None:
    shown = ImageBlock(image=PICTURE, image_mimetype="image/png")
    said = llm(task, task.cell.models.plain).chat([user(task.say("What is this?"), shown)])
    assert said.message.content.startswith(LOOKED_AT), said


NOT_FOUND: dict[str, type[Exception]] = {
    "OpenAILike": openai.NotFoundError,
    "OpenAILikeResponses": openai.NotFoundError,
    "Anthropic": anthropic.NotFoundError,
    "GoogleGenAI": errors.ClientError,
}


def unknown_model(task: Task) -> None:
    asked = [user(task.say("Are you there?"))]
    told = raised(NOT_FOUND[task.cell.client], lambda: llm(task, task.cell.nobody).chat(asked))
    assert task.cell.nobody in told, told
    assert "404" in told, told


class City(BaseModel):
    """A city."""

    name: str
    people: int = Field(description="How many live there.")
    rivers: list[str]


def structured_predict(task: Task) -> None:
    model = llm(task, task.cell.models.plain)
    said = model.structured_predict(City, PromptTemplate("{asked}"), asked=task.say(CITY))
    assert isinstance(said, City), said


def structured_llm(task: Task) -> None:
    model = llm(task, task.cell.models.plain, by_schema=True).as_structured_llm(City)
    said = model.chat([user(task.say(CITY))])
    assert isinstance(said.raw, City), said
    assert City.model_validate_json(said.message.content) == said.raw, said


if __name__ == "__main__":
    scenarios: tuple[Callable[[Task], None], ...] = (
        *(answer, stream, tools, parallel, thinking, thinking_streamed, image, unknown_model),
        *(agent, predict_and_call, structured_predict, structured_llm),
    )
    run("llamaindex", {scenario.__name__: scenario for scenario in scenarios})
