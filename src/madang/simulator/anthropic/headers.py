"""Anthropic's headers: the key that comes in, and what goes out with every answer."""

from __future__ import annotations

import hmac
import math
from datetime import UTC, datetime

from madang.simulator.anthropic.errors import invalid
from madang.simulator.ratelimit import Allowance, Bucket
from madang.simulator.request import Request
from madang.simulator.vocabulary import ApiError, Stamp

# Refilling adds fractions: 59 requests may stand as 58.9999999.
_ROUNDING = 1e-6
VERSION = "anthropic-version"


def marks(request: Request) -> bool:
    """Whether the request says by a header that it means Anthropic's API."""
    return VERSION in request.headers


def authenticate(request: Request, expected: str | None) -> str:
    """The key presented, by `x-api-key` or as a bearer token. Raises ApiError."""
    key = request.headers.get("x-api-key", "").strip()
    refusal = "invalid x-api-key"
    if not key:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key, refusal = (key.strip() if scheme.lower() == "bearer" else ""), "Invalid bearer token"
    if not key:
        raise _refused("x-api-key header is required")
    if expected is not None and not hmac.compare_digest(key.encode(), expected.encode()):
        raise _refused(refusal)
    if not request.headers.get(VERSION):
        invalid(f"{VERSION}: header is required")
    return key


def _refused(message: str) -> ApiError:
    return ApiError(401, message, kind="authentication_error", headers=(("x-should-retry", "false"),))


def answer_headers(stamp: Stamp, _: float) -> list[tuple[str, str]]:
    """Those of every answer."""
    return [("anthropic-organization-id", "org-simulator"), ("request-id", stamp.request_id)]


def limit_headers(allowance: Allowance, stamp: Stamp) -> list[tuple[str, str]]:
    """What is left of the limits; the one on tokens stands for input, output and both."""
    lines = _bucket("requests", allowance.requests, stamp)
    for unit in ("input-tokens", "output-tokens", "tokens"):
        lines += _bucket(unit, allowance.tokens, stamp)
    return lines


def _bucket(unit: str, bucket: Bucket, stamp: Stamp) -> list[tuple[str, str]]:
    full = datetime.fromtimestamp(stamp.created + math.ceil(bucket.reset), UTC)
    start = "anthropic-ratelimit-" + unit
    return [
        (start + "-limit", str(bucket.limit)),
        (start + "-remaining", str(max(0, int(bucket.left + _ROUNDING)))),
        (start + "-reset", full.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ]
