"""The loops of calls and results that the SDKs run by themselves, against every provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import anthropic
import openai
import pytest
from anthropic import beta_tool
from google import genai
from google.genai import types
from openai.lib.responses_tool_runner import RegisteredFunction, ResponsesToolRunner
from pydantic import BaseModel

from tests.journey.live import KEY
from tests.sdks.conftest import Provider

QUESTION = "How is the weather in Seoul?"
TOLD = "Snow, -3 degrees."


class Weather(BaseModel):
    """Tells the weather of a city."""

    city: str


@pytest.fixture(scope="module")
def chat(root: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def claude(root: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def google(root: str) -> Iterator[genai.Client]:
    with genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=root)) as client:
        yield client


def test_openais_chat_helpers_parse_the_arguments_of_a_call(chat: openai.OpenAI, provider: Provider) -> None:
    tool = openai.pydantic_function_tool(Weather, name="weather")
    completion = chat.chat.completions.parse(
        model=provider.model(provider.plain),
        messages=[{"role": "user", "content": QUESTION}],
        tools=[tool],
        tool_choice="required",
    )
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    (call,) = calls
    assert isinstance(call.function.parsed_arguments, Weather)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_openais_responses_runner_runs_the_loop(
    chat: openai.OpenAI, provider: Provider, streamed: bool
) -> None:
    """It always asks for encrypted reasoning, which OpenAI refuses of a model that does not think."""
    asked: list[dict[str, object]] = []

    def weather(arguments: dict[str, object]) -> str:
        asked.append(arguments)
        return TOLD

    schema: dict[str, object] = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    }
    tool: openai.types.responses.FunctionToolParam = {
        "type": "function",
        "name": "weather",
        "parameters": schema,
        "strict": True,
    }
    runner = ResponsesToolRunner(functions=[RegisteredFunction(tool, weather)])
    response = runner.run(
        chat,
        {"model": provider.model(provider.thinking[-1]), "input": [{"role": "user", "content": QUESTION}]},
        stream=streamed,
        max_steps=4,
    )
    assert response.output_text == f"The result of weather is: {TOLD}"
    assert [list(arguments) for arguments in asked] == [["city"]]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinks", [False, True], ids=["plain", "thinking"])
def test_anthropics_runner_runs_the_loop(
    claude: anthropic.Anthropic, provider: Provider, streamed: bool, thinks: bool
) -> None:
    """It begins a thread, and goes on without one where it is told that there are none.

    The simulator is an Anthropic without threads that does not say it so.
    """
    thread: Literal[False] | anthropic.Omit = False if provider.dialect == "anthropic" else anthropic.omit
    asked: list[str] = []

    @beta_tool
    def weather(city: str) -> str:
        """Tells the weather of a city."""
        asked.append(city)
        return TOLD

    runner = claude.beta.messages.tool_runner(
        model=provider.model(provider.thinking[-1] if thinks else provider.plain),
        max_tokens=4096,
        tools=[weather],
        thinking={"type": "adaptive"} if thinks else anthropic.omit,
        messages=[{"role": "user", "content": QUESTION}],
        stream=streamed,
        thread=thread,
    )
    message = runner.until_done()
    assert [block.text for block in message.content if block.type == "text"] == [
        f"The result of weather is: {TOLD}"
    ]
    assert len(asked) == 1


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinks", [False, True], ids=["plain", "thinking"])
def test_googles_chat_calls_python_functions_by_itself(
    google: genai.Client, provider: Provider, streamed: bool, thinks: bool
) -> None:
    """Its history keeps every piece of a stream as it came, signatures too."""
    asked: list[str] = []

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        asked.append(city)
        return TOLD

    config = types.GenerateContentConfig(tools=[weather])
    if thinks:
        # Its history keeps a streamed thought as a content of its own, after which Gemini takes no call.
        shown = not (streamed and provider.dialect == "gemini")
        config.thinking_config = types.ThinkingConfig(include_thoughts=shown)
    name = provider.thinking[-1] if thinks else provider.plain
    talk = google.chats.create(model=provider.model(name), config=config)
    if streamed:
        text = "".join(chunk.text or "" for chunk in talk.send_message_stream(QUESTION))
    else:
        text = talk.send_message(QUESTION).text or ""
    assert text == f"The result of weather is: {TOLD}"
    assert len(asked) == 1
    assert (talk.send_message("And in Busan?").text or "").startswith("The result of weather is:")
    assert len(asked) == 2
