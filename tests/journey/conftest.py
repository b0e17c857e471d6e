"""One Madang and one scripted provider for all journeys; each test writes its own script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madang.config.schema import Route
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
