"""What a path means: the operation, the dialect, the model in it."""

from __future__ import annotations

import pytest

from madang.core.errors import BadRequest, ClientError, NotFound
from madang.gateway.call import Call
from madang.gateway.paths import edge_of, place_of

G = "models/g:generateContent"
PLACES = [
    ("/v1/chat/completions", "/chat/completions", "chat.completions", "openai_chat", "openai_chat"),
    ("/chat/completions", "/chat/completions", "chat.completions", "openai_chat", "openai_chat"),
    ("/openai/v1/chat/completions", "/chat/completions", "chat.completions", "openai_chat", "openai_chat"),
    ("/v1/responses", "/responses", "responses", "openai_responses", "openai_responses"),
    (
        "/v1/responses/resp_1/cancel",
        "/responses/resp_1/cancel",
        "responses.cancel",
        "openai_responses",
        None,
    ),
    ("/v1/messages", "/messages", "messages", "anthropic", "anthropic"),
    ("/anthropic/v1/messages", "/messages", "messages", "anthropic", "anthropic"),
    ("/v1/messages/count_tokens", "/messages/count_tokens", "messages.count_tokens", "anthropic", None),
    ("/v1/messages/batches", "/messages/batches", "messages.batches", "anthropic", None),
    ("/v1beta/models/g:generateContent", f"/v1beta/{G}", "generate_content", "gemini", "gemini"),
    ("/v1/models/g:generateContent", f"/v1beta/{G}", "generate_content", "gemini", "gemini"),
    ("/v1beta/models/g:countTokens", "/v1beta/models/g:countTokens", "count_tokens", "gemini", None),
    ("/v1beta/cachedContents/a-1", "/v1beta/cachedContents/a-1", "cached_contents", "gemini", None),
    ("/upload/v1beta/files", "/upload/v1beta/files", "upload.files", "gemini", None),
    ("/v1/files/file-1/content", "/files/file-1/content", "files.content", "openai_chat", None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "at", "operation", "edge", "dialect"), PLACES)
def test_a_path_says_what_is_asked_and_in_which_dialect(
    path: str, at: str, operation: str, edge: str, dialect: str | None
) -> None:
    place = place_of(path.encode())
    assert (place.path, place.operation, place.edge, place.dialect) == (at, operation, edge, dialect)


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("/v1beta/models/gemini-3-flash:generateContent", "gemini-3-flash", False),
        ("/v1beta/models/openai/gpt-4o:streamGenerateContent", "openai/gpt-4o", True),
        ("/v1beta/models/openai%2Fgpt-4o:generateContent", "openai/gpt-4o", False),
        ("/v1beta/openai/gpt-4o:generateContent", "openai/gpt-4o", False),
        ("/v1beta/tunedModels/mine-1:generateContent", "tunedModels/mine-1", False),
        ("/v1beta/models/ft%3Agpt-4o%3Ateam:generateContent", "ft:gpt-4o:team", False),
        ("/v1beta/models/%EB%A7%88%EB%8B%B9:generateContent", "마당", False),
    ],
)
def test_googles_paths_name_the_model_and_whether_it_streams(path: str, model: str, stream: bool) -> None:
    place = place_of(path.encode())
    assert (place.model, place.stream, place.names_model) == (model, stream, True)


def test_a_path_for_another_model_is_quoted_so_that_it_stays_one_path() -> None:
    place = place_of(b"/v1beta/models/fast:generateContent")
    assert place.path_for("gemini-3") == "/v1beta/models/gemini-3:generateContent"
    assert place.path_for("a b?c\r\n") == "/v1beta/models/a%20b%3Fc%0D%0A:generateContent"
    assert place.path_for("tunedModels/a") == "/v1beta/tunedModels/a:generateContent"
    assert place.path_for("a/../b") == "/v1beta/models/a%2F..%2Fb:generateContent"
    assert place_of(b"/v1/messages").path_for("claude") == "/messages"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/v1beta/models/..%2f..%2fx:generateContent", NotFound),
        ("/v1beta/models/../files", NotFound),
        ("/v1/files//x", NotFound),
        ("/v1/files/..%2fx", BadRequest),
        ("/v1/files/a%00b", BadRequest),
        ("/v1/files/a\\b", BadRequest),
        ("/v1/" + "a" * 5000, NotFound),
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str, error: type[ClientError]) -> None:
    with pytest.raises(error):
        place_of(path.encode())


@pytest.mark.parametrize(
    ("url", "headers", "edge"),
    [
        (b"/v1/messages?beta=true", [], "anthropic"),
        (b"/v1beta/models/../x:generateContent?key=k", [], "gemini"),
        (b"/v1/models", [(b"anthropic-version", b"2023-06-01")], "anthropic"),
        (b"/v1/models", [], "openai_chat"),
        (b"/v1/../x", [], "openai_chat"),
    ],
)
def test_errors_are_told_in_the_dialect_of_the_place(
    url: bytes, headers: list[tuple[bytes, bytes]], edge: str
) -> None:
    assert edge_of(url, headers) == edge


def call(path: bytes, query: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None) -> Call:
    return Call(
        id="c",
        arrived=0.0,
        arrived_at=0,
        method="POST",
        place=place_of(path),
        query=query,
        headers=headers or [],
        body=b"",
    )


@pytest.mark.parametrize("query", [b"key=sk-1&alt=sse", b"alt=sse&key=sk-1", b"KEY=sk-1&alt=sse&key=sk-2"])
def test_a_gemini_clients_key_is_taken_out_of_the_query(query: bytes) -> None:
    one = call(b"/v1beta/models/g:generateContent", query)
    assert (one.secret(), one.query) == ("sk-1", b"alt=sse")


def test_a_key_in_the_query_counts_on_googles_paths_alone_and_goes_on_from_none() -> None:
    one = call(b"/v1/chat/completions", b"key=sk-1&a=b")
    assert (one.secret(), one.query) == (None, b"a=b")


@pytest.mark.parametrize(
    "header", [(b"authorization", b"Bearer sk-1"), (b"x-api-key", b"sk-1"), (b"x-goog-api-key", b"sk-1")]
)
def test_a_key_is_taken_as_each_sdk_sends_it(header: tuple[bytes, bytes]) -> None:
    assert call(b"/v1/messages", headers=[header]).secret() == "sk-1"
