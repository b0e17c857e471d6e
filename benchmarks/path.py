"""What one call costs in Python, without the kernel: fed by hand, and a provider that answers at once.

    python benchmarks/path.py [--stream] [--to anthropic] [--seconds 3] [--profile]

With --stream: of one chunk of a stream, each coming by itself, as from a model that thinks. With --to
anthropic: the client speaks OpenAI's dialect and the provider Anthropic's, so that the call is translated.
Prints microseconds of processor time per call, the thread that writes records included, and of wall-clock
time. Sockets add about as much again, and that part is not ours to make smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import json
import pstats
import tempfile
import time
from typing import Any, cast

import msgspec
import uvloop

from madang.app import App
from madang.config.schema import Config, Provider, Store
from madang.transport.address import read_origin
from madang.transport.connection import Connection
from madang.web.server import _COLLECT_AFTER, Server

CLIENTS = 32
"""At once, so that what the event loop costs by itself is shared."""
KEY = "sk-bench-0123456789abcdefghij"
ANSWER = msgspec.json.encode(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello! " * 20}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 119, "completion_tokens": 10, "total_tokens": 129},
    }
)
ANTHROPIC_ANSWER = msgspec.json.encode(
    {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "Hello! " * 20}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 119, "output_tokens": 10, "cache_read_input_tokens": 0},
    }
)


def whole(answer: bytes) -> bytes:
    """An answer with its head, as providers write it."""
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nx-request-id: req_1\r\n"
        b"openai-processing-ms: 12\r\nx-ratelimit-remaining-requests: 9999\r\n\r\n%b" % (len(answer), answer)
    )


EVENT = b"data: %b\n\n" % msgspec.json.encode(
    {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": "chat.completion.chunk",
        "created": 1741569952,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "delta": {"content": "word "}, "logprobs": None, "finish_reason": None}],
        "usage": None,
    }
)


def chunked(event: bytes) -> bytes:
    """An event in a chunk of its own."""
    return b"%x\r\n%b\r\n" % (len(event), event)


ANTHROPIC_BEGIN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message",'
    b'"role":"assistant","model":"claude-haiku-4-5","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":119,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
)
ANTHROPIC_EVENT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"word "}}\n\n'
)


class Script(msgspec.Struct):
    """What the provider answers: at once; and in a stream, first and then again and again."""

    at_once: bytes
    first: bytes
    then: bytes


SCRIPTS = {
    "openai_chat": Script(whole(ANSWER), chunked(EVENT), chunked(EVENT)),
    "anthropic": Script(
        whole(ANTHROPIC_ANSWER), chunked(ANTHROPIC_BEGIN + ANTHROPIC_EVENT), chunked(ANTHROPIC_EVENT)
    ),
}
STREAMED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Transport(asyncio.Transport):
    """Takes what is written and says when an answer is there."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.set()

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Upstream(Transport):
    """A provider's end: answers as soon as it is asked."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.protocol: Connection | None = None
        self._script = script

    def writelines(self, list_of_data: Any) -> None:
        asked = b"".join(list_of_data)
        streams = b'"stream": true' in asked or b'"stream":true' in asked
        said = STREAMED + self._script.first if streams else self._script.at_once
        asyncio.get_running_loop().call_soon(cast(Connection, self.protocol).data_received, said)


async def _open_streams(clients: list[tuple[Any, Transport]]) -> None:
    request = _request(stream=True)
    for protocol, transport in clients:
        transport.written.clear()
        protocol.data_received(request)
    for _, transport in clients:
        await transport.written.wait()


async def run(seconds: float, profile: bool, stream: bool, dialect: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = Config(
            providers={"up": Provider(base_url="http://127.0.0.1:1/v1", dialects=[dialect])},
            routes={"fast": "up/gpt-4o-mini"},
            store=Store(data_dir=folder),
        )
        app = App(config, {"MADANG_ADMIN_KEY": KEY})
        server = Server(app)
        await app.start()
        gc.set_threshold(_COLLECT_AFTER)  # as the server does
        settings = server.config
        settings.load()
        loop = asyncio.get_running_loop()
        pool = app.http.pool(read_origin(app.providers[0].base_url))
        for _ in range(CLIENTS):
            upstream = Upstream(SCRIPTS[dialect])
            upstream.protocol = Connection(loop, pool._rest, pool._lost)
            upstream.protocol.connection_made(upstream)
            pool._rest(upstream.protocol)
        clients = []
        for _ in range(CLIENTS):
            protocol = cast(Any, settings.http_protocol_class)(settings, server.server_state, {}, loop)
            transport = Transport()
            protocol.connection_made(transport)
            clients.append((protocol, transport))
        request = _request()
        profiler = cProfile.Profile()
        count, begun, worked = 0, time.perf_counter(), time.process_time()
        if profile:
            profiler.enable()
        if stream:
            await _open_streams(clients)
            connections = [one for one in app.http.busy if isinstance(one, Connection)]
        while time.perf_counter() - begun < seconds and stream:
            for connection in connections:
                connection.data_received(SCRIPTS[dialect].then)
            for _ in range(3):  # the turns of the loop from the provider's bytes to the client's
                await asyncio.sleep(0)
            count += CLIENTS
        while time.perf_counter() - begun < seconds:
            for protocol, transport in clients:
                transport.written.clear()
                protocol.data_received(request)
            for _, transport in clients:
                await transport.written.wait()
            count += CLIENTS
        spent, worked = time.perf_counter() - begun, time.process_time() - worked
        profiler.disable()
        cost, clock = worked / count * 1e6, spent / count * 1e6
        print(f"{cost:.1f} us of processor time a call, {clock:.1f} on the clock, {count} calls")
        if profile:
            pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
        await app.stop()


def _request(stream: bool = False) -> bytes:
    asked = {
        "stream": stream,
        "model": "fast",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "a plain sentence about rate limits " * 24},
        ],
        "max_tokens": 256,
        "temperature": 0.7,
    }
    body = json.dumps(asked).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:4000\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (KEY.encode(), len(body), body)
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--profile", action="store_true")
    options.add_argument("--stream", action="store_true")
    options.add_argument("--to", choices=sorted(SCRIPTS), default="openai_chat")
    chosen = options.parse_args()
    uvloop.run(run(chosen.seconds, chosen.profile, chosen.stream, chosen.to))


if __name__ == "__main__":
    main()
