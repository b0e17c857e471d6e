"""The Responses API's errors: understood as providers write them, told as clients know them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.errors import (
    BadRequest,
    ConnectFailed,
    NotAuthenticated,
    ProviderError,
    UpstreamTimeout,
)
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC


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
def test_an_error_is_understood_by_its_status_whatever_its_body(status: int, kind: str) -> None:
    for body in (b"", b"<html>Bad Gateway</html>", b"[]", b"null", b"{}", b'{"error": {}}', b'{"error": 5}'):
        problem = CODEC.parse_error(status, body)
        assert (problem.status, problem.kind, problem.code) == (status, kind, "provider_error")
        assert problem.message == f"The provider answered with status {status}."
    said = {"error": {"message": "No.", "type": "invalid_request_error", "param": "input", "code": "bad"}}
    problem = CODEC.parse_error(status, json.dumps(said).encode())
    assert (problem.status, problem.kind) == (status, kind)
    assert (problem.message, problem.param, problem.code) == ("No.", "input", "bad")


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"code": "invalid-argument", "error": "Incorrect key."}, "Incorrect key.", "invalid-argument"),
        ({"detail": "Not found"}, "Not found", "provider_error"),
        ({"message": "Slow down", "code": 429}, "Slow down", "429"),
        ({"error": {"message": "No.", "code": None}}, "No.", "provider_error"),
    ],
)
def test_an_error_is_understood_however_it_is_written(body: object, message: str, code: str) -> None:
    problem = CODEC.parse_error(400, json.dumps(body).encode())
    assert (problem.message, problem.code) == (message, code)


def test_a_quota_that_is_used_up_is_no_haste() -> None:
    body = (
        b'{"error": {"message": "You exceeded", "type": "insufficient_quota", "code": "insufficient_quota"}}'
    )
    assert CODEC.parse_error(429, body).kind == "billing_error"


def test_an_error_is_told_as_openais_clients_know_it() -> None:
    problem = BadRequest("'input' is missing.", code="missing_parameter", param="input")
    assert json.loads(CODEC.render_error(problem, "req_1")) == {
        "error": {
            "message": "'input' is missing.",
            "type": "invalid_request_error",
            "param": "input",
            "code": "missing_parameter",
        }
    }


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (NotAuthenticated("No."), 401),
        (ConnectFailed("No."), 502),
        (UpstreamTimeout("No."), 504),
        (ProviderError("No.", status=529), 503),
        (ProviderError("No.", status=409), 409),
        (ProviderError("No.", status=200), 502),
    ],
)
def test_an_error_has_a_status_that_openais_clients_know(problem: Any, status: int) -> None:
    assert CODEC.error_status(problem) == status
    again = CODEC.parse_error(status, CODEC.render_error(problem, ""))
    assert (again.message, again.code) == ("No.", problem.code)
