"""Asking whether an Ollama answers, of servers that are one, are none, or say nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from madang.transport.probe import probe_ollama

OLLAMA = b'HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"version":"0.12.0"}'


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """A server that gives this reply to whoever says something, until told to stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    if connection.recv(1000) and reply:
                        connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_an_ollama_is_recognised() -> None:
    with answering(OLLAMA) as url:
        assert probe_ollama(url, limit=5)
        assert probe_ollama(f"{url}/", limit=5)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        OLLAMA.replace(b"200 OK", b"500 No"),
        b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{",
    ],
)
def test_another_server_is_none(reply: bytes) -> None:
    with answering(reply) as url:
        assert not probe_ollama(url, limit=5)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}", "http://[::1]:{port}", "http://", "http://127.0.0.1:x", "nonsense"]
)
def test_where_nothing_listens_the_answer_is_no(url: str) -> None:
    assert not probe_ollama(url.format(port=free_port()))


def test_a_server_that_says_nothing_holds_up_the_start_no_longer_than_the_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        assert not probe_ollama(f"http://127.0.0.1:{silent.getsockname()[1]}", limit=0.05)
        assert time.monotonic() - began < 2


def test_a_server_that_drips_holds_it_up_no_longer_either() -> None:
    """Each byte is in time, the whole is not: what a socket's own timeout does not see."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            while not done.is_set():
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    if connection.recv(1000):
                        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n")
                    while not done.wait(0.02):
                        connection.sendall(b" ")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        assert not probe_ollama(f"http://127.0.0.1:{server.getsockname()[1]}", limit=0.1)
        took = time.monotonic() - began
        done.set()
        assert took < 3
