"""Malformed requests in four dialects, over a socket: each is told in its caller's, and goes no further."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from madang.config.schema import Provider
from madang.core.secret import Secret
from tests.dialects import bad_anthropic, bad_gemini, bad_openai_chat, bad_openai_responses
from tests.journey.live import Answer, Live, Upstream, alive, config_for

ROWS = {
    "openai_chat": ("/v1/chat/completions", bad_openai_chat.BAD_REQUESTS),
    "openai_responses": ("/v1/responses", bad_openai_responses.BAD_REQUESTS),
    "anthropic": ("/v1/messages", bad_anthropic.BAD_REQUESTS),
    "gemini": ("/v1beta/models/m:generateContent", bad_gemini.BAD_REQUESTS),
}
CASES = [
    pytest.param(dialect, path, said, code, param, id=f"{dialect}-{name}")
    for dialect, (path, rows) in ROWS.items()
    for name, said, code, param in rows
]


@pytest.fixture(scope="module")
def house(provider: Upstream) -> Iterator[Live]:
    """`m` is at a provider of chat completions; `claude`, for chat clients, at Anthropic: nothing passes."""
    root, secret = provider.url.removesuffix("/v1"), Secret("sk-up")
    yield from alive(
        config_for(
            provider,
            providers={
                "anthropic": Provider(base_url=root, api_key=secret),
                "chat": Provider(base_url=provider.url, dialects=["openai_chat"]),
            },
            routes={"m": "chat/m", "claude": "anthropic/claude"},
        )
    )


def body_for(dialect: str, said: object) -> bytes:
    if isinstance(said, bytes):
        return said.replace(b'"model": "m"', b'"model": "claude"') if dialect == "openai_chat" else said
    if dialect == "openai_chat" and isinstance(said, dict) and said.get("model") == "m":
        said = {**said, "model": "claude"}
    return msgspec.json.encode(said)


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(CASES) > 100
    assert {case.values[0] for case in CASES} == set(ROWS)


@pytest.mark.parametrize(("dialect", "path", "said", "code", "param"), CASES)
def test_a_malformed_request_is_refused_in_its_callers_dialect(
    upstream: Upstream, house: Live, dialect: str, path: str, said: object, code: str, param: str | None
) -> None:
    answer = house.ask(body_for(dialect, said), path)
    assert answer.status == 400, answer.body
    assert upstream.heard == []
    check_shape(dialect, answer, code, param)
    record = house.record(answer.call_id)
    assert (record.outcome, record.status) == ("refused", 400)


def check_shape(dialect: str, answer: Answer, code: str, param: str | None) -> None:
    said: Any = answer.json()
    match dialect:
        case "anthropic":
            assert (said["type"], said["error"]["type"]) == ("error", "invalid_request_error")
            assert said["request_id"] == answer.call_id == answer.headers["request-id"]
        case "gemini":
            assert (said["error"]["code"], said["error"]["status"]) == (400, "INVALID_ARGUMENT")
        case _:
            assert said["error"]["type"] == "invalid_request_error"
            assert (said["error"]["code"], said["error"]["param"]) == (code, param)
    assert len(said["error"]["message"]) > 15
