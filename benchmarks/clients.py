"""HTTP clients against each other: CPU per call and per chunk of a stream, from the client's process alone.

    python benchmarks/clients.py [--clients ours,pyreqwest,aiohttp] [--tls] [--rounds 3]

The upstream is our simulator in a process of its own; with --tls, nginx in front of it with a certificate
made for the run. Install what is compared (`pip install pyreqwest aiohttp`) where this runs; `--tls` needs
nginx and the dev requirements. Figures are medians of interleaved rounds; quote ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop

from madang.transport.address import read_origin
from madang.transport.deadlines import Timeouts
from madang.transport.pool import Http

AT_ONCE = 64
CALLS = 6000
STREAMS = 60
TOKENS = 100
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "a plain sentence " * 60}]}
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-x"}

Ask = Callable[[bytes], Awaitable[int]]
"""Sends a body and reads the whole answer; gives the number of pieces it came in."""


@contextlib.asynccontextmanager
async def ours(url: str, tls: ssl.SSLContext | None) -> AsyncIterator[Ask]:
    http = Http({}, tls)
    pool = http.pool(read_origin(url))
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {pool.origin.authority}\r\n{lines}".encode()

    async def ask(body: bytes) -> int:
        response = await pool.ask((head + b"content-length: %d\r\n\r\n" % len(body), body), Timeouts())
        pieces = 0
        while await response.next():
            pieces += 1
        return pieces

    yield ask
    http.close()


@contextlib.asynccontextmanager
async def aiohttp(url: str, tls: ssl.SSLContext | None) -> AsyncIterator[Ask]:
    import aiohttp as library

    connector = library.TCPConnector(limit=0, ssl=tls if tls is not None else True)
    async with library.ClientSession(connector=connector) as session:

        async def ask(body: bytes) -> int:
            pieces = 0
            async with session.post(f"{url}/chat/completions", data=body, headers=HEADERS) as response:
                async for _ in response.content.iter_any():
                    pieces += 1
            return pieces

        yield ask


@contextlib.asynccontextmanager
async def pyreqwest(url: str, tls: ssl.SSLContext | None) -> AsyncIterator[Ask]:
    from pyreqwest.client import ClientBuilder

    builder = ClientBuilder().max_connections(None)
    if tls is not None:
        builder = builder.danger_accept_invalid_certs(True)
    async with builder.build() as client:

        async def ask(body: bytes) -> int:
            pieces = 0
            request = client.post(f"{url}/chat/completions").headers(HEADERS).body_bytes(body)
            # Without this it reads up to 64 kB before it gives out the first byte.
            async with request.streamed_read_buffer_limit(0).build_streamed() as response:
                while await response.body_reader.read_chunk() is not None:
                    pieces += 1
            return pieces

        yield ask


CLIENTS: dict[str, Any] = {"ours": ours, "pyreqwest": pyreqwest, "aiohttp": aiohttp}


async def measure(name: str, url: str, tls: ssl.SSLContext | None) -> dict[str, float]:
    """CPU in microseconds per plain call and per chunk of a paced stream."""
    plain = json.dumps({**BODY, "max_tokens": 20}).encode()
    stream = json.dumps({**BODY, "model": f"sim-tokens-{TOKENS}+pace-10ms", "stream": True}).encode()
    async with CLIENTS[name](url, tls) as ask:
        await load(ask, plain, AT_ONCE * 4)
        call = await load(ask, plain, CALLS)
        chunks = await load(ask, stream, STREAMS, AT_ONCE)
    return {"call": call, "chunk": chunks / TOKENS}


async def load(ask: Ask, body: bytes, count: int, at_once: int = AT_ONCE) -> float:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await ask(body)

    begun = time.process_time()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return (time.process_time() - begun) / count * 1e6


@contextlib.contextmanager
def upstream(tls: bool) -> Iterator[tuple[str, str]]:
    """The simulator, behind nginx where TLS is wanted; its URL, and the file of the authority to trust."""
    simulate = [sys.executable, "-m", "madang", "simulate", "--port", "9400", "--quiet"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(simulate, stdout=subprocess.DEVNULL) as process,
    ):
        proxy = start_nginx(Path(folder)) if tls else None
        time.sleep(1.5)
        try:
            yield (
                ("https://127.0.0.1:9443/v1" if tls else "http://127.0.0.1:9400/v1"),
                str(Path(folder) / "ca.pem"),
            )
        finally:
            if proxy is not None:
                proxy.terminate()
                proxy.wait()
            process.terminate()


def start_nginx(folder: Path) -> subprocess.Popen[bytes]:
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "nginx.conf").write_text(
        f"""worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 1024; }}
http {{ access_log off; proxy_buffering off; keepalive_requests 100000000; proxy_http_version 1.1;
  upstream sim {{ server 127.0.0.1:9400; keepalive 256; }}
  server {{ listen 127.0.0.1:9443 ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    location / {{ proxy_pass http://sim; proxy_set_header Connection ""; }} }} }}
"""
    )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    return subprocess.Popen(
        [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.DEVNULL
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clients", default=",".join(CLIENTS))
    options.add_argument("--tls", action="store_true")
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    names = chosen.clients.split(",")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with upstream(chosen.tls) as (url, authority):
        for _ in range(chosen.rounds):
            for name in names:
                tls = ssl.create_default_context(cafile=authority) if chosen.tls else None
                found[name].append(uvloop.run(measure(name, url, tls)))
    print(f"{'client':<12}{'us/call':>9}{'ratio':>7}{'us/chunk':>10}{'ratio':>7}")
    median = {
        name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }
    first = median[names[0]]
    for name, one in median.items():
        ratios = one["call"] / first["call"], one["chunk"] / first["chunk"]
        print(f"{name:<12}{one['call']:>9.0f}{ratios[0]:>7.1f}{one['chunk']:>10.1f}{ratios[1]:>7.1f}")


if __name__ == "__main__":
    main()
