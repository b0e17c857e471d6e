"""Paths below /v1 without a codec: authenticated, counted, recorded, unread."""

from __future__ import annotations

import pytest

from tests.journey.live import KEY, Live, Say, Upstream, json_answer, stream_answer

FORM = (
    b'--BOUND\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\nRIFF\x00\xff\r\n--BOUN\r\n\r\n"
    b'--BOUND\r\nContent-Disposition: form-data; name="model"\r\n\r\n%s\r\n'
    b'--BOUND\r\nContent-Disposition: form-data; name="language"\r\n\r\nko\r\n--BOUND--\r\n'
)
MULTIPART = {"content-type": "multipart/form-data; boundary=BOUND"}


def test_a_form_passes_with_only_its_model_changed(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"text": "안녕"})
    answer = madang.ask(FORM % b"up/whisper-1", "/v1/audio/transcriptions", headers=MULTIPART)
    heard = upstream.heard[-1]
    assert answer.json() == {"text": "안녕"}
    assert heard.target == "/v1/audio/transcriptions"
    assert heard.body == FORM % b"whisper-1"
    assert heard.headers["content-type"] == MULTIPART["content-type"]


@pytest.mark.parametrize(
    "form",
    [
        (FORM % b"gpt-4o").replace(b"--BOUND--\r\n", b""),
        FORM.replace(b"language", b"model") % b"gpt-4o",
        b"--BOUND\r\nno head\r\n--BOUND--\r\n",
        (FORM % b"\xff\xfe"),
    ],
    ids=["cut off", "the model twice", "a part without a head", "a model that is no text"],
)
def test_a_form_that_is_not_one_is_refused(madang: Live, upstream: Upstream, form: bytes) -> None:
    answer = madang.ask(form, "/v1/audio/transcriptions", headers=MULTIPART)
    assert (answer.status, upstream.heard) == (400, [])


def test_embeddings_pass_with_the_model_spliced_and_no_usage_read(madang: Live, upstream: Upstream) -> None:
    said = b'{"data":[{"embedding":[0.1,2e-7]}],"usage":{"prompt_tokens":3}}'
    upstream.answer = lambda _: json_answer(said)
    answer = madang.ask(b'{"input": "x", "model": "up/text-embedding-3-small"}', "/v1/embeddings")
    assert answer.body == said
    assert upstream.heard[-1].body == b'{"input": "x", "model": "text-embedding-3-small"}'
    record = madang.record(answer.call_id)
    assert (record.operation, record.usage, record.provider) == ("embeddings", None, "up")
    assert record.response_bytes == len(said)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/files/file-abc123/content?limit=5&after=a%20b", "files.content"),
        ("DELETE", "/v1/files/file-abc123", "files"),
        ("POST", "/v1/batches/batch_1/cancel", "batches.cancel"),
        ("GET", "/v1/chat/completions?limit=2", "chat.completions"),
        ("POST", "/v1/something/new/entirely", "something.new.entirely"),
        ("GET", "/files", "files"),
    ],
)
def test_paths_without_a_model_go_to_the_default_provider(
    madang: Live, upstream: Upstream, method: str, path: str, operation: str
) -> None:
    upstream.answer = lambda _: json_answer({"ok": True})
    answer = madang.ask(b"", path, method=method)
    assert answer.json() == {"ok": True}
    assert (upstream.heard[-1].method, upstream.heard[-1].target) == (
        method,
        f"/v1{path.removeprefix('/v1')}",
    )
    assert madang.record(answer.call_id).operation == operation


def test_a_header_names_another_provider(madang: Live, upstream: Upstream, other: Upstream) -> None:
    other.answer = lambda _: json_answer({"from": "spare"})
    answer = madang.ask(b"", "/v1/files", method="GET", headers={"x-madang-provider": "spare"})
    assert answer.json() == {"from": "spare"}
    unknown = madang.ask(b"", "/v1/files", method="GET", headers={"x-madang-provider": "sparee"})
    assert unknown.status == 404
    assert "Did you mean 'spare'?" in unknown.json()["error"]["message"]


def test_a_stream_of_another_operation_passes_unread(madang: Live, upstream: Upstream) -> None:
    events = [b'event: response.created\r\ndata: {"type":"response.created"}\r\n\r\n', b"data: \xff\xfe\n\n"]
    upstream.answer = lambda _: stream_answer(events)
    answer = madang.ask(b'{"model":"gpt-4o","stream":true,"prompt":"hi"}', "/v1/completions")
    assert answer.body == b"".join(events)
    assert madang.record(answer.call_id).streamed


def test_a_binary_answer_passes_whole(madang: Live, upstream: Upstream) -> None:
    sound = bytes(range(256)) * 5000
    upstream.answer = lambda _: Say(200, [("content-type", "audio/mpeg")], [sound])
    answer = madang.ask(b'{"model":"gpt-tts","input":"hi"}', "/v1/audio/speech")
    assert (answer.body, answer.headers["content-type"]) == (sound, "audio/mpeg")


def test_an_answer_without_a_body_passes(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: Say(pieces=[b"HTTP/1.1 204 No Content\r\n\r\n"], raw=True)
    answer = madang.ask(b"", "/v1/files/x", method="DELETE")
    assert (answer.status, answer.body) == (204, b"")


def test_only_harmless_headers_of_the_client_go_on(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({})
    sent = {
        "openai-beta": "assistants=v2",
        "idempotency-key": "k",
        "openai-organization": "org",
        "x-api-key": KEY,
    }
    madang.ask(b"", "/v1/files", method="GET", headers=sent)
    heard = upstream.heard[-1].headers
    assert (heard["openai-beta"], heard["idempotency-key"]) == ("assistants=v2", "k")
    assert "openai-organization" not in heard
    assert "x-api-key" not in heard


def test_the_offline_model_says_what_it_does_not_offer(madang: Live) -> None:
    answer = madang.ask(b'{"model":"offline/extractive","input":"x"}', "/v1/embeddings")
    assert answer.status == 404
    assert "chat completions only" in answer.json()["error"]["message"]
