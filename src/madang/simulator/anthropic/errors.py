"""Anthropic's errors: their body, their event in a stream, and what they say for each status.

Sentences after recorded answers, answers people have published with their bug reports, and Anthropic's
page on errors, as of November 2026.
"""

from __future__ import annotations

import math
from typing import Final, NoReturn

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.ratelimit import Exhausted
from madang.simulator.vocabulary import ApiError

_LIMITS_PAGE = "https://docs.claude.com/en/api/rate-limits"
_SALES_PAGE = "https://www.anthropic.com/contact-sales"

_RATE_LIMIT = (
    "This request would exceed your organization's rate limit of {limit:,} {unit} per minute (org: "
    "org-simulator, model: {model}). For details, refer to: " + _LIMITS_PAGE + ". You can see the response "
    "headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try "
    "again later. You may also contact sales at " + _SALES_PAGE + " to discuss your options for a rate "
    "limit increase."
)
_CREDIT = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
    "purchase credits."
)


class Wording(msgspec.Struct, frozen=True):
    """How one status is worded when it is asked for; `{model}` is filled in."""

    message: str
    kind: str


_WORDINGS: Final = {
    400: Wording("Simulated: the request is not valid.", "invalid_request_error"),
    401: Wording("invalid x-api-key", "authentication_error"),
    402: Wording(_CREDIT, "billing_error"),
    403: Wording("Your API key does not have permission to use the specified resource.", "permission_error"),
    404: Wording("model: {model}", "not_found_error"),
    408: Wording("Request timed out", "timeout_error"),
    409: Wording("Simulated: the resource was changed by another request.", "conflict_error"),
    413: Wording("Request exceeds the maximum size", "request_too_large"),
    422: Wording("Simulated: the request cannot be processed.", "invalid_request_error"),
    429: Wording(_RATE_LIMIT.format(limit=3, unit="requests", model="{model}"), "rate_limit_error"),
    500: Wording("Internal server error", "api_error"),
    502: Wording("Bad gateway", "api_error"),
    503: Wording("Service unavailable", "api_error"),
    504: Wording("Request timed out", "timeout_error"),
    529: Wording("Overloaded", "overloaded_error"),
}
_OTHER: Final = Wording("Simulated error.", "invalid_request_error")
_KINDS: Final = {wording.kind: wording for wording in _WORDINGS.values()}
"""`error-code` names another kind; what is said goes with it."""


def invalid(message: str) -> NoReturn:
    """Refuse the request."""
    raise ApiError(400, message)


def error_for(status: int, controls: Controls, model: str, _: str) -> ApiError:
    """The error Anthropic gives with a status, or one like it."""
    wording = _WORDINGS.get(status, _OTHER if status < 500 else _WORDINGS[500])
    kind = wording.kind
    if controls.error_code is not None:
        kind = controls.error_code
        wording = _KINDS.get(kind, wording)
    retry = str(status in (408, 409, 429) or status >= 500).lower()
    headers = (("x-should-retry", retry), *retry_headers(controls.retry_after))
    return ApiError(status, wording.message.replace("{model}", model), kind=kind, headers=headers)


def exhausted(limit: Exhausted, model: str) -> ApiError:
    """The 429 of a rate limit that is used up."""
    unit = {"requests": "requests", "tokens": "input tokens"}[limit.unit]
    message = _RATE_LIMIT.format(limit=limit.limit, unit=unit, model=model)
    after = None if math.isinf(limit.retry_after) else limit.retry_after
    headers = (("x-should-retry", "true"), *retry_headers(after))
    return ApiError(429, message, kind="rate_limit_error", headers=headers)


def retry_headers(seconds: float | None) -> tuple[tuple[str, str], ...]:
    """The advice when to come back."""
    return () if seconds is None else (("retry-after", str(math.ceil(seconds))),)


def no_such(method: str, _: str, known: bool) -> ApiError:
    """What a path gets that nobody has, or not with this method."""
    if known:
        return ApiError(405, f"Method Not Allowed: {method}")
    return ApiError(404, "Not Found", kind="not_found_error")


def unknown_model(model: str) -> ApiError:
    """What a request for a model nobody has gets."""
    return ApiError(404, f"model: {model}", kind="not_found_error")


def error_body(error: ApiError, request_id: str) -> bytes:
    """The body of an error."""
    return msgspec.json.encode(_shaped(error, request_id))


def error_event(error: ApiError, request_id: str) -> bytes:
    """An error in the middle of a stream."""
    return b"event: error\ndata: " + msgspec.json.encode(_shaped(error, request_id)) + b"\n"


def _shaped(error: ApiError, request_id: str) -> dict[str, object]:
    shaped: dict[str, object] = {"type": "error", "error": {"type": error.kind, "message": error.message}}
    return {**shaped, "request_id": request_id} if request_id else shaped
