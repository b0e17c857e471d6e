"""Headers, the cross-origin rule, and the seal."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from madang.web.security import CONTENT_SECURITY_POLICY, Seal, SecurityHeaders, is_cross_origin

HOST = ("host", "madang.example:4000")
OWN = ("origin", "https://madang.example:4000")


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode("latin-1")) for name, value in pairs])


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello", headers={"cache-control": "max-age=1"})


def test_every_response_carries_the_policy_and_keeps_what_it_said_itself() -> None:
    app = Starlette(routes=[Route("/", hello, middleware=[Middleware(SecurityHeaders)])])
    answer = TestClient(app).get("/")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers.get_list("cache-control") == ["max-age=1"]


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    for word in ("unsafe", "http:", "https:", "*", "blob:", "nonce-"):
        assert word not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "require-trusted-types-for 'script'" in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    "sent",
    [
        [HOST, ("sec-fetch-site", "same-origin")],
        # A proxy may change Host; what the browser says about the site is still true.
        [("host", "127.0.0.1:4000"), OWN, ("sec-fetch-site", "same-origin")],
        [HOST, OWN],
        [HOST, ("origin", "HTTPS://MADANG.EXAMPLE:4000")],
        [HOST],
    ],
)
def test_a_post_of_our_own_page_passes(sent: list[tuple[str, str]]) -> None:
    assert not is_cross_origin("POST", headers(*sent))


@pytest.mark.parametrize(
    "sent",
    [
        [HOST, OWN, ("sec-fetch-site", "cross-site")],
        [HOST, OWN, ("sec-fetch-site", "same-site")],
        [HOST, OWN, ("sec-fetch-site", "none")],
        [HOST, OWN, ("sec-fetch-site", "")],
        [HOST, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [HOST, ("origin", "null")],
        [HOST, ("origin", "")],
        [HOST, ("origin", "https://evil.example")],
        [HOST, ("origin", "https://madang.example")],
        [HOST, ("origin", "https://madang.example:4000.evil.example")],
        [HOST, ("origin", "https://madang.example:4000@evil.example")],
        [HOST, ("origin", "https://evil.example@madang.example:4000")],
        [HOST, ("origin", "https://madang.example:4000/path")],
        [HOST, ("origin", "ftp://madang.example:4000")],
        [HOST, ("origin", "http://[::1")],
        [HOST, OWN, ("origin", "https://evil.example")],
        [HOST, ("host", "other"), OWN],
        [OWN],
    ],
)
def test_a_post_of_another_page_is_refused(sent: list[tuple[str, str]]) -> None:
    assert is_cross_origin("POST", headers(*sent))


def test_reading_is_never_cross_origin() -> None:
    assert not is_cross_origin("GET", headers(HOST, ("sec-fetch-site", "cross-site")))


def test_what_was_sealed_opens_and_only_for_its_purpose() -> None:
    seal = Seal(b"k" * 32)
    word = seal.wrap("session", b"data")
    assert seal.unwrap("session", word) == b"data"
    assert seal.unwrap("form", word) is None
    assert Seal(b"other" * 8).unwrap("session", word) is None


@pytest.mark.parametrize("change", ["x{}", "{}x", "{}.x", ".{}", "{}=", "é{}", "{}é", "\0{}"])
def test_a_changed_word_does_not_open(change: str) -> None:
    seal = Seal(b"k" * 32)
    assert seal.unwrap("session", change.format(seal.wrap("session", b"data"))) is None


def test_every_character_of_a_sealed_word_matters() -> None:
    seal = Seal(b"k" * 32)
    word = seal.wrap("session", b'{"id":"abc"}')
    for at in range(len(word)):
        other = "A" if word[at] != "A" else "Q"
        assert seal.unwrap("session", word[:at] + other + word[at + 1 :]) is None, at


def test_a_short_secret_key_is_refused() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        Seal(b"k" * 31)
