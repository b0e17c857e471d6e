"""One Madang and one scripted provider for all journeys; each test writes its own script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madang.config.schema import Provider, Route
from madang.core.secret import Secret
from tests.journey.live import KEY, Live, Upstream, alive, config_for


@pytest.fixture(scope="session")
def provider() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def other_provider() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.stop()


@pytest.fixture
def upstream(provider: Upstream) -> Upstream:
    """The provider `up`, with a clean memory."""
    provider.heard.clear()
    provider.left = 0
    return provider


@pytest.fixture
def other(other_provider: Upstream) -> Upstream:
    """The provider `spare`, second on the route `both`."""
    other_provider.heard.clear()
    return other_provider


@pytest.fixture(scope="session")
def madang(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    config = config_for(provider)
    spare = type(config.providers["up"])(base_url=other_provider.url)
    yield from alive(
        config_for(
            provider,
            providers={**config.providers, "spare": spare},
            routes={"fast": "up/gpt-4o-mini", "both": Route(targets=["up/gpt-a", "spare/gpt-b"])},
        )
    )


@pytest.fixture(scope="session")
def madang_url(madang: Live) -> str:
    return madang.url


@pytest.fixture(scope="session")
def madang_key() -> str:
    return KEY


@pytest.fixture(scope="session")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    """`claude` speaks Anthropic's dialect, `chat` OpenAI's, `google` Gemini's, `stored` the Responses API."""
    root = provider.url.removesuffix("/v1")
    secret = Secret("sk-upstream")
    yield from alive(
        config_for(
            provider,
            providers={
                "anthropic": Provider(base_url=root, api_key=secret),
                "gemini": Provider(base_url=root, api_key=secret),
                "chat": Provider(base_url=provider.url, api_key=secret, dialects=["openai_chat"]),
                "stored": Provider(base_url=provider.url, dialects=["openai_responses"]),
                "shy": Provider(base_url=provider.url, dialects=["openai_chat"], include_usage=False),
                "spare": Provider(base_url=other_provider.url, dialects=["openai_chat"]),
            },
            routes={
                "claude": "anthropic/claude-haiku-4-5",
                "gem": "gemini/gemini-3-flash",
                "gpt": "chat/gpt-4o",
                "kept": Route(targets=["spare/gpt-a", "stored/gpt-b"]),
                "both": Route(targets=["anthropic/claude-haiku-4-5", "spare/gpt-a"]),
            },
        )
    )
