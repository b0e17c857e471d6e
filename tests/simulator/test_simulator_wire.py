"""The simulator over real sockets: HTTP/1.1 in its corners, faults, and clients that leave."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from madang.simulator import Options, Simulator
from madang.simulator.latency import Fixed
from tests.simulator.desk import Wire, chat_of, unchunked, until

_ENDLESS = chat_of(model="sim-tokens-100000+pace-1ms", stream=True)


async def test_a_connection_is_kept_for_the_next_request(simulator: Simulator, wire: Wire) -> None:
    for _ in range(3):
        wire.post(chat_of())
        head, body = await wire.whole()
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert json.loads(body)["object"] == "chat.completion"
    assert simulator.stats.connections == 1
    assert simulator.stats.served == 3


async def test_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    wire.post(chat_of("first", model="sim-echo"), "x-simulate: delay=20ms")
    wire.post(chat_of("second", model="sim-echo"))
    wire.post(chat_of("third", model="sim-echo"))
    said = [json.loads((await wire.whole())[1])["choices"][0]["message"]["content"] for _ in range(3)]
    assert said == ["first", "second", "third"]


async def test_hundreds_of_pipelined_requests_do_not_deepen_the_stack(wire: Wire) -> None:
    for _ in range(1500):
        wire.post(chat_of(model="sim-tokens-1"))
    for _ in range(1500):
        head, _ = await wire.whole()
        assert b" 200 " in head.split(b"\r\n")[0]


async def test_a_request_may_come_in_single_bytes_and_in_chunks(simulator: Simulator, wire: Wire) -> None:
    body = json.dumps(chat_of("hi", model="sim-echo")).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
    for byte in head + b"transfer-encoding: chunked\r\n\r\n" + chunks:
        wire.writer.write(bytes([byte]))
        await wire.writer.drain()
    assert json.loads((await wire.whole())[1])["choices"][0]["message"]["content"] == "hi"
    assert simulator.requests[0].body == body


async def test_expect_100_continue_is_answered_before_the_body(wire: Wire) -> None:
    body = json.dumps(chat_of()).encode()
    wire.writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
        b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    assert await wire.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.writer.write(body)
    assert (await wire.whole())[0].startswith(b"HTTP/1.1 200")


async def test_connection_close_is_obeyed(simulator: Simulator) -> None:
    for stream in (False, True):
        async with Wire.to(simulator) as wire:
            wire.post(chat_of(stream=stream), "connection: close")
            assert b"\r\nconnection: close\r\n" in await wire.rest()


async def test_http_1_0_gets_a_stream_without_chunks(wire: Wire) -> None:
    body = json.dumps(chat_of(stream=True)).encode()
    wire.writer.write(
        b"POST /v1/chat/completions HTTP/1.0\r\nauthorization: Bearer k\r\ncontent-length: %d\r\n\r\n%b"
        % (len(body), body)
    )
    head, _, rest = (await wire.rest()).partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert rest.startswith(b"data: {")
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_head_has_the_length_and_no_body(wire: Wire) -> None:
    for method in (b"HEAD", b"GET"):
        wire.writer.write(method + b" /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n")
    head = await wire.head()
    second, body = await wire.whole()
    assert b"content-length: %d\r\n" % len(body) in head
    assert second.startswith(b"HTTP/1.1 200")


async def test_a_whole_url_and_escapes_are_read_as_a_path(simulator: Simulator, wire: Wire) -> None:
    wire.writer.write(
        b"GET http://x/v1/models/a%2Fb?x=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n"
    )
    assert json.loads((await wire.whole())[1])["id"] == "a/b"
    assert simulator.requests[0].query == "x=1"


async def test_an_offer_to_upgrade_is_passed_over(wire: Wire) -> None:
    for _ in range(2):
        wire.post(
            chat_of(), "connection: Upgrade, HTTP2-Settings", "upgrade: h2c", "http2-settings: AAMAAABk"
        )
        assert (await wire.whole())[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET /v1/models HTTP/9.9\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: " + b"b" * 70_000, 431),
    ],
)
async def test_what_is_no_http_gets_an_error_and_a_closed_connection(
    simulator: Simulator, wire: Wire, data: bytes, status: int
) -> None:
    wire.writer.write(data)
    head, _, body = (await wire.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert simulator.stats.malformed == 1


async def test_a_body_that_is_too_large_is_refused(wire: Wire) -> None:
    wire.writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 70000000\r\n\r\n")
    block = b" " * 1_000_000

    async def flood() -> None:
        for _ in range(70):
            wire.writer.write(block)
            await wire.writer.drain()

    flooding = asyncio.get_running_loop().create_task(flood())
    head = await wire.head()
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    assert head.startswith(b"HTTP/1.1 413 ")


async def test_the_first_event_arrives_while_the_rest_is_still_to_come(
    simulator: Simulator, wire: Wire
) -> None:
    wire.post(chat_of(model="sim-stall-after-1", stream=True))
    await wire.head()
    assert b'"role":"assistant"' in await wire.reader.readuntil(b"\n\n")
    await until(lambda: simulator.stats.stalled == 1)
    assert simulator.stats.active == 1
    wire.writer.close()
    await until(lambda: simulator.stats.left == 1)
    assert simulator.stats.active == 0


async def test_a_client_leaving_mid_stream_stops_it_and_is_counted(simulator: Simulator, wire: Wire) -> None:
    wire.post(_ENDLESS)
    await wire.reader.readuntil(b"data: ")
    assert simulator.stats.active == 1
    wire.writer.close()
    await until(lambda: simulator.stats.open_connections == 0)
    assert (simulator.stats.left, simulator.stats.active, simulator.stats.served) == (1, 0, 0)


async def test_a_client_leaving_before_the_head_is_counted() -> None:
    async with Simulator(options=Options(latency=Fixed(600.0))) as simulator:
        async with Wire.to(simulator) as wire:
            wire.post(chat_of())
            await until(lambda: simulator.stats.active == 1)
        await until(lambda: simulator.stats.left == 1)


async def test_a_client_that_has_its_answer_has_not_left(simulator: Simulator, wire: Wire) -> None:
    wire.post(chat_of(stream=True))
    await wire.reader.readuntil(b"0\r\n\r\n")
    wire.writer.close()
    await until(lambda: simulator.stats.open_connections == 0)
    assert (simulator.stats.left, simulator.stats.served, simulator.stats.streams) == (0, 1, 1)


async def test_a_client_that_does_not_read_holds_back_the_stream(simulator: Simulator) -> None:
    async with Wire.to(simulator, limit=1024) as wire:
        wire.post(chat_of(model="sim-tokens-100000", stream=True))
        await until(lambda: simulator.stats.active == 1)
        for _ in range(200):
            await asyncio.sleep(0)
        assert (simulator.stats.active, simulator.stats.served) == (1, 0)
        received = tail = b""
        size = 0
        while b"[DONE]" not in tail + received:
            tail, received = received[-10:], await wire.reader.read(1 << 20)
            size += len(received)
    assert size > 10_000_000
    await until(lambda: simulator.stats.served == 1)


async def test_a_cut_stream_ends_without_the_last_chunk(simulator: Simulator, wire: Wire) -> None:
    wire.post(chat_of(model="sim-cut-after-3", stream=True))
    received = await wire.rest()
    assert received.count(b"data: ") == 3
    assert not received.endswith(b"0\r\n\r\n")
    assert simulator.stats.cut == 1


@pytest.mark.parametrize(("control", "events"), [("reset", 0), ("reset-after=2", 2)])
async def test_a_reset_is_a_reset_and_what_was_sent_before_it_arrives(
    simulator: Simulator, control: str, events: int
) -> None:
    sock = socket.create_connection(("127.0.0.1", simulator.port))
    sock.setblocking(False)
    body = json.dumps(chat_of(stream=True)).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer k\r\nx-simulate: {control}\r\n"
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, head.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body))
    received = b""

    async def read_on() -> None:
        nonlocal received
        while data := await loop.sock_recv(sock, 65536):
            received += data

    with pytest.raises(ConnectionResetError):
        await read_on()
    sock.close()
    assert received.count(b"data: ") == events
    assert simulator.stats.reset == 1


async def test_a_shredded_stream_is_whole_in_the_end(wire: Wire) -> None:
    wire.post(chat_of("마당", model="sim-echo+shred", stream=True))
    await wire.head()
    body = await wire.reader.readuntil(b"\r\n0\r\n\r\n")
    assert '"마당"'.encode() in unchunked(body)


async def test_what_was_received_and_counted_can_be_asked_for(simulator: Simulator, wire: Wire) -> None:
    wire.post(chat_of("안녕"), "x-team: a", "x-team: b")
    await wire.whole()
    for path in (b"/simulator/requests", b"/simulator/stats", b"/health"):
        wire.writer.write(b"GET " + path + b" HTTP/1.1\r\nhost: x\r\n\r\n")
    [request] = json.loads((await wire.whole())[1])["requests"]
    stats = json.loads((await wire.whole())[1])
    assert json.loads((await wire.whole())[1]) == {"status": "ok"}
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["authorization"] == "********"
    assert request["headers"]["x-team"] == "a, b"
    assert json.loads(request["body"])["messages"][0]["content"] == "안녕"
    assert (stats["served"], stats["connections"]) == (2, 1)
    assert simulator.requests[0].headers["authorization"] == "Bearer k"


async def test_stopping_drops_clients_and_frees_the_port() -> None:
    simulator = Simulator()
    await simulator.start()
    async with Wire.to(simulator) as wire:
        wire.post(_ENDLESS)
        await wire.head()
        await simulator.stop()
        await simulator.stop()
        assert not (await wire.rest()).endswith(b"0\r\n\r\n")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", simulator.port)
    async with Simulator(port=simulator.port) as again:
        assert again.url == simulator.url


async def test_a_taken_port_is_an_oserror(simulator: Simulator) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await Simulator(port=simulator.port).start()


async def test_hundreds_of_paced_streams_all_end_whole(simulator: Simulator) -> None:
    async def one() -> bytes:
        async with Wire.to(simulator) as wire:
            wire.post(chat_of(model="sim-tokens-20+pace-2ms", stream=True), "connection: close")
            return await wire.rest()

    answers = await asyncio.gather(*(one() for _ in range(200)))
    assert all(answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n") for answer in answers)
    assert all(answer.count(b"data: ") == 20 + 3 for answer in answers)
