"""Models that think, in loops of tool calls: what they signed comes back to them, whoever carries it.

The simulator signs what it thinks as its models' providers do, and refuses a loop without the
signature, or with one that was changed.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from madang.simulator import Simulator
from tests.sdks.conftest import KEEP_CALLING, PROVIDERS, THINK_SECRETLY, Provider
from tests.sdks.talk import WEATHER, Client, Said, Wishes

THINKING = Wishes(tools=(WEATHER,), think=True)
QUESTION = "How is the weather in Seoul?"
TOLD = "The result of weather is: Snow."
SIGNED = {
    "openai_chat": None,
    "openai_responses": "encrypted_content",
    "anthropic": "signature",
    "gemini": "thoughtSignature",
}
"""The member that holds a signature in a request to a provider; chat completions have none."""
THINKERS = [(provider, name) for provider in PROVIDERS.values() for name in provider.thinking]
thinkers = pytest.mark.parametrize(
    ("provider", "name"), THINKERS, ids=[f"{name}-{provider.dialect}" for provider, name in THINKERS]
)
streaming = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def signatures(simulator: Simulator, provider: Provider) -> list[str]:
    """The signatures in the last request, in order."""
    found: list[str] = []

    def look(value: Any) -> None:
        for name, below in value.items() if isinstance(value, dict) else ():
            if name == SIGNED[provider.dialect]:
                found.append(below)
            look(below)
        for item in value if isinstance(value, list) else ():
            look(item)

    look(msgspec.json.decode(simulator.requests[-1].body))
    return found


def check_thought(said: Said, client: Client, provider: Provider) -> None:
    """It thought, and shows it as far as both dialects can."""
    assert said.usage.reasoning
    assert said.usage.output > said.usage.reasoning
    # OpenAI's chat completions show no thoughts, and its SDK knows none in them.
    silent = provider.dialect == "openai_chat" or client.dialect == "openai_chat"
    assert bool(said.thoughts) is not silent


@thinkers
@streaming
def test_a_signature_survives_the_loop_and_the_next_one(
    client: Client, provider: Provider, name: str, streamed: bool, simulator: Simulator
) -> None:
    ask = client.stream if streamed else client.ask
    model, talk = provider.model(name), client.user(QUESTION)
    for place in range(2):
        called = ask(model, talk, THINKING)
        check_thought(called, client, provider)
        (call,) = called.calls
        talk += [*called.turn, *client.results((call, "Snow."))]
        said = ask(model, talk, THINKING)
        assert said.text == TOLD
        assert len(signatures(simulator, provider)) >= (SIGNED[provider.dialect] is not None)
        talk += [*said.turn, *client.user(f"And tomorrow? ({place})")]


@thinkers
def test_each_round_of_a_loop_keeps_its_own_signature(
    client: Client, provider: Provider, name: str, simulator: Simulator
) -> None:
    model, talk = provider.model(name), client.user(f"{QUESTION} {KEEP_CALLING}")
    for told in ("Snow.", "Rain.", "Sun."):
        called = client.ask(model, talk, THINKING)
        (call,) = called.calls
        talk += [*called.turn, *client.results((call, told))]
    kept = signatures(simulator, provider)
    # With a budget Claude thinks once before a loop, unless asked to in between; the others in each round.
    assert len(kept) == (0 if SIGNED[provider.dialect] is None else 1 if "haiku" in name else 2)


@streaming
@pytest.mark.parametrize("provider", [PROVIDERS["anthropic"]], ids=["anthropic-provider"])
def test_thoughts_that_claude_hides_survive_too(
    client: Client, provider: Provider, streamed: bool, simulator: Simulator
) -> None:
    ask = client.stream if streamed else client.ask
    model, talk = provider.model("claude-haiku-4-5"), client.user(f"{QUESTION} {THINK_SECRETLY}")
    called = ask(model, talk, THINKING)
    (call,) = called.calls
    assert called.thoughts == ""
    assert ask(model, [*talk, *called.turn, *client.results((call, "Snow."))], THINKING).text == TOLD
    assert simulator.requests[-1].body.count(b'"redacted_thinking"') == 1


@thinkers
@streaming
@pytest.mark.parametrize("client", ["openai_chat"], indirect=True)
def test_a_chat_client_need_keep_nothing_but_ids(
    client: Client, provider: Provider, name: str, streamed: bool, simulator: Simulator
) -> None:
    """Many frameworks build the assistant's message anew from each call's id, name and arguments."""
    ask = client.stream if streamed else client.ask
    model, talk = provider.model(name), client.user(QUESTION)
    called = ask(model, talk, THINKING)
    (call,) = called.calls
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    rebuilt = {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]}
    talk += [rebuilt, *client.results((call, "Snow."))]
    assert ask(model, talk, THINKING).text == TOLD
    assert len(signatures(simulator, provider)) == (SIGNED[provider.dialect] is not None)


@thinkers
@pytest.mark.parametrize("client", ["openai_responses"], indirect=True)
def test_a_responses_client_need_keep_nothing_but_ids_either(
    client: Client, provider: Provider, name: str, simulator: Simulator
) -> None:
    """But for OpenAI's own thoughts, which are in the reasoning items alone, as at OpenAI."""
    model, talk = provider.model(name), client.user(QUESTION)
    (call,) = client.ask(model, talk, THINKING).calls
    arguments = json.dumps(call.arguments)
    talk += [{"type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments}]
    assert client.ask(model, [*talk, *client.results((call, "Snow."))], THINKING).text == TOLD
    assert len(signatures(simulator, provider)) == (provider.dialect in ("anthropic", "gemini"))


@streaming
@pytest.mark.parametrize("client", ["openai_responses"], indirect=True)
@pytest.mark.parametrize("name", ["claude-haiku-4-5", "gemini-3.5-flash"])
def test_a_responses_client_need_not_ask_for_what_is_encrypted(
    client: Client, name: str, streamed: bool, simulator: Simulator
) -> None:
    """Madang keeps nothing: whoever sends back all that was put out goes on, whatever it included."""
    provider = PROVIDERS["anthropic" if "claude" in name else "gemini"]
    wishes = Wishes(tools=(WEATHER,), own={"reasoning": {"effort": "low"}})
    ask = client.stream if streamed else client.ask
    model, talk = provider.model(name), client.user(QUESTION)
    called = ask(model, talk, wishes)
    talk += [*called.turn, *client.results((called.calls[0], "Snow."))]
    assert ask(model, talk, wishes).text == TOLD
    assert len(signatures(simulator, provider)) == 1


SIGNERS = [
    ("openai_responses", "gpt-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("gemini", "gemini-3.5-flash"),
]


@pytest.mark.parametrize(("signer", "name"), SIGNERS, ids=[signer for signer, _ in SIGNERS])
def test_an_open_loop_stays_with_the_maker_of_its_signature(
    client: Client, provider: Provider, signer: str, name: str
) -> None:
    begun, talk = PROVIDERS[signer].model(name), client.user(QUESTION)
    elsewhere = provider.model(provider.plain)
    called = client.ask(begun, talk, THINKING)
    loop = [*talk, *called.turn, *client.results((called.calls[0], "Snow."))]
    free = Wishes(tools=(WEATHER,))
    if signer != provider.dialect:
        with pytest.raises(client.errors[400], match="A tool loop is open whose reasoning was signed for"):
            client.ask(elsewhere, loop, free)
    closed = [*loop, *client.ask(begun, loop, THINKING).turn, *client.user("Thank you. Now for birds.")]
    assert client.ask(elsewhere, closed, Wishes(tools=(WEATHER,), choice="none")).text
