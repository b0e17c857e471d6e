"""Settings of an answer, and what becomes of those that a provider has not: told, or refused."""

from __future__ import annotations

from typing import Any

import msgspec
import openai
import pytest

from madang.simulator import Simulator
from tests.sdks.conftest import PROVIDERS, Provider
from tests.sdks.talk import Client, Wishes

QUESTION = "What do birds eat in winter?"
LONG = "sim-tokens-200"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_an_answer_that_reaches_its_limit_says_so(client: Client, provider: Provider, streamed: bool) -> None:
    ask = client.stream if streamed else client.ask
    model, talk, wishes = provider.model(LONG), client.user(QUESTION), Wishes(max_tokens=20)
    if streamed and client.dialect == "openai_chat":
        # So its SDK's helper says it, even where nothing had to be parsed.
        with pytest.raises(openai.LengthFinishReasonError) as caught:
            ask(model, talk, wishes)
        usage = caught.value.completion.usage
        assert usage is not None
        assert usage.completion_tokens == 20
        return
    said = ask(model, talk, wishes)
    assert said.stop == client.stops["length"]
    assert said.usage.output == 20


@pytest.mark.parametrize("client", ["openai_chat", "anthropic", "gemini"], indirect=True)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_stop_sequence_ends_the_answer(client: Client, provider: Provider, streamed: bool) -> None:
    """The Responses API has none: its SDK cannot say it, and its provider is not asked without."""
    ask = client.stream if streamed else client.ask
    model, talk = provider.model(provider.plain), client.user(QUESTION)
    wishes = Wishes(stop=(" about",))
    if provider.dialect == "openai_responses":
        with pytest.raises(
            client.errors[400], match="it uses 'stop', and the Responses API has no stop sequ"
        ):
            ask(model, talk, wishes)
        return
    said = ask(model, talk, wishes)
    assert said.text == "Here is a simulated answer"
    # Only Anthropic says that it was a stop sequence.
    known = client.dialect == provider.dialect == "anthropic"
    assert said.stop == client.stops["sequence" if known else "end"]


def test_a_temperature_arrives_as_far_as_it_can(
    client: Client, provider: Provider, simulator: Simulator
) -> None:
    model, talk = provider.model(provider.plain), client.user(QUESTION)
    assert client.ask(model, talk, Wishes(temperature=0.5)).text
    asked = msgspec.json.decode(simulator.requests[-1].body)
    assert asked.get("generationConfig", asked)["temperature"] == 0.5
    if client.dialect == "anthropic":
        return  # where the range ends at 1
    lost = client.losses(model, talk, Wishes(temperature=1.5)) or ""
    asked = msgspec.json.decode(simulator.requests[-1].body)
    told = 1 if provider.dialect == "anthropic" else 1.5
    assert asked.get("generationConfig", asked)["temperature"] == told
    assert ("temperature.above_one;emulate" in lost) is (told == 1)


OWN: dict[str, dict[str, Any]] = {
    "openai_chat": {"logit_bias": {"11": 3}},
    "openai_responses": {"truncation": "auto"},
    "anthropic": {"inference_geo": "us"},
    "gemini": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}]},
}
"""A setting that only the client's own dialect has, as its SDK takes it."""
LOST = {
    "openai_chat": "field:openai_chat:logit_bias;drop",
    "openai_responses": "field:openai_responses:truncation;drop",
    "anthropic": "field:anthropic:inference_geo;drop",
    "gemini": "field:gemini:safetySettings;drop",
}


def test_what_is_lost_is_named_in_a_header_that_the_sdk_shows(client: Client, provider: Provider) -> None:
    wishes = Wishes(own=OWN[client.dialect])
    lost = client.losses(provider.model(provider.plain), client.user(QUESTION), wishes)
    if client.dialect == provider.dialect:
        assert lost is None
    else:
        assert lost is not None
        assert LOST[client.dialect] in lost.split(", ")


def test_nothing_is_said_to_be_lost_of_what_passes(client: Client) -> None:
    provider = PROVIDERS[client.dialect]
    assert client.losses(provider.model(provider.plain), client.user(QUESTION)) is None


@pytest.mark.parametrize("client", ["openai_chat", "gemini"], indirect=True)
def test_several_answers_are_given_or_refused(client: Client, provider: Provider) -> None:
    """The SDKs of the two others cannot ask for several, nor can their providers give them."""
    name = "n" if client.dialect == "openai_chat" else "candidate_count"
    model, talk, wishes = provider.model(provider.plain), client.user(QUESTION), Wishes(own={name: 2})
    if provider.dialect in ("openai_responses", "anthropic"):
        with pytest.raises(client.errors[400], match="it uses 'n', and"):
            client.ask(model, talk, wishes)
    else:
        assert client.ask(model, talk, wishes).choices == 2
