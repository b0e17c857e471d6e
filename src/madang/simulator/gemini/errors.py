"""Gemini's errors: their body, their place in a stream, and what they say for each status.

Google's shape, `{"error": {code, message, status, details}}`. Sentences after recorded answers and
answers people have published with their bug reports, as of November 2026.
"""

from __future__ import annotations

import math
from typing import Final, NoReturn

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.ratelimit import Exhausted
from madang.simulator.vocabulary import ApiError

_TYPES = "type.googleapis.com/google.rpc."
_SERVICE = "generativelanguage.googleapis.com"
_LIMITS_PAGE = "https://ai.google.dev/gemini-api/docs/rate-limits"
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on "
    "this error, head to: " + _LIMITS_PAGE + ". To monitor your current usage, head to: "
    "https://ai.dev/rate-limit. \n* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}"
)
BAD_KEY: Final = "API key not valid. Please pass a valid API key."
NO_KEY: Final = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key "
    "or other form of API consumer identity to call this API."
)
BAD_BEARER: Final = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class Wording(msgspec.Struct, frozen=True):
    """How one status is worded when it is asked for."""

    message: str
    kind: str


_WORDINGS: Final = {
    400: Wording("Request contains an invalid argument.", "INVALID_ARGUMENT"),
    401: Wording(BAD_BEARER, "UNAUTHENTICATED"),
    403: Wording("The caller does not have permission", "PERMISSION_DENIED"),
    404: Wording("Requested entity was not found.", "NOT_FOUND"),
    409: Wording("The operation was aborted.", "ABORTED"),
    413: Wording("Request payload size exceeds the limit: 20971520 bytes.", "INVALID_ARGUMENT"),
    429: Wording("Resource has been exhausted (e.g. check quota).", "RESOURCE_EXHAUSTED"),
    499: Wording("The operation was cancelled.", "CANCELLED"),
    500: Wording(
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
        "INTERNAL",
    ),
    503: Wording("The model is overloaded. Please try again later.", "UNAVAILABLE"),
    504: Wording("Deadline expired before operation could complete.", "DEADLINE_EXCEEDED"),
}
_OTHER: Final = Wording("Simulated error.", "FAILED_PRECONDITION")


def invalid(message: str, *details: dict[str, object]) -> NoReturn:
    """Refuse the request."""
    raise ApiError(400, message, kind="INVALID_ARGUMENT", details=details)


def violated(message: str, field: str = "") -> NoReturn:
    """Refuse the request because its JSON does not fit."""
    violation = {"field": field, "description": message} if field else {"description": message}
    invalid(message, {"@type": _TYPES + "BadRequest", "fieldViolations": [violation]})


def refused_key() -> ApiError:
    """What a wrong key gets."""
    reason: dict[str, object] = {
        "@type": _TYPES + "ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": _SERVICE},
    }
    local: dict[str, object] = {"@type": _TYPES + "LocalizedMessage", "locale": "en-US", "message": BAD_KEY}
    return ApiError(400, BAD_KEY, kind="INVALID_ARGUMENT", details=(reason, local))


def error_for(status: int, controls: Controls, model: str, _: str) -> ApiError:
    """The error Gemini gives with a status, or one like it."""
    wording = _WORDINGS.get(status, _OTHER if status < 500 else _WORDINGS[500])
    kind = controls.error_code or wording.kind
    if status == 429:
        return _over_quota("requests", 3, model, controls.retry_after, kind)
    return ApiError(status, wording.message, kind=kind, details=_retry(controls.retry_after))


def exhausted(limit: Exhausted, model: str) -> ApiError:
    """The 429 of a rate limit that is used up."""
    after = None if math.isinf(limit.retry_after) else limit.retry_after
    return _over_quota(limit.unit, limit.limit, model, after, "RESOURCE_EXHAUSTED")


def _over_quota(unit: str, limit: int, model: str, after: float | None, kind: str) -> ApiError:
    name, quota = {
        "requests": ("requests", "GenerateRequestsPerMinutePerProjectPerModel"),
        "tokens": ("input_token_count", "GenerateContentPaidTierInputTokensPerModelPerMinute"),
    }[unit]
    metric = f"{_SERVICE}/generate_content_paid_tier_{name}"
    message = _QUOTA.format(metric=metric, limit=limit, model=model)
    if after is not None:
        message += f"\nPlease retry in {after:.9f}s."
    links = [{"description": "Learn more about Gemini API quotas", "url": _LIMITS_PAGE}]
    violation = {
        "quotaMetric": metric,
        "quotaId": quota,
        "quotaDimensions": {"model": model, "location": "global"},
        "quotaValue": str(limit),
    }
    details: list[dict[str, object]] = [
        {"@type": _TYPES + "Help", "links": links},
        {"@type": _TYPES + "QuotaFailure", "violations": [violation]},
        *_retry(after),
    ]
    return ApiError(429, message, kind=kind, details=tuple(details))


def _retry(after: float | None) -> tuple[dict[str, object], ...]:
    """When to come back: Google says it in the body, not in a header."""
    if after is None:
        return ()
    delay = f"{math.floor(after)}s" if after >= 1 else f"{after:.3f}s"
    return ({"@type": _TYPES + "RetryInfo", "retryDelay": delay},)


def no_such(method: str, path: str, known: bool) -> ApiError:
    """What a path gets that nobody has, or not with this method."""
    if known:
        return ApiError(405, f"The method {method} is not allowed for {path}.", kind="UNIMPLEMENTED")
    return ApiError(404, "Requested entity was not found.", kind="NOT_FOUND")


def unknown_model(model: str, what: str = "generateContent") -> ApiError:
    """What a request for a model nobody has gets."""
    message = (
        f"models/{model} is not found for API version v1beta, or is not supported for {what}. Call "
        "ListModels to see the list of available models and their supported methods."
    )
    return ApiError(404, message, kind="NOT_FOUND")


def error_body(error: ApiError, _: str = "") -> bytes:
    """The body of an error, indented as Google's are."""
    return msgspec.json.format(msgspec.json.encode(_shaped(error)), indent=2) + b"\n"


def error_event(error: ApiError, _: str = "") -> bytes:
    """An error in the middle of a stream of events."""
    return b"data: " + msgspec.json.encode(_shaped(error)) + b"\r\n\r\n"


def error_item(error: ApiError, _: str = "") -> bytes:
    """An error in the middle of an array, which it ends."""
    return b",\r\n" + msgspec.json.encode(_shaped(error)) + b"\n]"


def _shaped(error: ApiError) -> dict[str, object]:
    kind = error.kind
    if not kind.isupper():
        # The simulator's own refusals bear no provider's name.
        kind = _WORDINGS.get(error.status, _OTHER).kind
    shaped: dict[str, object] = {"code": error.status, "message": error.message, "status": kind}
    return {"error": {**shaped, "details": list(error.details)} if error.details else shaped}
