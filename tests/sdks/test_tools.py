"""Functions that the model calls, and what comes of them, in the way of each SDK's own examples."""

from __future__ import annotations

import pytest

from tests.sdks.conftest import Provider
from tests.sdks.talk import CLOCK, WEATHER, Call, Client, Said, Wishes

FORCED = Wishes(tools=(WEATHER, CLOCK), choice="required")
FREE = Wishes(tools=(WEATHER, CLOCK))
BOTH = "Tell me the weather in Seoul and the clock there."


def shown(call: Call) -> tuple[str, dict[str, object]]:
    return call.name, call.arguments


def check_call(said: Said, client: Client) -> Call:
    """It is one good call, and nothing else."""
    (call,) = said.calls
    assert said.stop == client.stops["tool"]
    assert call.name == "weather"
    assert isinstance(call.arguments["city"], str)
    return call


def test_a_function_is_called_and_its_result_is_told(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), client.user("How is the weather in Seoul?")
    first = client.ask(model, talk, FORCED)
    talk += [*first.turn, *client.results((check_call(first, client), "Snow, -3 degrees."))]
    second = client.ask(model, talk, FREE)
    assert second.text == "The result of weather is: Snow, -3 degrees."
    assert second.stop == client.stops["end"]


def test_a_streamed_call_is_the_one_that_comes_at_once(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), client.user("How is the weather in Seoul?")
    whole, streamed = client.ask(model, talk, FORCED), client.stream(model, talk, FORCED)
    assert shown(check_call(streamed, client)) == shown(check_call(whole, client))
    talk += [*streamed.turn, *client.results((streamed.calls[0], "Snow."))]
    assert client.stream(model, talk, FREE).text == "The result of weather is: Snow."


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_two_calls_at_once_are_told_apart(client: Client, provider: Provider, streamed: bool) -> None:
    ask = client.stream if streamed else client.ask
    model, talk = provider.model(provider.plain), client.user(BOTH)
    first = ask(model, talk, FREE)
    weather, clock = first.calls
    assert (weather.name, clock.name) == ("weather", "clock")
    assert clock.arguments["zone"] in ("Asia/Seoul", "UTC")
    assert provider.dialect == "gemini" or weather.id != clock.id
    talk += [*first.turn, *client.results((weather, "Snow."), (clock, "Noon."))]
    second = ask(model, talk, FREE)
    assert second.text == "The result of weather is: Snow. The result of clock is: Noon."


@pytest.mark.parametrize(
    ("choice", "called"), [("none", []), ("clock", ["clock"]), ("auto", ["weather", "clock"])]
)
def test_the_choice_of_a_function_is_kept(
    client: Client, provider: Provider, choice: str, called: list[str]
) -> None:
    wishes = Wishes(tools=(WEATHER, CLOCK), choice=choice)
    said = client.ask(provider.model(provider.plain), client.user(BOTH), wishes)
    assert [call.name for call in said.calls] == called
    assert bool(said.text) is not bool(called)


def test_a_loop_goes_through_several_rounds(client: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), client.user("How is the weather in Seoul?")
    for told in ("Snow.", "Rain.", "Sun."):
        called = client.ask(model, talk, FORCED)
        talk += [*called.turn, *client.results((check_call(called, client), told))]
        said = client.stream(model, talk, FREE)
        assert said.text == f"The result of weather is: {told}"
        talk += [*said.turn, *client.user("And the weather in Busan?")]


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "anthropic"], indirect=True)
def test_one_call_at_a_time_is_asked_for_where_that_can_be_said(client: Client, provider: Provider) -> None:
    """Gemini's API has no word for it: its SDK cannot ask, and a Gemini is not asked."""
    model, talk = provider.model(provider.plain), client.user(BOTH)
    wishes = Wishes(tools=(WEATHER, CLOCK), one_at_a_time=True)
    kept = provider.dialect != "gemini"
    assert len(client.ask(model, talk, wishes).calls) == (1 if kept else 2)
    assert ("parallel_tools;drop" in (client.losses(model, talk, wishes) or "")) is not kept
