"""Answers that are odd in ways a provider should not be, and what of them may reach a client."""

from __future__ import annotations

import asyncio

import pytest

from madang.core.errors import BrokenAnswer
from madang.transport.connection import Connection, Response
from madang.transport.deadlines import Timeouts


class Wire(asyncio.Transport):
    """A transport that takes everything and says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nobody reads it."""

    def is_closing(self) -> bool:
        return self.ended

    def abort(self) -> None:
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return 0


async def answered(said: bytes) -> tuple[Response, Wire]:
    """The answer of a provider that says this at once."""
    loop = asyncio.get_running_loop()
    connection = Connection(loop, lambda _: None, lambda _: None)
    wire = Wire()
    connection.connection_made(wire)
    loop.call_soon(connection.data_received, said)
    async with asyncio.timeout(1):
        return await connection.ask((b"GET / HTTP/1.1\r\n\r\n",), Timeouts()), wire


async def test_what_follows_a_chunked_answer_is_no_header() -> None:
    head = b"HTTP/1.1 200 OK\r\nx-a: 1\r\ntransfer-encoding: chunked\r\n\r\n"
    response, _ = await answered(head + b"2\r\nok\r\n0\r\nset-cookie: late\r\nx-b: 2\r\n\r\n")
    assert response.headers == [(b"x-a", b"1"), (b"transfer-encoding", b"chunked")]
    assert await response.read() == b"ok"


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"gzip", b"x-private,chunked"])
async def test_a_transfer_coding_nobody_asked_for_is_an_error(coding: bytes) -> None:
    with pytest.raises(BrokenAnswer, match="transfer coding"):
        await answered(b"HTTP/1.1 200 OK\r\ntransfer-encoding: %b\r\n\r\n2\r\nok\r\n0\r\n\r\n" % coding)


@pytest.mark.parametrize("status", [b"000", b"042", b"099"])
async def test_a_status_that_is_none_is_an_error(status: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        await answered(b"HTTP/1.1 %b Odd\r\ncontent-length: 2\r\n\r\nok" % status)


@pytest.mark.parametrize("extra", [b"abc", b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"])
@pytest.mark.parametrize("status", [b"204", b"304"])
async def test_bytes_behind_an_answer_without_a_body_end_the_connection(status: bytes, extra: bytes) -> None:
    response, wire = await answered(b"HTTP/1.1 %b Odd\r\ncontent-length: 3\r\n\r\n%b" % (status, extra))
    assert await response.read() == b""
    assert wire.ended
