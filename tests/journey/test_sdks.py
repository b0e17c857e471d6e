"""The `openai` SDK, unchanged, over real HTTP: against the offline model and against the simulator."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from pydantic import BaseModel

from madang.config.schema import Config, Provider, Server, Store
from madang.core.secret import Secret
from madang.simulator import Simulator, run_in_thread
from tests.journey.live import KEY, Live, alive, wait_until

TEXT = "마당은 집의 가운데에 있다. 방은 모두 마당을 향해 열린다. 손님은 마당을 지나 방에 든다."
OFFLINE = "offline/extractive"
SIMULATED = "sim/gpt-4o"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with run_in_thread() as running:
        yield running


@pytest.fixture(scope="module")
def house(simulator: Simulator) -> Iterator[Live]:
    config = Config(
        providers={"sim": Provider(base_url=simulator.url, api_key=Secret("sk-sim"))},
        store=Store(flush_seconds=0.02),
        server=Server(shutdown_seconds=5),
    )
    yield from alive(config)


@pytest.fixture(scope="module")
def client(house: Live) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=house.url, api_key=KEY, max_retries=0) as made:
        yield made


def question(text: str = f"요약해줘: {TEXT}") -> list[openai.types.chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("model", [OFFLINE, SIMULATED])
def test_a_sync_client_gets_an_answer(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=question())
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert (answer._request_id or "").startswith("call_")


@pytest.mark.parametrize("model", [OFFLINE, SIMULATED])
def test_a_streaming_client_gets_pieces_and_no_usage_it_did_not_ask_for(
    client: openai.OpenAI, model: str
) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=question(), stream=True))
    assert len(chunks) > 3
    assert all(chunk.choices for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@pytest.mark.parametrize("model", [OFFLINE, SIMULATED])
def test_usage_that_was_asked_for_comes_in_the_last_chunk(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model, messages=question(), stream=True, stream_options={"include_usage": True}
    )
    *_, last = stream
    assert last.choices == []
    assert last.usage is not None
    assert last.usage.completion_tokens > 0


@pytest.mark.parametrize("model", [OFFLINE, SIMULATED])
async def test_an_async_client_gets_an_answer_and_a_stream(house: Live, model: str) -> None:
    async with openai.AsyncOpenAI(base_url=house.url, api_key=KEY, max_retries=0) as client:
        answer = await client.chat.completions.create(model=model, messages=question())
        assert answer.choices[0].message.content
        stream = await client.chat.completions.create(model=model, messages=question(), stream=True)
        assert [chunk async for chunk in stream]


def test_tools_and_parsed_answers_pass(client: openai.OpenAI) -> None:
    class Weather(BaseModel):
        city: str
        degrees: float

    parsed = client.chat.completions.parse(model=SIMULATED, messages=question(), response_format=Weather)
    assert isinstance(parsed.choices[0].message.parsed, Weather)
    called = client.chat.completions.create(
        model=SIMULATED,
        messages=question("weather?"),
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                },
            }
        ],
        tool_choice="required",
    )
    calls = called.choices[0].message.tool_calls
    assert calls
    assert calls[0].type == "function"
    assert calls[0].function.name == "weather"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("sim/sim-error-429", openai.RateLimitError),
        ("sim/sim-error-500", openai.InternalServerError),
        ("sim/sim-error-400", openai.BadRequestError),
        ("sim/sim-hangup", openai.InternalServerError),
        ("sim/sim-reset", openai.InternalServerError),
        ("nobody/x", openai.NotFoundError),
        ("nonesuch", openai.NotFoundError),
    ],
)
def test_errors_are_the_sdks_own(client: openai.OpenAI, model: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=question())


@pytest.mark.parametrize("model", ["sim-cut-after-3", "sim-garbage-after-2", "sim-reset-after-3"])
def test_a_stream_that_breaks_is_an_error_and_not_an_end(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.APIError):
        for _ in client.chat.completions.create(model=f"sim/{model}", messages=question(), stream=True):
            pass


def test_a_wrong_key_is_the_sdks_authentication_error(house: Live) -> None:
    with (
        openai.OpenAI(base_url=house.url, api_key="sk-wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="not known here"),
    ):
        client.models.list()


def test_other_endpoints_pass_for_the_sdk(client: openai.OpenAI) -> None:
    assert OFFLINE in [model.id for model in client.models.list()]
    assert client.models.retrieve(SIMULATED).id == SIMULATED
    vectors = client.embeddings.create(model="sim/text-embedding-3-small", input=["마당", "house"])
    assert len(vectors.data) == 2
    assert not client.moderations.create(model="sim/omni-moderation-latest", input="hello").results[0].flagged


def test_a_stream_left_by_the_sdk_stops_the_simulator(client: openai.OpenAI, simulator: Simulator) -> None:
    before = simulator.stats.left
    stream = client.chat.completions.create(
        model="sim/sim-tokens-500+pace-20ms", messages=question(), stream=True
    )
    next(iter(stream))
    stream.close()
    wait_until(lambda: simulator.stats.left == before + 1)
