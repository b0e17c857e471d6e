"""Who may see our pages: somebody at this machine, or somebody with a key.

Sessions are signed cookies; nothing about them is stored, except which were ended early.
Which keys exist is not known here: `Keys` is asked, at login and again at every request.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal, Protocol

import msgspec
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from madang.core.clock import now_us
from madang.web.security import SAFE_METHODS, Seal, is_cross_origin, origin_host

HOUR = 3600
IDLE_SECONDS = 12 * HOUR
LONGEST_SECONDS = 7 * 24 * HOUR
RENEW_SECONDS = 60
"""A cookie is sent again once its `seen` is this old; not with every answer."""
LONGEST_COOKIE = 1024
LONGEST_SECRET = 512


class KeyHolder(msgspec.Struct, frozen=True):
    """A good key, as pages know it."""

    fingerprint: str
    """Names the key without opening anything: its id, or a hash of it. It is put in the cookie."""
    name: str


class Keys(Protocol):
    """What pages ask of the key store. Both are called on the event loop and must not block it."""

    def check(self, secret: str) -> KeyHolder | None:
        """The holder of this key, if it is known, unexpired and not revoked."""
        ...

    def holder(self, fingerprint: str) -> KeyHolder | None:
        """The same for a key that logged in before; None ends the session."""
        ...


class Visitor(msgspec.Struct, frozen=True):
    """Somebody who may see pages. `key` is None for somebody at this machine without a login."""

    key: KeyHolder | None = None


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the cookie says. Without a key it grants nothing and only binds form tokens."""

    id: str
    born: int
    seen: int
    key: str | None = None


class Visit(msgspec.Struct, frozen=True):
    """One request's visitor (None: must log in) and the session it belongs to."""

    visitor: Visitor | None
    session: Session
    renew: bool
    """Whether the answer has to carry the cookie."""


# --- the loopback rule ---------------------------------------------------------------------------

# Names and prefixes of headers that only a proxy or a tunnel adds: then the peer is not the visitor.
PROXY_HEADERS = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"}
    | {"cf-connecting-ip", "cf-ray", "fastly-client-ip", "fly-client-ip", "x-original-host"}
)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z.-]+)(?::[0-9]{1,5})?")


def is_at_this_machine(peer: str | None, method: str, headers: Headers) -> bool:
    """Whether a request comes from this machine itself and not through something on it.

    The `Host` must be a loopback name as well, or any site could rebind its name to 127.0.0.1
    and read the page as its own (DNS rebinding).
    """
    if peer is None or not _is_loopback_address(peer):
        return False
    if any(name in PROXY_HEADERS or name.startswith("x-forwarded") for name in headers):
        return False
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_loopback_host(hosts[0]):
        return False
    origins = [] if method in SAFE_METHODS else headers.getlist("origin")
    return all(_is_loopback_host(origin_host(origin) or "") for origin in origins)


def _is_loopback_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _is_loopback_host(host: str) -> bool:
    match = _HOST.fullmatch(host.lower())
    name = match[1] if match else ""
    return name == "localhost" or _is_loopback_address(name.strip("[]"))


# --- slowing guesses down ------------------------------------------------------------------------


class Guesses:
    """Wrong keys per address: a few are free, then each doubles the wait, up to a minute.

    Bounded: the address not heard of for longest is forgotten, and every one after an hour.
    One address never waits for another.
    """

    FREE = 5
    LONGEST_WAIT = 60.0
    ADDRESSES = 4096

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0 if it may now."""
        count, since = self._wrong.get(_network(address), (0, 0.0))
        if self._now() - since > HOUR:
            self.right(address)
        elif count >= self.FREE:
            delay = min(2.0 ** min(count - self.FREE, 10), self.LONGEST_WAIT)
            return max(0.0, since + delay - self._now())
        return 0.0

    def wrong(self, address: str) -> None:
        network = _network(address)
        count, _ = self._wrong.pop(network, (0, 0.0))
        self._wrong[network] = (count + 1, self._now())
        while len(self._wrong) > self.ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        self._wrong.pop(_network(address), None)


def _network(address: str) -> str:
    """IPv6 is counted by /64: one subscriber has that many addresses to guess from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


# --- pages ---------------------------------------------------------------------------------------


class Wait(msgspec.Struct, frozen=True):
    """A login that was not even looked at: too many wrong keys from this address."""

    seconds: int


def _seconds() -> float:
    return now_us() / 1_000_000


class Pages:
    """The door of every page: who is it, is this post ours, log in, log out."""

    ENDED = 10_000

    def __init__(
        self,
        secret_key: bytes,
        keys: Keys,
        *,
        login: Literal["auto", "always"] = "auto",
        now: Callable[[], float] = _seconds,
    ) -> None:
        self._seal = Seal(secret_key)
        self._keys = keys
        self._login = login
        self._now = now
        self._guesses = Guesses(now)
        self._ended: OrderedDict[str, None] = OrderedDict()

    def visit(self, request: HTTPConnection) -> Visit:
        """Who this is. Never raises: whatever is wrong with the cookie means nobody."""
        now = int(self._now())
        session = self._read_cookie(request)
        holder = self._holder(session, now) if session else None
        if session is None or (session.key is not None and holder is None):
            session = Session(id=secrets.token_urlsafe(16), born=now, seen=0)
        renew = now - session.seen >= RENEW_SECONDS
        session = msgspec.structs.replace(session, seen=now) if renew else session
        if holder is not None:
            return Visit(Visitor(holder), session, renew)
        return Visit(Visitor() if self._at_this_machine(request) else None, session, renew)

    def still_welcome(self, visitor: Visitor) -> bool:
        """Asked while an answer streams: a revoked key ends it."""
        return visitor.key is None or self._keys.holder(visitor.key.fingerprint) is not None

    def token(self, visit: Visit) -> str:
        """What a form of ours carries back, bound to the visitor's session."""
        return self._seal.sign("form", visit.session.id.encode())

    def is_ours(self, request: HTTPConnection, visit: Visit, token: str) -> bool:
        """Whether a post was made by a page we gave to this very session."""
        if is_cross_origin(request.scope["method"], request.headers):
            return False
        return self._seal.fits("form", visit.session.id.encode(), token)

    def log_in(self, request: HTTPConnection, secret: str) -> Visit | Wait | None:
        """A fresh session for a good key, never the one the login page had; None for a bad key."""
        address = _address(request)
        if seconds := self._guesses.wait(address):
            return Wait(int(seconds) + 1)
        holder = self._keys.check(secret) if 0 < len(secret) <= LONGEST_SECRET else None
        if holder is None:
            self._guesses.wrong(address)
            return None
        self._guesses.right(address)
        now = int(self._now())
        fresh = Session(id=secrets.token_urlsafe(16), born=now, seen=now, key=holder.fingerprint)
        return Visit(Visitor(holder), fresh, renew=True)

    def log_out(self, request: HTTPConnection, response: Response, visit: Visit) -> None:
        """Take the cookie back, and remember that a copy of it is worth nothing (in this process)."""
        if visit.session.key is not None:
            self._ended[visit.session.id] = None
        while len(self._ended) > self.ENDED:
            self._ended.popitem(last=False)
        response.delete_cookie(_cookie_name(request), secure=is_https(request), httponly=True, samesite="lax")

    def set_cookie(self, request: HTTPConnection, response: Response, visit: Visit) -> None:
        """Give the session to the browser if it needs it; it forgets it when it closes."""
        if not visit.renew:
            return
        word = self._seal.wrap("session", msgspec.json.encode(visit.session))
        name, https = _cookie_name(request), is_https(request)
        response.set_cookie(name, word, secure=https, httponly=True, samesite="lax", path="/")

    def _read_cookie(self, request: HTTPConnection) -> Session | None:
        word = request.cookies.get(_cookie_name(request), "")
        data = self._seal.unwrap("session", word) if 0 < len(word) <= LONGEST_COOKIE else None
        try:
            session = msgspec.json.decode(data, type=Session) if data is not None else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return None if session is None or session.id in self._ended else session

    def _holder(self, session: Session, now: int) -> KeyHolder | None:
        expired = now - session.seen > IDLE_SECONDS or now - session.born > LONGEST_SECONDS
        return None if expired or session.key is None else self._keys.holder(session.key)

    def _at_this_machine(self, request: HTTPConnection) -> bool:
        if self._login == "always":
            return False
        peer = request.client.host if request.client else None
        return is_at_this_machine(peer, request.scope["method"], request.headers)


def is_https(request: HTTPConnection) -> bool:
    """A proxy's word is enough: who lies about it only loses his own cookie."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"


def _cookie_name(request: HTTPConnection) -> str:
    return "__Host-madang_session" if is_https(request) else "madang_session"


def _address(request: HTTPConnection) -> str:
    """Whose guesses these are: the peer, or whom a proxy on this machine says it speaks for."""
    peer = request.client.host if request.client else "unknown"
    through = request.headers.getlist("x-forwarded-for")
    return through[-1].rpartition(",")[2].strip() if through and _is_loopback_address(peer) else peer
