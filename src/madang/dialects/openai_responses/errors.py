"""Errors, both ways: `{"error": {message, type, param, code}}`, and what others write instead.

xAI answers `{"code": …, "error": "words"}` (recorded 2026-08), FastAPI servers `{"detail": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from madang.core.errors import CallError, ProviderError
from madang.core.messages import Json
from madang.dialects.openai_responses.content import Block
from madang.dialects.reading import read_json, write_json
from madang.dialects.too_long import CODE as TOO_LONG
from madang.dialects.too_long import is_too_long

_KINDS: Mapping[int, str] = {
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
"""What a status means, in neutral words; all others of 500 and more are `api_error`."""

_STATUSES: Mapping[str, int] = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "failed_to_download_image": 400,
    "bio_policy": 400,
    "data_residency_mismatch": 400,
    "misalignment_policy_violation": 400,
    "vector_store_timeout": 504,
}
_THEIRS = ("invalid_", "image_", "empty_image", "unsupported_")
"""Begin the codes of what is wrong with a request."""


# From a provider


def parse_error(status: int, body: bytes) -> ProviderError:
    """What a provider says is wrong; its body may be anything."""
    try:
        said = read_json(body)
    except ValueError:
        said = None
    return error_of(said, status)


def error_of(said: Json, status: int | None = None) -> ProviderError:
    """An error as it stands in a body, an event or a failed answer; without a status its code tells one."""
    inner = said
    if isinstance(said, dict):
        inner = next((said[name] for name in ("error", "detail") if said.get(name) is not None), said)
    found: Block = inner if isinstance(inner, dict) else {}
    outer: Block = said if isinstance(said, dict) else {}
    code = _word(found.get("code")) or _word(outer.get("code"))
    word = _word(found.get("type"))
    message = inner if isinstance(inner, str) and outer else _word(found.get("message"))
    if status is None:
        status = _status_of(code or word or "")
    if is_too_long(status, message or "", code, word):
        code = TOO_LONG
    return ProviderError(
        message or f"The provider answered with status {status}.",
        status=status,
        kind=_kind_of(status, code, word),
        code=code,
        param=_word(found.get("param")),
    )


def _word(value: Json) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _status_of(code: str) -> int:
    status = _STATUSES.get(code)
    if status is not None:
        return status
    return 400 if code.startswith(_THEIRS) else 500


def _kind_of(status: int, code: str | None, word: str | None) -> str:
    if "insufficient_quota" in (code, word):
        return "billing_error"
    return _KINDS.get(status) or ("api_error" if status >= 500 else "invalid_request_error")


# To a client


def error_body(problem: CallError) -> Block:
    """An error as OpenAI's clients know it."""
    return {
        "message": problem.message,
        "type": problem.kind,
        "param": problem.param,
        "code": problem.code,
    }


def render_error(problem: CallError, request_id: str) -> bytes:
    """The body for an error; the request's id goes into a header alone."""
    return write_json({"error": error_body(problem)})


def error_status(problem: CallError) -> int:
    """The HTTP status; 529 is Anthropic's alone."""
    if problem.status == 529:
        return 503
    return problem.status if 400 <= problem.status <= 599 else 502


def error_event(problem: CallError, sequence_number: int) -> Block:
    """The event that tells of an error.

    OpenAI's SDK raises for a member `error`; others read the event's own members, which are those of
    the reference.
    """
    body = error_body(problem)
    return {
        "type": "error",
        "sequence_number": sequence_number,
        "code": problem.code,
        "message": problem.message,
        "param": problem.param,
        "error": body,
    }


def render_stream_error(problem: CallError, request_id: str) -> bytes:
    """The end of a stream that broke while it passed, whose numbers nobody has counted."""
    return b"event: error\ndata: " + write_json(error_event(problem, 0)) + b"\n\n"
