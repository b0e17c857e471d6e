"""An answer in words, at once and streamed, by every SDK from every provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from madang.simulator import Simulator
from tests.sdks.conftest import IN_BLANK_PIECES, Provider
from tests.sdks.talk import Client, Said, Wishes

QUESTION = "What do birds eat in winter?"
SYSTEM = Wishes(system="Answer as a gardener would.")


def check(said: Said, client: Client, provider: Provider) -> None:
    """It is an answer, finished, counted and named."""
    assert "simulated" in said.text
    assert said.stop == client.stops["end"]
    assert said.usage.input > 5
    assert said.usage.output > 5
    assert provider.plain in said.model
    assert (said.call_id or "").startswith("call_")


def words(value: Any) -> Iterator[str]:
    """What is said in a request: in how many pieces is the dialect's own affair."""
    for name, below in value.items() if isinstance(value, dict) else ():
        if name in ("text", "content") and isinstance(below, str):
            yield below
        yield from words(below)
    for item in value if isinstance(value, list) else ():
        yield from words(item)


def test_every_sdk_gets_an_answer_from_every_provider(
    client: Client, provider: Provider, simulator: Simulator
) -> None:
    said = client.ask(provider.model(provider.plain), client.user(QUESTION), SYSTEM)
    check(said, client, provider)
    heard = simulator.requests[-1].body.decode()
    assert SYSTEM.system is not None
    assert SYSTEM.system in heard
    assert QUESTION in heard


def test_every_sdk_streams_from_every_provider(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), client.user(QUESTION)
    streamed, whole = client.stream(model, talk, SYSTEM), client.ask(model, talk, SYSTEM)
    assert streamed.pieces > 3
    assert (streamed.text, streamed.stop, streamed.usage) == (whole.text, whole.stop, whole.usage)


async def test_asynchronous_clients_get_the_same(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), client.user(QUESTION)
    check(await client.ask_async(model, talk, SYSTEM), client, provider)
    streamed = await client.stream_async(model, talk, SYSTEM)
    assert streamed.pieces > 3
    assert streamed.text == client.ask(model, talk, SYSTEM).text


def test_a_conversation_goes_on_with_what_was_said(
    client: Client, provider: Provider, simulator: Simulator
) -> None:
    model, talk = provider.model(provider.plain), client.user(QUESTION)
    first = client.stream(model, talk)
    talk = [*talk, *first.turn, *client.user("안녕? Say it again.")]
    second = client.ask(model, talk)
    assert second.stop == client.stops["end"]
    heard = "".join(words(msgspec.json.decode(simulator.requests[-1].body)))
    assert first.text in heard
    assert "안녕? Say it again." in heard


def test_a_piece_that_is_but_a_blank_is_not_lost(
    client: Client, provider: Provider, simulator: Simulator
) -> None:
    """Some SDKs keep every piece of a stream as a part of its own, and some APIs refuse blank parts."""
    model, talk = provider.model(provider.plain), client.user(IN_BLANK_PIECES)
    said = client.stream(model, talk)
    assert said.text == "simulated blanks"
    assert client.ask(model, [*talk, *said.turn, *client.user("Go on.")]).text
    heard = "".join(words(msgspec.json.decode(simulator.requests[-1].body)))
    assert "simulated blanks" in heard
