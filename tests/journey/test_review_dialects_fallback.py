"""Routes whose targets speak different dialects: who is asked, what the client gets, what the record says."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from madang.config.schema import Provider, Route
from madang.core.messages import Reasoning, ToolCall
from madang.core.secret import Secret
from madang.dialects import carry
from tests.journey.field import ask
from tests.journey.live import (
    KEY,
    Heard,
    Live,
    Say,
    Upstream,
    alive,
    config_for,
    json_answer,
    stream_answer,
    wait_until,
)
from tests.journey.scripted import BEGUN, BREAKS, STREAMS, TEXT, WHOLE, error, is_broken, is_whole

FIRSTS = {"openai_chat": "chat", "openai_responses": "stored", "anthropic": "anthropic", "gemini": "gemini"}


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    """For each dialect a route whose first target speaks it, and whose second is `spare`, in chat."""
    root, secret = provider.url.removesuffix("/v1"), Secret("sk-upstream-0123456789")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        yield from alive(
            config_for(
                provider,
                providers={
                    "anthropic": Provider(base_url=root, api_key=secret),
                    "gemini": Provider(base_url=root, api_key=secret),
                    "chat": Provider(base_url=provider.url, api_key=secret, dialects=["openai_chat"]),
                    "stored": Provider(base_url=provider.url, dialects=["openai_responses"]),
                    "gone": Provider(base_url=nowhere, dialects=["anthropic"]),
                    "spare": Provider(base_url=other_provider.url, dialects=["openai_chat"]),
                },
                routes={
                    **{
                        f"from_{name}": Route(targets=[f"{first}/m", "spare/s"])
                        for name, first in FIRSTS.items()
                    },
                    "three": Route(targets=["gone/m", "anthropic/m", "spare/s"]),
                    "closed": Route(targets=["gemini/m", "anthropic/m"]),
                },
            )
        )


JSON = [("content-type", "application/json")]
FAILS: dict[str, tuple[Any, str]] = {
    "401": (lambda speaks: json_answer(error(speaks, 401, "no"), 401), "status_401"),
    "404": (lambda speaks: json_answer(error(speaks, 404, "no"), 404), "status_404"),
    "429": (lambda speaks: json_answer(error(speaks, 429, "no"), 429), "status_429"),
    "500": (lambda speaks: json_answer(error(speaks, 500, "no"), 500), "status_500"),
    "529": (lambda speaks: json_answer(error(speaks, 529, "no"), 529), "status_529"),
    "a page": (lambda _: Say(200, [("content-type", "text/html")], [b"<html>"]), "broken_answer"),
    "a redirect": (lambda _: Say(302, [("location", "/")], [b"x"]), "broken_answer"),
    "nothing": (lambda _: Say(raw=True, then="close"), ""),
    "half a head": (
        lambda _: Say(raw=True, pieces=[b"HTTP/1.1 200 OK\r\ncont"], then="close"),
        "broken_answer",
    ),
    "half a body": (
        lambda speaks: Say(200, JSON, [WHOLE[speaks].pieces[0][:50]], chunked=True, then="reset"),
        "broken_answer",
    ),
    "an empty object": (lambda _: json_answer({}), "broken_answer"),
    "a stream that begins with an error": (lambda speaks: stream_answer([BREAKS[speaks]]), ""),
    "a stream that says nothing": (
        lambda speaks: stream_answer(STREAMS[speaks][: BEGUN[speaks] > 1]),
        "",
    ),
}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("speaks", FIRSTS)
@pytest.mark.parametrize("way", FAILS)
def test_whatever_goes_wrong_before_the_first_word_the_next_target_answers(
    house: Live, upstream: Upstream, other: Upstream, speaks: str, way: str, streaming: bool
) -> None:
    say, code = FAILS[way]
    upstream.answer = lambda _: say(speaks)
    other.answer = lambda _: stream_answer(STREAMS["openai_chat"]) if streaming else WHOLE["openai_chat"]
    client = "anthropic" if speaks != "anthropic" else "gemini"
    answer = ask(house, client, f"from_{speaks}", stream=streaming)
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "spare/s")
    assert is_whole(client, answer.body) or not streaming
    record = house.record(answer.call_id)
    assert (record.outcome, record.error, record.provider) == ("ok", None, "spare")
    first, second = record.attempts
    assert (first.provider, second.provider, second.status, second.error) == (
        FIRSTS[speaks],
        "spare",
        200,
        None,
    )
    assert first.error == (code or first.error)
    assert first.error is not None
    assert upstream.left == 0


@pytest.mark.parametrize("speaks", FIRSTS)
@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_what_is_wrong_with_the_request_is_told_and_nobody_else_is_asked(
    house: Live, upstream: Upstream, other: Upstream, speaks: str, status: int
) -> None:
    upstream.answer = lambda _: json_answer(error(speaks, status, "so it is"), status)
    client = "anthropic" if speaks != "anthropic" else "openai_chat"
    answer = ask(house, client, f"from_{speaks}")
    assert (answer.status, answer.headers["x-madang-target"]) == (status, f"{FIRSTS[speaks]}/m")
    assert other.heard == []
    record = house.record(answer.call_id)
    assert (record.outcome, [one.status for one in record.attempts]) == ("refused", [status])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "from_gemini", "input": "x"}),
        (
            "/v1/messages/count_tokens",
            {"model": "from_gemini", "messages": [{"role": "user", "content": "x"}]},
        ),
    ],
)
def test_a_wrong_question_asked_aside_goes_to_nobody_else_either(
    house: Live, upstream: Upstream, other: Upstream, path: str, body: dict[str, Any]
) -> None:
    """400 and 422 of an embedding went to the next target, whose vectors are of another model."""
    upstream.answer = lambda _: json_answer(error("gemini", 400, "so it is"), 400)
    answer = house.ask(body, path)
    assert answer.status == 400
    assert other.heard == []
    assert len(house.record(answer.call_id).attempts) == 1


def test_texts_are_embedded_by_the_target_that_embeds(house: Live, other: Upstream) -> None:
    """The first target's refusal was told though the second could."""
    other.answer = lambda _: json_answer({"data": [{"index": 0, "embedding": [0.5]}]})
    answer = house.ask({"model": "from_anthropic", "input": "x"}, "/v1/embeddings")
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "spare/s")


def test_three_targets_are_left_and_asked_in_order(house: Live, upstream: Upstream, other: Upstream) -> None:
    upstream.answer = lambda _: json_answer(error("anthropic", 529, "no"), 529)
    other.answer = lambda _: WHOLE["openai_chat"]
    answer = ask(house, "gemini", "three")
    assert answer.status == 200
    attempts = house.record(answer.call_id).attempts
    told = [(one.provider, one.status, one.error) for one in attempts]
    assert told == [
        ("gone", None, "connect_failed"),
        ("anthropic", 529, "status_529"),
        ("spare", 200, None),
    ]


@pytest.mark.parametrize("speaks", FIRSTS)
def test_the_last_targets_failure_is_what_the_client_is_told(
    house: Live, upstream: Upstream, other: Upstream, speaks: str
) -> None:
    upstream.answer = lambda _: json_answer(error(speaks, 500, "the first"), 500)
    other.answer = lambda _: json_answer(error("openai_chat", 429, "the last"), 429, [("retry-after", "9")])
    answer = ask(house, "anthropic", f"from_{speaks}")
    assert (answer.status, answer.headers["retry-after"]) == (429, "9")
    assert "the last" in answer.body.decode()
    record = house.record(answer.call_id)
    assert (record.outcome, [one.status for one in record.attempts]) == ("failed", [500, 429])


@pytest.mark.parametrize("speaks", FIRSTS)
def test_words_that_were_told_are_never_followed_by_another_targets(
    house: Live, upstream: Upstream, other: Upstream, speaks: str
) -> None:
    upstream.answer = lambda _: stream_answer(STREAMS[speaks][: BEGUN[speaks]], then="reset")
    client = "anthropic" if speaks != "anthropic" else "openai_responses"
    answer = ask(house, client, f"from_{speaks}", stream=True)
    assert is_broken(answer.body)
    assert answer.body.decode().count(TEXT[:4]) == 1 or client == "openai_responses"
    assert other.heard == []


# Open loops of signed tool calls.

CALL = ToolCall(id="toolu_1", name="weather", arguments='{"city":"Seoul"}')
THOUGHT = Reasoning(text="Let me look.", signature="sig-abc", signer="anthropic")
LOADED = carry.load(CALL, [THOUGHT])


def loop(id: str) -> list[dict[str, Any]]:
    """A conversation of a chat client's in which a tool has just answered."""
    function = {"name": "weather", "arguments": CALL.arguments}
    return [
        {"role": "user", "content": "How is the weather?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": id, "content": "Rain."},
    ]


TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


def test_an_open_loop_stays_with_the_dialect_that_signed_it(
    house: Live, upstream: Upstream, other: Upstream
) -> None:
    """`closed` begins with Gemini, which has not signed this; so only Anthropic is asked, and told first."""
    upstream.answer = lambda _: WHOLE["anthropic"]
    answer = ask(house, "openai_chat", "closed", messages=loop(LOADED), tools=TOOLS)
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "anthropic/m")
    (heard,) = upstream.heard
    blocks = heard.json()["messages"][1]["content"]
    assert blocks[0] == {"type": "thinking", "thinking": "Let me look.", "signature": "sig-abc"}
    assert blocks[1]["id"] == heard.json()["messages"][2]["content"][0]["tool_use_id"] == "toolu_1"
    told = [(one.provider, one.error) for one in house.record(answer.call_id).attempts]
    assert told == [("gemini", "signature_not_portable"), ("anthropic", None)]


def test_an_open_loop_does_not_fall_back_to_who_cannot_read_it(
    house: Live, upstream: Upstream, other: Upstream
) -> None:
    upstream.answer = lambda _: json_answer(error("anthropic", 529, "busy"), 529)
    answer = ask(house, "openai_chat", "from_anthropic", messages=loop(LOADED), tools=TOOLS)
    assert answer.status == 503
    assert other.heard == []


FORGED = {
    "of another signer": carry.load(CALL, [Reasoning(text="x", signature="s", signer="gemini")]),
    "of nobody known": carry.load(CALL, [Reasoning(text="x", signature="s", signer="nobody")]),
    "with a header in its signer": carry.load(CALL, [Reasoning(text="x", signature="s", signer="a\r\nx: y")]),
    "cut": LOADED[:-5],
    "with a tail": LOADED + "!!!!",
    "that is no base64": f"toolu_1_{carry.MARK}_%%%",
    "that is empty": f"toolu_1_{carry.MARK}_",
    "of nothing but a mark": f"_{carry.MARK}_",
    "within itself": f"{LOADED}_{carry.MARK}_{LOADED}",
    "that is a bomb": carry.load(CALL, [Reasoning(text="x" * 4_000_000, signature="s", signer="anthropic")]),
    "of four megabytes": f"toolu_1_{carry.MARK}_" + "A" * 4_000_000,
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("model", ["closed", "from_anthropic", "from_openai_chat", "from_gemini", "three"])
def test_a_forged_id_gains_nothing_and_breaks_nothing(
    house: Live, upstream: Upstream, other: Upstream, model: str, forged: str
) -> None:
    upstream.answer = lambda heard: WHOLE["gemini" if "generateContent" in heard.target else "anthropic"]
    other.answer = lambda _: WHOLE["openai_chat"]
    answer = ask(house, "openai_chat", model, messages=loop(forged), tools=TOOLS)
    assert answer.status in (200, 400, 502)
    assert b"This server failed" not in answer.body
    assert "\r" not in str(answer.headers)
    house.record(answer.call_id)


# Clients that leave, and many at once.

_WORD = re.compile(rb"<\d+>")


@pytest.mark.parametrize("speaks", FIRSTS)
def test_a_client_that_leaves_before_the_whole_answer_ends_the_providers_work(
    house: Live, upstream: Upstream, other: Upstream, speaks: str
) -> None:
    before = len(house.left())
    upstream.answer = lambda _: Say(200, JSON, [WHOLE[speaks].pieces[0][:20]], chunked=True, then="hang")
    client = "anthropic" if speaks != "anthropic" else "gemini"
    _ask_and_leave(house, upstream, client, f"from_{speaks}")
    wait_until(lambda: upstream.left == 1)
    wait_until(lambda: len(house.left()) == before + 1)
    assert other.heard == []


def _ask_and_leave(house: Live, upstream: Upstream, client: str, model: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    body = {"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    path = "/v1/messages"
    if client == "gemini":
        path, body = f"/v1beta/models/{model}:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}
    connection.request("POST", path, msgspec.json.encode(body), {"authorization": f"Bearer {KEY}"})
    wait_until(lambda: len(upstream.heard) == 1)
    connection.close()


def test_two_hundred_streams_at_once_are_told_apart(house: Live, upstream: Upstream) -> None:
    """Each asks for a word of its own and gets that one, whole, in its own dialect."""

    def echo(heard: Heard) -> Say:
        word = heard.json()["messages"][-1]["content"][-1]["text"]
        events = [one.replace(TEXT[4:].encode(), word.encode()) for one in STREAMS["anthropic"]]
        return stream_answer(events, between=lambda: len(upstream.heard) == 200)

    upstream.answer = echo
    told: dict[int, bool] = {}

    def run(number: int) -> None:
        word, client = f"<{number}>", ("openai_responses", "openai_chat")[number % 2]
        talk = [{"role": "user", "content": [{"type": "text" if number % 2 else "input_text", "text": word}]}]
        said = {"messages": talk} if number % 2 else {"input": talk}
        answer = ask(house, client, "from_anthropic", stream=True, **said)
        told[number] = is_whole(client, answer.body) and set(_WORD.findall(answer.body)) == {word.encode()}

    threads = [threading.Thread(target=run, args=(number,)) for number in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == dict.fromkeys(range(200), True)
