"""Answers in the shape of a Pydantic model, by each SDK's own way of asking for one."""

from __future__ import annotations

from typing import Literal

import anthropic
import openai
from pydantic import BaseModel

from tests.journey.live import KEY
from tests.sdks.conftest import Provider
from tests.sdks.talk import Client


class Room(BaseModel):
    name: str
    heated: bool


class House(BaseModel):
    """A house with a yard in its middle."""

    street: str
    year: int
    kind: Literal["hanok", "villa"]
    rooms: list[Room]
    owner: str | None


def test_every_sdk_gets_a_model_of_its_own_from_every_provider(client: Client, provider: Provider) -> None:
    house = client.parse(provider.model(provider.plain), client.user("Describe a house."), House)
    assert isinstance(house, House)
    assert house.kind in ("hanok", "villa")


def test_a_model_that_thinks_keeps_to_the_shape(client: Client, provider: Provider) -> None:
    house = client.parse(provider.model(provider.thinking[-1]), client.user("Describe a house."), House)
    assert isinstance(house, House)


def test_a_streamed_chat_completion_is_parsed_at_its_end(root: str, provider: Provider) -> None:
    with (
        openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as client,
        client.chat.completions.stream(
            model=provider.model(provider.plain),
            messages=[{"role": "user", "content": "Describe a house."}],
            response_format=House,
        ) as stream,
    ):
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, House)


def test_a_streamed_response_is_parsed_at_its_end(root: str, provider: Provider) -> None:
    with (
        openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as client,
        client.responses.stream(
            model=provider.model(provider.plain), input="Describe a house.", text_format=House
        ) as stream,
    ):
        assert isinstance(stream.get_final_response().output_parsed, House)


def test_a_streamed_message_is_parsed_at_its_end(root: str, provider: Provider) -> None:
    with (
        anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0) as client,
        client.messages.stream(
            model=provider.model(provider.plain),
            max_tokens=1024,
            messages=[{"role": "user", "content": "Describe a house."}],
            output_format=House,
        ) as stream,
    ):
        assert isinstance(stream.get_final_message().parsed_output, House)


def test_a_json_object_without_a_schema_can_be_asked_for(root: str, provider: Provider) -> None:
    with openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(
            model=provider.model(provider.plain),
            messages=[{"role": "user", "content": "Describe a house as JSON."}],
            response_format={"type": "json_object"},
        )
    emulated = "output.json;emulate" in (raw.headers.get("x-madang-losses") or "")
    assert emulated is (provider.dialect == "anthropic")
    # Said in the system prompt alone, which the simulator does not follow as a Claude would.
    assert emulated or (raw.parse().choices[0].message.content or "").startswith("{")
