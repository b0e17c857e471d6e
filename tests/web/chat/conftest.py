"""The chat's routes over a script instead of a gateway, and a browser of sorts at this machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from madang.web.auth import Pages
from madang.web.chat import chat_routes
from tests.web.chat.scripted import Clock, KeyStore, Script, Surfer


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def keys() -> KeyStore:
    return KeyStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(keys: KeyStore, clock: Clock) -> Pages:
    return Pages(b"s" * 32, keys, now=clock)


@pytest.fixture
def surfer_from(script: Script, pages: Pages) -> Callable[..., Surfer]:
    """Somebody at an address, who asked for a host."""
    app = Starlette(routes=chat_routes(script, pages))

    def surfer(peer: str = "127.0.0.1", base_url: str = "http://localhost:4000") -> Surfer:
        return Surfer(app, base_url=base_url, client=(peer, 50000), follow_redirects=False)

    return surfer


@pytest.fixture
def surfer(surfer_from: Callable[..., Surfer]) -> Surfer:
    """Somebody at this machine."""
    return surfer_from()
