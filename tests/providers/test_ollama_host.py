"""`OLLAMA_HOST`, in the ways people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.providers.ollama import read_host

HOSTS = [
    ("", "http://127.0.0.1:11434"),
    ("  ", "http://127.0.0.1:11434"),
    ("example.com", "http://example.com:11434"),
    ("example.com:80", "http://example.com:80"),
    (":8080", "http://127.0.0.1:8080"),
    ("127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ("0.0.0.0", "http://127.0.0.1:11434"),
    ("0.0.0.0:9", "http://127.0.0.1:9"),
    ("http://example.com", "http://example.com:80"),
    ("https://example.com", "https://example.com:443"),
    ("https://example.com:8443", "https://example.com:8443"),
    ("https://example.com/a/b/", "https://example.com:443/a/b"),
    ("example.com/a", "http://example.com:11434/a"),
    ("[::1]", "http://[::1]:11434"),
    ("[::1]:9", "http://[::1]:9"),
    ("::1", "http://[::1]:11434"),
    ("[::]:9", "http://[::1]:9"),
    ("example.com:port", "http://example.com:11434"),
    ("example.com:99999", "http://example.com:11434"),
    ("ftp://example.com", "http://example.com:80"),
    ("'example.com'", "http://example.com:11434"),
]


@pytest.mark.parametrize(("value", "url"), HOSTS)
def test_a_host_is_read_as_ollama_reads_it(value: str, url: str) -> None:
    assert read_host(value) == url


@given(st.text(max_size=30))
def test_no_value_fails(value: str) -> None:
    assert read_host(value).startswith(("http://", "https://"))
