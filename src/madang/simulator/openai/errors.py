"""OpenAI's errors: their body, their event in a stream, and what they say for each status.

Sentences after recorded answers and OpenAI's error-code pages, as of November 2026.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.ratelimit import Exhausted, show_duration
from madang.simulator.vocabulary import ApiError

_KEYS_PAGE = "https://platform.openai.com/account/api-keys"
_LIMITS_PAGE = "https://platform.openai.com/account/rate-limits"

NO_KEY: Final = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
    "auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're "
    "accessing the API from your browser and are prompted for a username and password. You can obtain an API "
    f"key from {_KEYS_PAGE}."
)
BAD_JSON: Final = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
    "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you "
    "have trouble figuring out how to fix this, please contact us through our help center at "
    "help.openai.com.)"
)
_QUOTA = (
    "You exceeded your current quota, please check your plan and billing details. For more information on "
    "this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
)
_SERVER_ERROR = (
    "The server had an error while processing your request. Sorry about that! You can retry your request, or "
    "contact us through our help center at help.openai.com if the error persists. (Please include the "
    "request ID {request_id} in your message.)"
)
_OVERLOADED = (
    "The server is currently overloaded with other requests. Sorry about that! Please try again later."
)

CHALLENGE: Final = (("www-authenticate", 'Bearer realm="OpenAI API"'),)


class Wording(msgspec.Struct, frozen=True):
    """How one status is worded when it is asked for; `{model}` and `{request_id}` are filled in."""

    message: str
    kind: str = "invalid_request_error"
    code: str | int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    param: str | None = None


_WORDINGS: Final = {
    400: Wording("Simulated: the request is not valid."),
    401: Wording(
        f"Incorrect API key provided. You can find your API key at {_KEYS_PAGE}.",
        code="invalid_api_key",
        headers=CHALLENGE,
    ),
    403: Wording(
        "Country, region, or territory not supported",
        "request_forbidden",
        "unsupported_country_region_territory",
    ),
    404: Wording(
        "The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
    ),
    408: Wording("Request timed out.", "timeout", "timeout"),
    409: Wording("Simulated: the resource was changed by another request."),
    413: Wording("Maximum content size limit exceeded."),
    422: Wording("Simulated: the request cannot be processed."),
    429: Wording(
        "Rate limit reached for {model} in organization org-simulator on requests per min (RPM): "
        "Limit 3, Used 3, Requested 1. Please try again in 20s. Visit "
        "https://platform.openai.com/account/rate-limits to learn more.",
        "requests",
        "rate_limit_exceeded",
    ),
    500: Wording(_SERVER_ERROR, "server_error"),
    502: Wording("Bad gateway.", "cf_bad_gateway", 502),
    503: Wording(_OVERLOADED, "server_error", "service_unavailable"),
    504: Wording("Gateway timeout.", "cf_gateway_timeout", 504),
}
_CODES: Final = {
    "insufficient_quota": Wording(_QUOTA, "insufficient_quota", "insufficient_quota"),
    "context_length_exceeded": Wording(
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        code="context_length_exceeded",
        param="input",
    ),
}
"""Codes that change what the error says."""


def error_for(status: int, controls: Controls, model: str, request_id: str) -> ApiError:
    """The error OpenAI gives with a status, or one like it."""
    default = Wording(
        "Simulated error." if status < 500 else _SERVER_ERROR,
        "invalid_request_error" if status < 500 else "server_error",
    )
    wording = _WORDINGS.get(status, default)
    code: str | int | None = wording.code
    if controls.error_code is not None:
        wording, code = _CODES.get(controls.error_code, wording), controls.error_code
    message = wording.message.replace("{model}", model).replace("{request_id}", request_id)
    headers = wording.headers + retry_headers(controls.retry_after)
    return ApiError(status, message, kind=wording.kind, param=wording.param, code=code, headers=headers)


def exhausted(limit: Exhausted, model: str) -> ApiError:
    """The 429 of a rate limit that is used up."""
    short = {"requests": "RPM", "tokens": "TPM"}[limit.unit]
    where = f"{model} in organization org-simulator on {limit.unit} per min ({short}): Limit {limit.limit}"
    if math.isinf(limit.retry_after):
        message = (
            f"Request too large for {where}, Requested {limit.requested}. The input or output tokens must be "
            "reduced in order to run successfully."
        )
        headers = retry_headers(None)
    else:
        message = (
            f"Rate limit reached for {where}, Used {limit.used}, Requested {limit.requested}. Please try "
            f"again in {show_duration(limit.retry_after)}."
        )
        headers = retry_headers(limit.retry_after)
    message += f" Visit {_LIMITS_PAGE} to learn more."
    return ApiError(429, message, kind=limit.unit, code="rate_limit_exceeded", headers=headers)


def retry_headers(seconds: float | None) -> tuple[tuple[str, str], ...]:
    """The advice when to come back: whole seconds for everybody, milliseconds for the SDKs."""
    if seconds is None:
        return ()
    return ("retry-after", str(math.ceil(seconds))), ("retry-after-ms", str(math.ceil(seconds * 1000)))


def no_such(method: str, path: str, known: bool) -> ApiError:
    """What a path gets that nobody has, or not with this method."""
    if not known:
        return ApiError(404, f"Invalid URL ({method} {path})")
    hint = "(HINT: Perhaps you meant to use a different HTTP method?)"
    return ApiError(405, f"Not allowed to {method} on {path}. {hint}", code="method_not_supported")


def unknown_model(model: str) -> ApiError:
    """What a request for a model nobody has gets."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return ApiError(404, message, code="model_not_found")


def error_body(error: ApiError, _: str = "") -> bytes:
    """The body of an error, indented as OpenAI's are."""
    return msgspec.json.format(_encoded(error), indent=2) + b"\n"


def error_event(error: ApiError, _: str = "") -> bytes:
    """An error in the middle of a stream: an event without choices."""
    return b"data: " + _encoded(error) + b"\n"


def _encoded(error: ApiError) -> bytes:
    fields = {"message": error.message, "type": error.kind, "param": error.param, "code": error.code}
    return msgspec.json.encode({"error": fields})
