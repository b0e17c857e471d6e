"""The journey of a chat completion to an OpenAI-compatible provider, over real sockets."""

from __future__ import annotations

import socket
import threading

import msgspec
import pytest

from madang.core.record import Outcome, Usage
from tests.journey.live import (
    DONE,
    KEY,
    Answer,
    Live,
    Say,
    Upstream,
    chunk,
    json_answer,
    stream_answer,
    wait_until,
)

QUESTION = {"model": "gpt-4o", "messages": [{"role": "user", "content": "안녕?"}]}
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}


def test_a_body_passes_byte_for_byte_both_ways(madang: Live, upstream: Upstream) -> None:
    sent = b'{ "messages" : [],\n\t"model":"gpt-4o", "unknown": {"b": 1.50, "a": "\\u00e9"} }'
    said = b'{"choices":[ ], "unknown" : 1.0, "x":"\\u00e9\xc3\xa9"}\n'
    upstream.answer = lambda _: json_answer(said)
    answer = madang.ask(sent)
    assert upstream.heard[-1].body == sent
    assert (answer.status, answer.body) == (200, said)


@pytest.mark.parametrize(
    ("sent", "heard"),
    [
        (b'{"model":"fast","messages":[],"n":1.0}', b'{"model":"gpt-4o-mini","messages":[],"n":1.0}'),
        (b'{ "n": 1.0,\n "model" : "fast" }', b'{ "n": 1.0,\n "model" : "gpt-4o-mini" }'),
        (b'{"model":"up/x/y:z"}', b'{"model":"x/y:z"}'),
        ('{"model":"up/모델","a":"up/모델"}'.encode(), '{"model":"모델","a":"up/모델"}'.encode()),
        (
            b'{"model": "fast", "a": "\\"model\\": \\"fast\\""}',
            b'{"model": "gpt-4o-mini", "a": "\\"model\\": \\"fast\\""}',
        ),
    ],
)
def test_only_the_models_name_is_spliced(madang: Live, upstream: Upstream, sent: bytes, heard: bytes) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    assert madang.ask(sent).status == 200
    assert upstream.heard[-1].body == heard


@pytest.mark.parametrize(
    "sent",
    [
        b'{"model":"up/secret","model":"gpt-4o"}',
        b'{"mod\\u0065l":"up/secret","model":"gpt-4o"}',
        b'{"model":"up/secret","mo\\u0064el":"gpt-4o"}',
    ],
)
def test_a_model_named_twice_is_sent_once_as_we_read_it(
    madang: Live, upstream: Upstream, sent: bytes
) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    assert madang.ask(sent).status == 200
    assert upstream.heard[-1].body == b'{"model":"gpt-4o"}'


def test_the_record_tells_who_what_and_how_much(madang: Live, upstream: Upstream) -> None:
    said = {"choices": [{"finish_reason": "stop", "message": {"content": "네"}}], "usage": USAGE}
    upstream.answer = lambda _: json_answer(said, headers=[("x-request-id", "req_up_1")])
    answer = madang.ask({**QUESTION, "model": "fast"})
    record = madang.record(answer.call_id)
    assert (record.operation, record.route, record.provider, record.model) == (
        "chat.completions",
        "fast",
        "up",
        "gpt-4o-mini",
    )
    assert (record.status, record.outcome, record.stop_reason) == (200, Outcome.OK, "stop")
    assert record.usage == Usage(9, 4, 2)
    assert record.key_name == "admin"
    assert record.passed
    assert not record.streamed
    assert [attempt.status for attempt in record.attempts] == [200]
    assert record.response_bytes == len(answer.body)
    assert record.request_bytes > 0
    assert record.upstream_id == "req_up_1"
    assert record.first_byte_us is not None
    assert 0 < record.first_byte_us <= record.duration_us
    assert answer.headers["llm_provider-x-request-id"] == "req_up_1"
    assert answer.headers["x-madang-target"] == "up/gpt-4o-mini"


def test_the_providers_key_is_sent_and_the_callers_is_not(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    madang.ask(QUESTION, headers={"cookie": "a=b", "x-forwarded-for": "1.2.3.4", "x-api-key": KEY})
    headers = upstream.heard[-1].headers
    assert KEY not in str(headers)
    assert "cookie" not in headers
    assert "x-forwarded-for" not in headers
    assert headers["host"] == f"127.0.0.1:{upstream.port}"
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("header", ["x-api-key", "api-key", "x-goog-api-key"])
def test_a_key_is_taken_from_the_header_each_sdk_uses(madang: Live, upstream: Upstream, header: str) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    assert madang.ask(QUESTION, key=None, headers={header: KEY}).status == 200


def test_a_stream_passes_byte_for_byte_and_is_metered(madang: Live, upstream: Upstream) -> None:
    usage_chunk = chunk(usage=USAGE)
    events = [b": ping\n\n", chunk("한"), chunk("글"), chunk(finish="stop"), usage_chunk, DONE]
    upstream.answer = lambda _: stream_answer(events)
    answer = madang.ask({**QUESTION, "stream": True, "stream_options": {"include_usage": True}})
    assert answer.body == b"".join(events)
    record = madang.record(answer.call_id)
    assert (record.usage, record.stop_reason, record.streamed) == (Usage(9, 4, 2), "stop", True)


def test_usage_is_asked_for_and_withheld_from_a_client_that_did_not(madang: Live, upstream: Upstream) -> None:
    events = [chunk("a"), chunk(finish="stop"), chunk(usage=USAGE), DONE]
    upstream.answer = lambda _: stream_answer(events)
    answer = madang.ask(b'{"model":"gpt-4o","messages":[],"stream":true}')
    assert msgspec.json.decode(upstream.heard[-1].body)["stream_options"] == {"include_usage": True}
    assert answer.body == events[0] + events[1] + DONE
    assert madang.record(answer.call_id).usage == Usage(9, 4, 2)


def test_other_stream_options_stay_when_usage_is_asked_for(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: stream_answer([chunk("a"), DONE])
    madang.ask(
        b'{"model":"gpt-4o","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}}'
    )
    options = msgspec.json.decode(upstream.heard[-1].body)["stream_options"]
    assert options == {"include_obfuscation": False, "include_usage": True}


def test_a_stream_cut_anywhere_is_the_same_stream(madang: Live, upstream: Upstream) -> None:
    whole = b"".join([chunk("하나"), chunk("둘"), chunk(finish="stop"), chunk(usage=USAGE), DONE])
    headers = [("content-type", "text/event-stream")]
    for size in (1, 2, 3, 7, 50):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        upstream.answer = lambda _, pieces=pieces: Say(200, headers, pieces, chunked=True)  # type: ignore[misc]  # a default binds the loop's value
        answer = madang.ask({**QUESTION, "stream": True})
        assert answer.body == whole.replace(chunk(usage=USAGE), b"")


def test_the_first_chunk_arrives_while_the_rest_is_still_to_come(madang: Live, upstream: Upstream) -> None:
    seen = threading.Event()
    upstream.answer = lambda _: stream_answer([chunk("first"), chunk("second"), DONE], between=seen.is_set)
    with socket.create_connection(("127.0.0.1", madang.port), timeout=10) as sock:
        body = msgspec.json.encode({**QUESTION, "stream": True})
        sock.sendall(request(body))
        got = b""
        while b"first" not in got:
            got += sock.recv(65536)
        assert b"second" not in got
        seen.set()
        while not got.endswith(b"0\r\n\r\n"):
            got += sock.recv(65536)
    assert b"second" in got


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_cancels_upstream(madang: Live, upstream: Upstream, stream: bool) -> None:
    head = [("content-type", "text/event-stream" if stream else "application/json")]
    pieces = [chunk("a")] if stream else []
    upstream.answer = lambda _: Say(200, head, pieces, chunked=True, then="hang")
    before = len(madang.left())
    with socket.create_connection(("127.0.0.1", madang.port), timeout=10) as sock:
        sock.sendall(request(msgspec.json.encode({**QUESTION, "stream": stream})))
        wait_until(lambda: bool(upstream.heard))
        if stream:
            assert sock.recv(65536)
    wait_until(lambda: upstream.left == 1)
    wait_until(lambda: len(madang.left()) == before + 1)
    assert madang.left()[0].attempts[0].provider == "up"


def test_a_provider_that_breaks_off_a_stream_ends_it_with_an_error_event(
    madang: Live, upstream: Upstream
) -> None:
    upstream.answer = lambda _: stream_answer([chunk("a"), chunk("b")], then="close")
    answer = madang.ask({**QUESTION, "stream": True})
    *events, error, done, rest = answer.body.split(b"\n\n")
    assert len(events) == 2
    assert msgspec.json.decode(error.removeprefix(b"data: "))["error"]["code"] == "broken_answer"
    assert (done, rest) == (b"data: [DONE]", b"")
    assert madang.record(answer.call_id).outcome == Outcome.CUT


def test_a_provider_that_breaks_off_a_body_ends_the_connection(madang: Live, upstream: Upstream) -> None:
    raw = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    upstream.answer = lambda _: Say(pieces=[raw], raw=True, then="close")
    got = madang.raw(request(msgspec.json.encode(QUESTION)), whole=True)
    assert b"content-length: 100" not in got or got.endswith(b"\r\n\r\n{")
    assert b'"choices"' not in got


@pytest.mark.parametrize(
    ("say", "status", "code"),
    [
        (Say(then="reset", raw=True), 502, "broken_answer"),
        (Say(then="close", raw=True), 502, "broken_answer"),
        (Say(pieces=[b"SSH-2.0-OpenSSH\r\n"], raw=True, then="close"), 502, "broken_answer"),
        (Say(pieces=[b"HTTP/1.1 200 OK\r\ncontent-le"], raw=True, then="close"), 502, "broken_answer"),
        (
            Say(pieces=[b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"], raw=True),
            502,
            None,
        ),
        (stream_answer([], then="close"), 502, "broken_answer"),
    ],
)
def test_an_answer_that_never_was_is_an_error_in_openais_shape(
    madang: Live, upstream: Upstream, say: Say, status: int, code: str | None
) -> None:
    upstream.answer = lambda _: say
    answer = madang.ask({**QUESTION, "stream": True})
    error = answer.json()["error"]
    assert answer.status == status
    assert set(error) == {"message", "type", "param", "code"}
    assert code in (None, error["code"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 529])
def test_a_providers_error_passes_as_it_came(madang: Live, upstream: Upstream, status: int) -> None:
    said = b'{"error": {"message":"no","type":"t","param":null,"code":"c"}}'
    upstream.answer = lambda _: json_answer(
        said, status, [("retry-after", "7"), ("x-ratelimit-limit-requests", "5")]
    )
    answer = madang.ask(QUESTION)
    assert (answer.status, answer.body) == (status, said)
    assert (answer.headers["retry-after"], answer.headers["x-ratelimit-limit-requests"]) == ("7", "5")
    record = madang.record(answer.call_id)
    assert (record.status, record.error) == (status, "c")


def test_headers_of_our_account_at_the_provider_stay_here(madang: Live, upstream: Upstream) -> None:
    ours = [
        ("openai-organization", "acme"),
        ("set-cookie", "s=1"),
        ("server", "cloudflare"),
        ("openai-version", "1"),
    ]
    upstream.answer = lambda _: json_answer({"choices": []}, headers=ours)
    headers = {name.lower(): value for name, value in madang.ask(QUESTION).headers.items()}
    assert headers["openai-version"] == "1"
    assert not {"openai-organization", "set-cookie", "server"} & set(headers)


@pytest.mark.parametrize(
    "bad",
    [
        json_answer({"error": {"code": "overloaded"}}, 503),
        json_answer({"error": {"code": "no_quota"}}, 429),
        json_answer({"error": {"code": "invalid_api_key"}}, 401),
        Say(then="reset", raw=True),
        stream_answer([], then="close"),
        stream_answer([b'data: {"error":{"code":"server_error"}}\n\n', DONE]),
    ],
)
def test_the_next_target_answers_where_the_first_does_not(
    madang: Live, upstream: Upstream, other: Upstream, bad: Say
) -> None:
    upstream.answer = lambda _: bad
    other.answer = lambda _: stream_answer([chunk("good"), DONE])
    answer = madang.ask({**QUESTION, "model": "both", "stream": True})
    assert answer.status == 200
    assert b"good" in answer.body
    assert (upstream.heard[-1].json()["model"], other.heard[-1].json()["model"]) == ("gpt-a", "gpt-b")
    record = madang.record(answer.call_id)
    assert [attempt.provider for attempt in record.attempts] == ["up", "spare"]
    assert record.attempts[0].error
    assert record.provider == "spare"


def test_a_mistake_of_the_clients_is_not_asked_twice(
    madang: Live, upstream: Upstream, other: Upstream
) -> None:
    upstream.answer = lambda _: json_answer({"error": {"code": "bad"}}, 400)
    assert madang.ask({**QUESTION, "model": "both"}).status == 400
    assert other.heard == []


def test_after_the_last_target_its_error_passes(madang: Live, upstream: Upstream, other: Upstream) -> None:
    upstream.answer = lambda _: Say(then="reset", raw=True)
    other.answer = lambda _: json_answer({"error": {"code": "full"}}, 503)
    answer = madang.ask({**QUESTION, "model": "both"})
    assert (answer.status, answer.json()["error"]["code"]) == (503, "full")


def test_requests_on_one_connection_reuse_one_connection_upstream(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    madang.ask(QUESTION)
    before = upstream.connections
    for _ in range(5):
        assert madang.ask(QUESTION).status == 200
    assert upstream.connections == before


def test_pipelined_requests_are_answered_in_order(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda heard: json_answer({"choices": [], "echo": heard.json()["n"]})
    bodies = [msgspec.json.encode({**QUESTION, "n": n}) for n in range(4)]
    livez = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
    data = (
        request(bodies[0]) + request(bodies[1]) + livez + request(bodies[2]) + request(bodies[3], close=True)
    )
    got = madang.raw(data, whole=True)
    marks = [got.index(b'"echo":%d' % n) for n in range(4)]
    assert marks == sorted(marks)
    assert marks[1] < got.index(b"\r\nok") < marks[2]
    assert got.count(b"HTTP/1.1 200") == 5


def request(body: bytes, *, close: bool = False, version: str = "1.1", extra: str = "") -> bytes:
    """A chat request as bytes."""
    end = "connection: close\r\n" if close else ""
    head = (
        f"POST /v1/chat/completions HTTP/{version}\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n{end}{extra}"
    )
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def test_an_http_1_0_client_gets_a_stream_that_ends_with_the_connection(
    madang: Live, upstream: Upstream
) -> None:
    upstream.answer = lambda _: stream_answer([chunk("a"), DONE])
    got = madang.raw(request(msgspec.json.encode({**QUESTION, "stream": True}), version="1.0"), whole=True)
    assert got.endswith(chunk("a") + DONE)
    assert b"transfer-encoding" not in got.lower()


def test_a_client_that_waits_for_100_continue_is_told_to_send(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    body = msgspec.json.encode(QUESTION)
    with socket.create_connection(("127.0.0.1", madang.port), timeout=10) as sock:
        sock.sendall(request(body, extra="expect: 100-continue\r\n").removesuffix(body))
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(body)
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")


def test_an_offer_of_http_2_is_answered_in_http_1(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    body = msgspec.json.encode(QUESTION)
    offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"
    got = madang.raw(request(body, extra=offer) + request(body, close=True), whole=True)
    assert got.count(b"HTTP/1.1 200 ") == 2
    assert upstream.heard[-1].body == body


def test_a_large_body_is_passed_whole(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    sent = msgspec.json.encode({**QUESTION, "pad": "가" * 3_000_000})
    assert madang.ask(sent).status == 200
    assert upstream.heard[-1].body == sent


def test_a_large_answer_is_passed_whole(madang: Live, upstream: Upstream) -> None:
    said = b'{"choices":[{"finish_reason":"stop"}],"pad":"' + b"x" * 5_000_000 + b'"}'
    upstream.answer = lambda _: json_answer(said)
    answer: Answer = madang.ask(QUESTION)
    assert answer.body == said
    assert madang.record(answer.call_id).response_bytes == len(said)
