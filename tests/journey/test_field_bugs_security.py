"""Ways into other gateways, tried on this one: a key's beginning, the Host header, SQL, a stored hash.

What is shown elsewhere (default admin keys, secrets in logs, hashed locks) is named in `docs/field-bugs.md`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.field import house_of
from tests.journey.live import KEY, Live, Upstream, alive, json_answer
from tests.rules.tree import ROOT, files, shown


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


QUESTION = {"model": "gpt", "messages": [{"role": "user", "content": "hello"}]}


def test_a_key_with_the_same_beginning_is_another_key(house: Live, upstream: Upstream) -> None:
    """CVE-2026-35030: who had been let in was remembered by the first 20 characters of his token."""
    upstream.answer = lambda _: json_answer({"choices": []})
    secret = house.app.store.keys.create("the real one").secret.reveal()
    assert house.ask(QUESTION, key=secret).status == 200
    for end in range(1, len(secret) - 1):
        assert house.app.callers.by_secret(secret[:-end]) is None
    last = "a" if secret[-1] != "a" else "b"
    for forged in (secret[:-1], secret[:-1] + last, secret[:40] + "x" * (len(secret) - 40), secret + "x"):
        assert house.ask(QUESTION, key=forged).status == 401


@pytest.mark.parametrize(
    "key",
    [
        "' OR '1'='1",
        "sk-x' UNION SELECT * FROM keys WHERE admin = 1 --",
        "sk-x'; DELETE FROM keys; --",
        "%",
        "*",
        "null",
        "undefined",
        "sk-1234",
    ],
)
def test_sql_and_wild_cards_in_a_key_open_nothing(house: Live, key: str) -> None:
    """CVE-2026-42208: the key was put into the statement that looked it up; 26 hours until it was used."""
    answer = house.ask(QUESTION, key=key)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert len(house.app.store.keys.list(True)) >= 1
    assert house.ask(b"", "/v1/models", method="GET").status == 200


def test_what_the_store_keeps_of_a_key_does_not_open(house: Live) -> None:
    """Pass the hash: whoever had read the database could log in with what it holds."""
    made = house.app.store.keys.create("stored")
    for kept in (made.key.hash, made.key.hint.encode("ascii", "ignore").decode(), made.key.id):
        assert house.ask(QUESTION, key=kept).status == 401
        assert house.ask(QUESTION, key=f"sk-madang-{kept}").status == 401


HOSTS = [
    "x/?",
    "x/#",
    "x/livez?",
    "x/livez#",
    "x/health?y=",
    "localhost/?",
    "127.0.0.1/livez#",
    "x@localhost",
    "/livez",
]
PLACES = ["/v1/models", "/v1/files", "/v1beta/models", "/admin/keys"]


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("host", HOSTS)
def test_no_host_header_leads_past_the_key(house: Live, upstream: Upstream, host: str, path: str) -> None:
    """CVE-2026-48710, -49468: the route was read from a URL put together with the Host header."""
    for target in (path, f"http://x{path}"):
        got = house.raw(
            f"GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode(), whole=True
        )
        status = int(got.split(b" ", 2)[1])
        assert status in (400, 401, 404)
        assert b'"data"' not in got
    assert upstream.heard == []


@pytest.mark.parametrize("host", [*HOSTS, "localhost.evil.example", "evil.example"])
def test_no_host_header_makes_a_stranger_a_visitor_of_this_machine(house: Live, host: str) -> None:
    """The same for the pages, which open without a login at this machine alone."""
    got = house.raw(f"GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode(), whole=True)
    assert b"<textarea" not in got


@pytest.mark.parametrize(
    "header", ["x-original-url", "x-rewrite-url", "x-forwarded-path", "x-http-method-override"]
)
def test_no_header_names_another_path(house: Live, header: str) -> None:
    """Servers in front of a gateway write these; a client may not."""
    answer = house.ask(b"", "/v1/models", method="GET", key=None, headers={header: "/livez"})
    assert answer.status == 401


AT_IMPORT = """
import importlib, pkgutil, sys

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec"):
        raise SystemExit(f"{event} {args}")

sys.addaudithook(refuse)
import madang
for module in pkgutil.walk_packages(madang.__path__, "madang."):
    if not module.name.endswith("__main__") and ".migrations." not in module.name:
        importlib.import_module(module.name)
print(len([name for name in sys.modules if name.startswith("madang")]))
"""


def test_nothing_is_fetched_or_run_by_importing(tmp_path: Path) -> None:
    """aider #3111: a table of prices was downloaded by `import litellm`; and 1.82.7's payload ran there."""
    done = subprocess.run([sys.executable, "-c", AT_IMPORT], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 150


def test_no_file_runs_at_every_start_of_python() -> None:
    """litellm 1.82.8 brought `litellm_init.pth`, which Python runs at each start, whatever it starts."""
    startup = (".pth", "sitecustomize.py", "usercustomize.py")
    assert [shown(path) for path in files() if path.name.endswith(startup)] == []
    assert ".pth" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_the_callers_key_goes_to_no_provider(house: Live, upstream: Upstream, header: str) -> None:
    """A master key that is sent on is a master key that is told."""
    upstream.answer = lambda _: json_answer({"choices": []})
    given = {header: f"Bearer {KEY}" if header == "authorization" else KEY}
    for model, path in (
        ("gpt", "/v1/chat/completions"),
        ("claude", "/v1/messages"),
        ("kept", "/v1/responses"),
    ):
        house.ask({**QUESTION, "model": model}, path, key=None, headers=given)
    house.ask(b"", "/v1/files", method="GET", key=None, headers=given)
    assert len(upstream.heard) == 4
    assert all(KEY not in repr(heard) for heard in upstream.heard)
