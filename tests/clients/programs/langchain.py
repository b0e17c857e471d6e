"""LangChain's chat models, as its documentation shows them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.exceptions import ModelNotFoundError
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, Field

from tests.clients.programs.run import Task, raised, run
from tests.clients.programs.said import CITY, LOOKED_AT, PICTURE, SYSTEM, TOLD


def chat_model(task: Task, name: str, *, think: bool = False) -> Any:
    """A model of the cell's class."""
    return _made(task.cell.client, task.house.root, task.house.key, name, think)


@cache
def _made(client: str, root: str, key: str, name: str, think: bool) -> Any:
    told: dict[str, Any] = {"model": name, "api_key": key, "base_url": root, "max_retries": 0}
    wish: dict[str, Any] = WISHES.get(client, {}) if think else {}
    match client:
        case "ChatOpenAI":
            return ChatOpenAI(**{**told, "base_url": f"{root}/v1"}, stream_usage=True, **wish)
        case "ChatOpenAI.responses":
            return ChatOpenAI(**{**told, "base_url": f"{root}/v1"}, use_responses_api=True, **wish)
        case "ChatAnthropic":
            return ChatAnthropic(**told, max_tokens=4096, **wish)
        case "ChatGoogleGenerativeAI":
            return ChatGoogleGenerativeAI(**{**told, "max_retries": 1}, **wish)
        case "OpenAIEmbeddings":
            # With its default it fetches a tokenizer from the network, and sends numbers for words.
            return OpenAIEmbeddings(**{**told, "base_url": f"{root}/v1"}, check_embedding_ctx_length=False)
        case "GoogleGenerativeAIEmbeddings":
            del told["max_retries"]
            return GoogleGenerativeAIEmbeddings(**told)
    raise LookupError(client)


WISHES: dict[str, dict[str, Any]] = {
    "ChatOpenAI": {"reasoning_effort": "low"},
    "ChatOpenAI.responses": {"reasoning": {"effort": "low", "summary": "auto"}},
    "ChatAnthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    # It sends a temperature by itself, but to what is called gemini-3; OpenAI's that think take none.
    "ChatGoogleGenerativeAI": {"thinking_level": "low", "include_thoughts": True, "temperature": None},
}
"""How each is asked to think."""


class Weather(BaseModel):
    """Tells the weather of a city."""

    city: str = Field(description="Its name.")


class Clock(BaseModel):
    """Tells the time of a zone."""

    zone: str


TOOLS: list[type[BaseModel]] = [Weather, Clock]


def answer(task: Task) -> None:
    said = chat_model(task, task.cell.models.plain).invoke(
        [SystemMessage(SYSTEM), HumanMessage(task.say("How are birds?"))]
    )
    assert "simulated" in said.text, said
    assert said.usage_metadata["input_tokens"] > 5, said.usage_metadata
    assert said.usage_metadata["output_tokens"] > 5, said.usage_metadata
    name = said.response_metadata.get("model_name") or said.response_metadata["model"]
    assert name == task.cell.models.plain.partition("/")[2], said.response_metadata


def stream(task: Task) -> None:
    model, asked = (
        chat_model(task, task.cell.models.plain),
        [SystemMessage(SYSTEM), HumanMessage(task.say("How are birds?"))],
    )
    whole = model.invoke(asked)

    async def collected() -> Sequence[Any]:
        return [chunk async for chunk in model.astream(asked)]

    for pieces in (list(model.stream(asked)), task.wait_for(collected())):
        assert len([piece for piece in pieces if piece.text]) > 3, pieces
        said = sum(pieces[1:], pieces[0])
        assert said.text == whole.text, said
        for count in ("input_tokens", "output_tokens", "total_tokens"):
            assert said.usage_metadata[count] == whole.usage_metadata[count], (said.usage_metadata, count)


def tools(task: Task) -> None:
    model = chat_model(task, task.cell.models.plain).bind_tools(TOOLS)
    talk: list[Any] = [HumanMessage(task.say("How is the Weather in Seoul?"))]
    for told in (TOLD, "Rain."):
        called = model.invoke(talk)
        (call,) = called.tool_calls
        assert call["name"] == "Weather", call
        assert isinstance(call["args"]["city"], str), call
        talk += [called, ToolMessage(told, tool_call_id=call["id"])]
        said = model.invoke(talk)
        assert said.text == f"The result of Weather is: {told}", said
        talk += [said, HumanMessage("And the Weather in Busan?")]


def parallel(task: Task) -> None:
    model = chat_model(task, task.cell.models.plain).bind_tools(TOOLS)
    talk: list[Any] = [HumanMessage(task.say("Tell me the Weather in Seoul and the Clock there."))]
    called = model.invoke(talk)
    assert [call["name"] for call in called.tool_calls] == ["Weather", "Clock"], called.tool_calls
    first, second = called.tool_calls
    talk += [
        called,
        ToolMessage("Snow.", tool_call_id=first["id"]),
        ToolMessage("Noon.", tool_call_id=second["id"]),
    ]
    said = model.invoke(talk)
    assert said.text == "The result of Weather is: Snow. The result of Clock is: Noon.", said


def thinking(task: Task) -> None:
    _loop(task, streamed=False)


def thinking_streamed(task: Task) -> None:
    _loop(task, streamed=True)


def _loop(task: Task, *, streamed: bool) -> None:
    model = chat_model(task, task.cell.models.thinking, think=True).bind_tools(TOOLS)

    def ask(talk: list[Any]) -> Any:
        if not streamed:
            return model.invoke(talk)
        first, *others = model.stream(talk)
        return sum(others, first)

    talk: list[Any] = [HumanMessage(task.say("How is the Weather in Seoul?"))]
    for told in (TOLD, "Rain."):
        called = ask(talk)
        (call,) = called.tool_calls
        talk += [called, ToolMessage(told, tool_call_id=call["id"])]
        said = ask(talk)
        assert said.text == f"The result of Weather is: {told}", said
        talk += [said, HumanMessage("And the Weather in Busan?")]


def image(task: Task) -> None:
    data = base64.b64encode(PICTURE).decode()
    shown = {"type": "image", "base64": data, "mime_type": "image/png"}
    asked = HumanMessage([{"type": "text", "text": task.say("What is this?")}, shown])
    said = chat_model(task, task.cell.models.plain).invoke([asked])
    assert said.text.startswith(LOOKED_AT), said


def unknown_model(task: Task) -> None:
    model, asked = chat_model(task, task.cell.nobody), task.say("Are you there?")
    assert task.cell.nobody in raised(ModelNotFoundError, lambda: model.invoke(asked))


class City(BaseModel):
    """A city."""

    name: str
    people: int = Field(description="How many live there.")
    rivers: list[str]


def by_schema(task: Task) -> None:
    model = chat_model(task, task.cell.models.plain).with_structured_output(City, method="json_schema")
    assert isinstance(model.invoke(task.say(CITY)), City)


def by_function(task: Task) -> None:
    model = chat_model(task, task.cell.models.plain).with_structured_output(City, method="function_calling")
    assert isinstance(model.invoke(task.say(CITY)), City)


def embeddings(task: Task) -> None:
    model = chat_model(task, task.cell.models.embedding)
    snow, more_snow, bird = model.embed_documents(["snow in Seoul", "snow in Busan", "a bird"])
    assert len(snow) == len(bird) > 100, len(snow)
    assert _product(snow, more_snow) > _product(snow, bird), "texts that share words are no nearer"
    for asked in (model.embed_query("a bird"), task.wait_for(model.aembed_query("a bird"))):
        assert _product(asked, bird) > 0.99, "the same text has other numbers"


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(one, other, strict=True))


if __name__ == "__main__":
    scenarios: tuple[Callable[[Task], None], ...] = (
        *(answer, stream, tools, parallel, thinking, thinking_streamed, image, unknown_model),
        *(by_schema, by_function, embeddings),
    )
    run("langchain", {scenario.__name__: scenario for scenario in scenarios})
