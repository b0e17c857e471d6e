"""Requests that are large, deep or odd: read in time that grows as they do; never 'this server failed'."""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import msgspec
import pytest

from madang.core.errors import BadRequest
from madang.core.messages import Reasoning, ToolCall
from madang.dialects import carry, losses
from madang.dialects.every import DIALECTS
from madang.dialects.sse import Splitter
from madang.gateway import attempts
from madang.gateway.call import Call
from madang.gateway.translate import Translation, translate
from madang.routing.routes import Target
from tests.journey.field import ASKING, MODELS, ask, house_of
from tests.journey.live import KEY, Live, Upstream, alive, json_answer
from tests.journey.scripted import PAIRS, WHOLE


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    yield from alive(house_of(provider, other_provider))


# Time.


def loaded(number: int) -> str:
    """The id of a call that carries a thought."""
    thought = Reasoning(text="t", signature=f"s{number}", signer="gemini")
    return carry.load(ToolCall(id=f"c{number}", name="f", arguments="{}"), [thought])


def chat_call(id: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def chat(n: int, id: Callable[[int], str]) -> dict[str, Any]:
    ids = [id(number) for number in range(n)]
    called = {"role": "assistant", "tool_calls": [chat_call(one) for one in ids]}
    return {
        "messages": [
            {"role": "user", "content": "x"},
            called,
            *({"role": "tool", "tool_call_id": one, "content": "r"} for one in ids),
        ]
    }


def anthropic(n: int, id: Callable[[int], str]) -> dict[str, Any]:
    ids = [id(number) for number in range(n)]
    called = [{"type": "tool_use", "id": one, "name": "f", "input": {}} for one in ids]
    answered = [{"type": "tool_result", "tool_use_id": one, "content": "x"} for one in ids]
    talk = [("user", "x"), ("assistant", called), ("user", answered)]
    return {"messages": [{"role": role, "content": content} for role, content in talk], "max_tokens": 9}


def responses(n: int, id: Callable[[int], str]) -> dict[str, Any]:
    ids = [id(number) for number in range(n)]
    called = [{"type": "function_call", "call_id": one, "name": "f", "arguments": "{}"} for one in ids]
    return {
        "input": [*called, *({"type": "function_call_output", "call_id": one, "output": ""} for one in ids)]
    }


def gemini(n: int, id: Callable[[int], str]) -> dict[str, Any]:
    called = [{"functionCall": {"id": id(number), "name": "f", "args": {}}} for number in range(n)]
    answered = [{"functionResponse": {"name": "g", "response": {}}} for _ in range(n)]
    return {"contents": [{"role": "model", "parts": called}, {"role": "user", "parts": answered}]}


def plain(number: int) -> str:
    return f"c{number}"


GROWING: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "calls in chat": ("openai_chat", lambda n: chat(n, plain)),
    "loaded calls in chat": ("openai_chat", lambda n: chat(n, loaded)),
    "calls of Anthropic's": ("anthropic", lambda n: anthropic(n, plain)),
    "loaded calls of Anthropic's": ("anthropic", lambda n: anthropic(n, loaded)),
    "calls of the Responses API": ("openai_responses", lambda n: responses(n, plain)),
    "loaded calls of the Responses API": ("openai_responses", lambda n: responses(n, loaded)),
    "calls of Gemini's": ("gemini", lambda n: gemini(n, plain)),
    "loaded calls of Gemini's": ("gemini", lambda n: gemini(n, loaded)),
    "unknown members": (
        "openai_chat",
        lambda n: {**ASKING["openai_chat"][1], **dict.fromkeys(map(str, range(n)), 1)},
    ),
}


@pytest.mark.parametrize(("client", "make"), GROWING.values(), ids=GROWING)
def test_the_work_grows_as_the_request_does(client: str, make: Callable[[int], dict[str, Any]]) -> None:
    """Four seconds for a megabyte of calls in one message, and sixteen times that for four: a request of
    32 MB, which any key may send, would have stopped everybody for half an hour."""
    few, many = lines_run(client, make(50)), lines_run(client, make(200))
    assert many < 5 * few


def lines_run(client: str, body: dict[str, Any]) -> int:
    """Lines of Python that reading, checking and writing a request takes, each turn of a loop counted."""
    encoded = msgspec.json.encode({"model": "m", **body})
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        request = DIALECTS[client].parse_request(encoded, "m", False)
        for name, dialect in DIALECTS.items():
            try:
                losses.header(losses.find(request, name, "m"))
            except BadRequest:
                continue
            dialect.render_request(request, "m")
    finally:
        sys.settrace(None)
    return lines


def test_a_long_event_in_many_lines_is_not_joined_at_each_of_them() -> None:
    """A hundred thousand lines took minutes: every one of them copied all that had come before."""
    splitter = Splitter()
    for _ in range(100_000):
        assert splitter.feed(b"data: " + b"x" * 100 + b"\n") == []
    (event,) = splitter.feed(b"\n")
    assert len(event) == 100_000 * 107 + 1


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r", b"\r\n\n", b"\n\r\n"])
@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_an_event_ends_wherever_it_is_cut(end: bytes, step: int) -> None:
    stream = (b"data: x\ndata: y" + end) * 3 + b"data: z"
    splitter, events = Splitter(), []
    for at in range(0, len(stream), step):
        events += splitter.feed(stream[at : at + step])
    assert events == [b"data: x\ndata: y" + end] * 3
    assert splitter.rest() == b"data: z"


@pytest.mark.parametrize(("size", "beside"), [(10, False), (700_000, True)])
def test_a_large_request_is_translated_beside_the_loop(
    house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, size: int, beside: bool
) -> None:
    """Thirty megabytes of short messages took ten seconds, in which nobody else was answered."""
    threads: list[threading.Thread] = []

    def watched(call: Call, target: Target, *, asks_usage: bool) -> Translation:
        threads.append(threading.current_thread())
        return translate(call, target, asks_usage=asks_usage)

    monkeypatch.setattr(attempts, "translate", watched)
    upstream.answer = lambda _: WHOLE["anthropic"]
    assert ask(house, "openai_chat", "claude", user="x" * size).status == 200
    assert (threads[0] is not house._thread) is beside


# Shapes.

DEEP = b"[" * 2000 + b"]" * 2000
ODD: list[bytes] = [
    b'{"model":"%b","messages":%b,"input":%b,"contents":%b}' % (b"M", DEEP, DEEP, DEEP),
    b'{"model":"M","messages":[],"metadata":{"a":"\\ud800"}}',
    b'{"model":"M","messages":[{"role":"user","content":"\\u0000"}],"max_tokens":9,"input":"\\u0000"}',
    b'{"model":"M","messages":[{"role":"user","content":"x"}],"max_tokens":1%b,"input":"x"}' % (b"0" * 400),
    b'{"model":"M","messages":[{"role":"user","content":"x"}],"max_tokens":9,"temperature":1e309,"input":"x"}',
    b'{"model":"M","messages":NaN}',
    b'{"model":"M","model":"other","messages":[]}',
    b'{"model":"M","messages":[{"role":"user","content":"\xff"}]}',
    b"\x00",
    b"[]",
]


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_odd_json_is_a_bad_request_or_a_good_one(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    upstream.answer = lambda _: WHOLE[speaks]
    path = ASKING[client][0].format(model=MODELS[speaks])
    for odd in ODD:
        answer = house.ask(odd.replace(b'"M"', b'"%b"' % MODELS[speaks].encode()), path)
        assert answer.status in (200, 400, 404), odd[:100]
        assert b"This server failed" not in answer.body


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {}, "format": []},
    {"type": "object", "properties": {"a": {"type": "string", "format": {"x": 1}}}},
    {"type": {"x": []}, "properties": [1], "items": "x", "anyOf": {"a": 1}, "$ref": 1, "enum": {}},
    {"type": ["object", 1, None], "required": 5, "additionalProperties": [], "minItems": []},
]


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("speaks", MODELS)
def test_a_schema_that_is_none_does_not_break_the_server(
    house: Live, upstream: Upstream, speaks: str, schema: dict[str, Any]
) -> None:
    """`"format": []` did: 500, 'This server failed'."""
    upstream.answer = lambda _: WHOLE[speaks]
    told: list[tuple[str, dict[str, Any]]] = [
        (
            "openai_chat",
            {
                "tools": [
                    {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}
                ],
                "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
            },
        ),
        ("anthropic", {"tools": [{"name": "f", "input_schema": schema, "strict": True}]}),
        ("openai_responses", {"tools": [{"type": "function", "name": "f", "parameters": schema}]}),
        ("gemini", {"tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}]}]}),
    ]
    for client, members in told:
        assert ask(house, client, MODELS[speaks], **members).status in (200, 400)


LOSSES = ["a\r\nx: y", "가" * 50, "\0", "a, b;refuse", '"', "x" * 5000, "%0d%0a", " "]


@pytest.mark.parametrize("name", LOSSES, ids=ascii)
def test_a_members_name_cannot_leave_the_header_of_losses(house: Live, upstream: Upstream, name: str) -> None:
    upstream.answer = lambda _: WHOLE["anthropic"]
    members: dict[str, Any] = {name: {"a": 1}}
    answer = ask(house, "openai_chat", "claude", **members)
    told = answer.headers["x-madang-losses"]
    assert answer.status == 200
    assert told.isascii()
    assert told.isprintable()
    assert len(told) < 2000
    assert told.count("field:openai_chat:") == 1
    assert house.record(answer.call_id).losses == told


def test_a_member_named_like_a_feature_is_not_taken_for_it(house: Live, upstream: Upstream) -> None:
    """`x.image.file_id` beside the messages was refused as an image by its id."""
    upstream.answer = lambda _: WHOLE["gemini"]
    members: dict[str, Any] = {"x.audio.url": 1, "top_k*": 1, "*video.*": 1}
    for client in ("openai_chat", "anthropic"):
        answer = ask(house, client, "gem", **members)
        assert answer.status == 200
        assert "audio" in answer.headers["x-madang-losses"]


def test_a_thousand_losses_are_counted_and_not_all_told(house: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: WHOLE["anthropic"]
    members: dict[str, Any] = {f"u{number}": 1 for number in range(1000)}
    answer = ask(house, "openai_chat", "claude", **members)
    assert answer.headers["x-madang-losses"].endswith(" more")
    assert len(answer.headers["x-madang-losses"]) < 5000


# Vectors and counts.


VECTORS: list[tuple[dict[str, Any], int]] = [
    ({"input": []}, 400),
    ({"input": [1, 2]}, 400),
    ({"input": [[1, 2], [3]]}, 400),
    ({"input": [None]}, 400),
    ({"input": {"a": 1}}, 400),
    ({"input": "x", "encoding_format": "int8"}, 400),
    ({"input": "x", "encoding_format": 1}, 400),
    ({"input": "x", "dimensions": "many"}, 400),
    ({"input": "x", "dimensions": 1.5}, 400),
    ({"input": ""}, 200),
    ({"input": ["x"] * 3000, "encoding_format": "base64", "dimensions": 10**30}, 200),
]


@pytest.mark.parametrize(("members", "status"), VECTORS)
def test_texts_to_embed_are_checked_before_they_are_sent(
    house: Live, upstream: Upstream, members: dict[str, Any], status: int
) -> None:
    upstream.answer = lambda heard: json_answer(
        {"embeddings": [{"values": [0.5, 1e308]}] * len(heard.json()["requests"])}
    )
    answer = house.ask({"model": "gem", **members}, "/v1/embeddings")
    assert answer.status == status
    assert len(upstream.heard) == (status == 200)


@pytest.mark.parametrize("vectors", [0, 1, 3])
def test_vectors_that_are_not_as_many_as_the_texts_are_told_to_nobody(
    house: Live, upstream: Upstream, vectors: int
) -> None:
    """Those there were, were given to the first texts."""
    upstream.answer = lambda _: json_answer({"embeddings": [{"values": [0.5]}] * vectors})
    answer = house.ask({"model": "gem", "input": ["a", "b"]}, "/v1/embeddings")
    assert (answer.status, answer.json()["error"]["code"]) == (502, "broken_answer")
    upstream.answer = lambda _: json_answer(
        {"data": [{"index": number, "embedding": [0.5]} for number in range(vectors)]}
    )
    texts = [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]
    answer = house.ask({"requests": texts}, "/v1beta/models/chat/e:batchEmbedContents")
    assert answer.status == 502
    answer = house.ask({"requests": texts}, "/v1beta/models/chat/e:embedContent")
    assert answer.status == 400


@pytest.mark.parametrize("kept", ["previous_response_id", "conversation", "prompt"])
def test_what_only_the_provider_has_is_counted_by_nobody_else(
    house: Live, upstream: Upstream, kept: str
) -> None:
    """A conversation of a hundred thousand tokens was said to have one."""
    answer = house.ask(
        {"model": "gem", kept: "x" if kept != "prompt" else {"id": "x"}}, "/v1/responses/input_tokens"
    )
    assert (answer.status, answer.json()["error"]["param"]) == (400, kept)
    assert upstream.heard == []


def test_a_client_that_sends_its_body_slowly_is_translated_all_the_same(
    house: Live, upstream: Upstream
) -> None:
    upstream.answer = lambda _: WHOLE["anthropic"]
    body = msgspec.json.encode({"model": "claude", "messages": [{"role": "user", "content": "x" * 100_000}]})
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    connection.putrequest("POST", "/v1/chat/completions")
    connection.putheader("authorization", f"Bearer {KEY}")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    for at in range(0, len(body), 1500):
        piece = body[at : at + 1500]
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
    answer = connection.getresponse()
    assert (answer.status, b"Once upon" in answer.read()) == (200, True)
    connection.close()
