"""Gemini's errors, understood and told; and token counts, the smallest of its answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.errors import (
    BadRequest,
    BrokenAnswer,
    CallError,
    ConnectFailed,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    ProviderError,
    RequestTimeout,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
    UpstreamTimeout,
)
from madang.dialects.gemini import GEMINI
from madang.dialects.gemini.counting import (
    parse_count,
    parse_count_request,
    render_count,
    render_count_request,
)
from tests.dialects.gemini_wire import asked, request, said

KINDS = [
    (400, "INVALID_ARGUMENT", "invalid_request_error"),
    (400, "FAILED_PRECONDITION", "invalid_request_error"),
    (401, "UNAUTHENTICATED", "authentication_error"),
    (402, "FAILED_PRECONDITION", "billing_error"),
    (403, "PERMISSION_DENIED", "permission_error"),
    (404, "NOT_FOUND", "not_found_error"),
    (408, "DEADLINE_EXCEEDED", "timeout_error"),
    (409, "ABORTED", "conflict_error"),
    (409, "ALREADY_EXISTS", "conflict_error"),
    (413, "INVALID_ARGUMENT", "request_too_large"),
    (422, "INVALID_ARGUMENT", "invalid_request_error"),
    (429, "RESOURCE_EXHAUSTED", "rate_limit_error"),
    (499, "CANCELLED", "invalid_request_error"),
    (500, "INTERNAL", "api_error"),
    (502, "UNAVAILABLE", "overloaded_error"),
    (503, "UNAVAILABLE", "overloaded_error"),
    (504, "DEADLINE_EXCEEDED", "timeout_error"),
    (529, "UNAVAILABLE", "overloaded_error"),
]


def error(status: int, word: str, **more: object) -> dict[str, Any]:
    return {"error": {"code": status, "message": "It went wrong.", "status": word, **more}}


@pytest.mark.parametrize(("status", "word", "kind"), KINDS)
def test_an_error_is_understood(status: int, word: str, kind: str) -> None:
    for body in (error(status, word), [error(status, word)]):
        problem = GEMINI.parse_error(status, json.dumps(body).encode())
        found = (problem.status, problem.kind, problem.code, problem.message)
        assert found == (status, kind, word, "It went wrong.")


def test_a_bad_key_is_known_though_google_calls_it_a_bad_argument() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}, 1, {}]
    problem = GEMINI.parse_error(400, json.dumps(error(400, "INVALID_ARGUMENT", details=details)).encode())
    assert (problem.status, problem.kind, problem.code) == (400, "authentication_error", "API_KEY_INVALID")


STRANGE = [
    b"",
    b"<html>Bad gateway</html>",
    b"null",
    b"[]",
    b"[1]",
    b'"x"',
    b'{"error": 7}',
    b'{"error": {}}',
    b"\xff",
]


@pytest.mark.parametrize("body", [*STRANGE, b'{"error": {"message": 1, "status": [], "details": {}}}'])
def test_a_body_that_says_nothing_gives_a_sentence_still(body: bytes) -> None:
    problem = GEMINI.parse_error(502, body)
    assert (problem.status, problem.message) == (502, "The provider answered with status 502.")
    assert problem.kind == "api_error"


def test_an_error_that_is_a_sentence_is_told() -> None:
    assert GEMINI.parse_error(500, b'{"error": "no such thing"}').message == "no such thing"


TOLD: list[tuple[CallError, int, str]] = [
    (BadRequest("no"), 400, "INVALID_ARGUMENT"),
    (NotAuthenticated("no"), 401, "UNAUTHENTICATED"),
    (ProviderError("no", status=402), 402, "FAILED_PRECONDITION"),
    (NotAllowed("no"), 403, "PERMISSION_DENIED"),
    (NotFound("no"), 404, "NOT_FOUND"),
    (RequestTimeout("no"), 408, "DEADLINE_EXCEEDED"),
    (ProviderError("no", status=409), 409, "ABORTED"),
    (TooLarge("no"), 413, "INVALID_ARGUMENT"),
    (UnsupportedMedia("no"), 415, "INVALID_ARGUMENT"),
    (ProviderError("no", status=422), 422, "INVALID_ARGUMENT"),
    (ProviderError("no", status=429), 429, "RESOURCE_EXHAUSTED"),
    (ProviderError("no", status=499), 499, "CANCELLED"),
    (CallError("no"), 500, "INTERNAL"),
    (ConnectFailed("no"), 502, "UNAVAILABLE"),
    (Unavailable("no"), 503, "UNAVAILABLE"),
    (UpstreamTimeout("no"), 504, "DEADLINE_EXCEEDED"),
    (ProviderError("no", status=529), 503, "UNAVAILABLE"),
    (ProviderError("no", status=599), 599, "INTERNAL"),
]


@pytest.mark.parametrize(("problem", "status", "word"), TOLD)
def test_an_error_is_told_in_googles_words(problem: CallError, status: int, word: str) -> None:
    body = json.loads(GEMINI.render_error(problem, ""))["error"]
    assert (body["code"], body["status"], body["message"]) == (status, word, "no")
    assert GEMINI.error_status(problem) == status


def test_what_is_wrong_and_the_requests_id_are_told_as_details() -> None:
    problem = BadRequest("'contents' is missing.", code="missing_parameter", param="contents")
    details = json.loads(GEMINI.render_error(problem, "req_1"))["error"]["details"]
    assert [one["@type"].rpartition(".")[2] for one in details] == ["ErrorInfo", "BadRequest", "RequestInfo"]
    assert details[0]["reason"] == "missing_parameter"
    assert details[1]["fieldViolations"] == [{"field": "contents", "description": "'contents' is missing."}]
    assert details[2]["requestId"] == "req_1"
    again = GEMINI.parse_error(400, GEMINI.render_error(problem, "req_1"))
    assert (again.code, again.param) == ("missing_parameter", "contents")


def test_an_error_in_a_stream_says_its_status_itself() -> None:
    data = GEMINI.render_stream_error(ProviderError("no", status=529), "req_1")
    event, bare, rest = data.split(b"\r\n\r\n")
    assert event == b"data: " + bare
    assert rest == b""
    assert json.loads(bare)["error"]["code"] == 503


COUNTED: list[Any] = [
    {"contents": [said("hi")]},
    {"generateContentRequest": {"contents": [said("hi")], "model": "models/gemini-3-pro"}},
    {"contents": [said("hi")], "tools": [{"functionDeclarations": [{"name": "f"}]}], "generationConfig": {}},
]


@pytest.mark.parametrize("body", COUNTED)
def test_a_request_to_count_comes_out_as_it_went_in(body: Any) -> None:
    found = parse_count_request(json.dumps(body).encode(), "gemini-3-pro")
    assert json.loads(render_count_request(found, "gemini-3-pro")) == body


def test_a_request_to_count_names_what_is_wrong() -> None:
    for body, param in (
        ({}, "contents"),
        ({"generateContentRequest": {}}, "generateContentRequest.contents"),
        ({"generate_content_request": []}, "generate_content_request"),
        ({"generateContentRequest": {"contents": [1]}}, "generateContentRequest.contents.0"),
    ):
        with pytest.raises(BadRequest) as found:
            parse_count_request(json.dumps(body).encode(), "m")
        assert found.value.param == param


def test_a_request_from_elsewhere_is_counted_whole() -> None:
    plain = json.loads(render_count_request(asked(), "gemini-3-pro"))
    assert plain == {"contents": [said("hi")]}
    more = json.loads(render_count_request(asked(temperature=0.5), "gemini-3-pro"))
    assert more == {
        "generateContentRequest": {
            "contents": [said("hi")],
            "generationConfig": {"temperature": 0.5},
            "model": "models/gemini-3-pro",
        }
    }
    assert json.loads(render_count_request(request(), "m")) == {"contents": [said("hi")]}


def test_a_count_goes_both_ways() -> None:
    assert parse_count(render_count(7)) == 7
    assert parse_count(b'{"totalTokens": 8, "promptTokensDetails": []}') == 8
    assert parse_count(b"{}") == 0
    for body in (b"", b"[]", b'{"totalTokens": "many"}'):
        with pytest.raises(BrokenAnswer):
            parse_count(body)
