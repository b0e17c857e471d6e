"""What every page tells the browser, and which posts we believe came from our own page.

Who may see a page at all is decided in `auth.py`. Nothing here knows a session or a key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types madang",
    )
)

PAGE_HEADERS: dict[str, str] = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: under it a browser posts a form with `Origin: null`, and the check
    # below needs the Origin wherever `Sec-Fetch-Site` is missing (plain http on a local network).
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SecurityHeaders:
    """ASGI wrapper: every response gets `PAGE_HEADERS`, unless it says otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_page_headers(message["headers"])}
            await send(message)

        await self._app(scope, receive, send_secured)


def _with_page_headers(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = {name.lower() for name, _ in headers}
    ours = ((name.encode(), value.encode()) for name, value in PAGE_HEADERS.items())
    return [*headers, *(header for header in ours if header[0] not in said)]


def is_cross_origin(method: str, headers: Headers) -> bool:
    """Whether a browser says that this unsafe request was not made by a page of ours.

    `Sec-Fetch-Site` first, which no page can forge; where it is missing, `Origin` against `Host`.
    With neither this is no browser we know, and the form's token decides alone.
    """
    if method in SAFE_METHODS:
        return False
    sites, origins, hosts = (headers.getlist(name) for name in ("sec-fetch-site", "origin", "host"))
    if sites:
        return sites != ["same-origin"]
    if origins:
        return len(origins) > 1 or len(hosts) != 1 or origin_host(origins[0]) != hosts[0].lower()
    return False


def origin_host(origin: str) -> str | None:
    """Host and port of an `Origin`, as a `Host` header writes them; None for `null` and nonsense."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    plain = parts.scheme in {"http", "https"} and not (parts.path or parts.query or parts.fragment)
    return parts.netloc.lower() if plain and parts.netloc and "@" not in parts.netloc else None


class Seal:
    """Signs small values, each for one purpose: what was sealed as a cookie is no form token."""

    SHORTEST_KEY = 32

    def __init__(self, secret_key: bytes) -> None:
        if len(secret_key) < self.SHORTEST_KEY:
            raise ValueError(f"the secret key has {len(secret_key)} bytes, needs {self.SHORTEST_KEY}")
        self._key = secret_key

    def sign(self, purpose: str, data: bytes) -> str:
        mac = hmac.new(self._key, purpose.encode() + b"\0" + data, hashlib.sha256)
        return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")

    def fits(self, purpose: str, data: bytes, signature: str) -> bool:
        return hmac.compare_digest(self.sign(purpose, data).encode(), signature.encode("utf-8", "replace"))

    def wrap(self, purpose: str, data: bytes) -> str:
        """The data and its signature as one word that fits in a cookie."""
        return f"{base64.urlsafe_b64encode(data).decode()}.{self.sign(purpose, data)}"

    def unwrap(self, purpose: str, word: str) -> bytes | None:
        """The data, if we signed it for this purpose; None for everything else."""
        text, _, signature = word.partition(".")
        try:
            data = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return None
        return data if self.fits(purpose, data, signature) else None
