"""Errors of chat completions: understood as providers write them, told as OpenAI's clients know them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BrokenAnswer, CallError, NotFound, ProviderError
from madang.core.messages import Json
from madang.dialects.openai_chat import OPENAI_CHAT

STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)


def read(status: int, body: Json) -> ProviderError:
    return OPENAI_CHAT.parse_error(status, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (408, "timeout_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b'"', b"{}", b"null", b"\xff"])
def test_a_status_says_enough_where_the_body_says_nothing(status: int, kind: str, body: bytes) -> None:
    problem = read(status, body)
    assert (problem.status, problem.kind, problem.code, problem.param) == (
        status,
        kind,
        "provider_error",
        None,
    )
    assert problem.message == f"The provider answered with status {status}."


@pytest.mark.parametrize(
    ("status", "body", "message", "kind", "code"),
    [
        (
            401,
            {"error": {"message": "no key", "type": "invalid_request_error", "code": "invalid_api_key"}},
            "no key",
            "authentication_error",
            "invalid_api_key",
        ),
        (
            429,
            {"error": {"message": "pay", "type": "insufficient_quota", "code": "insufficient_quota"}},
            "pay",
            "billing_error",
            "insufficient_quota",
        ),
        (
            429,
            {"error": {"message": "slow", "type": "tokens", "code": "rate_limit_exceeded"}},
            "slow",
            "rate_limit_error",
            "rate_limit_exceeded",
        ),
        (500, {"error": {"message": "oh", "type": "server_error"}}, "oh", "api_error", "server_error"),
        (400, {"error": {"message": "no", "code": 400}}, "no", "invalid_request_error", "provider_error"),
        (401, {"error": {"message": "no", "code": "401"}}, "no", "authentication_error", "provider_error"),
        (400, {"error": "in a word"}, "in a word", "invalid_request_error", "provider_error"),
        (401, {"detail": "Invalid API Key"}, "Invalid API Key", "authentication_error", "provider_error"),
        (
            422,
            {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required", "type": "missing"}]},
            "body.messages.0: Field required",
            "invalid_request_error",
            "provider_error",
        ),
        (
            422,
            {"detail": [{"msg": "Field required"}]},
            "Field required",
            "invalid_request_error",
            "provider_error",
        ),
        (
            400,
            {"object": "error", "message": {"detail": [{"msg": "deep"}]}, "type": "invalid_request_error"},
            "deep",
            "invalid_request_error",
            "provider_error",
        ),
        (404, {"object": "error", "message": "none", "type": "new"}, "none", "not_found_error", "new"),
        (
            400,
            [{"error": {"message": "Gemini", "code": 400}}],
            "Gemini",
            "invalid_request_error",
            "provider_error",
        ),
        (400, "in a string", "in a string", "invalid_request_error", "provider_error"),
        (
            502,
            {"error": {"message": 5}},
            "The provider answered with status 502.",
            "api_error",
            "provider_error",
        ),
    ],
)
def test_whatever_form_an_error_has_it_is_understood(
    status: int, body: Json, message: str, kind: str, code: str
) -> None:
    problem = read(status, body)
    assert (problem.status, problem.message, problem.kind, problem.code) == (status, message, kind, code)


def test_an_error_names_its_parameter() -> None:
    assert read(400, {"error": {"message": "no", "param": "model"}}).param == "model"
    assert read(400, {"error": {"message": "no", "param": 5}}).param is None


@given(st.sampled_from(STATUSES), st.recursive(st.none() | st.integers() | st.text(), st.lists) | st.binary())
def test_any_body_gives_an_error_that_can_be_told(status: int, body: Json) -> None:
    problem = read(status, body)
    assert problem.message
    assert problem.status == status


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_is_told_as_openais_clients_know_it(status: int) -> None:
    problem = read(status, b"")
    assert json.loads(OPENAI_CHAT.render_error(problem, "req_1")) == {
        "error": {"message": problem.message, "type": problem.kind, "param": None, "code": "provider_error"}
    }
    assert OPENAI_CHAT.error_status(problem) == (503 if status == 529 else status)


@pytest.mark.parametrize(
    "error", [NotFound("no such model", param="model"), BrokenAnswer("cut", code="stream_cut")]
)
def test_a_stream_that_breaks_ends_with_the_error_and_its_end_mark(error: CallError) -> None:
    stream = OPENAI_CHAT.render_stream_error(error, "req_1")
    assert stream == b"data: " + OPENAI_CHAT.render_error(error, "req_1") + b"\n\ndata: [DONE]\n\n"
