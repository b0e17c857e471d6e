"""A key for some models reaches no other, whatever is done to the request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from madang.config.schema import Provider
from tests.journey.live import Live, Upstream, alive, config_for, json_answer

SMALL = "up/gpt-small"
TYPE = "multipart/form-data; boundary=B"


@pytest.fixture(scope="module")
def narrow(provider: Upstream) -> Iterator[tuple[Live, str]]:
    """A Madang, and a key for one model of it and for a model called as a provider is."""
    config = config_for(provider, providers={"up": Provider(base_url=provider.url, models=["gpt-*", "up"])})
    for live in alive(config):
        yield live, live.app.store.keys.create("narrow", models=[SMALL, "up"]).secret.reveal()


def part(disposition: bytes, value: bytes, *lines: bytes) -> bytes:
    head = [b"Content-Disposition: form-data; " + disposition, *lines]
    return b"--B\r\n" + b"\r\n".join(head) + b"\r\n\r\n" + value + b"\r\n"


ALLOWED = part(b'name="model"', SMALL.encode())
END = b"--B--\r\n"
AUDIO = "/v1/audio/transcriptions"

FORMS: list[tuple[str, bytes, str]] = [
    ("a name without quotes", ALLOWED + part(b"name=model", b"gpt-big") + END, TYPE),
    ("a name in a charset", ALLOWED + part(b"name*=utf-8''model", b"gpt-big") + END, TYPE),
    ("a name in pieces", ALLOWED + part(b'name*0="mo"; name*1="del"', b"gpt-big") + END, TYPE),
    ("a name on a folded line", ALLOWED + part(b'\r\n name="model"', b"gpt-big") + END, TYPE),
    ("a name with an escape", ALLOWED + part(b'name="mod\\el"', b"gpt-big") + END, TYPE),
    (
        "a name within a file's",
        ALLOWED + part(b'filename="; name=model; "; name="x"', b"gpt-big") + END,
        TYPE,
    ),
    (
        "a name behind an escaped quote",
        ALLOWED + part(b'name="x"; filename="\\"; name="model"', b"gpt-big") + END,
        TYPE,
    ),
    ("two names", ALLOWED + part(b'name="x"; name="model"', b"gpt-big") + END, TYPE),
    (
        "two dispositions",
        ALLOWED + part(b'name="x"', b"gpt-big", b'Content-Disposition: form-data; name="model"') + END,
        TYPE,
    ),
    (
        "a space before the colon",
        ALLOWED + b'--B\r\nContent-Disposition : form-data; name="model"\r\n\r\ngpt-big\r\n' + END,
        TYPE,
    ),
    (
        "line feeds alone in a part's head",
        ALLOWED + b'--B\r\nX: y\nContent-Disposition: form-data; name="model"\n\ngpt-big\r\n\r\n\r\n' + END,
        TYPE,
    ),
    (
        "line feeds alone around a boundary",
        ALLOWED
        + part(b'name="x"', b'y\n--B\nContent-Disposition: form-data; name="model"\n\ngpt-big\n--B\n\nz')
        + END,
        TYPE,
    ),
    (
        "a boundary that goes on",
        part(
            b'name="x"', b'\r\n--BX\r\nContent-Disposition: form-data; name="model"\r\n\r\n' + SMALL.encode()
        )
        + part(b"name=model", b"gpt-big")
        + END,
        TYPE,
    ),
    ("a part behind the end", ALLOWED + END + part(b'name="model"', b"gpt-big") + END, TYPE),
    ("a part before the beginning", b"--A\r\n\r\n\r\n" + ALLOWED + END, TYPE),
    ("two boundaries", ALLOWED + END, TYPE + "; boundary=C"),
    ("a boundary in a charset", ALLOWED + END, TYPE + "; boundary*=utf-8''C"),
    (
        "an encoded model",
        part(b'name="model"', b"up/gpt=2Dbig", b"Content-Transfer-Encoding: base64") + END,
        TYPE,
    ),
]


@pytest.mark.parametrize(("_", "body", "kind"), FORMS, ids=[row[0] for row in FORMS])
def test_a_form_two_readers_could_read_in_two_ways_is_refused(
    narrow: tuple[Live, str], upstream: Upstream, _: str, body: bytes, kind: str
) -> None:
    live, key = narrow
    upstream.answer = lambda _: json_answer({})
    answer = live.ask(body, AUDIO, key=key, headers={"content-type": kind})
    assert answer.status in (400, 403)
    assert upstream.heard == []


JSON = b'{"model":"' + SMALL.encode() + b'","input":"x"%s}'

TRICKS: list[tuple[str, str, str, bytes, dict[str, str]]] = [
    ("the name in capitals", "POST", "/v1/chat/completions", JSON % b',"MODEL":"gpt-big"', {}),
    ("the name with a capital", "POST", "/v1/embeddings", JSON % b',"Model":"gpt-big"', {}),
    ("models to fall back on", "POST", "/v1/chat/completions", JSON % b',"models":["gpt-big"]', {}),
    ("fallbacks", "POST", "/v1/chat/completions", JSON % b',"fallbacks":["gpt-big"]', {}),
    ("a model in the query", "POST", "/v1/chat/completions?model=gpt-big", JSON % b"", {}),
    ("a hidden model in the query", "POST", "/v1/embeddings?a=b&m%6fdel=gpt-big", JSON % b"", {}),
    ("a model in the path", "POST", "/v1/engines/gpt-big/completions", JSON % b"", {}),
    ("a batch", "POST", "/v1/batches", JSON % b"", {}),
    ("another method", "DELETE", "/v1/models/gpt-big", JSON % b"", {}),
    ("a letter of the path hidden", "POST", "/v1/chat/%63ompletions", JSON % b"", {}),
    ("JSON as text", "POST", "/v1/embeddings", JSON % b"", {"content-type": "text/plain"}),
    ("JSON of another kind", "POST", "/v1/embeddings", JSON % b"", {"content-type": "application/x-json"}),
    ("JSON of two kinds", "POST", "/v1/embeddings", JSON % b"", {"content-type": "application/json, text/x"}),
    ("a form of the web", "POST", "/v1/embeddings", b"model=gpt-big", {"content-type": "text/x"}),
    ("no model at all", "POST", "/v1/embeddings", b'{"input":"x"}', {}),
    ("nothing at all", "GET", "/v1/files", b"", {}),
    ("a provider named as a model is", "GET", "/v1/files", b"", {"x-madang-provider": "up"}),
]


@pytest.mark.parametrize(("_", "method", "path", "body", "headers"), TRICKS, ids=[row[0] for row in TRICKS])
def test_a_request_that_may_reach_another_model_is_refused(
    narrow: tuple[Live, str],
    upstream: Upstream,
    _: str,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
) -> None:
    live, key = narrow
    upstream.answer = lambda _: json_answer({})
    answer = live.ask(body, path, method=method, key=key, headers=headers)
    assert answer.status in (400, 403)
    assert upstream.heard == []


def test_of_two_content_types_none_is_believed(narrow: tuple[Live, str], upstream: Upstream) -> None:
    live, key = narrow
    body = ALLOWED + part(b'name="x"', b"y") + END
    head = (
        f"POST {AUDIO} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: {TYPE}\r\n"
        f"content-type: multipart/form-data; boundary=C\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    assert live.raw(head.encode() + body).startswith(b"HTTP/1.1 400 ")
    assert upstream.heard == []


HONEST: list[tuple[str, bytes, dict[str, str]]] = [
    ("/v1/chat/completions", b'{"model":"up/gpt-small","messages":[]}', {}),
    ("/v1/embeddings?api-version=1", JSON % b"", {}),
    ("/v1/embeddings", JSON % b"", {"content-type": "Application/JSON; charset=utf-8"}),
    (
        AUDIO,
        part(b'name="file"; filename="a b.mp3"', b"\xff\n--\r\n--", b"Content-Type: audio/mpeg")
        + ALLOWED
        + END,
        {},
    ),
    (AUDIO, part(b"name=model", SMALL.encode()) + END, {"content-type": 'multipart/form-data; boundary="B"'}),
    (AUDIO, part(b"name=file; filename=x; filename*=utf-8''x", b"\0") + ALLOWED + b"--B--", {}),
    (AUDIO, part(b'name="model"', SMALL.encode(), b"Content-Transfer-Encoding: 8bit") + END, {}),
    (AUDIO, part(b'name="file"; filename="say \\"hi\\".mp3"', b"x") + ALLOWED + END, {}),
]


@pytest.mark.parametrize(("path", "body", "headers"), HONEST)
def test_an_honest_request_for_the_model_passes(
    narrow: tuple[Live, str], upstream: Upstream, path: str, body: bytes, headers: dict[str, str]
) -> None:
    live, key = narrow
    upstream.answer = lambda _: json_answer({})
    kind = {"content-type": TYPE} if path == AUDIO else {}
    assert live.ask(body, path, key=key, headers={**kind, **headers}).status == 200
    assert b"up/gpt-small" not in upstream.heard[-1].body
    assert b"gpt-small" in upstream.heard[-1].body


@pytest.mark.parametrize("pattern", ["*", "up/*", "u*"])
def test_a_key_for_all_of_a_provider_may_do_what_names_no_model(
    narrow: tuple[Live, str], upstream: Upstream, pattern: str
) -> None:
    live, _ = narrow
    upstream.answer = lambda _: json_answer({})
    key = live.app.store.keys.create("wide", models=[pattern]).secret.reveal()
    assert live.ask(b"", "/v1/files", method="GET", key=key).status == 200
    assert live.ask(JSON % b"", "/v1/batches", key=key).status == 200


@pytest.mark.parametrize("pattern", ["up/?", "up/[!x]", "up/gpt-*", "up"])
def test_a_key_for_less_may_not(narrow: tuple[Live, str], upstream: Upstream, pattern: str) -> None:
    live, _ = narrow
    upstream.answer = lambda _: json_answer({})
    key = live.app.store.keys.create("less", models=[pattern]).secret.reveal()
    assert live.ask(b"", "/v1/files", method="GET", key=key).status == 403
    assert upstream.heard == []
