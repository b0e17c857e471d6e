"""Keys: one for some models reaches no other by Google's ways; and none is told to anybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.journey.field import house_of
from tests.journey.live import KEY, Live, Upstream, alive, json_answer

CONTENTS: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "x"}]}]}
ALLOWED = ("gemini/gemini-small", "chat/gpt-small", "stored/gpt-small", "anthropic/claude-small", "gem")
ANSWER = {
    "candidates": [],
    "choices": [],
    "totalTokens": 3,
    "input_tokens": 3,
    "embeddings": [{"values": [1.0]}],
}


@pytest.fixture(scope="module")
def narrow(provider: Upstream, other_provider: Upstream) -> Iterator[tuple[Live, str, str]]:
    """A Madang, a key for some models, and one for all whose name begins as allowed."""
    for live in alive(house_of(provider, other_provider)):
        keys = live.app.store.keys
        small = keys.create("small", models=list(ALLOWED)).secret.reveal()
        yield live, small, keys.create("wider", models=["gemini/gemini-s*"]).secret.reveal()


REFUSED = [
    "/v1beta/models/gemini-big:generateContent",
    "/v1/models/gemini-big:generateContent",
    "/openai/v1/models/gemini-big:generateContent",
    "/gemini/v1beta/models/gemini-big:streamGenerateContent?alt=sse",
    "/v1beta/gemini-big:generateContent",
    "/v1beta/models/gemini%2Fgemini-big:countTokens",
    "/v1beta/models/gemini%252Fgemini-small:generateContent",
    "/v1beta/models/gemini/gemini-small%2F..%2Fgemini-big:generateContent",
    "/v1beta/models/gemini/gemini-small:countTokens/../gemini-big:generateContent",
    "/v1beta/models/gemini/gemini-small%3Fx=:generateContent",
    "/v1beta/models/gemini/gemini-small%23:generateContent",
    "/v1beta/models/gemini/gemini-small%00:generateContent",
    "/v1beta/models/gemini/gemini-small%0d%0ax:y:generateContent",
    "/v1beta/models/gemini/gemini-small%253Ax:generateContent",
    "/v1beta/models/gemini/../gemini-big:generateContent",
    "/v1beta/models/%2e%2e/gemini-big:generateContent",
    "/v1beta/models/gemini//gemini-small:generateContent",
    "/v1beta/models/gemini/tunedModels/x:generateContent",
    "/v1beta/tunedModels/x:generateContent",
    "/v1beta/models/GEMINI/gemini-small:generateContent",
    "/v1beta/models/gemini/gemini-small:predict",
    "/v1beta/models/gemini/gemini-small:batchGenerateContent",
    "/v1beta/models/gemini/gemini-small:GenerateContent",
    "/v1beta/models/gemini/gemini-small:generateContent:generateContent",
    "/v1beta/models/gemini/gemini-small:generateContent?model=gemini-big",
    "/v1beta/models/gemini/gemini-small:generateContent?m%6fdel=gemini-big",
    "/v1beta/cachedContents",
    "/v1beta/cachedContents/x:generateContent",
    "/v1beta/openai/chat/completions",
    "/upload/v1beta/files",
    "/gemini/upload/v1beta/files",
    "/upload/v1beta/models/gemini/gemini-small:generateContent",
    "/v1/responses/resp_of_somebody_else/cancel",
    "/v1/responses/compact",
    "/v1/messages/batches",
]


@pytest.mark.parametrize("path", REFUSED)
def test_no_path_leads_a_restricted_key_to_another_model(
    narrow: tuple[Live, str, str], upstream: Upstream, path: str
) -> None:
    live, key, _ = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    answer = live.ask({**CONTENTS, "model": "gemini/gemini-small"}, path, key=key)
    assert answer.status in (400, 403, 404)
    assert [heard.method for heard in upstream.heard if heard.method != "GET"] == []
    assert answer.json()["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "/v1beta/models/gemini/gemini-small:generateContent",
        "/v1/responses/resp_of_somebody_else",
        "/v1/responses/resp_of_somebody_else/input_items",
        "/v1beta/files/x",
        "/v1/messages/batches/x/results",
    ],
)
def test_no_other_method_reaches_what_no_model_names(
    narrow: tuple[Live, str, str], upstream: Upstream, path: str, method: str
) -> None:
    live, key, _ = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    for body in (b"", msgspec.json.encode({**CONTENTS, "model": "gemini/gemini-small"})):
        answer = live.ask(body, path, method=method, key=key, headers={"x-madang-provider": "gemini"})
        assert answer.status in (403, 404)
    assert [heard.target for heard in upstream.heard if not heard.target.startswith("/v1beta/models?")] == [
        heard.target for heard in upstream.heard if heard.target.startswith("/v1/models")
    ]


BIG = "models/gemini-big"
INNER: list[tuple[str, dict[str, Any]]] = [
    (":generateContent", {**CONTENTS, "model": BIG}),
    (":countTokens", {"generateContentRequest": {**CONTENTS, "model": BIG}}),
    (":countTokens", {**CONTENTS, "generateContentRequest": {"model": "tunedModels/big"}}),
    (":embedContent", {"model": BIG, "content": {"parts": [{"text": "x"}]}}),
    (":batchEmbedContents", {"requests": [{"model": BIG, "content": {"parts": [{"text": "x"}]}}] * 2}),
]


@pytest.mark.parametrize(("verb", "body"), INNER)
@pytest.mark.parametrize("model", ["gemini/gemini-small", "gem", "gemini-small"])
def test_a_model_within_a_body_of_googles_is_the_paths(
    narrow: tuple[Live, str, str], upstream: Upstream, model: str, verb: str, body: dict[str, Any]
) -> None:
    """Where the path named it as the provider does, a body that named another one passed as it was."""
    live, _, _ = narrow
    key = live.app.store.keys.create("one", models=["gemini/gemini-small", "gem"]).secret.reveal()
    upstream.answer = lambda _: json_answer(ANSWER)
    answer = live.ask(body, f"/v1beta/models/{model}{verb}", key=key)
    assert answer.status == 200
    (heard,) = upstream.heard
    assert b"big" not in heard.body
    assert b'"x"' in heard.body or verb == ":countTokens"


SPELT: list[tuple[str, bytes]] = [
    (":countTokens", b'{"generate_content_request":{"model":"models/gemini-big"}}'),
    (":countTokens", b'{"GenerateContentRequest":{"model":"models/gemini-big"}}'),
    (":countTokens", b'{"generateContentRequest":{"Model":"models/gemini-big"}}'),
    (":batchEmbedContents", b'{"Requests":[{"model":"models/gemini-big"}]}'),
    (":batchEmbedContents", b'{"requests":[{"MODEL":"models/gemini-big"}]}'),
    (":generateContent", b'{"Model":"models/gemini-big"}'),
]


@pytest.mark.parametrize(("verb", "body"), SPELT)
def test_a_model_that_another_reader_would_find_is_refused(
    narrow: tuple[Live, str, str], upstream: Upstream, verb: str, body: bytes
) -> None:
    live, key, _ = narrow
    answer = live.ask(body, f"/v1beta/models/gemini/gemini-small{verb}", key=key)
    assert (answer.status, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert upstream.heard == []


@pytest.mark.parametrize("verb", ["generateContent", "batchEmbedContents"])
def test_a_model_named_twice_in_a_body_of_googles_is_named_once(
    narrow: tuple[Live, str, str], upstream: Upstream, verb: str
) -> None:
    live, _, _ = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    body = b'{"model":"models/gemini-big","contents":[],"model":"models/gemini-small"}'
    live.ask(body, f"/v1beta/models/gemini-small:{verb}")
    assert b"big" not in upstream.heard[0].body


NAMES = {
    "/gemini-big": 404,
    "/../gemini-big": 404,
    "/..": 404,
    ":generateContent?x=": 200,
    "\r\nx: y": 200,
    "#": 200,
    " ..": 200,
    "%2F..%2Fgemini-big": 200,
    "\0": 200,
    "가🙂": 200,
    "x" * 2000: 404,
}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"])
@pytest.mark.parametrize(("tail", "status"), NAMES.items(), ids=[ascii(name)[:20] for name in NAMES])
def test_a_models_name_cannot_leave_its_place_in_googles_path(
    narrow: tuple[Live, str, str], upstream: Upstream, path: str, tail: str, status: int
) -> None:
    """`gemini-small/../gemini-big`, quoted, is another model to a server that reads paths after unquoting."""
    live, _, key = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    asked = {"model": f"gemini/gemini-small{tail}", "max_tokens": 9, "input": "x"}
    answer = live.ask({**asked, "messages": [{"role": "user", "content": "x"}]}, path, key=key)
    targets = [heard.target for heard in upstream.heard if heard.method == "POST"]
    if tail == "/gemini-big":
        assert targets == [target for target in targets if "gemini-small%2Fgemini-big:" in target]
        return
    assert (len(targets), answer.status == 404) == (int(status == 200), status == 404)
    for target in targets:
        assert target.startswith("/v1beta/models/gemini-small")
        assert target.count("/") == 3
        assert target.count(":") == 1
        assert "?" not in target.partition(":")[0]
    assert "\n" not in answer.headers.get("x-madang-target", "")


# Where a key must not go.

QUERIES = [
    f"key={KEY}",
    f"%6Bey={KEY}",
    f"KEY={KEY}",
    f"key={KEY}&key={KEY}",
    f"a=b&key={KEY}&alt=json",
    f"$key={KEY}",
    f"api_key={KEY}",
    f"access_token={KEY}",
    f"key[]={KEY}",
    f"a=b;key={KEY}",
    f"x={KEY.replace('-', '%2D')}",
]
ASKED: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/v1beta/models/gem:generateContent", CONTENTS),
    ("POST", "/v1/models/gem:generateContent", CONTENTS),
    ("POST", "/v1/chat/completions", {"model": "gpt", "messages": []}),
    ("POST", "/v1/messages", {"model": "claude", "max_tokens": 9, "messages": []}),
    ("POST", "/v1/responses", {"model": "kept", "input": "x"}),
    ("GET", "/v1/files", None),
    ("GET", "/v1beta/files", None),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_a_key_in_the_query_goes_nowhere_under_whatever_name(
    narrow: tuple[Live, str, str],
    upstream: Upstream,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    query: str,
) -> None:
    """Only `key` was taken out: `$key`, `api_key` and whatever a client calls it went to the provider."""
    live, _, _ = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    answer = live.ask(b"" if body is None else body, f"{path}?{query}", method=method)
    assert answer.status == 200
    assert KEY not in repr(upstream.heard)
    assert KEY.replace("-", "%2D") not in repr(upstream.heard)
    assert KEY not in repr(live.record(answer.call_id))
    if query.startswith("a=b&"):
        assert "a=b" in upstream.heard[0].target


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "", "authorization": f"Bearer {KEY}"},
        {"authorization": "Bearer ", "x-goog-api-key": KEY},
        {"authorization": "Basic eDp5", "api-key": KEY},
    ],
)
def test_an_empty_key_is_none_and_the_next_one_counts(
    narrow: tuple[Live, str, str], upstream: Upstream, headers: dict[str, str]
) -> None:
    live, _, _ = narrow
    upstream.answer = lambda _: json_answer(ANSWER)
    answer = live.ask({"model": "gpt", "messages": []}, key=None, headers=headers)
    assert answer.status == 200


def test_files_are_uploaded_below_a_dialects_name_too(
    narrow: tuple[Live, str, str], upstream: Upstream
) -> None:
    """`/gemini` is told as a base URL, and Google's SDK puts `/upload` behind it."""
    live, _, _ = narrow
    upstream.answer = lambda _: json_answer({"file": {}})
    assert live.ask({"file": {}}, "/gemini/upload/v1beta/files").status == 200
    assert upstream.heard[0].target == "/upload/v1beta/files"


# Models.


def test_a_page_of_no_models_is_not_the_same_page_for_ever(
    narrow: tuple[Live, str, str], upstream: Upstream
) -> None:
    """`pageSize=0` gave an empty page and its own token: a client that turns pages never ended."""
    live, _, _ = narrow
    upstream.answer = lambda _: json_answer({"data": []})
    for path in ("/v1beta/models?pageSize=0", "/v1beta/models?pageSize=0&pageToken=0"):
        assert live.ask(b"", path, method="GET").json()["models"]
    anthropic = {"anthropic-version": "2023-06-01"}
    assert live.ask(b"", "/v1/models?limit=0", method="GET", headers=anthropic).json()["data"]


@pytest.mark.parametrize("value", ["-1", "x", "1e9", "99999999999999", "%00", "１"])
def test_pages_are_counted_in_numbers(narrow: tuple[Live, str, str], value: str) -> None:
    live, _, _ = narrow
    for name in ("pageSize", "pageToken"):
        path = f"/v1beta/models?{name}={value}".encode().decode("latin-1")
        answer = live.raw(
            f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\r\n".encode("latin-1")
        )
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"INVALID_ARGUMENT" in answer or b"invalid" in answer


def test_a_restricted_key_is_shown_its_own_models_in_all_three_shapes(
    narrow: tuple[Live, str, str], upstream: Upstream
) -> None:
    live, key, _ = narrow
    upstream.answer = lambda _: json_answer({"data": [{"id": "gemini-big"}, {"id": "gpt-small"}]})
    openai = live.ask(b"", "/v1/models", method="GET", key=key).json()
    assert "gem" in [model["id"] for model in openai["data"]]
    assert not [model for model in openai["data"] if model["id"] not in ALLOWED]
    gemini = live.ask(b"", "/v1beta/models", method="GET", key=key).json()
    assert not [one for one in gemini["models"] if one["name"].removeprefix("models/") not in ALLOWED]
    headers = {"anthropic-version": "2023-06-01"}
    anthropic = live.ask(b"", "/v1/models", method="GET", key=key, headers=headers).json()
    assert not [model for model in anthropic["data"] if model["id"] not in ALLOWED]
    for path in ("/v1/models/gemini-big", "/v1beta/models/gemini-big"):
        assert live.ask(b"", path, method="GET", key=key).status == 404
