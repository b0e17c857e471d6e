"""What went wrong at other gateways besides streams, signatures, usage, memory and security.

`docs/field-bugs.md` tells each of them, and what became of those it happened to.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as sql
from sqlalchemy.exc import OperationalError

from madang.config.load import load_config
from madang.core.messages import Message, Text, ToolCall, ToolResult
from madang.core.requests import Request, Tool
from madang.dialects import losses
from madang.dialects.every import DIALECTS
from madang.gateway.asides import estimate
from madang.providers.discover import discover
from madang.providers.door import HttpDoor
from madang.store.keys import Changes
from tests.journey.field import (
    ASKING,
    MODELS,
    TALK,
    Reading,
    ask,
    event,
    house_of,
    walk,
)
from tests.journey.live import DONE, Live, Upstream, alive, chunk, json_answer, stream_answer, wait_until
from tests.rules.tree import ROOT, modules


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


PAIRS = [(client, dialect) for client in ASKING for dialect in MODELS if client != dialect]

# What is sent to a provider.


@pytest.mark.parametrize(("client", "dialect"), PAIRS)
@pytest.mark.parametrize("stream", [False, True])
def test_what_a_client_did_not_say_is_not_sent_as_null(
    house: Live, upstream: Upstream, client: str, dialect: str, stream: bool
) -> None:
    """litellm's incident of 2026-02: `encoding_format: null` to vLLM, which refused every embedding."""
    upstream.answer = lambda _: json_answer({})
    ask(house, client, MODELS[dialect], stream=stream)
    (sent,) = upstream.heard
    assert None not in list(walk(sent.json()))


def test_an_embedding_is_asked_for_in_no_more_words_than_it_was(house: Live, upstream: Upstream) -> None:
    """The same, where it was."""
    upstream.answer = lambda _: json_answer({"object": "list", "data": [], "model": "e"})
    body = b'{"model": "chat/bge-m3", "input": ["a"]}'
    house.ask(body, "/v1/embeddings")
    assert upstream.heard[-1].body == body.replace(b"chat/", b"")
    contents = {"content": {"parts": [{"text": "a"}]}}
    house.ask(contents, "/v1beta/models/chat/bge-m3:embedContent")
    assert upstream.heard[-1].json() == {"model": "bge-m3", "input": ["a"], "encoding_format": "float"}


BETAS = {"anthropic-beta": "mcp-servers-2025-12-04,context-1m-2025-08-07", "anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "gemini"])
def test_a_beta_of_anthropics_goes_to_no_other_provider(
    house: Live, upstream: Upstream, dialect: str
) -> None:
    """litellm #18145, #19877: Claude Code's betas went on to Bedrock and Vertex, "invalid beta flag"."""
    upstream.answer = lambda _: json_answer({})
    path, body = ASKING["anthropic"]
    house.ask({**body, "model": MODELS[dialect]}, path, headers=BETAS)
    house.ask({**body, "model": MODELS[dialect]}, path + "/count_tokens", headers=BETAS)
    assert upstream.heard
    assert [name for heard in upstream.heard for name in heard.headers if name.startswith("anthropic-")] == []


def test_a_beta_of_anthropics_goes_to_anthropic(house: Live, upstream: Upstream) -> None:
    """And litellm #15700: nor may it be dropped where it belongs."""
    upstream.answer = lambda _: json_answer({})
    path, body = ASKING["anthropic"]
    house.ask({**body, "model": "claude"}, path, headers=BETAS)
    assert upstream.heard[0].headers.items() >= BETAS.items()


SEALED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAsealed"}
REFUSED = {
    "message": "The encrypted content gAAA could not be verified.",
    "code": "invalid_encrypted_content",
}
ANSWER = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": []}


@pytest.mark.parametrize("client", ["openai_responses", "anthropic"])
@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_that_one_account_encrypted_goes_back_to_that_account(
    house: Live, upstream: Upstream, other: Upstream, client: str, stream: bool
) -> None:
    """litellm #18094: balanced to another organisation's key, which cannot read it; 400, again and again."""
    upstream.answer = lambda _: json_answer({"error": {**REFUSED, "type": "invalid_request_error"}}, 400)
    done = event("response.completed", response=ANSWER)
    other.answer = lambda _: stream_answer([done]) if stream else json_answer(ANSWER)
    asked = {"input": [SEALED, *TALK]} if client == "openai_responses" else {}
    answer = ask(house, client, "regions", stream=stream, **asked)
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "elsewhere/gpt-5")
    attempts = house.record(answer.call_id).attempts
    assert [(one.provider, one.error) for one in attempts] == [
        ("stored", "invalid_encrypted_content"),
        ("elsewhere", None),
    ]


def test_another_mistake_is_told_by_the_first_target_and_whole(
    house: Live, upstream: Upstream, other: Upstream
) -> None:
    """Only that one word sends a mistake of the client's on to the next target."""
    said = {"error": {"message": "x" * 5000, "code": "unknown_parameter"}}
    upstream.answer = lambda _: json_answer(said, 400)
    answer = ask(house, "openai_responses", "regions")
    assert (answer.status, answer.json(), other.heard) == (400, said, [])


@pytest.mark.parametrize("pattern", ["chat/*", "chat/claude-*", "*"])
def test_a_wild_card_opens_a_model_that_nobody_has_heard_of_yet(
    house: Live, upstream: Upstream, pattern: str
) -> None:
    """litellm's incident of 2026-02-23: `anthropic/*` refused each model newer than the table of prices."""
    upstream.answer = lambda _: json_answer({"choices": []})
    key = house.app.store.keys.create(f"wild {pattern}", models=[pattern]).secret.reveal()
    body = {"model": "chat/claude-sonnet-99-20301231", "messages": TALK}
    wait_until(lambda: house.ask(body, key=key).status == 200)
    assert upstream.heard[-1].json()["model"] == "claude-sonnet-99-20301231"


# Waiting: for a long prompt, for the database, for a connection.


def work(do: Callable[[], object]) -> int:
    """How many calls and returns Python makes, its own functions and C's: no clock, and always the same."""
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return steps


def long_talk(text: str) -> Request:
    """All kinds of words that may be long."""
    return Request(
        model="m",
        max_tokens=100,
        messages=(
            Message("system", (Text(text),)),
            Message("user", (Text(text),)),
            Message("assistant", (Text(text), ToolCall(id="c", name="f", arguments=f'{{"a":"{text}"}}'))),
            Message("tool", (ToolResult(call_id="c", parts=(Text(text),)),)),
        ),
        tools=(Tool(name="f", description=text, schema={"type": "object", "description": text}),),
    )


@pytest.mark.parametrize("word", ["word ", "낱말 "])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_giant_prompt_is_no_more_work_for_python_than_a_small_one(dialect: str, word: str) -> None:
    """litellm #26193, #36174: a long prompt's tokens were counted on the event loop; the pod was killed."""

    def journey(text: str) -> None:
        body = DIALECTS[dialect].render_request(long_talk(text), "m")
        request = DIALECTS[dialect].parse_request(body, "m", False)
        estimate(request)
        for target in DIALECTS:
            losses.find(request, target)
            DIALECTS[target].render_request(request, "m")

    journey(word)
    assert work(lambda: journey(word * 50_000)) <= work(lambda: journey(word)) + 50


def test_a_database_that_stands_still_stops_no_call_and_no_probe(
    house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """litellm's incident of a query over two years: the loop stood still, and the pods were restarted."""
    upstream.answer = lambda _: json_answer({"choices": []})
    stands, go_on = threading.Event(), threading.Event()
    changed_since = house.app.callers._changed_since

    def stand_still(cursor: int) -> Changes:
        stands.set()
        go_on.wait(20)
        return changed_since(cursor)

    monkeypatch.setattr(house.app.callers, "_changed_since", stand_still)
    stranger = threading.Thread(target=lambda: house.ask(b"{}", key="sk-nobody-knows-this-one"))
    stranger.start()
    try:
        assert stands.wait(10)
        assert house.ask(b"", "/livez", method="GET", key=None).body == b"ok"
        assert ask(house, "openai_chat", "gpt").status == 200
        assert stranger.is_alive()
    finally:
        go_on.set()
        stranger.join(10)


def test_calls_take_no_connection_to_the_database(house: Live, upstream: Upstream) -> None:
    """litellm #18708: a connection for each call, "too many clients already", and then nobody was let in."""
    upstream.answer = lambda _: json_answer({"choices": []})
    engine = house.app.store._database._engine
    asked_by: list[str] = []

    def note(*_: object) -> None:
        asked_by.append(threading.current_thread().name)

    def call_ten_times() -> None:
        for _ in range(10):
            ask(house, "openai_chat", "gpt")

    sql.listen(engine, "checkout", note)
    try:
        callers = [threading.Thread(target=call_ten_times) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(30)
        wait_until(lambda: house.app.ledger.stats().pending == 0)
    finally:
        sql.remove(engine, "checkout", note)
    assert len(upstream.heard) == 80
    others = [name for name in asked_by if not name.startswith("madang-ledger")]
    assert len(others) < 20, "besides the ledger, only a look for new keys each second"


def test_records_survive_a_deadlock(house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """litellm #6895, #27989, PR #34887: the rows of a deadlock's loser, and what they had cost, were lost."""
    upstream.answer = lambda _: json_answer({"choices": []})
    calls = house.app.store.calls
    insert, deadlocks = calls._insert, 2

    def lose(records: Any) -> None:
        nonlocal deadlocks
        if deadlocks:
            deadlocks -= 1
            with calls._database.writing():
                raise OperationalError("INSERT", {}, Exception("deadlock detected"))
        insert(records)

    monkeypatch.setattr(calls, "_insert", lose)
    ids = [ask(house, "openai_chat", "gpt").call_id for _ in range(5)]
    assert [house.record(one).id for one in ids] == ids
    assert deadlocks == 0


def test_connections_are_let_go_only_when_nobody_uses_them(house: Live, upstream: Upstream) -> None:
    """litellm #22925, #35856: clients were closed as their cache forgot them, an hour on, in mid-stream."""
    reading = Reading()
    events = [chunk("first"), chunk("second"), chunk(finish="stop"), DONE]
    in_use: list[int] = []

    def forget() -> None:
        """As if an hour had passed, and everything remembered had made room for something else."""
        later = asyncio.get_running_loop().time() + 3600
        for pool in house.app.http._pools.values():
            pool.expire(later)
        for _, door in house.app.gateway.routes.doors():
            if isinstance(door, HttpDoor):
                door._fixed.clear()
        in_use.append(len(house.app.http.busy))

    def an_hour_later() -> bool:
        if reading.heard and not in_use:
            loop(house).call_soon_threadsafe(forget)
            wait_until(lambda: bool(in_use))
        return bool(in_use)

    upstream.answer = lambda _: stream_answer(events, between=an_hour_later)
    assert reading.ask(house, "openai_chat", "gpt") == b"".join(events)
    assert in_use == [1]
    upstream.answer = lambda _: json_answer({"choices": []})
    assert ask(house, "openai_chat", "gpt").status == 200


def loop(house: Live) -> asyncio.AbstractEventLoop:
    task = house.app.ledger._task
    assert task is not None
    return task.get_loop()


HEAVY = (
    "anthropic",
    "google",
    "openai",
    "httpx",
    "aiohttp",
    "requests",
    "pydantic",
    "fastapi",
    "tiktoken",
    "numpy",
)
AT_FIRST = (*HEAVY, "starlette", "jinja2", "alembic", "markdown_it", "psycopg", "rich")
"""What serving needs only once somebody looks at a page, migrates a database or calls for help."""


@pytest.mark.parametrize("module", ["madang", "madang.app", "madang.web.server", "madang.cli.main"])
def test_starting_loads_nothing_it_does_not_need_yet(module: str) -> None:
    """litellm #2677, #10943: four seconds for the import, forty for the start, most for what nobody used."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.partition(".")[0] for name in loaded.split()} & set(AT_FIRST) == set()


SWITCHES = """
providers:
  openai: {enabled: false}
  groq: {include_usage: false}
  mistral: {enabled: "${OFF}"}
"""


def test_a_switch_that_says_false_is_off(tmp_path: Path) -> None:
    """litellm #17320: `ssl: false` switched TLS on, for it was only asked whether there was an `ssl`."""
    (tmp_path / "madang.yaml").write_text(SWITCHES, encoding="utf-8")
    environ = {"OPENAI_API_KEY": "k", "GROQ_API_KEY": "k", "MISTRAL_API_KEY": "k", "OFF": "false"}
    config = load_config(environ=environ, cwd=tmp_path).config
    (groq,) = discover(config, environ, probe_ollama=lambda *_: False)
    assert (groq.name, groq.include_usage) == ("groq", False)


NAMED = re.compile(r"`(test_[a-z0-9_]+)`")


def test_the_page_names_only_tests_that_are_there_and_all_of_these() -> None:
    page = set(NAMED.findall((ROOT / "docs" / "field-bugs.md").read_text(encoding="utf-8")))
    tests = modules("tests")
    every = {one.name for module in tests for one in module.functions() if one.name.startswith("test_")}
    ours = {
        one.name
        for module in tests
        for one in module.functions()
        if "test_field_bugs" in module.name and one.name.startswith("test_")
    }
    assert sorted(page - every) == []
    assert sorted(ours - page - {"test_the_page_names_only_tests_that_are_there_and_all_of_these"}) == []
