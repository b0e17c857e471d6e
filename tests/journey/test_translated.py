"""Calls whose client and provider speak different dialects, over real sockets, the provider scripted."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

import msgspec
import pytest

from madang.dialects.carry import wrap
from tests.journey.live import (
    DONE,
    KEY,
    Live,
    Say,
    Upstream,
    chunk,
    json_answer,
    stream_answer,
    wait_until,
)

QUESTION = {"model": "claude", "messages": [{"role": "user", "content": "안녕?"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "안녕하세요."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 5},
}
CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
}


def event(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


STREAM = [
    event("message_start", message={**MESSAGE, "content": [], "stop_reason": None}),
    event("ping"),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "안녕"}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": "하세요."}),
    event("content_block_stop", index=0),
    event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"input_tokens": 7, "cache_read_input_tokens": 3, "output_tokens": 5},
    ),
    event("message_stop"),
]
OVERLOADED = event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def events_of(body: bytes) -> list[Any]:
    lines = [line for line in body.decode().split("\n") if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_a_chat_client_is_answered_by_an_anthropic_provider(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer(MESSAGE, headers=[("request-id", "req_7")])
    asked = {**QUESTION, "seed": 7, "max_tokens": 50}
    answer = house.ask(asked, headers={"anthropic-beta": "files-api", "openai-beta": "x"})
    (heard,) = upstream.heard
    assert (heard.method, heard.target) == ("POST", "/v1/messages")
    assert (heard.headers["x-api-key"], heard.headers["anthropic-version"]) == ("sk-upstream", "2023-06-01")
    assert not {"authorization", "anthropic-beta", "openai-beta"} & heard.headers.keys()
    assert heard.json()["model"] == "claude-haiku-4-5"
    said = answer.json()
    assert said["choices"][0]["message"]["content"] == "안녕하세요."
    assert said["choices"][0]["finish_reason"] == "stop"
    assert said["usage"]["prompt_tokens"] == 10
    assert said["usage"]["prompt_tokens_details"]["cached_tokens"] == 3
    assert answer.headers["x-madang-losses"] == "seed;drop"
    assert answer.headers["x-madang-target"] == "anthropic/claude-haiku-4-5"


def test_a_translated_call_is_recorded_with_both_dialects_and_its_losses(
    upstream: Upstream, house: Live
) -> None:
    upstream.answer = lambda _: json_answer(MESSAGE)
    record = house.record(house.ask({**QUESTION, "seed": 7, "max_tokens": 50}).call_id)
    assert (record.dialect, record.provider_dialect, record.losses) == (
        "openai_chat",
        "anthropic",
        "seed;drop",
    )
    assert (record.passed, record.status, record.stop_reason) == (False, 200, "end")
    assert record.usage is not None
    assert (record.usage.input_tokens, record.usage.output_tokens, record.usage.cached_tokens) == (10, 5, 3)


def test_a_stream_is_translated_event_by_event(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: stream_answer(STREAM)
    answer = house.ask({**QUESTION, "stream": True, "stream_options": {"include_usage": True}})
    assert upstream.heard[0].json()["stream"] is True
    assert answer.headers["content-type"].startswith("text/event-stream")
    chunks = events_of(answer.body)
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert text == "안녕하세요."
    assert chunks[-1]["usage"]["total_tokens"] == 15
    assert answer.body.endswith(DONE)
    record = house.record(answer.call_id)
    assert (record.streamed, record.outcome, record.usage and record.usage.output_tokens) == (True, "ok", 5)


def test_usage_that_was_not_asked_for_stays_out_of_the_stream(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: stream_answer(STREAM)
    answer = house.ask({**QUESTION, "stream": True})
    assert all(chunk["choices"] for chunk in events_of(answer.body))
    usage = house.record(answer.call_id).usage
    assert usage is not None
    assert usage.input_tokens == 10


def test_the_first_text_arrives_while_the_rest_is_still_to_come(upstream: Upstream, house: Live) -> None:
    heard = b""
    sent = 0

    def may_go_on() -> bool:
        """The first four events at once, the others when the client has the text of the fourth."""
        nonlocal sent
        if sent < 3 or "안녕".encode() in heard:
            sent += 1
            return True
        return False

    upstream.answer = lambda _: stream_answer(STREAM, between=may_go_on)
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    body = msgspec.json.encode({**QUESTION, "stream": True})
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
    response = connection.getresponse()
    while "안녕".encode() not in heard:
        piece = response.read1(65536)
        assert piece, "the stream ended before its first text"
        heard += piece
    assert sent == 3
    assert response.read().endswith(DONE)
    connection.close()


@pytest.mark.parametrize("streamed", [False, True])
def test_an_error_before_the_first_word_lets_the_next_target_answer(
    upstream: Upstream, other: Upstream, house: Live, streamed: bool
) -> None:
    upstream.answer = lambda _: stream_answer([OVERLOADED]) if streamed else json_answer({}, 529)
    chunks = [chunk("Hi."), chunk(finish="stop"), DONE]
    other.answer = lambda _: stream_answer(chunks) if streamed else json_answer(CHAT_ANSWER)
    answer = house.ask({**QUESTION, "model": "both", "stream": streamed})
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "spare/gpt-a")
    first = house.record(answer.call_id).attempts[0]
    assert (first.provider, first.error is not None) == ("anthropic", True)


def test_a_stream_that_breaks_ends_with_an_error_the_client_knows(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: stream_answer([*STREAM[:4], OVERLOADED])
    answer = house.ask({**QUESTION, "stream": True})
    last = events_of(answer.body)[-1]
    assert last["error"]["type"] == "overloaded_error"
    record = house.record(answer.call_id)
    assert (record.outcome, record.error) == ("cut", "overloaded_error")


def test_a_stream_that_is_cut_off_is_not_taken_for_whole(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: stream_answer(STREAM[:4], then="reset")
    answer = house.ask({**QUESTION, "stream": True})
    assert "error" in events_of(answer.body)[-1]
    assert house.record(answer.call_id).outcome == "cut"


def test_a_provider_that_answers_at_once_though_a_stream_was_asked_for(
    upstream: Upstream, house: Live
) -> None:
    upstream.answer = lambda _: json_answer(MESSAGE)
    answer = house.ask({**QUESTION, "stream": True})
    chunks = events_of(answer.body)
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks) == "안녕하세요."
    assert answer.body.endswith(DONE)


def test_an_answer_nobody_can_read_is_a_broken_answer(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: Say(200, [("content-type", "text/html")], [b"<html>hello</html>"])
    answer = house.ask(QUESTION)
    assert (answer.status, answer.json()["error"]["code"]) == (502, "broken_answer")


STATUSES = [
    (400, "invalid_request_error", 400),
    (401, "authentication_error", 401),
    (403, "permission_error", 403),
    (404, "not_found_error", 404),
    (413, "request_too_large", 413),
    (429, "rate_limit_error", 429),
    (500, "api_error", 500),
    (529, "overloaded_error", 503),
]


@pytest.mark.parametrize(("status", "kind", "seen"), STATUSES)
def test_a_providers_error_is_told_in_the_clients_dialect(
    upstream: Upstream, house: Live, status: int, kind: str, seen: int
) -> None:
    said = {"type": "error", "error": {"type": kind, "message": "so it is"}, "request_id": "req_1"}
    upstream.answer = lambda _: json_answer(said, status, [("retry-after", "3")])
    answer = house.ask(QUESTION)
    assert answer.status == seen
    assert answer.json()["error"]["message"].endswith("so it is")
    assert answer.headers["retry-after"] == "3"
    assert house.record(answer.call_id).outcome != "ok"


def test_gemini_says_in_the_body_when_to_come_again_and_clients_read_it_in_the_header(
    upstream: Upstream, house: Live
) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31.2s"}
    error = {"code": 429, "message": "Quota.", "status": "RESOURCE_EXHAUSTED", "details": [info]}
    upstream.answer = lambda _: json_answer({"error": error}, 429)
    answer = house.ask({**QUESTION, "model": "gem"})
    assert (answer.status, answer.headers["retry-after"]) == (429, "32")


def test_a_schema_nested_too_deeply_is_no_failure_of_ours(upstream: Upstream, house: Live) -> None:
    depth = 990
    schema = b'{"type":"object","properties":{"a":' * depth + b"{}" + b"}}" * depth
    tools = b'[{"type":"function","function":{"name":"f","parameters":%b}}]' % schema
    body = b'{"model":"claude","messages":[{"role":"user","content":"hi"}],"tools":%b}' % tools
    upstream.answer = lambda _: json_answer(MESSAGE)
    answer = house.ask(body)
    if answer.status != 200:  # how deep is too deep is Python's to say, and newer ones go deeper
        assert (answer.status, answer.json()["error"]["code"]) == (400, "nested_too_deeply")


def test_what_cannot_be_expressed_is_refused_before_anything_is_sent(upstream: Upstream, house: Live) -> None:
    answer = house.ask({**QUESTION, "n": 2})
    assert (answer.status, answer.json()["error"]["code"]) == (400, "not_expressible")
    assert "'n'" in answer.json()["error"]["message"]
    assert upstream.heard == []


# Clients of the other dialects.

MESSAGES = {"model": "gpt", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    "path", ["/v1/messages", "/anthropic/v1/messages", "/messages", "/v1/messages?beta=true"]
)
def test_an_anthropic_client_is_answered_by_a_chat_provider(
    upstream: Upstream, house: Live, path: str
) -> None:
    upstream.answer = lambda _: json_answer(CHAT_ANSWER)
    answer = house.ask(MESSAGES, path, key=None, headers={"x-api-key": KEY, "anthropic-version": "x"})
    assert upstream.heard[0].target == "/v1/chat/completions"
    said = answer.json()
    assert (said["type"], said["content"][0]["text"], said["stop_reason"]) == ("message", "Hi.", "end_turn")
    assert said["usage"]["input_tokens"] == 4


@pytest.mark.parametrize(("model", "asks"), [("gpt", True), ("shy/m", False)])
def test_a_stream_is_asked_for_its_usage_where_the_provider_takes_that(
    upstream: Upstream, house: Live, model: str, asks: bool
) -> None:
    upstream.answer = lambda _: stream_answer([chunk("Hi."), chunk(finish="stop"), DONE])
    house.ask({**MESSAGES, "model": model, "stream": True}, "/v1/messages")
    assert ("stream_options" in upstream.heard[0].json()) is asks


CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}


@pytest.mark.parametrize("by", ["header", "query", "bearer"])
def test_a_gemini_client_is_answered_however_it_sends_its_key(
    upstream: Upstream, house: Live, by: str
) -> None:
    upstream.answer = lambda _: json_answer(CHAT_ANSWER)
    path = "/v1beta/models/gpt:generateContent" + (f"?key={KEY}" if by == "query" else "")
    headers = {"x-goog-api-key": KEY} if by == "header" else {}
    answer = house.ask(CONTENTS, path, key=KEY if by == "bearer" else None, headers=headers)
    assert answer.status == 200
    assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == "Hi."


def test_a_key_in_the_query_goes_no_further(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer({"candidates": []})
    path = f"/v1beta/models/gem:generateContent?$alt=json&key={KEY}"
    house.ask(CONTENTS, path, key=None)
    (heard,) = upstream.heard
    assert heard.target == "/v1beta/models/gemini-3-flash:generateContent?$alt=json"
    assert heard.headers["x-goog-api-key"] == "sk-upstream"
    assert KEY not in repr(heard)


def test_a_gemini_stream_is_events_or_one_list_as_asked(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: stream_answer([chunk("Hi"), chunk("."), chunk(finish="stop"), DONE])
    path = "/v1beta/models/gpt:streamGenerateContent"
    as_list = house.ask(CONTENTS, path)
    assert as_list.headers["content-type"] == "application/json"
    parts = [part for one in as_list.json() for part in one["candidates"][0]["content"].get("parts", [])]
    assert "".join(part["text"] for part in parts) == "Hi."
    as_events = house.ask(CONTENTS, path + "?alt=sse")
    assert as_events.headers["content-type"].startswith("text/event-stream")
    assert len(events_of(as_events.body)) >= 2


def test_a_responses_client_is_answered_by_an_anthropic_provider(upstream: Upstream, house: Live) -> None:
    upstream.answer = lambda _: json_answer(MESSAGE)
    answer = house.ask({"model": "claude", "input": "hi"}, "/v1/responses")
    said = answer.json()
    assert (said["object"], said["status"]) == ("response", "completed")
    assert said["output"][-1]["content"][0]["text"] == "안녕하세요."


ERRORS = [
    ("/v1/chat/completions", lambda body: body["error"]["code"]),
    ("/v1/responses", lambda body: body["error"]["code"]),
    ("/v1/messages", lambda body: body["error"]["type"]),
    ("/v1beta/models/nobody:generateContent", lambda body: body["error"]["status"]),
]


@pytest.mark.parametrize(
    ("path", "word", "unknown", "keyless"),
    [
        (*ERRORS[0], "model_not_found", "missing_api_key"),
        (*ERRORS[1], "model_not_found", "missing_api_key"),
        (*ERRORS[2], "not_found_error", "authentication_error"),
        (*ERRORS[3], "NOT_FOUND", "UNAUTHENTICATED"),
    ],
)
def test_our_own_errors_are_told_in_the_callers_dialect(
    house: Live, path: str, word: Any, unknown: str, keyless: str
) -> None:
    body = {"model": "nobody", "max_tokens": 1, "messages": [], "input": "x", "contents": []}
    answer = house.ask(body, path)
    assert (answer.status, word(answer.json())) == (404, unknown)
    answer = house.ask(body, path, key=None)
    assert (answer.status, word(answer.json())) == (401, keyless)


# What the Responses API keeps.


def test_a_conversation_goes_on_at_the_target_that_keeps_it(upstream: Upstream, house: Live) -> None:
    kept = {"id": "resp_1", "object": "response", "status": "completed", "output": [], "model": "gpt-b"}
    upstream.answer = lambda _: json_answer(kept)
    answer = house.ask({"model": "kept", "input": "go on", "previous_response_id": "resp_0"}, "/v1/responses")
    assert (answer.status, answer.headers["x-madang-target"]) == (200, "stored/gpt-b")
    fetched = house.ask(b"", "/v1/responses/resp_1", method="GET")
    assert (fetched.status, upstream.heard[-1].target) == (200, "/v1/responses/resp_1")
    assert house.ask(b"", "/v1/responses/resp_1", method="DELETE").headers["x-madang-target"] == "stored"


def test_a_conversation_that_nobody_there_keeps_is_refused(upstream: Upstream, house: Live) -> None:
    asked = {"model": "claude", "input": "go on", "previous_response_id": "resp_0"}
    answer = house.ask(asked, "/v1/responses")
    assert (answer.status, answer.json()["error"]["param"]) == (400, "previous_response_id")
    assert upstream.heard == []


def test_a_client_that_hangs_up_ends_the_providers_work(upstream: Upstream, house: Live) -> None:
    before = len(house.left())
    upstream.answer = lambda _: stream_answer(STREAM[:4], then="hang")
    body = msgspec.json.encode({**QUESTION, "stream": True})
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
    response = connection.getresponse()
    assert response.read1(65536)
    response.close()
    connection.close()
    wait_until(lambda: upstream.left == 1)
    wait_until(lambda: len(house.left()) == before + 1)
    usage = house.left()[0].usage
    assert usage is not None
    assert usage.input_tokens == 10  # what the provider had said by then is still counted


def test_a_slow_client_gets_all_of_a_long_translated_stream(upstream: Upstream, house: Live) -> None:
    text = "가" * 4000
    delta = event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    upstream.answer = lambda _: stream_answer([*STREAM[:3], *[delta] * 400, *STREAM[5:]])
    body = msgspec.json.encode({**QUESTION, "stream": True})
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        f"connection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.sendall(head.encode() + body)
        wait_until(lambda: len(upstream.heard) == 1)
        got = b""
        while piece := sock.recv(65536):
            got += piece
    assert got.count("가".encode()) == 400 * 4000
    assert got.endswith(DONE + b"\r\n0\r\n\r\n")


def test_another_dialects_old_thoughts_are_kept_from_a_provider_that_would_refuse_them(
    upstream: Upstream, house: Live
) -> None:
    upstream.answer = lambda _: json_answer(MESSAGE)
    thought = {"type": "thinking", "thinking": "hm", "signature": wrap("sig", "gemini", "anthropic")}
    said = [thought, {"type": "text", "text": "Hello."}]
    messages = [*MESSAGES["messages"], {"role": "assistant", "content": said}, *MESSAGES["messages"]]  # type: ignore[misc]  # lists of dicts
    answer = house.ask({**MESSAGES, "model": "claude", "messages": messages}, "/v1/messages")
    assert upstream.heard[0].json()["messages"][1]["content"] == said[1:]
    assert answer.headers["x-madang-losses"] == "signature.gemini;drop"
    assert house.record(answer.call_id).passed
