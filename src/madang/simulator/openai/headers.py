"""OpenAI's headers: the key that comes in, and what goes out with every answer."""

from __future__ import annotations

import hmac

from madang.simulator.openai.errors import CHALLENGE, NO_KEY
from madang.simulator.ratelimit import Allowance, show_duration
from madang.simulator.request import Request
from madang.simulator.vocabulary import ApiError, Stamp

# Refilling adds fractions: 59 requests may stand as 58.9999999.
_ROUNDING = 1e-6


def authenticate(request: Request, expected: str | None) -> str:
    """The key presented. Raises ApiError if there is none, or not the expected one."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    if scheme.lower() != "bearer" or not key:
        raise ApiError(401, NO_KEY, headers=CHALLENGE)
    if expected is not None and not hmac.compare_digest(key.encode(), expected.encode()):
        message = (
            f"Incorrect API key provided: {masked(key)}. You can find your API key at "
            "https://platform.openai.com/account/api-keys."
        )
        raise ApiError(401, message, code="invalid_api_key", headers=CHALLENGE)
    return key


def masked(key: str) -> str:
    """A wrong key as OpenAI repeats it: eight letters, stars, four letters; twelve or fewer in full."""
    return key if len(key) <= 12 else key[:8] + "*" * (len(key) - 12) + key[-4:]


def answer_headers(stamp: Stamp, seconds: float) -> list[tuple[str, str]]:
    """Those of every answer."""
    return [
        ("openai-organization", "org-simulator"),
        ("openai-processing-ms", str(round(seconds * 1000))),
        ("openai-version", "2020-10-01"),
        ("x-request-id", stamp.request_id),
    ]


def limit_headers(allowance: Allowance, _: Stamp) -> list[tuple[str, str]]:
    """What is left of the limits."""
    requests, tokens = allowance.requests, allowance.tokens
    return [
        ("x-ratelimit-limit-requests", str(requests.limit)),
        ("x-ratelimit-limit-tokens", str(tokens.limit)),
        ("x-ratelimit-remaining-requests", str(max(0, int(requests.left + _ROUNDING)))),
        ("x-ratelimit-remaining-tokens", str(max(0, int(tokens.left + _ROUNDING)))),
        ("x-ratelimit-reset-requests", show_duration(requests.reset)),
        ("x-ratelimit-reset-tokens", show_duration(tokens.reset)),
    ]
