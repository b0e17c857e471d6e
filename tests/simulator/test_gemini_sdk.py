"""Google's own SDK against the simulator, unchanged: streams, functions, thoughts, parsing, errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from madang.simulator import Match, Rule, Scenario, Scripted, Simulator, run_in_thread

_ASKED = "What is the weather in Seoul?"
_MODEL = "gemini-3.5-flash"
_BROKEN = (errors.APIError, errors.UnknownApiResponseError, httpx2.HTTPError)
_MANUAL = types.AutomaticFunctionCallingConfig(disable=True)


class Day(BaseModel):
    city: str
    stops: list[str]


@pytest.fixture
def client(threaded: Simulator) -> Iterator[genai.Client]:
    with _client(threaded) as client:
        yield client


def _client(simulator: Simulator, **options: Any) -> genai.Client:
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=simulator.root, **options))


def _content(answer: types.GenerateContentResponse) -> types.Content:
    assert answer.candidates
    content = answer.candidates[0].content
    assert content is not None
    return content


def test_sync_answers_and_streams_agree(client: genai.Client) -> None:
    whole = client.models.generate_content(model=_MODEL, contents=_ASKED)
    chunks = list(client.models.generate_content_stream(model=_MODEL, contents=_ASKED))
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert chunks[-1].usage_metadata == whole.usage_metadata


async def test_async_streams_end_with_their_usage(simulator: Simulator) -> None:
    async with _client(simulator).aio as client:
        stream = await client.models.generate_content_stream(model="sim-tokens-7", contents=_ASKED)
        chunks = [chunk async for chunk in stream]
    usage = chunks[-1].usage_metadata
    assert usage is not None
    assert usage.candidates_token_count == 7


def test_a_parsed_answer_is_an_object_of_the_class(client: genai.Client) -> None:
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Day)
    assert isinstance(
        client.models.generate_content(model=_MODEL, contents=_ASKED, config=config).parsed, Day
    )


def test_functions_are_called_by_themselves(client: genai.Client) -> None:
    asked: list[str] = []

    def weather(city: str) -> str:
        """Tells the weather of a city."""
        asked.append(city)
        return "Sunny."

    config = types.GenerateContentConfig(tools=[weather])
    answer = client.models.generate_content(model=_MODEL, contents=_ASKED, config=config)
    assert answer.text == "The result of weather is: Sunny."
    assert len(asked) == 1


def test_signatures_go_back_with_their_calls(client: genai.Client) -> None:
    declaration = types.FunctionDeclaration(name="weather", parameters_json_schema={"type": "object"})
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])], automatic_function_calling=_MANUAL
    )
    model: Any = client.models
    first = _content(model.generate_content(model=_MODEL, contents=_ASKED, config=config))
    result = types.Part.from_function_response(name="weather", response={"result": "Sunny."})
    talk = [types.UserContent(_ASKED), first, types.Content(role="user", parts=[result])]
    assert model.generate_content(model=_MODEL, contents=talk, config=config).text
    assert first.parts
    first.parts[0].thought_signature = None
    with pytest.raises(errors.ClientError, match="missing a thought_signature"):
        model.generate_content(model=_MODEL, contents=talk, config=config)
    first.parts[0].thought_signature = b"skip_thought_signature_validator"
    assert model.generate_content(model=_MODEL, contents=talk, config=config).text


def test_a_chat_remembers_thoughts_and_all(client: genai.Client) -> None:
    thinking = types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)
    chat = client.chats.create(model=_MODEL, config=types.GenerateContentConfig(thinking_config=thinking))
    assert chat.send_message(_ASKED).text
    for chunk in chat.send_message_stream("And tomorrow?"):
        assert chunk.candidates
    assert chat.send_message("Thanks.").text


@pytest.mark.parametrize(
    ("model", "kind", "status"),
    [
        ("sim-error-400", errors.ClientError, "INVALID_ARGUMENT"),
        ("sim-error-403", errors.ClientError, "PERMISSION_DENIED"),
        ("sim-error-404", errors.ClientError, "NOT_FOUND"),
        ("sim-error-429", errors.ClientError, "RESOURCE_EXHAUSTED"),
        ("sim-error-500", errors.ServerError, "INTERNAL"),
        ("sim-error-503", errors.ServerError, "UNAVAILABLE"),
    ],
)
def test_errors_are_the_sdks_own(
    client: genai.Client, model: str, kind: type[errors.APIError], status: str
) -> None:
    with pytest.raises(kind) as raised:
        client.models.generate_content(model=model, contents=_ASKED)
    assert raised.value.status == status


@pytest.mark.parametrize("model", ["sim-hangup", "sim-half-head", "sim-reset", "sim-truncate"])
def test_a_broken_answer_is_an_error(client: genai.Client, model: str) -> None:
    with pytest.raises(httpx2.HTTPError):
        client.models.generate_content(model=model, contents=_ASKED)


@pytest.mark.parametrize(
    "model",
    [
        "sim-cut-after-3",
        "sim-reset-after-3",
        "sim-garbage-after-3",
        "sim-error-after-3",
        "sim-bad-json-after-3",
    ],
)
def test_a_broken_stream_is_an_error_after_its_first_events(client: genai.Client, model: str) -> None:
    seen = 0
    stream = client.models.generate_content_stream(model=model, contents=_ASKED)

    def read_on() -> None:
        nonlocal seen
        for _ in stream:
            seen += 1

    with pytest.raises(_BROKEN):
        read_on()
    assert seen == 3


@pytest.mark.parametrize("model", ["sim-echo+shred", "sim-echo+crlf", "sim-echo+ping-1"])
def test_odd_but_legal_streams_are_read(client: genai.Client, model: str) -> None:
    chunks = client.models.generate_content_stream(model=model, contents="마당은 넓다")
    assert "".join(chunk.text or "" for chunk in chunks) == "마당은 넓다"


def test_the_sdk_retries_as_told_and_gets_through() -> None:
    rules = (Rule(Match(nth=1), Scripted(status=503)),)
    retry = types.HttpRetryOptions(attempts=2, initial_delay=0.001, max_delay=0.001)
    with (
        run_in_thread(scenario=Scenario(rules)) as simulator,
        _client(simulator, retry_options=retry) as client,
    ):
        assert client.models.generate_content(model=_MODEL, contents=_ASKED).text
        assert len(simulator.requests) == 2


def test_the_other_endpoints_speak_to_the_sdk(client: genai.Client) -> None:
    counted = client.models.count_tokens(model=_MODEL, contents=_ASKED).total_tokens
    assert counted == 8
    vectors = client.models.embed_content(model="gemini-embedding-001", contents=["a", "b"]).embeddings
    assert vectors is not None
    assert [len(vector.values or []) for vector in vectors] == [3072, 3072]
    assert "models/gemini-3.5-flash" in [model.name for model in client.models.list()]
    assert client.models.get(model=_MODEL).thinking
