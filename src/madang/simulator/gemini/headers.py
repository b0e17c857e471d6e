"""Google's headers: the key that comes in, and what goes out with every answer."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qs

from madang.simulator.gemini.errors import BAD_BEARER, NO_KEY, refused_key
from madang.simulator.ratelimit import Allowance
from madang.simulator.request import Request
from madang.simulator.vocabulary import ApiError, Stamp

_KEY = "x-goog-api-key"


def marks(request: Request) -> bool:
    """Whether the request says by its key or its version that it means Gemini's API."""
    return _KEY in request.headers or "key" in parse_qs(request.query) or request.path.startswith("/v1beta")


def authenticate(request: Request, expected: str | None) -> str:
    """The key presented, by header, query or as a bearer token. Raises ApiError."""
    asked = parse_qs(request.query).get("key", [""])[0]
    key = request.headers.get(_KEY, "").strip() or asked
    refusal = refused_key()
    if not key:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        refusal = ApiError(401, BAD_BEARER, kind="UNAUTHENTICATED")
    if not key:
        raise ApiError(403, NO_KEY, kind="PERMISSION_DENIED")
    if expected is not None and not hmac.compare_digest(key.encode(), expected.encode()):
        raise refusal
    return key


def answer_headers(_: Stamp, seconds: float) -> list[tuple[str, str]]:
    """Those of every answer."""
    return [
        ("server-timing", f"gfet4t7; dur={round(seconds * 1000)}"),
        ("vary", "Origin"),
        ("x-gemini-service-tier", "standard"),
    ]


def limit_headers(_: Allowance, __: Stamp) -> list[tuple[str, str]]:
    """Google does not say what is left."""
    return []
