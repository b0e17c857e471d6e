"""What translating costs: a whole Madang over sockets, the same calls passed and translated in turn.

    python benchmarks/translated.py [--rounds 3] [--seconds 3] [--legs whole,paced]

One program here is provider and client (fixed bytes, so that it stays quick); Madang runs beside it, on
a core of its own where `taskset` is, with keys, routes, records and metering on. Printed are medians of
interleaved rounds: Madang's processor time per call, and per chunk of 500 streams of 100 chunks, 20 ms
apart; and their ratio to the call that passes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, cast

import msgspec
import uvloop

HERE = Path(__file__).resolve().parent
KEY = "sk-bench-0123456789abcdefghij"
PORT, UPSTREAM = 4013, 4014
CLIENTS, STREAMS, CHUNKS, GAP = 64, 500, 100, 0.02
TICKS = os.sysconf("SC_CLK_TCK")

CONFIG = f"""
providers:
  chat: {{base_url: 'http://127.0.0.1:{UPSTREAM}/v1', dialects: [openai_chat], api_key: sk-up}}
  claude: {{base_url: 'http://127.0.0.1:{UPSTREAM}', dialects: [anthropic], api_key: sk-up}}
routes:
  chat: chat/gpt-4o-mini
  claude: claude/claude-haiku-4-5
"""
TEXT = "Hello! How can I assist you today with your question about distributed systems?"
CHAT = msgspec.json.encode(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 119, "completion_tokens": 10, "total_tokens": 129},
    }
)
MESSAGE: dict[str, object] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": TEXT}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 119, "output_tokens": 10},
}


def event(name: str, **data: object) -> bytes:
    return f"event: {name}\ndata: ".encode() + msgspec.json.encode({"type": name, **data}) + b"\n\n"


def chat_chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1741569952}
    return b"data: " + msgspec.json.encode({**head, "model": "gpt-4o-mini", "choices": [choice]}) + b"\n\n"


class Script(msgspec.Struct):
    """What the provider says: whole, or first, then again and again, last."""

    whole: bytes
    first: bytes
    chunk: bytes
    last: bytes


SCRIPTS = {
    b"/v1/chat/completions": Script(
        CHAT,
        chat_chunk({"role": "assistant", "content": ""}),
        chat_chunk({"content": "word "}),
        chat_chunk({}, "stop") + b"data: [DONE]\n\n",
    ),
    b"/v1/messages": Script(
        msgspec.json.encode(MESSAGE),
        event("message_start", message={**MESSAGE, "content": [], "stop_reason": None})
        + event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "word "}),
        event("content_block_stop", index=0)
        + event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 100})
        + event("message_stop"),
    ),
}


class Provider(asyncio.Protocol):
    """Answers by path; streams tick together, as one clock says."""

    speaking: ClassVar[set[Provider]] = set()

    def __init__(self) -> None:
        self.held = b""
        self.script = SCRIPTS[b"/v1/messages"]
        self.said = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.speaking.discard(self)

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, blank, body = self.held.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        if not blank or len(body) < length:
            return
        self.held = b""
        self.script = SCRIPTS[head.split(b" ", 2)[1]]
        if b'"stream":true' in body.replace(b" ", b""):
            self.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            self.say(self.script.first)
            self.said = 0
            self.speaking.add(self)
            return
        whole = self.script.whole
        kind = b"content-type: application/json"
        self.write(b"HTTP/1.1 200 OK\r\n%b\r\ncontent-length: %d\r\n\r\n%b" % (kind, len(whole), whole))

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def say(self, piece: bytes) -> None:
        self.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    @classmethod
    async def tick(cls) -> None:
        """One chunk for every stream, again and again; spread over the gap."""
        while True:
            began = time.perf_counter()
            for number, one in enumerate(list(cls.speaking)):
                one.said += 1
                if one.said <= CHUNKS:
                    one.say(one.script.chunk)
                else:
                    cls.speaking.discard(one)
                    one.say(one.script.last)
                    one.write(b"0\r\n\r\n")
                if number % 25 == 24:
                    await asyncio.sleep(0)
            await asyncio.sleep(max(0.0, GAP - (time.perf_counter() - began)))


class Client(asyncio.Protocol):
    """Asks again as soon as it is answered."""

    def __init__(self, request: bytes, answered: Callable[[], bool]) -> None:
        self.request, self.answered = request, answered
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        begins = not self.held
        self.held = data if begins else self.held + data
        if begins and not data.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"Madang answered {data[:600]!r}")
        if b"\r\ntransfer-encoding: chunked\r\n" in self.held[:1000]:
            done = data.endswith(b"\r\n0\r\n\r\n") or data == b"0\r\n\r\n"
            self.held = self.held[:1000]
        else:
            head, _, body = self.held.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            done = bool(length) and len(body) >= int(length)
        if done:
            self.held = b""
            if self.answered():
                self.transport.write(self.request)


def request(model: str, *, anthropic: bool = False, stream: bool = False) -> bytes:
    question = {"role": "user", "content": "a plain sentence about rate limits " * 24}
    asked: dict[str, object] = {"model": model, "messages": [question], "max_tokens": 256, "stream": stream}
    if anthropic:
        asked["system"] = "You are a helpful assistant."
    else:
        asked["messages"] = [{"role": "system", "content": "You are a helpful assistant."}, question]
    body = msgspec.json.encode(asked)
    path = "/v1/messages" if anthropic else "/v1/chat/completions"
    lines = [
        f"POST {path} HTTP/1.1",
        "host: x",
        "content-type: application/json",
        f"authorization: Bearer {KEY}",
    ]
    return "\r\n".join([*lines, ""]).encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body)


LEGS = {
    "chat passes to chat": ("chat", False),
    "chat to anthropic, translated": ("claude", False),
    "anthropic passes to anthropic": ("claude", True),
    "anthropic to chat, translated": ("chat", True),
}


def worked(pid: int) -> float:
    """Seconds of processor time a process has spent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def whole(pid: int, asked: bytes, seconds: float) -> float:
    """Microseconds per call."""
    loop, count = asyncio.get_running_loop(), 0
    until = loop.time() + seconds

    def answered() -> bool:
        nonlocal count
        count += 1
        return loop.time() < until

    before = worked(pid)
    pairs = [
        await loop.create_connection(lambda: Client(asked, answered), "127.0.0.1", PORT)
        for _ in range(CLIENTS)
    ]
    await asyncio.sleep(seconds + 0.3)
    for transport, _ in pairs:
        transport.close()
    return (worked(pid) - before) / count * 1e6


async def paced(pid: int, asked: bytes, _: float) -> float:
    """Microseconds per chunk."""
    loop, count = asyncio.get_running_loop(), 0

    def answered() -> bool:
        nonlocal count
        count += 1
        return False

    before = worked(pid)
    pairs = [
        await loop.create_connection(lambda: Client(asked, answered), "127.0.0.1", PORT)
        for _ in range(STREAMS)
    ]
    for _ in range(1200):
        await asyncio.sleep(0.05)
        if count >= STREAMS:
            break
    for transport, _ in pairs:
        transport.close()
    assert count == STREAMS, f"{count} of {STREAMS} streams came to their end"
    return (worked(pid) - before) / (STREAMS * CHUNKS) * 1e6


async def run(options: argparse.Namespace, pid: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Provider, "127.0.0.1", UPSTREAM, backlog=2048)
    ticking = asyncio.create_task(Provider.tick())
    measures = {"whole": whole, "paced": paced}
    for kind in options.legs.split(","):
        found: dict[str, list[float]] = {leg: [] for leg in LEGS}
        for _ in range(options.rounds):
            for leg, (model, anthropic) in LEGS.items():
                asked = request(model, anthropic=anthropic, stream=kind == "paced")
                found[leg].append(await measures[kind](pid, asked, options.seconds))
        base = statistics.median(found["chat passes to chat"])
        print(f"\n{kind}: Madang's processor time, us per {'call' if kind == 'whole' else 'chunk'}")
        for leg, values in found.items():
            middle = statistics.median(values)
            spread = f"{min(values):.1f} to {max(values):.1f}"
            print(f"  {leg:32} {middle:7.1f}   x {middle / base:.2f}   ({spread})")
    ticking.cancel()
    server.close()


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--legs", default="whole,paced")
    chosen = options.parse_args()
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    if pin and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "madang.yaml").write_text(CONFIG, encoding="utf-8")
        environ = {**os.environ, "MADANG_ADMIN_KEY": KEY}
        command = [*pin, sys.executable, "-m", "madang", "serve", "--port", str(PORT)]
        madang = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL)
        try:
            time.sleep(3.0)
            uvloop.run(run(chosen, madang.pid))
        finally:
            madang.terminate()
            madang.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
