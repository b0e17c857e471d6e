"""What a client may do to its connection, found by attacking it: nobody else may notice."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

import pytest

from madang.web.protocol import ModelProtocol
from tests.journey.live import KEY, Live, Say, Upstream, json_answer, stream_answer, wait_until

CHAT = b'{"model":"gpt-4o","messages":[]}'


def ask(
    body: bytes = CHAT, *lines: bytes, method: bytes = b"POST", path: bytes = b"/v1/chat/completions"
) -> bytes:
    """A request as it is written; its length is told unless a line says how the body comes."""
    head = [b"%b %b HTTP/1.1" % (method, path), b"host: x", b"authorization: Bearer " + KEY.encode(), *lines]
    if body and not lines:
        head.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*head, b"", b""]) + body


def connect(madang: Live) -> socket.socket:
    return socket.create_connection(("127.0.0.1", madang.port), timeout=10)


def to_end(sock: socket.socket) -> bytes:
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def quiet(madang: Live) -> None:
    """Until nothing is left of any client."""
    state = madang.server.server_state
    wait_until(lambda: not state.connections and not state.tasks)


LAST = ask(b"", b"connection: close", method=b"GET", path=b"/v1/files")


def test_connect_is_refused_and_the_server_goes_on(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    assert madang.raw(b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n").startswith(b"HTTP/1.1 405 ")
    assert madang.ask(CHAT).status == 200


@pytest.mark.parametrize("url", [b"http://[bad/x", b"http://a:b:c/x", b"http://x:99999999/y"])
def test_an_address_that_is_none_is_the_clients_mistake(madang: Live, url: bytes) -> None:
    got = madang.raw(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % url)
    assert got[9:12] in (b"400", b"404")


def test_head_is_refused_without_a_body(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"n": 1})
    with connect(madang) as sock:
        sock.sendall(ask(b"", method=b"HEAD", path=b"/v1/files") + LAST)
        refused, _, rest = to_end(sock).partition(b"\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 405 ")
    assert rest.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "queued",
    [ask(), ask(CHAT[:5], b"content-length: 40"), ask(b"", method=b"GET", path=b"/health")],
    ids=["a call", "half a call", "a page"],
)
def test_a_client_that_leaves_with_a_request_queued_cancels_the_one_under_way(
    madang: Live, upstream: Upstream, queued: bytes
) -> None:
    for say in (Say(raw=True, then="hang"), stream_answer([b"data: {}\n\n"], then="hang")):
        upstream.heard.clear()
        upstream.answer = lambda _, say=say: say  # type: ignore[misc]  # bound now, as it should be
        with connect(madang) as sock:
            sock.sendall(ask() + queued)
            wait_until(lambda: len(upstream.heard) == 1)
        quiet(madang)
        assert not madang.app.http.busy
        assert len(upstream.heard) == 1


def test_a_client_that_leaves_unseen_is_noticed_when_it_is_written_to(
    madang: Live, upstream: Upstream
) -> None:
    """With many requests sent ahead nothing is read any more, its end neither."""
    left = False
    events = [b"data: " + b"x" * 100_000 + b"\n\n"] * 200
    upstream.answer = lambda _: stream_answer(events, between=lambda: left, then="hang")
    before = len(madang.left())
    with connect(madang) as sock:
        sock.sendall(ask() * 40)
        assert sock.recv(100)
    left = True
    wait_until(lambda: len(madang.left()) > before)
    quiet(madang)
    assert len(upstream.heard) == 1


def test_requests_sent_far_ahead_are_all_answered_in_order(madang: Live, upstream: Upstream) -> None:
    bodies = [b'{"model":"gpt-4o","n":%d,"x":"%b"}' % (n, b"y" * (n % 3) * 40_000) for n in range(60)]
    with connect(madang) as sock:
        sender = threading.Thread(target=sock.sendall, args=(b"".join(map(ask, bodies)) + LAST,))
        upstream.answer = lambda heard: json_answer({"n": heard.json()["n"] if heard.body else 60})
        sender.start()
        got = to_end(sock)
        sender.join()
    assert re.findall(rb'{"n":(\d+)}', got) == [b"%d" % n for n in range(61)]


def test_garbage_behind_queued_requests_waits_its_turn(madang: Live, upstream: Upstream) -> None:
    open_ = False
    upstream.answer = lambda _: stream_answer([b"data: {}\n\n", b"data: [DONE]\n\n"], between=lambda: open_)
    with connect(madang) as sock:
        sock.sendall(ask() + ask() + b"\x00\x01 garbage\r\n\r\n")
        first = sock.recv(65536)
        open_ = True
        got = first + to_end(sock)
    assert got.startswith(b"HTTP/1.1 200 ")
    assert [line[:12] for line in got.split(b"\r\n") if line.startswith(b"HTTP/")] == [b"HTTP/1.1 200"] * 2
    assert got.count(b"[DONE]") == 2


def test_a_broken_body_behind_a_running_request_waits_its_turn(madang: Live, upstream: Upstream) -> None:
    open_ = False
    upstream.answer = lambda _: stream_answer([b"data: {}\n\n", b"data: [DONE]\n\n"], between=lambda: open_)
    with connect(madang) as sock:
        sock.sendall(ask() + ask(b"zz\r\n", b"transfer-encoding: chunked"))
        first = sock.recv(65536)
        open_ = True
        got = first + to_end(sock)
    answers = [line[:12] for line in got.split(b"\r\n") if line.startswith(b"HTTP/")]
    assert answers == [b"HTTP/1.1 200", b"HTTP/1.1 400"]
    assert got.index(b"[DONE]") < got.index(b"HTTP/1.1 400")


def test_a_client_that_reads_nothing_is_given_no_second_answer_and_then_let_go(
    madang: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Head and body in one piece, so that the answer is whole when it is looked at.
    said = b"HTTP/1.1 200 OK\r\ncontent-length: 30000\r\n\r\n" + b"x" * 30_000
    upstream.answer = lambda _: Say(pieces=[said], raw=True)
    monkeypatch.setattr("madang.web.protocol._READ_WITHIN", 0.3)
    with connect(madang) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(ask(b"", method=b"GET", path=b"/v1/files") * 1500)
        quiet(madang)
    assert len(upstream.heard) < 750


def test_a_last_answer_nobody_reads_does_not_hold_the_connection(
    madang: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_wait(_: object) -> None:
        return None

    upstream.answer = lambda _: Say(pieces=[b"x" * 20_000_000], headers=[("content-type", "audio/mpeg")])
    monkeypatch.setattr("madang.web.protocol._READ_WITHIN", 0.3)
    monkeypatch.setattr("madang.web.exchange.Exchange.drain", no_wait)
    with connect(madang) as sock:
        sock.sendall(LAST)
        assert sock.recv(100)
        quiet(madang)


def test_a_reader_given_up_is_not_sent_the_refusal_of_its_next_request(
    madang: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("madang.web.protocol._READ_WITHIN", 0.2)
    upstream.answer = lambda _: stream_answer([b"data: " + b"x" * 400_000 + b"\n\n"] * 60)
    with connect(madang) as sock:
        sock.sendall(ask() + ask(CHAT[:5], b"content-length: 40"))
        quiet(madang)
        sock.settimeout(0.5)
        answers = 0
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while piece := sock.recv(65536):
                answers += piece.count(b"HTTP/1.1 ")
    assert answers <= 1


def test_a_word_of_the_providers_is_recorded_only_as_far_as_a_word_goes(
    madang: Live, upstream: Upstream
) -> None:
    upstream.answer = lambda _: json_answer({"choices": [{"finish_reason": "s" * 200_000}]})
    assert madang.record(madang.ask(CHAT).call_id).stop_reason == "s" * 100
    upstream.answer = lambda _: json_answer({"error": {"code": "e" * 200_000}}, status=400)
    assert madang.record(madang.ask(CHAT).call_id).error == "e" * 100


def test_what_follows_a_chunked_body_is_no_header(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({})
    trailers = b"3\r\nabc\r\n0\r\ncontent-type: text/x-late\r\nidempotency-key: late\r\n\r\n"
    madang.raw(ask(trailers, b"transfer-encoding: chunked", path=b"/v1/things"))
    assert upstream.heard[-1].body == b"abc"
    assert not {"content-type", "idempotency-key"} & set(upstream.heard[-1].headers)


def test_a_connection_idle_after_trailers_is_closed_without_a_word(
    madang: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answer = lambda _: json_answer({})
    monkeypatch.setattr("madang.web.protocol._IDLE", 0.1)
    with connect(madang) as sock:
        sock.sendall(ask(b"3\r\nabc\r\n0\r\nx-late: 1\r\n\r\n", b"transfer-encoding: chunked", path=b"/v1/x"))
        assert to_end(sock).count(b"HTTP/1.1 ") == 1


def test_an_answer_that_has_no_body_has_none_as_a_stream_either(madang: Live, upstream: Upstream) -> None:
    head = b"HTTP/1.1 204 No Content\r\ncontent-type: text/event-stream\r\n\r\n"
    upstream.answer = lambda _: Say(pieces=[head], raw=True)
    with connect(madang) as sock:
        sock.sendall(LAST)
        got = to_end(sock)
    assert b"transfer-encoding" not in got
    assert got.endswith(b"\r\n\r\n")
    assert got.count(b"\r\n\r\n") == 1


def test_an_old_client_is_not_told_to_continue(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    body = ask(CHAT, b"expect: 100-continue", b"content-length: %d" % len(CHAT))
    assert madang.raw(body.replace(b"HTTP/1.1", b"HTTP/1.0")).startswith(b"HTTP/1.1 200 ")


def test_a_call_cancelled_before_its_first_step_is_forgotten(madang: Live, upstream: Upstream) -> None:
    """The client's end may be seen in the same turn of the loop in which its request was begun."""
    upstream.answer = lambda _: json_answer({"choices": []})
    state = madang.server.server_state

    def begin_and_lose() -> None:
        (protocol,) = [one for one in state.connections if isinstance(one, ModelProtocol)]
        protocol.data_received(ask())
        protocol.connection_lost(None)

    quiet(madang)
    with connect(madang):
        wait_until(lambda: len(state.connections) == 1)
        next(iter(state.connections)).loop.call_soon_threadsafe(begin_and_lose)
        quiet(madang)


def test_a_body_whose_sender_became_known_too_late_is_not_passed_empty(
    madang: Live, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answer = lambda _: json_answer({})

    async def stranger(_: object) -> bool:
        return False

    monkeypatch.setattr(madang.app.gateway.callers, "knows", stranger)
    got = madang.raw(ask(b"", b"content-length: 900000", path=b"/v1/files"))
    assert got.startswith(b"HTTP/1.1 401 ")
    assert upstream.heard == []


def test_a_model_of_absurd_length_is_refused_and_not_remembered(madang: Live, upstream: Upstream) -> None:
    upstream.answer = lambda _: json_answer({"choices": []})
    answer = madang.ask({"model": "up/" + "m" * 100_000, "messages": []})
    assert (answer.status, upstream.heard) == (404, [])
    assert len(madang.record(answer.call_id).route or "") <= 200


def test_deadlines_outlive_a_failure_of_one(madang: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = False

    def expire(self: ModelProtocol, now: float) -> None:
        nonlocal failed
        failed = True
        raise RuntimeError("a fault nobody foresaw")

    with monkeypatch.context() as broken, connect(madang):
        broken.setattr(ModelProtocol, "expire", expire)
        wait_until(lambda: failed)
    monkeypatch.setattr("madang.web.protocol._HEAD_WITHIN", 0.05)
    assert madang.raw(b"") == b""
