"""Errors ↔ errors: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

Source: platform.claude.com, "Errors" (read 2026-11), and anthropic-sdk-python 2.11,
`types/shared/error_type.py`. 529, overloaded, is Anthropic's own status.
"""

from __future__ import annotations

import msgspec

from madang.core.errors import CallError, ProviderError
from madang.core.messages import Json
from madang.dialects.reading import write_json
from madang.dialects.too_long import CODE as TOO_LONG
from madang.dialects.too_long import is_too_long

_BY_STATUS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUS = {kind: status for status, kind in _BY_STATUS.items() if status != 408} | {"api_error": 500}
_TELLING = frozenset((401, 402, 403, 404, 413, 429, 504, 529))
"""Statuses that have one word only, whatever another dialect calls the error."""
_TOO_LONG = ("prompt is too long", "input length and `max_tokens` exceed context limit")
"""Words by which Claude Code knows that it must cut the conversation short."""


class WireError(msgspec.Struct, gc=False):
    """`error`, as Anthropic writes it."""

    type: str | None = None
    message: str | None = None


class _Body(msgspec.Struct, gc=False):
    error: WireError | str | None = None
    message: str | None = None


_body = msgspec.json.Decoder(_Body)


def parse_error(status: int, body: bytes) -> ProviderError:
    """A provider's error, whatever its body is."""
    try:
        found = _body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Body()
    error = found.error if isinstance(found.error, WireError) else WireError(message=found.error)
    message = error.message or found.message or f"The provider answered with status {status}."
    kind = error.type if error.type in _STATUS else _kind(status)
    return _problem(message, status, kind)


def parse_stream_error(wire: Json) -> ProviderError:
    """An error in the middle of a stream, which has no status of its own."""
    error = wire if isinstance(wire, dict) else {"message": wire}
    kind, message = error.get("type"), error.get("message")
    if not isinstance(kind, str) or kind not in _STATUS:
        kind = "api_error"
    if not isinstance(message, str) or not message:
        message = "The provider broke off its answer."
    return _problem(message, _STATUS[kind], kind)


def _problem(message: str, status: int, kind: str) -> ProviderError:
    code = TOO_LONG if is_too_long(status, message) else kind
    return ProviderError(message, status=status, kind=kind, code=code)


def _kind(status: int) -> str:
    return _BY_STATUS.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def error_word(problem: CallError) -> str:
    """An error's `type` for a client."""
    if problem.status in _TELLING:
        return _BY_STATUS[problem.status]
    return problem.kind if problem.kind in _STATUS else _kind(problem.status)


def error_status(problem: CallError) -> int:
    """The HTTP status for a client: overloaded is 529 here."""
    return 529 if problem.kind == "overloaded_error" and problem.status >= 500 else problem.status


def _sentence(problem: CallError) -> str:
    said = problem.message
    if problem.code != TOO_LONG or any(words in said.lower() for words in _TOO_LONG):
        return said
    return f"{_TOO_LONG[0]}: {said}"


def render_error(problem: CallError, request_id: str) -> bytes:
    """The body."""
    error: dict[str, Json] = {"type": error_word(problem), "message": _sentence(problem)}
    if problem.param == "thread" and problem.code == "not_expressible":
        # What its SDK's tool runner waits for to go on without a thread (anthropic 2.11, `_thread_state.py`).
        error["details"] = {"error_code": "thread_unsupported_request", "unsupported": ["model"]}
    return write_json({"type": "error", "error": error, "request_id": request_id})


def render_stream_error(problem: CallError, request_id: str) -> bytes:
    """The event that ends a stream which broke."""
    return b"event: error\ndata: " + render_error(problem, request_id) + b"\n\n"
