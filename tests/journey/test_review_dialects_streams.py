"""A provider breaks its stream in every way there is, and the client of another dialect is told so.

Never taken for whole what was cut; never an error after the end; never 'this server failed'.
"""

from __future__ import annotations

import http.client
import logging
import re
from collections.abc import Iterator

import msgspec
import pytest

from madang.config.schema import Server, Timeouts
from madang.core.events import Event
from madang.dialects.every import DIALECTS
from tests.journey.field import ASKING, MODELS, ask, data_event, event, house_of
from tests.journey.live import KEY, Answer, Live, Say, Upstream, alive, stream_answer, wait_until
from tests.journey.scripted import BEGUN, BREAKS, PAIRS, STREAMS, TEXT, WHOLE, is_broken, is_whole

EVENTS = [("content-type", "text/event-stream")]


@pytest.fixture(scope="module")
def house(provider: Upstream, other_provider: Upstream) -> Iterator[Live]:
    """A provider of each dialect, given a third of a second for each step."""
    config = house_of(provider, other_provider)
    quick = Timeouts(first_byte=0.3, between_bytes=0.3)
    providers = {name: msgspec.structs.replace(one, timeouts=quick) for name, one in config.providers.items()}
    yield from alive(msgspec.structs.replace(config, providers=providers))


def streamed(house: Live, upstream: Upstream, speaks: str, client: str, say: Say) -> Answer:
    upstream.answer = lambda _: say
    return ask(house, client, MODELS[speaks], stream=True)


def good(provider: str) -> dict[str, Say]:
    """Ways to say all of an answer."""
    events = STREAMS[provider]
    raw = b"".join(events)
    return {
        "as it should be": stream_answer(events),
        "all at once": stream_answer([raw]),
        "cut anywhere": stream_answer([raw[at : at + 7] for at in range(0, len(raw), 7)]),
        "with CRLF": stream_answer([one.replace(b"\n", b"\r\n") for one in events]),
        "after a byte order mark": stream_answer([b"\xef\xbb\xbf", *events]),
        "after comments": stream_answer([b": keep-alive\n\n", *events]),
        "with an event of next year": stream_answer([*events[:-1], event("brand.new"), events[-1]]),
        "and words after the end": stream_answer([*events, BREAKS[provider]])
        if provider != "gemini"  # whose streams have no end mark
        else stream_answer(events),
        "twice": stream_answer(events + events),
        "and reset the connection": stream_answer(events, then="reset"),
        "and close the connection": stream_answer(events, then="close"),
        "with no stream at all": WHOLE[provider],
    }


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_an_answer_that_is_whole_is_told_whole_however_it_comes(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    """The error of a connection that broke after the end mark was told after the client's own end mark."""
    told = {way: streamed(house, upstream, speaks, client, say) for way, say in good(speaks).items()}
    for way, answer in told.items():
        assert (answer.status, is_whole(client, answer.body), is_broken(answer.body)) == (200, True, False), (
            way
        )
        record = house.record(answer.call_id)
        assert (record.outcome, record.error, record.streamed) == ("ok", None, True), way
        assert record.usage is not None, way
        assert (record.usage.input_tokens, record.usage.output_tokens) == (4, 2), way
        words = re.findall(r'"(?:content|text|delta)":"([^"]+)"', answer.body.decode())
        assert "".join(words).startswith(TEXT), way


def broken(provider: str) -> dict[str, Say]:
    """Ways to fail."""
    events, begun = STREAMS[provider], BEGUN[provider]
    first = events[:begun]
    bad = first[-1].replace(TEXT[:4].encode(), b"\xff" + TEXT[:4].encode())
    return {
        "nothing": stream_answer([]),
        "nothing, and a closed connection": stream_answer([], then="close"),
        "no words": stream_answer(events[:1]),
        "some words": stream_answer(first),
        "some words, and a reset": stream_answer(first, then="reset"),
        "some words, and a closed connection": stream_answer(first, then="close"),
        "half an event": stream_answer([*first, events[begun][:20]]),
        "an error": stream_answer([BREAKS[provider]]),
        "some words and an error": stream_answer([*first, BREAKS[provider]]),
        "an error, and the answer": stream_answer([*first, BREAKS[provider], *events[begun:]]),
        "what is no JSON": stream_answer([*first, b"data: {garbage\n\n", *events[begun:]]),
        "what is no UTF-8": stream_answer([*first[:-1], bad, *events[begun:]]),
        "deep nesting": stream_answer([*first, b"data: " + b"[" * 10_000 + b"\n\n", *events[begun:]]),
        "a number of 5,000 digits": stream_answer([*first, b'data: {"x":' + b"9" * 5000 + b"}\n\n"]),
        "compressed": Say(200, [*EVENTS, ("content-encoding", "gzip")], [b"\x1f\x8b" + b"x" * 100]),
        "no events": stream_answer([b"hello"]),
        "an error of its own": Say(500, EVENTS, [BREAKS[provider]]),
        "a redirect": Say(302, [*EVENTS, ("location", "http://elsewhere.test/")], events),
        "no content": Say(204, EVENTS, []),
        "a page": Say(200, [("content-type", "text/html")], [b"<html>hello</html>"]),
        "an empty object": Say(200, [("content-type", "application/json")], [b"{}"]),
    }


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_an_answer_that_is_cut_is_never_told_whole(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    told = {way: streamed(house, upstream, speaks, client, say) for way, say in broken(speaks).items()}
    for way, answer in told.items():
        assert (is_whole(client, answer.body), is_broken(answer.body)) == (False, True), way
        assert b"This server failed" not in answer.body, way
        record = house.record(answer.call_id)
        assert record.outcome == ("cut" if answer.status == 200 else "failed"), way
        assert record.error is not None, way


@pytest.mark.parametrize("speaks", MODELS)
def test_a_provider_that_falls_silent_is_given_up(house: Live, upstream: Upstream, speaks: str) -> None:
    client = "anthropic" if speaks != "anthropic" else "openai_chat"
    for events, status, error in (
        ([], 504, "first_byte_timeout"),
        (STREAMS[speaks][: BEGUN[speaks]], 200, "between_bytes_timeout"),
    ):
        say = Say(raw=True, then="hang") if not events else stream_answer(events, then="hang")
        answer = streamed(house, upstream, speaks, client, say)
        assert (answer.status, is_whole(client, answer.body)) == (status, False)
        assert is_broken(answer.body)
        assert house.record(answer.call_id).error == error


@pytest.mark.parametrize("speaks", ["openai_chat", "openai_responses", "anthropic"])
def test_a_provider_that_does_not_hang_up_after_the_end_keeps_no_client_waiting(
    house: Live, upstream: Upstream, speaks: str
) -> None:
    """The client's own end came only when the provider had been silent for as long as it may be."""
    client = "anthropic" if speaks != "anthropic" else "openai_chat"
    answer = streamed(house, upstream, speaks, client, stream_answer(STREAMS[speaks], then="hang"))
    assert is_whole(client, answer.body)
    assert not is_broken(answer.body)
    record = house.record(answer.call_id)
    assert (record.outcome, record.error) == ("ok", None)
    wait_until(lambda: upstream.left == 1)


def test_a_connection_is_kept_for_the_next_call_though_its_end_comes_a_little_later(
    house: Live, upstream: Upstream
) -> None:
    events = STREAMS["anthropic"]
    before = upstream.connections
    for _ in range(3):
        streamed(house, upstream, "anthropic", "openai_chat", stream_answer(events))
    assert upstream.connections <= before + 1


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_a_stream_that_nobody_asked_for_is_put_together(
    house: Live, upstream: Upstream, speaks: str, client: str
) -> None:
    """The client, which had asked for JSON, got events."""
    upstream.answer = lambda _: stream_answer(STREAMS[speaks])
    answer = ask(house, client, MODELS[speaks])
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert TEXT in answer.body.decode()
    usage = house.record(answer.call_id).usage
    assert usage is not None
    assert usage.output_tokens == 2
    upstream.answer = lambda _: stream_answer(STREAMS[speaks][: BEGUN[speaks]])
    answer = ask(house, client, MODELS[speaks])
    assert (answer.status, house.record(answer.call_id).outcome) == (502, "failed")


NONE = {"type": None}
ODD: dict[str, list[bytes]] = {
    "openai_chat": [
        data_event({"choices": [{"index": 10**30, "delta": {"content": "x"}}]}),
        data_event({"choices": [{"index": 0, "delta": {"content": ["x", 1]}}]}),
        data_event({"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}}]}),
        data_event(
            {
                "choices": [
                    {
                        "delta": {
                            "tool_calls": [
                                {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}},
                                {"index": 1, "id": "b", "function": {"name": ["g"], "arguments": "{}"}},
                            ]
                        }
                    }
                ]
            }
        ),
    ],
    "openai_responses": [
        event("response.output_item.added", output_index=NONE, item=[]),
        event("response.output_text.delta", delta=1),
    ],
    "anthropic": [
        event("message_start", message=[]),
        event("content_block_start", index="x", content_block=NONE),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": 1}),
    ],
    "gemini": [
        data_event({"candidates": [{"content": {"parts": [{"text": "x"}]}, "index": 10**30}]}),
        data_event({"candidates": [{"content": {"parts": [{"text": "x"}]}, "index": -1}]}),
        data_event({"candidates": [{"finishReason": NONE}]}),
        data_event({"candidates": [{"content": {"parts": [{"text": "x"}]}}], "responseId": NONE}),
    ],
}


@pytest.mark.parametrize(("speaks", "client"), PAIRS)
def test_types_that_no_dialect_allows_break_the_answer_and_not_the_server(
    house: Live, upstream: Upstream, speaks: str, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A codec stumbled: 500 'This server failed' or a dropped connection, and the record said `ok`."""
    for odd in ODD[speaks]:
        with caplog.at_level(logging.ERROR, "madang"):
            answer = streamed(house, upstream, speaks, client, stream_answer([odd, *STREAMS[speaks][-1:]]))
        assert is_whole(client, answer.body) != is_broken(answer.body), odd
        assert b"This server failed" not in answer.body, odd
        record = house.record(answer.call_id)
        assert (record.outcome == "ok") == (not is_broken(answer.body)), odd
    assert [one for one in caplog.records if one.name == "madang.web"] == []


def test_a_codec_that_stumbles_breaks_the_answer_and_is_logged(
    house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stumbling:
        def render(self, _: Event) -> bytes:
            raise KeyError("nobody foresaw this")

    stumbling = msgspec.structs.replace(DIALECTS["anthropic"], stream_renderer=lambda _: Stumbling())
    monkeypatch.setattr("madang.gateway.translate.DIALECTS", {**DIALECTS, "anthropic": stumbling})
    with caplog.at_level(logging.ERROR, "madang.gateway"):
        answer = streamed(house, upstream, "openai_chat", "anthropic", stream_answer(STREAMS["openai_chat"]))
    assert (answer.status, answer.json()["error"]["type"]) == (502, "api_error")
    assert house.record(answer.call_id).outcome == "failed"
    assert "KeyError" in caplog.text


# What has no end.


def test_an_event_without_end_is_not_held_for_ever(
    house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte of it was kept: a provider could fill the memory."""
    monkeypatch.setattr("madang.gateway.translate._MOST", 256 * 1024)
    endless = [b"data: ", *[b"x" * 65536] * 40]
    begun = STREAMS["anthropic"][: BEGUN["anthropic"]]
    answer = streamed(
        house, upstream, "anthropic", "openai_chat", stream_answer([*begun, *endless], then="hang")
    )
    assert "without end" in answer.body.decode()
    assert house.record(answer.call_id).error == "broken_answer"


def test_an_answer_without_end_is_not_held_for_ever(
    house: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madang.gateway.translate._MOST", 256 * 1024)
    upstream.answer = lambda _: Say(200, [("content-type", "application/json")], [b'"' + b"x" * 65536] * 40)
    answer = ask(house, "openai_chat", "claude")
    assert (answer.status, answer.json()["error"]["code"]) == (502, "broken_answer")


def test_pings_without_end_reach_the_client_before_the_answer_does(house: Live, upstream: Upstream) -> None:
    """They were gathered until the first word, and the client had no head meanwhile."""
    pinging = [STREAMS["anthropic"][0], *[event("ping") * 1000] * 20]
    upstream.answer = lambda _: stream_answer(pinging, then="hang")
    connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
    path, body = ASKING["openai_chat"]
    asked = msgspec.json.encode({**body, "model": "claude", "stream": True})
    connection.request("POST", path, asked, {"authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert b": ping\n\n" in answer.read1(65536)
    answer.close()
    connection.close()


# The server stops.


@pytest.mark.parametrize(("client", "as_list"), [*[(client, False) for client in MODELS], ("gemini", True)])
def test_a_server_that_stops_ends_a_translated_stream_in_the_state_it_is_in(
    provider: Upstream, other_provider: Upstream, upstream: Upstream, client: str, as_list: bool
) -> None:
    """An event was put into Gemini's JSON list; and a Responses client got number 0 again."""
    speaks = "anthropic" if client != "anthropic" else "openai_chat"
    upstream.answer = lambda _: stream_answer(STREAMS[speaks][: BEGUN[speaks]], then="hang")
    config = msgspec.structs.replace(house_of(provider, other_provider), server=Server(shutdown_seconds=0.1))
    live = Live(config)
    path, body = ASKING[client]
    path = path.format(model=MODELS[speaks])
    if client == "gemini":
        path = path.replace(":generate", ":streamGenerate") + ("" if as_list else "?alt=sse")
    else:
        body = {**body, "model": MODELS[speaks], "stream": True}
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    connection.request("POST", path, msgspec.json.encode(body), {"authorization": f"Bearer {KEY}"})
    answer, got = connection.getresponse(), b""
    while TEXT[:4].encode() not in got:
        got += answer.read1(65536)
    live.server.should_exit = True
    got += answer.read()
    answer.close()
    connection.close()
    live.stop()
    assert "shutting down" in got.decode()
    assert not is_whole(client, got)
    if as_list:
        assert "error" in msgspec.json.decode(got)[-1]
    if client == "openai_responses":
        numbers = [int(one) for one in re.findall(rb'"sequence_number":(\d+)', got)]
        assert numbers == list(range(len(numbers)))
