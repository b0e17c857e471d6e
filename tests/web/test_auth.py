"""Who may see pages: the loopback rule, sessions, logins."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from madang.web.auth import (
    HOUR,
    IDLE_SECONDS,
    LONGEST_SECONDS,
    Guesses,
    KeyHolder,
    Pages,
    Session,
    Visit,
    Wait,
    is_at_this_machine,
)
from madang.web.security import Seal

SECRET = b"s" * 32
ELSEWHERE = "203.0.113.7"


@dataclass
class Clock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class OneKey:
    revoked: bool = False
    looked_at: int = 0

    def check(self, secret: str) -> KeyHolder | None:
        self.looked_at += 1
        return self.holder("k1") if secret == "good" else None

    def holder(self, fingerprint: str) -> KeyHolder | None:
        return KeyHolder("k1", "team a") if fingerprint == "k1" and not self.revoked else None


def request(
    *,
    peer: str | None = ELSEWHERE,
    cookie: str = "",
    method: str = "GET",
    scheme: str = "http",
    headers: dict[str, str] | None = None,
) -> Request:
    sent = {"host": "madang.example", "cookie": cookie, **(headers or {})}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in sent.items() if value]
    client = (peer, 5000) if peer else None
    return Request(
        {
            "type": "http",
            "method": method,
            "path": "/",
            "query_string": b"",
            "scheme": scheme,
            "headers": raw,
            "client": client,
            "server": ("127.0.0.1", 4000),
        }
    )


def given_cookie(pages: Pages, asked: Request, visit: Visit) -> str:
    response = Response()
    pages.set_cookie(asked, response, visit)
    return response.headers.get("set-cookie", "").partition(";")[0]


def logged_in(pages: Pages) -> str:
    asked = request()
    entered = pages.log_in(asked, "good")
    assert isinstance(entered, Visit)
    return given_cookie(pages, asked, entered)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys() -> OneKey:
    return OneKey()


@pytest.fixture
def pages(keys: OneKey, clock: Clock) -> Pages:
    return Pages(SECRET, keys, now=clock)


def heads(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.lower().encode(), value.encode("latin-1")) for name, value in pairs])


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:4000", "LOCALHOST:1", "127.0.0.1:4000", "127.1.2.3", "[::1]:4000", "[::1]"],
)
def test_somebody_at_this_machine_needs_no_login(peer: str, host: str) -> None:
    assert is_at_this_machine(peer, "GET", heads(("host", host)))
    assert is_at_this_machine(peer, "POST", heads(("host", host), ("origin", f"http://{host}")))


@pytest.mark.parametrize(
    "peer",
    [
        None,
        "",
        "localhost",
        "testclient",
        "10.0.0.1",
        "192.168.0.2",
        "::2",
        "::ffff:10.0.0.1",
        "127.0.0.1x",
        "0.0.0.0",
    ],
)
def test_another_peer_is_not_at_this_machine(peer: str | None) -> None:
    assert not is_at_this_machine(peer, "GET", heads(("host", "localhost")))


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [""],
        ["localhost", "localhost"],
        ["evil.example"],
        ["localhost.evil.example"],
        ["127.0.0.1.evil.example"],
        ["evil.localhost"],
        ["localhost."],
        ["localhost:4000:1"],
        ["localhost:999999"],
        ["localhost@evil.example"],
        ["evil.example@localhost"],
        ["localhost, evil.example"],
        ["localhost/x"],
        [" localhost"],
        ["127.1"],
        ["0177.0.0.1"],
        ["2130706433"],
        ["0.0.0.0"],
        ["[::]"],
        ["::1"],
        ["[::1"],
        ["[::1]x"],
        ["[fe80::1]"],
        ["10.0.0.1"],
        ["localhost\u00a0"],
    ],
)
def test_a_name_that_is_not_loopback_itself_needs_a_login(hosts: list[str]) -> None:
    assert not is_at_this_machine("127.0.0.1", "GET", heads(*(("host", host) for host in hosts)))


@pytest.mark.parametrize(
    "name",
    [
        "Forwarded",
        "Via",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded",
        "X-Real-IP",
        "CF-Connecting-IP",
        "True-Client-IP",
    ],
)
def test_what_came_through_a_proxy_needs_a_login_even_if_it_says_loopback(name: str) -> None:
    assert not is_at_this_machine("127.0.0.1", "GET", heads(("host", "localhost"), (name, "127.0.0.1")))


@pytest.mark.parametrize(
    "origin", ["null", "", "https://evil.example", "http://localhost.evil.example", "localhost"]
)
def test_a_post_from_a_foreign_page_is_not_at_this_machine(origin: str) -> None:
    sent = heads(("host", "localhost"), ("origin", origin))
    assert not is_at_this_machine("127.0.0.1", "POST", sent)


def test_login_always_asks_this_machine_too(keys: OneKey) -> None:
    here = request(peer="127.0.0.1", headers={"host": "localhost"})
    assert Pages(SECRET, keys).visit(here).visitor is not None
    assert Pages(SECRET, keys, login="always").visit(here).visitor is None


def test_a_good_key_opens_a_session_that_later_requests_are_known_by(pages: Pages) -> None:
    visit = pages.visit(request(cookie=logged_in(pages)))
    assert visit.visitor is not None
    assert visit.visitor.key == KeyHolder("k1", "team a")


@pytest.mark.parametrize("secret", ["", "bad", "good ", "\0", "g" * 100_000])
def test_a_wrong_key_opens_nothing(pages: Pages, secret: str) -> None:
    assert pages.log_in(request(), secret) is None


def test_login_makes_a_new_session_so_a_planted_one_is_worth_nothing(pages: Pages) -> None:
    planted = pages.visit(request())
    entered = pages.log_in(request(cookie=given_cookie(pages, request(), planted)), "good")
    assert isinstance(entered, Visit)
    assert entered.session.id != planted.session.id
    assert pages.token(entered) != pages.token(planted)
    assert pages.visit(request(cookie=given_cookie(pages, request(), planted))).visitor is None


def test_a_revoked_key_ends_its_session_at_the_next_request_and_its_streams(
    pages: Pages, keys: OneKey
) -> None:
    cookie = logged_in(pages)
    visitor = pages.visit(request(cookie=cookie)).visitor
    assert visitor is not None
    assert pages.still_welcome(visitor)
    keys.revoked = True
    assert pages.visit(request(cookie=cookie)).visitor is None
    assert not pages.still_welcome(visitor)


def test_logging_out_ends_copies_of_the_cookie_too(pages: Pages) -> None:
    cookie = logged_in(pages)
    asked, response = request(cookie=cookie), Response()
    pages.log_out(asked, response, pages.visit(asked))
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert pages.visit(request(cookie=cookie)).visitor is None


def test_an_idle_session_ends_and_a_used_one_goes_on(pages: Pages, clock: Clock) -> None:
    cookie = logged_in(pages)
    clock.now += IDLE_SECONDS - 1
    used = pages.visit(request(cookie=cookie))
    assert used.visitor is not None
    newer = given_cookie(pages, request(cookie=cookie), used)
    clock.now += IDLE_SECONDS - 1
    assert pages.visit(request(cookie=newer)).visitor is not None
    assert pages.visit(request(cookie=cookie)).visitor is None


def test_no_session_outlives_its_longest_time_however_used(pages: Pages, clock: Clock) -> None:
    cookie, start = logged_in(pages), clock.now
    while clock.now - start + HOUR <= LONGEST_SECONDS:
        clock.now += HOUR
        visit = pages.visit(request(cookie=cookie))
        assert visit.visitor is not None
        cookie = given_cookie(pages, request(), visit)
    clock.now += HOUR
    assert pages.visit(request(cookie=cookie)).visitor is None


def test_the_cookie_is_renewed_once_a_minute_not_with_every_answer(pages: Pages, clock: Clock) -> None:
    cookie = logged_in(pages)
    assert given_cookie(pages, request(), pages.visit(request(cookie=cookie))) == ""
    clock.now += 60
    assert given_cookie(pages, request(), pages.visit(request(cookie=cookie))) != ""


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(pages: Pages) -> None:
    for asked in (request(scheme="https"), request(headers={"x-forwarded-proto": "https"})):
        response = Response()
        pages.set_cookie(asked, response, pages.visit(asked))
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("__Host-madang_session=")
        assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


def test_over_https_a_cookie_set_over_http_counts_for_nothing(pages: Pages) -> None:
    cookie = logged_in(pages)
    assert cookie.startswith("madang_session=")
    assert pages.visit(request(cookie=cookie, scheme="https")).visitor is None


def sealed(data: bytes, key: bytes = SECRET, purpose: str = "session") -> str:
    return Seal(key).wrap(purpose, data)


GOOD_SESSION = Session(id="a", born=1_800_000_000, seen=1_800_000_000, key="k1")
JSON = msgspec.json.encode(GOOD_SESSION)


def test_the_table_below_starts_from_a_cookie_that_is_good(pages: Pages) -> None:
    assert pages.visit(request(cookie=f"madang_session={sealed(JSON)}")).visitor is not None


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "madang_session=",
        "madang_session",
        "madang_session=.",
        "madang_session=..",
        "madang_session=" + "A" * 100_000,
        "madang_session=" + sealed(JSON + b" " * 1000),
        "=" * 5000,
        ";" * 5000,
        "madang_session=\xff\xfe",
        'madang_session="\\377\\000"',
        "madang_session=" + base64.urlsafe_b64encode(JSON).decode(),
        "madang_session=" + base64.urlsafe_b64encode(JSON).decode() + ".AAAA",
        "madang_session=" + sealed(JSON, key=b"x" * 32),
        "madang_session=" + sealed(JSON, purpose="form"),
        "madang_session=" + sealed(JSON)[:-1],
        "madang_session=" + sealed(JSON)[1:],
        "madang_session=" + sealed(b""),
        "madang_session=" + sealed(b"null"),
        "madang_session=" + sealed(b'"\xff"'),
        "madang_session=" + sealed(b"[1]"),
        "madang_session=" + sealed(b'{"id":"a"}'),
        "madang_session=" + sealed(b'{"id":1,"born":1,"seen":1,"key":"k1"}'),
        "madang_session=" + sealed(JSON[:-1]),
        "madang_session=" + sealed(JSON.replace(b'"k1"', b'"k2"')),
        "madang_session=" + sealed(JSON.replace(b'"k1"', b"null")),
        "madang_session=" + sealed(JSON.replace(b'"k1"', b'"k1","admin":true')),
        "madang_session=" + sealed(JSON) + "; madang_session=x",
        "other=" + sealed(JSON),
    ],
)
def test_a_bad_cookie_means_nobody_and_never_an_error(pages: Pages, cookie: str) -> None:
    visit = pages.visit(request(cookie=cookie))
    assert visit.visitor is None
    assert visit.session.key is None


def test_a_form_token_fits_its_own_session_only(pages: Pages) -> None:
    cookie = given_cookie(pages, request(), pages.visit(request()))
    mine = request(cookie=cookie, method="POST")
    visit = pages.visit(mine)
    other = pages.visit(request())
    assert pages.is_ours(mine, visit, pages.token(visit))
    assert not pages.is_ours(mine, visit, pages.token(other))
    for token in ("", "x", "é" * 10, pages.token(visit) + "x", pages.token(visit)[:-1]):
        assert not pages.is_ours(mine, visit, token)


def test_wrong_keys_slow_their_address_and_nobody_else(pages: Pages, keys: OneKey, clock: Clock) -> None:
    for _ in range(Guesses.FREE):
        assert pages.log_in(request(), "bad") is None
    looked_at = keys.looked_at
    assert pages.log_in(request(), "good") == Wait(2)
    assert keys.looked_at == looked_at
    assert isinstance(pages.log_in(request(peer="203.0.113.8"), "good"), Visit)
    clock.now += 2
    assert isinstance(pages.log_in(request(), "good"), Visit)
    assert pages.log_in(request(), "bad") is None


def test_behind_a_proxy_on_this_machine_the_slowed_one_is_the_one_it_speaks_for(pages: Pages) -> None:
    def through_proxy(address: str) -> Request:
        return request(peer="127.0.0.1", headers={"x-forwarded-for": f"9.9.9.9, {address}"})

    for _ in range(Guesses.FREE):
        pages.log_in(through_proxy("203.0.113.9"), "bad")
    assert isinstance(pages.log_in(through_proxy("203.0.113.9"), "good"), Wait)
    assert isinstance(pages.log_in(through_proxy("203.0.113.10"), "good"), Visit)


def test_waits_double_up_to_a_minute_and_an_hour_forgets(clock: Clock) -> None:
    guesses, waits = Guesses(clock), []
    for _ in range(14):
        waits.append(guesses.wait("a"))
        clock.now += guesses.wait("a")
        guesses.wrong("a")
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.now += HOUR + 1
    assert guesses.wait("a") == 0
    guesses.wrong("a")
    assert guesses.wait("a") == 0


def test_one_ipv6_subscriber_is_one_address(clock: Clock) -> None:
    guesses = Guesses(clock)
    for i in range(Guesses.FREE):
        guesses.wrong(f"2001:db8::{i}")
    assert guesses.wait("2001:db8::ffff") > 0
    assert guesses.wait("2001:db8:0:1::1") == 0


def test_the_limiter_forgets_the_oldest_address_rather_than_growing(clock: Clock) -> None:
    guesses = Guesses(clock)
    for _ in range(Guesses.FREE):
        guesses.wrong("first")
    for i in range(Guesses.ADDRESSES):
        guesses.wrong(f"address-{i}")
    assert guesses.wait("first") == 0
