"""The client over real sockets: keep-alive, deadlines, slow readers, broken answers, TLS, proxies."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest
import trustme

from madang.core.errors import BrokenAnswer, ConnectFailed, UpstreamTimeout
from madang.transport.address import Origin
from madang.transport.connection import Response
from madang.transport.deadlines import Deadlines, Timeouts
from madang.transport.pool import Http

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
GET = (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"")
QUICK = Timeouts(connect=5.0, first_byte=5.0, between_bytes=5.0, whole=5.0)


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Origin]:
    """A server that does what a test says."""

    serving_now: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving_now.add(cast("asyncio.Task[None]", asyncio.current_task()))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Origin("https" if tls else "http", "127.0.0.1", port)
    finally:
        server.close()
        for task in serving_now:
            task.cancel()
        await asyncio.gather(*serving_now)


@contextlib.asynccontextmanager
async def client(
    environ: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Http]:
    http = Http(environ or {}, tls)
    deadlines = Deadlines(http, tick=0.01)
    deadlines.start()
    try:
        yield http
    finally:
        deadlines.stop()
        http.close()
        await asyncio.sleep(0)


async def ask(
    http: Http, origin: Origin, request: tuple[bytes, bytes] = GET, timeouts: Timeouts = QUICK
) -> Response:
    return await http.pool(origin).ask(request, timeouts)


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await head(reader)
        writer.write(OK)


async def test_a_connection_is_kept_for_the_next_call() -> None:
    async with serving(answer_all) as origin, client() as http:
        for _ in range(3):
            response = await ask(http, origin)
            assert (response.status, await response.read()) == (200, b"ok")
        assert http.pool(origin).idle() == 1


async def test_a_connection_handed_on_before_its_first_asker_woke_serves_both() -> None:
    async with serving(answer_all) as origin, client() as http:
        for _ in range(20):
            answers = await asyncio.gather(*(ask(http, origin) for _ in range(8)))
            assert [await answer.read() for answer in answers] == [b"ok"] * 8


async def test_a_kept_connection_the_provider_closed_is_replaced_unseen() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await head(reader)  # the second request is read, and the connection closed without a word

    async with serving(once) as origin, client() as http:
        for _ in range(4):
            assert await (await ask(http, origin)).read() == b"ok"


async def test_a_new_connection_that_closes_without_a_word_is_an_error() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await head(reader)

    async with serving(silent) as origin, client() as http:
        with pytest.raises(BrokenAnswer):
            await ask(http, origin)


async def test_connection_close_is_obeyed() -> None:
    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        await writer.drain()
        await reader.read()

    async with serving(closing) as origin, client() as http:
        assert await (await ask(http, origin)).read() == b"ok"
        assert http.pool(origin).idle() == 0


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        await writer.drain()
        writer.close()

    async with serving(old) as origin, client() as http:
        assert await (await ask(http, origin)).read() == b"all of it"


async def test_interim_answers_are_passed_over() -> None:
    async def hinting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK)
        await reader.read()

    async with serving(hinting) as origin, client() as http:
        response = await ask(http, origin)
        assert (response.status, response.headers) == (200, [(b"content-length", b"2")])


async def test_an_answer_that_comes_before_the_request_is_sent_is_heard() -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await asyncio.sleep(5)

    big = b"x" * 20_000_000
    request = (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(big), big)
    async with serving(impatient) as origin, client() as http:
        response = await ask(http, origin, request)
        assert (response.status, await response.read()) == (413, b"no")
        assert http.pool(origin).idle() == 0


async def test_bytes_nobody_asked_for_end_the_connection() -> None:
    async def chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged")
        await reader.read()

    async with serving(chatty) as origin, client() as http:
        assert await (await ask(http, origin)).read() == b"ok"
        assert await (await ask(http, origin)).read() == b"ok"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"x-pad: " + b"y" * 300_000,
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_an_answer_that_is_not_whole_is_an_error(said: bytes) -> None:
    async def saying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(said)
        await writer.drain()

    async with serving(saying) as origin, client() as http:
        with pytest.raises(BrokenAnswer):
            await (await ask(http, origin)).read()


async def test_what_came_before_the_break_is_given_out_first() -> None:
    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nfirst")
        await writer.drain()

    async with serving(breaking) as origin, client() as http:
        response = await ask(http, origin)
        assert await response.next() == b"first"
        with pytest.raises(BrokenAnswer):
            await response.next()


@pytest.mark.parametrize(
    ("timeouts", "code"),
    [
        (Timeouts(first_byte=0.05), "first_byte_timeout"),
        (Timeouts(between_bytes=0.05), "between_bytes_timeout"),
        (Timeouts(whole=0.05), "whole_timeout"),
    ],
)
async def test_each_phase_has_its_deadline(timeouts: Timeouts, code: str) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        if code != "first_byte_timeout":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegin")
        await reader.read()

    async with serving(slow) as origin, client() as http:
        with pytest.raises(UpstreamTimeout) as raised:
            await (await ask(http, origin, timeouts=timeouts)).read()
        assert raised.value.code == code


async def test_connecting_has_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async with client() as http:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
        with pytest.raises(UpstreamTimeout) as raised:
            await ask(http, Origin("http", "127.0.0.1", 9), timeouts=Timeouts(connect=0.02))
        assert raised.value.code == "connect_timeout"


async def test_a_slow_reader_stops_the_provider_and_loses_nothing() -> None:
    written = 0

    async def pouring(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        for _ in range(500):
            writer.write(b"z" * 100_000)
            await writer.drain()
            written += 100_000
        await reader.read()

    async with serving(pouring) as origin, client() as http:
        response = await ask(http, origin, timeouts=Timeouts(between_bytes=0.2))
        last = -1
        while written != last:
            last = written
            await asyncio.sleep(0.1)
        assert written < 20_000_000  # what fits in the kernel's buffers and ours
        await asyncio.sleep(0.3)  # longer than the deadline between bytes: the silence is the reader's
        assert len(await response.read()) == 50_000_000


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ten pieces, each in a read of its own."""
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n")
    for number in range(10):
        writer.write(b"%d" % number)
        await writer.drain()
        await asyncio.sleep(0.005)
    await reader.read()


async def test_pouring_gives_every_piece_and_goes_on_where_it_was_told_to_stop() -> None:
    async with serving(dripping) as origin, client() as http:
        response = await ask(http, origin)
        got: list[bytes] = []

        def sink(piece: bytes) -> bool:
            got.append(piece)
            return len(got) != 3

        assert not await response.pour(sink)
        assert len(got) == 3
        assert await response.pour(sink)
        assert b"".join(got) == b"0123456789"
        assert http.pool(origin).idle() == 1


async def test_what_a_sink_raises_reaches_whoever_poured() -> None:
    async with serving(dripping) as origin, client() as http:
        response = await ask(http, origin)
        got: list[bytes] = []

        def sink(piece: bytes) -> bool:
            got.append(piece)
            if len(got) == 3:
                raise ValueError(piece)
            return True

        with pytest.raises(ValueError, match=r"\d"):
            await response.pour(sink)
        response.close()


async def test_pouring_what_breaks_off_gives_what_came_and_raises() -> None:
    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nfirst")
        await writer.drain()

    async with serving(breaking) as origin, client() as http:
        response = await ask(http, origin)
        got: list[bytes] = []

        def sink(piece: bytes) -> bool:
            got.append(piece)
            return True

        with pytest.raises(BrokenAnswer):
            await response.pour(sink)
        assert got == [b"first"]


async def test_closing_a_response_ends_the_providers_work() -> None:
    left = asyncio.Event()

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        await reader.read()
        left.set()

    async with serving(endless) as origin, client() as http:
        response = await ask(http, origin)
        assert await response.next() == b"a"
        response.close()
        async with asyncio.timeout(2):
            await left.wait()
        assert http.pool(origin).idle() == 0


async def test_cancelling_a_call_ends_the_providers_work() -> None:
    left = asyncio.Event()

    async def thinking(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await head(reader)
        await reader.read()
        left.set()

    async with serving(thinking) as origin, client() as http:
        task = asyncio.ensure_future(ask(http, origin))
        while not http.busy:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await left.wait()


async def test_nobody_listening_is_said_in_words() -> None:
    async with client() as http:
        with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1:1 could not be reached: .*(refused|failed)"):
            await ask(http, Origin("http", "127.0.0.1", 1))
        with pytest.raises(ConnectFailed, match=r"nowhere\.invalid could not be reached"):
            await ask(http, Origin("https", "nowhere.invalid", 443))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_trusted_provider_answers_over_tls(authority: trustme.CA) -> None:
    tls = server_tls(authority, "127.0.0.1")
    async with serving(answer_all, tls) as origin, client(tls=client_tls(authority)) as http:
        for _ in range(2):
            assert await (await ask(http, origin)).read() == b"ok"
        assert http.pool(origin).idle() == 1


async def test_a_certificate_nobody_vouches_for_is_refused(authority: trustme.CA) -> None:
    async with serving(answer_all, server_tls(authority, "127.0.0.1")) as origin, client() as http:
        with pytest.raises(ConnectFailed, match="certificate is not trusted"):
            await ask(http, origin)


async def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    tls = server_tls(authority, "other.example")
    async with serving(answer_all, tls) as origin, client(tls=client_tls(authority)) as http:
        with pytest.raises(ConnectFailed, match="certificate is not trusted"):
            await ask(http, origin)


@contextlib.asynccontextmanager
async def proxying(seen: list[bytes]) -> AsyncIterator[str]:
    """A forward proxy that wants credentials for CONNECT."""

    async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await head(reader)
        seen.append(asked)
        if not asked.startswith(b"CONNECT "):
            writer.write(OK)
            await reader.read()
            return
        if b"proxy-authorization: Basic dTpw" not in asked:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            await writer.drain()
            return
        port = int(asked.split(b" ")[1].rpartition(b":")[2])
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, to_writer), pump(to_reader, writer))

    async with serving(tunnel) as origin:
        yield origin.authority


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def test_https_goes_through_the_proxy_by_connect(authority: trustme.CA) -> None:
    seen: list[bytes] = []
    tls = server_tls(authority, "127.0.0.1")
    async with proxying(seen) as proxy, serving(answer_all, tls) as origin:
        environ = {"HTTPS_PROXY": f"http://u:p@{proxy}"}
        async with client(environ, client_tls(authority)) as http:
            for _ in range(2):
                assert await (await ask(http, origin)).read() == b"ok"
    assert [line.split(b" ")[1] for line in seen] == [origin.authority.encode()]


async def test_a_proxy_that_refuses_is_said_in_words(authority: trustme.CA) -> None:
    tls = server_tls(authority, "127.0.0.1")
    async with (
        proxying([]) as proxy,
        serving(answer_all, tls) as origin,
        client({"HTTPS_PROXY": f"http://{proxy}"}, client_tls(authority)) as http,
    ):
        with pytest.raises(ConnectFailed, match="407 Proxy Authentication Required"):
            await ask(http, origin)


async def test_plain_http_goes_to_the_proxy_itself() -> None:
    seen: list[bytes] = []
    async with proxying(seen) as proxy, client({"HTTP_PROXY": f"http://u:p@{proxy}"}) as http:
        pool = http.pool(Origin("http", "models.internal", 80))
        request = b"GET %b/v1 HTTP/1.1\r\nhost: x\r\n%b\r\n" % (pool.target_prefix, pool.proxy_headers)
        assert await (await pool.ask((request, b""), QUICK)).read() == b"ok"
    assert seen[0].startswith(b"GET http://models.internal/v1 HTTP/1.1")
    assert b"proxy-authorization: Basic dTpw" in seen[0]
