"""The matrix: four SDKs, and a Madang with four providers, which are the simulator in its four dialects.

A test that takes `client` and `provider` is run for all sixteen pairs. The simulator is a strict one:
it refuses what the provider's own API would refuse, so an answer says that the request was good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from madang.config.schema import Config, Server, Store
from madang.config.schema import Provider as ProviderSection
from madang.core.secret import Secret
from madang.simulator import (
    Controls,
    Match,
    Options,
    Rule,
    Scenario,
    Scripted,
    Simulator,
    run_in_thread,
)
from tests.journey.live import KEY, Live, alive
from tests.sdks.chat import Chat
from tests.sdks.claude import Claude
from tests.sdks.genai import GenAI
from tests.sdks.responses import Responses
from tests.sdks.talk import Client, Make

CLIENTS: dict[str, Make] = {
    "openai_chat": Chat,
    "openai_responses": Responses,
    "anthropic": Claude,
    "gemini": GenAI,
}


@dataclass(frozen=True)
class Provider:
    """A provider of the configuration, which speaks one dialect."""

    dialect: str
    name: str
    plain: str
    """A model that does not think."""
    thinking: tuple[str, ...]
    """Models that think, each in another way."""

    def model(self, name: str) -> str:
        """A model of its, as clients call it."""
        return f"{self.name}/{name}"


PROVIDERS = {
    "openai_chat": Provider("openai_chat", "openai", "gpt-4o", ("gpt-5",)),
    "openai_responses": Provider("openai_responses", "stored", "gpt-4o", ("gpt-5", "gpt-5.5")),
    "anthropic": Provider(
        "anthropic",
        "anthropic",
        "claude-haiku-4-5",
        ("claude-haiku-4-5", "claude-opus-4-6", "claude-sonnet-5"),
    ),
    "gemini": Provider("gemini", "gemini", "gemini-2.0-flash", ("gemini-2.5-flash", "gemini-3.5-flash")),
}


KEEP_CALLING = "Keep calling."
"""Said to the simulator, it calls a tool again whatever the last one brought."""
THINK_SECRETLY = "Think secretly."
"""Said to the simulator, its Claude hides its thoughts in encrypted blocks."""
IN_BLANK_PIECES = "Speak in blank pieces."
"""Said to the simulator, one piece of its stream is nothing but a blank."""
SCENARIO = Scenario(
    (
        Rule(Match(contains=KEEP_CALLING), controls=Controls(tool_calls=1)),
        Rule(Match(contains=THINK_SECRETLY), controls=Controls(redact=True)),
        Rule(Match(contains=IN_BLANK_PIECES), Scripted(stream=["simulated", " ", "blanks"])),
    )
)


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    with run_in_thread(scenario=SCENARIO, options=Options(strict=True)) as running:
        yield running


@pytest.fixture(scope="session")
def house(simulator: Simulator) -> Iterator[Live]:
    root, secret = simulator.url.removesuffix("/v1"), Secret("sk-simulated")
    providers = {
        "openai": ProviderSection(base_url=simulator.url, api_key=secret, dialects=["openai_chat"]),
        "stored": ProviderSection(base_url=simulator.url, api_key=secret, dialects=["openai_responses"]),
        "anthropic": ProviderSection(base_url=root, api_key=secret),
        "gemini": ProviderSection(base_url=root, api_key=secret),
    }
    yield from alive(
        Config(providers=providers, store=Store(flush_seconds=0.02), server=Server(shutdown_seconds=5))
    )


@pytest.fixture(scope="session")
def root(house: Live) -> str:
    """What SDKs that append the version themselves call the base URL."""
    return house.url.removesuffix("/v1")


@pytest.fixture(scope="session")
def clients(root: str) -> Iterator[dict[str, Client]]:
    made = {name: make(root, KEY) for name, make in CLIENTS.items()}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture(params=CLIENTS, ids=lambda name: f"{name}-client")
def client(request: pytest.FixtureRequest, clients: dict[str, Client]) -> Client:
    return clients[request.param]


@pytest.fixture(params=PROVIDERS.values(), ids=lambda provider: f"{provider.dialect}-provider")
def provider(request: pytest.FixtureRequest) -> Provider:
    found = request.param
    assert isinstance(found, Provider)
    return found
