"""Errors: `{"error": {"code", "message", "status", "details"}}`, with the words of google.rpc.Code.

A stream that is one JSON list holds its error as `[{"error": …}]`.
Source: cloud.google.com/apis/design/errors and the recordings.
"""

from __future__ import annotations

import re

from madang.core.errors import CallError, ProviderError
from madang.core.messages import Json
from madang.dialects.reading import read_json, write_json
from madang.dialects.too_long import CODE as TOO_LONG
from madang.dialects.too_long import is_too_long

_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_KINDS = {
    "INVALID_ARGUMENT": "invalid_request_error",
    "FAILED_PRECONDITION": "invalid_request_error",
    "OUT_OF_RANGE": "invalid_request_error",
    "UNIMPLEMENTED": "invalid_request_error",
    "UNAUTHENTICATED": "authentication_error",
    "PERMISSION_DENIED": "permission_error",
    "NOT_FOUND": "not_found_error",
    "ALREADY_EXISTS": "conflict_error",
    "ABORTED": "conflict_error",
    "RESOURCE_EXHAUSTED": "rate_limit_error",
    "UNAVAILABLE": "overloaded_error",
    "DEADLINE_EXCEEDED": "timeout_error",
}
_KINDS_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Of errors inside a stream that do not say their status as a number."""
_DELAY = re.compile(r"\d{1,6}(?:\.\d{1,9})?s")
_TYPE = "type.googleapis.com/google.rpc."


def parse_error(status: int, body: bytes) -> ProviderError:
    """A provider's error, whatever its body is."""
    try:
        value = read_json(body)
    except ValueError:
        value = None
    if isinstance(value, list) and value:
        value = value[0]
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, str):
        error = {"message": error}
    return error_of(error if isinstance(error, dict) else {}, status)


def error_of(error: dict[str, Json], status: int | None = None) -> ProviderError:
    """An `error` object, of an answer with a status or in the middle of a stream."""
    word = error.get("status")
    word = word if isinstance(word, str) and word else None
    code = error.get("code")
    if status is None:
        status = _STATUSES.get(word or "", 500)
        if isinstance(code, int) and 400 <= code <= 599:
            status = code
    reason, param = _details(error.get("details"))
    kind = _KINDS_BY_STATUS.get(status, "api_error" if status >= 500 else "invalid_request_error")
    if word in _KINDS and status not in (402, 413):
        kind = _KINDS[word]
    if reason == "API_KEY_INVALID":  # Google says INVALID_ARGUMENT, with status 400 (recorded 2026-08)
        kind = "authentication_error"
    message = error.get("message")
    message = message if isinstance(message, str) else ""
    too_long = is_too_long(status, message)
    return ProviderError(
        message or f"The provider answered with status {status}.",
        status=status,
        kind=kind,
        code=TOO_LONG if too_long else reason or word,
        param=param,
        retry_after=_retry_after(error.get("details")),
    )


def _retry_after(details: Json) -> float | None:
    """Seconds, from a `RetryInfo`: Google says it in the body (`"retryDelay": "31.5s"`)."""
    for one in details if isinstance(details, list) else ():
        delay = one.get("retryDelay") if isinstance(one, dict) else None
        if isinstance(delay, str) and _DELAY.fullmatch(delay):
            return float(delay.removesuffix("s"))
    return None


def _details(details: Json) -> tuple[str | None, str | None]:
    """The reason, and the field that is wrong."""
    reason = param = None
    for one in details if isinstance(details, list) else ():
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("reason"), str):
            reason = one["reason"]
        violations = one.get("fieldViolations")
        if isinstance(violations, list) and violations and isinstance(violations[0], dict):
            field = violations[0].get("field")
            param = field if isinstance(field, str) and field else None
    return reason, param


def error_status(problem: CallError) -> int:
    """The status for Gemini's clients; Anthropic's own 529 is theirs alone."""
    return 503 if problem.status == 529 else problem.status


def render_error(problem: CallError, request_id: str) -> bytes:
    """The body of an error."""
    return write_json(error_body(problem, request_id))


def render_stream_error(problem: CallError, request_id: str) -> bytes:
    """The end of a stream of events that broke.

    It is said twice. Readers of events take the first; Google's SDKs for JavaScript and Go, seen in
    August 2026, know an error in a stream only by its bare JSON, as Google's own servers send it.
    """
    body = render_error(problem, request_id)
    return b"data: %b\r\n\r\n%b\r\n\r\n" % (body, body)


def error_body(problem: CallError, request_id: str) -> dict[str, Json]:
    """An error as Google's APIs say it."""
    status = error_status(problem)
    word = _WORDS.get(problem.status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
    error: dict[str, Json] = {"code": status, "message": problem.message, "status": word}
    details: list[Json] = []
    if problem.code != word:
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": problem.code, "domain": "madang"})
    if problem.param is not None:
        violation = {"field": problem.param, "description": problem.message}
        details.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    if request_id:
        details.append({"@type": f"{_TYPE}RequestInfo", "requestId": request_id})
    if details:
        error["details"] = details
    return {"error": error}
