"""What goes wrong reaches each SDK's user as the SDK's own class, with the right status and a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdks.conftest import CLIENTS, Provider
from tests.sdks.talk import Client


def status_of(problem: Exception) -> int:
    """The status an SDK's error tells; Google's calls it a code."""
    status = getattr(problem, "status_code", None) or getattr(problem, "code", None)
    assert isinstance(status, int)
    return status


@pytest.fixture(params=CLIENTS, ids=lambda name: f"{name}-client")
def stranger(request: pytest.FixtureRequest, root: str) -> Iterator[Client]:
    """A client with a key that nobody knows."""
    client = CLIENTS[request.param](root, "sk-wrong")
    yield client
    client.close()


def test_a_wrong_key_is_an_authentication_error(stranger: Client, provider: Provider) -> None:
    model, talk = provider.model(provider.plain), stranger.user("Hello?")
    for attempt in (stranger.ask, stranger.stream):
        with pytest.raises(stranger.errors[401], match="not known here") as caught:
            attempt(model, talk)
        assert status_of(caught.value) == 401


def test_a_model_that_nobody_has_is_not_found(client: Client) -> None:
    for attempt in (client.ask, client.stream):
        with pytest.raises(client.errors[404], match="does not exist") as caught:
            attempt("nobody/gpt-4o", client.user("Hello?"))
        assert status_of(caught.value) == 404


def as_told(status: int, client: Client, provider: Provider) -> int:
    """The status that a provider's error reaches a client with: its own, but for the word overloaded.

    529 is Anthropic's own for it; the others know 503. What passes, passes as it came.
    """
    if client.dialect == provider.dialect or status not in (503, 529):
        return status
    if client.dialect == "anthropic":
        return 529
    return 503


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503, 529])
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_providers_error_is_one_of_the_sdks(
    client: Client, provider: Provider, status: int, streamed: bool
) -> None:
    ask = client.stream if streamed else client.ask
    told = as_told(status, client, provider)
    with pytest.raises(client.errors[told]) as caught:
        ask(provider.model(f"sim-error-{status}"), client.user("Hello?"))
    assert status_of(caught.value) == told


def test_the_time_to_wait_reaches_the_sdk(client: Client, provider: Provider) -> None:
    with pytest.raises(client.errors[429]) as caught:
        client.ask(provider.model("sim-error-429+retry-after-7"), client.user("Hello?"))
    response: Any = getattr(caught.value, "response")  # noqa: B009 - three SDKs, one attribute
    told = response.headers.get("retry-after")
    # Google says it in the body, which passes to its own SDK as it came.
    passes = client.dialect == provider.dialect == "gemini"
    assert told == (None if passes else "7")


@pytest.mark.parametrize("fault", ["error-after-4", "cut-after-4", "reset-after-4", "garbage-after-4"])
def test_a_stream_that_breaks_raises(client: Client, provider: Provider, fault: str) -> None:
    with pytest.raises(client.broken, match=r"rror|The provider (closed the connection|sent what is not)"):
        client.stream(provider.model(f"sim-{fault}"), client.user("Hello?"))


async def test_a_stream_that_breaks_raises_in_asynchronous_clients(
    client: Client, provider: Provider
) -> None:
    with pytest.raises(client.broken):
        await client.stream_async(provider.model("sim-cut-after-4"), client.user("Hello?"))
