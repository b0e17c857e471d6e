"""A browser, and a server for it to talk to: our routes on a real socket over a scripted backend.

`MADANG_TEST_URL` points the same tests at a running Madang instead; what needs the script
(errors and stops on demand) is skipped there. `CHROMIUM` names another browser binary.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette

from madang.web.auth import Pages
from madang.web.chat import chat_routes
from tests.browser.served import ARGUMENTS, OneKey, Script, Visits, serve


@pytest.fixture(scope="session")
def backend() -> Script:
    return Script()


@pytest.fixture(scope="session")
def base_url(backend: Script) -> Iterator[str]:
    """Where the chat page is."""
    if elsewhere := os.environ.get("MADANG_TEST_URL"):
        yield elsewhere.rstrip("/")
        return
    yield from serve(Starlette(routes=chat_routes(backend, Pages(b"k" * 32, OneKey()))))


@pytest.fixture
def script(backend: Script) -> Script:
    """The scripted backend; tests that ask for it cannot run against another Madang."""
    if os.environ.get("MADANG_TEST_URL"):
        pytest.skip("needs the scripted backend, and MADANG_TEST_URL points elsewhere")
    backend.asked.clear()
    return backend


@pytest.fixture(scope="session")
def locked_url(backend: Script) -> Iterator[str]:
    """The same page where everybody has to log in."""
    yield from serve(Starlette(routes=chat_routes(backend, Pages(b"k" * 32, OneKey(), login="always"))))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while Playwright runs, the thread has its loop and no other can run."""
    binary = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(binary).exists():
        reason = f"no browser at {binary}; CHROMIUM names another"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=binary, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def visits(browser: Browser) -> Iterator[Visits]:
    """Every test that opens a page also claims: no policy violation, no error in the console."""
    opened = Visits(browser)
    yield opened
    opened.close()
    assert opened.complaints == []
