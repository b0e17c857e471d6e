"""What a provider says is wrong: told in the client's dialect, without its key or its address."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from madang.config.schema import Provider
from madang.core.secret import Secret
from tests.journey.field import ASKING, MODELS, ask, data_event, house_of
from tests.journey.live import Live, Say, Upstream, alive, json_answer, stream_answer
from tests.journey.scripted import BREAKS, PAIRS, STATUSES, WHOLE, error, message_of

KEY_THERE = "sk-upstream-0123456789-abcdef"
SEEN = {
    (503, "anthropic"): 529,
    (529, "openai_chat"): 503,
    (529, "openai_responses"): 503,
    (529, "gemini"): 503,
}
"""What a client's dialect makes of a status, where it is another; overloaded is 529 at Anthropic alone."""


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    """As `house_of`, with longer keys; and providers that cannot be reached."""
    config = house_of(provider, other_provider)
    secret = Secret(KEY_THERE)
    providers = {name: msgspec.structs.replace(one, api_key=secret) for name, one in config.providers.items()}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listening
        port = taken.getsockname()[1]
        away = {
            "refusing": Provider(base_url=f"http://127.0.0.1:{port}/v1", dialects=["anthropic"]),
            "nameless": Provider(base_url="http://inside.invalid:8443/v1", dialects=["openai_chat"]),
        }
        yield from alive(msgspec.structs.replace(config, providers={**providers, **away}))


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_an_error_is_told_with_its_status_and_its_sentence(
    house: Live, upstream: Upstream, speaks: str, client: str, status: int
) -> None:
    upstream.answer = lambda _: json_answer(error(speaks, status, "so it is"), status, [("retry-after", "3")])
    answer = ask(house, client, MODELS[speaks])
    assert (answer.status, answer.headers["retry-after"]) == (SEEN.get((status, client), status), "3")
    assert message_of(client, answer.body).endswith("so it is")
    record = house.record(answer.call_id)
    assert record.outcome == ("failed" if status >= 500 or status == 429 else "refused")
    assert record.error is not None
    # The record told the status that the client got for the provider's: 503 for 529.
    assert [attempt.status for attempt in record.attempts] == [status]


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_a_key_that_the_provider_refuses_is_not_taken_for_the_clients(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    upstream.answer = lambda _: json_answer(error(speaks, 401, "invalid x-api-key"), 401)
    answer = ask(house, client, MODELS[speaks])
    assert answer.status == 401
    assert "does not take the key that Madang has for it" in message_of(client, answer.body)


ECHOES = [
    f"Incorrect API key provided: {KEY_THERE}. You can find your API key at https://example.test.",
    f"Incorrect API key provided: {KEY_THERE[:8]}**************{KEY_THERE[-4:]}.",
    f'Bearer \\"{KEY_THERE}\\" is not valid',
]


@pytest.mark.parametrize("said", ECHOES)
@pytest.mark.parametrize("client", MODELS)
@pytest.mark.parametrize("speaks", MODELS)
def test_a_provider_that_repeats_the_key_does_not_tell_it_to_clients(
    house: Live, upstream: Upstream, speaks: str, client: str, said: str
) -> None:
    """`Incorrect API key provided: sk-…`: the operator's key, in an answer to whoever asked."""
    body = msgspec.json.encode(error(speaks, 401, "HERE")).replace(b"HERE", said.encode())
    for streaming in (False, True):
        for status in (400, 401, 403, 500):
            upstream.answer = lambda _, status=status: json_answer(body, status)  # type: ignore[misc]  # a default binds the loop's value
            answer = ask(house, client, MODELS[speaks], stream=streaming)
            assert KEY_THERE[:8] not in answer.body.decode()
            assert KEY_THERE[-4:] not in answer.body.decode()
            assert answer.status == status
            assert msgspec.json.decode(answer.body)["error"]


def test_a_provider_that_repeats_the_key_where_bytes_pass_keeps_their_length(
    house: Live, upstream: Upstream
) -> None:
    body = msgspec.json.encode({"error": {"message": f"no: {KEY_THERE}", "code": "x"}})
    upstream.answer = lambda _: Say(401, [("content-type", "application/json")], [body[:40], body[40:]])
    answer = house.ask(b"", "/v1/files", method="GET", headers={"x-madang-provider": "chat"})
    assert (answer.status, len(answer.body)) == (401, len(body))
    assert answer.json() == {"error": {"message": f"no: {'*' * len(KEY_THERE)}", "code": "x"}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "gemini/e", "input": "x"}),
        ("/v1beta/models/chat/e:embedContent", {"content": {"parts": [{"text": "x"}]}}),
        ("/v1/messages/count_tokens", {"model": "gem", "messages": [{"role": "user", "content": "x"}]}),
        ("/v1beta/models/claude:countTokens", {"contents": [{"parts": [{"text": "x"}]}]}),
        ("/v1/responses/input_tokens", {"model": "claude", "input": "x"}),
    ],
)
def test_errors_of_what_is_asked_aside_are_told_in_the_same_way(
    house: Live, upstream: Upstream, path: str, body: dict[str, Any]
) -> None:
    """Without retry-after, with the key, and a redirect was told with its own status."""
    said = {"error": {"message": f"slower, {KEY_THERE}", "type": "rate_limit_error"}}
    upstream.answer = lambda _: json_answer(said, 429, [("retry-after", "7")])
    answer = house.ask(body, path)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert KEY_THERE not in answer.body.decode()
    record = house.record(answer.call_id)
    assert (record.outcome, record.attempts[0].status) == ("failed", 429)
    upstream.answer = lambda _: Say(302, [("location", "http://elsewhere.test/")], [b""])
    answer = house.ask(body, path)
    assert (answer.status, house.record(answer.call_id).error) == (502, "broken_answer")
    upstream.answer = lambda _: json_answer({"error": {"message": "not so"}}, 400)
    answer = house.ask(body, path)
    assert (answer.status, house.record(answer.call_id).outcome) == (400, "refused")


@pytest.mark.parametrize("client", MODELS)
@pytest.mark.parametrize("model", ["refusing/m", "nameless/m"])
def test_where_a_provider_stands_is_told_to_the_operator_alone(
    house: Live, client: str, model: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`10.0.3.7:8000 could not be reached` told every client of an inner address."""

    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    if model.startswith("nameless"):
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", unknown)
    with caplog.at_level(logging.WARNING, "madang.providers"):
        answer = ask(house, client, model)
    name = model.partition("/")[0]
    told = message_of(client, answer.body)
    assert answer.status == 502
    assert told.startswith(f"The provider '{name}' could not be reached: ")
    assert "127.0.0.1" not in answer.body.decode()
    assert "inside.invalid" not in answer.body.decode()
    assert "127.0.0.1:" in caplog.text or "inside.invalid" in caplog.text


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_an_error_with_status_200_is_an_error(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    """Gemini's was taken for an empty answer, and so was `{}` of anybody's."""
    said = error(speaks, 503, "so it is")
    for body in (said, {}, {"detail": "no such thing"}):
        upstream.answer = lambda _, body=body: json_answer(body)  # type: ignore[misc]  # a default binds the loop's value
        answer = ask(house, client, MODELS[speaks])
        assert answer.status >= 500
        record = house.record(answer.call_id)
        assert record.outcome == "failed"
        assert record.error is not None
        assert record.attempts[0].status == 200


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_http_does_not_know_is_a_bad_gateway(
    house: Live, upstream: Upstream, speaks: str, client: str, status: int
) -> None:
    upstream.answer = lambda _: Say(status, [], [b"x"])
    answer = ask(house, client, MODELS[speaks])
    assert answer.status == 502
    assert house.record(answer.call_id).attempts[0].status == status


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_bodies_that_are_no_error_of_any_dialect_are_told_by_their_status(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    for body in (
        b"",
        b"<html>oops</html>",
        b"null",
        b"[]",
        b'{"error":[1]}',
        b"[" * 9000,
        b'"\xff"',
        b"1e999",
    ):
        upstream.answer = lambda _, body=body: Say(503, [("content-type", "text/html")], [body])  # type: ignore[misc]  # a default binds the loop's value
        answer = ask(house, client, MODELS[speaks])
        assert answer.status == SEEN.get((503, client), 503)
        assert message_of(client, answer.body)


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_an_error_that_comes_first_in_the_only_targets_stream_is_told_with_a_status(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    upstream.answer = lambda _: stream_answer([BREAKS[speaks]])
    answer = ask(house, client, MODELS[speaks], stream=True)
    assert answer.status >= 500
    assert message_of(client, answer.body) == "so it is"
    assert answer.headers["content-type"] == "application/json"


def test_a_request_id_or_a_retry_after_of_the_providers_cannot_break_the_head(
    house: Live, upstream: Upstream
) -> None:
    odd = [("retry-after", "3, x: y"), ("request-id", "a b\tc"), ("x-request-id", "é" * 300)]
    upstream.answer = lambda _: json_answer(error("anthropic", 429, "so it is"), 429, odd)
    answer = ask(house, "openai_chat", "claude")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3, x: y")
    assert answer.headers["x-request-id"].startswith("call_")
    upstream_id = house.record(answer.call_id).upstream_id
    assert upstream_id is None or len(upstream_id) <= 200


@pytest.mark.parametrize("method", ["PUT", "HEAD", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("client", MODELS)
def test_a_method_nobody_offers_is_refused_in_the_callers_dialect(
    house: Live, upstream: Upstream, client: str, method: str
) -> None:
    upstream.answer = lambda _: WHOLE["openai_chat"]
    path = ASKING[client][0].format(model="gpt")
    answer = house.ask(b"", path, method=method, headers={"x-madang-provider": "spare"})
    if method == "HEAD":
        assert (answer.status, answer.body) == (405, b"")
    elif method != "PUT":
        assert answer.status in (400, 405)
        assert answer.json()["error"]
    assert upstream.heard == []


def test_a_stream_for_a_list_of_geminis_that_breaks_is_still_a_list(house: Live, upstream: Upstream) -> None:
    first = data_event({"choices": [{"index": 0, "delta": {"content": "x"}}]})
    upstream.answer = lambda _: stream_answer([first, BREAKS["openai_chat"]])
    answer = house.ask({"contents": [{"parts": [{"text": "x"}]}]}, "/v1beta/models/gpt:streamGenerateContent")
    assert answer.headers["content-type"] == "application/json"
    assert "error" in answer.json()[-1]


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_words_of_any_length_are_cut_before_they_are_kept(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    """A code of a megabyte stood in the record, and in each of its attempts."""
    said = error(speaks, 503, "m" * 100_000)
    said["error"] |= {
        "code": "c" * 100_000,
        "type": "t" * 100_000,
        "status": "s" * 100_000,
        "param": "p" * 9000,
    }
    for status in (503, 200):
        upstream.answer = lambda _, status=status: json_answer(said, status)  # type: ignore[misc]  # a default binds the loop's value
        answer = ask(house, client, MODELS[speaks])
        assert answer.status >= 500
        assert len(answer.body) < 20_000
        assert len(repr(house.record(answer.call_id))) < 3000


def test_ids_of_any_length_are_not_remembered(house: Live) -> None:
    held = house.app.gateway.held
    held.note("resp_" + "x" * 100_000, "stored")
    assert held.provider("resp_" + "x" * 100_000) is None
