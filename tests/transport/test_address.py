"""Origins and proxies, read from URLs and the environment."""

from __future__ import annotations

import pytest

from madang.core.errors import ConfigError
from madang.transport.address import Origin, proxy_for, read_origin


@pytest.mark.parametrize(
    ("url", "origin", "authority"),
    [
        ("https://api.openai.com/v1", Origin("https", "api.openai.com", 443), "api.openai.com"),
        ("http://127.0.0.1:9000/v1/", Origin("http", "127.0.0.1", 9000), "127.0.0.1:9000"),
        ("HTTP://LocalHost", Origin("http", "localhost", 80), "localhost"),
        ("https://[::1]:8443/x", Origin("https", "::1", 8443), "[::1]:8443"),
        ("https://host:443", Origin("https", "host", 443), "host"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin, authority: str) -> None:
    assert read_origin(url) == origin
    assert origin.authority == authority


@pytest.mark.parametrize(
    "url",
    ["", "api.openai.com/v1", "ftp://x", "http://", "https://:80", "http://x:99999", "http://[::1", "//x"],
)
def test_what_is_no_address_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^here"):
        read_origin(url, "here")


HTTPS = Origin("https", "api.example.com", 443)
HTTP = Origin("http", "10.0.0.1", 8080)


@pytest.mark.parametrize(
    ("environ", "origin", "proxy"),
    [
        ({}, HTTPS, None),
        ({"HTTPS_PROXY": "http://p:3128"}, HTTPS, "p:3128"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, HTTPS, "low:1"),
        ({"HTTP_PROXY": "http://p:3128"}, HTTPS, None),
        ({"HTTP_PROXY": "http://p:3128"}, HTTP, "p:3128"),
        ({"HTTP_PROXY": "http://p:3128", "REQUEST_METHOD": "GET"}, HTTP, None),
        ({"ALL_PROXY": "p:3128"}, HTTPS, "p:3128"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "example.com"}, HTTPS, None),
        ({"ALL_PROXY": "http://p:1", "no_proxy": " .example.com , x"}, HTTPS, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "ample.com"}, HTTPS, "p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, HTTPS, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.1:8080"}, HTTP, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.1:80"}, HTTP, "p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ""}, HTTP, "p:1"),
        ({"HTTPS_PROXY": ""}, HTTPS, None),
    ],
)
def test_a_proxy_is_found_as_curl_finds_it(
    environ: dict[str, str], origin: Origin, proxy: str | None
) -> None:
    found = proxy_for(origin, environ)
    assert (found.origin.authority if found else None) == proxy


def test_a_proxys_credentials_become_a_header() -> None:
    found = proxy_for(HTTPS, {"HTTPS_PROXY": "http://us%40er:p%3Ass@p:3128"})
    assert found is not None
    assert found.authorization == b"Basic dXNAZXI6cDpzcw=="
