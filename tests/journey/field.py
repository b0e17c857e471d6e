"""For the bugs other gateways had: a house that speaks every dialect, and readers as strict as the SDKs."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from madang.config.schema import Config, Provider, Route
from madang.core.secret import Secret
from tests.journey.live import KEY, Answer, Live, Upstream, config_for

CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]
TALK = [{"role": "user", "content": "hello"}]
ASKING: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": ("/v1/chat/completions", {"messages": TALK}),
    "openai_responses": ("/v1/responses", {"input": "hello"}),
    "anthropic": ("/v1/messages", {"messages": TALK, "max_tokens": 5000}),
    "gemini": ("/v1beta/models/{model}:generateContent", {"contents": CONTENTS}),
}
"""Where a client of each dialect asks, and with what."""
MODELS = {"openai_chat": "gpt", "openai_responses": "kept", "anthropic": "claude", "gemini": "gem"}
"""By dialect: a route to a provider that speaks it."""


def house_of(provider: Upstream, other: Upstream) -> Config:
    """A provider for each dialect, all of them `provider`; and two more at `other`, to fall back to."""
    root, secret = provider.url.removesuffix("/v1"), Secret("sk-upstream")
    return config_for(
        provider,
        providers={
            "anthropic": Provider(base_url=root, api_key=secret),
            "gemini": Provider(base_url=root, api_key=secret),
            "chat": Provider(base_url=provider.url, api_key=secret, dialects=["openai_chat"]),
            "stored": Provider(base_url=provider.url, dialects=["openai_responses"]),
            "spare": Provider(base_url=other.url, dialects=["openai_chat"]),
            "elsewhere": Provider(base_url=other.url, dialects=["openai_responses"]),
        },
        routes={
            "claude": "anthropic/claude-haiku-4-5",
            "gem": "gemini/gemini-3-flash",
            "gpt": "chat/gpt-4o",
            "kept": "stored/gpt-5",
            "both": Route(targets=["chat/gpt-4o", "spare/gpt-a"]),
            "regions": Route(targets=["stored/gpt-5", "elsewhere/gpt-5"]),
        },
    )


def ask(house: Live, dialect: str, model: str, *, stream: bool = False, **members: Any) -> Answer:
    """A call as a client of a dialect makes it."""
    path, body = ASKING[dialect]
    path = path.format(model=model)
    if dialect == "gemini":
        path = path.replace(":generate", ":streamGenerate") + "?alt=sse" if stream else path
        return house.ask({**body, **members}, path)
    return house.ask({"model": model, "stream": stream, **body, **members}, path)


class Reading:
    """A stream as a client has read it so far, so that a provider can wait for that."""

    def __init__(self) -> None:
        self.heard = b""

    def ask(self, house: Live, dialect: str, model: str, *, until: bytes | None = None) -> bytes:
        """Ask, and read to the end; or until something has come, and then hang up."""
        path, body = ASKING[dialect]
        asked = msgspec.json.encode({**body, "model": model, "stream": True})
        connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=20)
        connection.request("POST", path, asked, {"authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        while (until is None or until not in self.heard) and (data := answer.read1(65536)):
            self.heard += data
        answer.close()
        connection.close()
        return self.heard


def event(name: str, **data: Any) -> bytes:
    """An event that repeats its name as its type, as Anthropic's and the Responses API's do."""
    return f"event: {name}\n".encode() + data_event({"type": name, **data})


def data_event(data: object) -> bytes:
    """An event without a name."""
    return f"data: {json.dumps(data)}\n\n".encode()


def piece(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """A chunk of a chat completion, as vLLM writes it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data_event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
    )


def call_piece(number: int, arguments: str, *, id: str | None = None, name: str | None = None) -> bytes:
    """A chunk with a part of a tool call."""
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    call = {"index": number, "function": function} | ({} if id is None else {"id": id, "type": "function"})
    return piece({"tool_calls": [call]})


def events_of(body: bytes) -> list[Any]:
    """The data of a stream's events, but for chat's end mark."""
    lines = [line for line in body.decode().split("\n") if line.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


_FITS = {
    "text": {"text_delta": "text"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "redacted_thinking": {},
}


def message_of(body: bytes) -> dict[str, Any]:
    """The message a stream was, read as Anthropic's SDK reads it; what that would stumble over fails.

    A block's deltas are put together under their own names; `input` is parsed.
    """
    message: dict[str, Any] | None = None
    blocks: list[dict[str, Any]] = []
    is_open = ended = False
    for one in events_of(body):
        assert not ended, f"{one['type']} after message_stop"
        if one["type"] == "message_start":
            assert message is None, "a second message_start"
            message = one["message"]
            continue
        assert message is not None, f"{one['type']} before message_start"
        match one["type"]:
            case "content_block_start":
                assert not is_open, "a block begins while another one is open"
                assert one["index"] == len(blocks), "a block begins at a place that is not the next"
                blocks.append(dict(one["content_block"]))
                is_open = True
            case "content_block_delta":
                _add(blocks, one, is_open)
            case "content_block_stop":
                assert is_open
                assert one["index"] == len(blocks) - 1, "another block than the open one ends"
                is_open = False
            case "message_delta":
                assert not is_open, "the message ends while a block is open"
                message = {**message, **one["delta"], "usage": {**message["usage"], **one["usage"]}}
            case "message_stop":
                ended = True
    assert ended, "no message_stop"
    assert message is not None
    return {**message, "content": [_whole(block) for block in blocks]}


def _add(blocks: list[dict[str, Any]], one: dict[str, Any], is_open: bool) -> None:
    delta, block = one["delta"], blocks[-1]
    assert is_open, "a delta of a block that is not open"
    assert one["index"] == len(blocks) - 1, "a delta of another block than the open one"
    name = _FITS[block["type"]].get(delta["type"])
    assert name is not None, f"a {delta['type']} in a block of {block['type']}"
    block[name] = block.get(name, "") + delta[name]


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] != "tool_use":
        return block
    text = block.pop("partial_json", "")
    return {**block, "input": json.loads(text) if text else block["input"]}


def calls_of(body: bytes) -> list[tuple[str, str, Any]]:
    """The tool calls of a chat stream: id, name and arguments, told apart by `index` as OpenAI's SDK does."""
    calls: dict[int, list[str]] = {}
    for one in events_of(body):
        for choice in one["choices"]:
            for call in choice["delta"].get("tool_calls") or ():
                whole = calls.setdefault(call["index"], ["", "", ""])
                function = call.get("function") or {}
                for place, said in enumerate(
                    (call.get("id"), function.get("name"), function.get("arguments"))
                ):
                    whole[place] += said or ""
    assert list(calls) == list(range(len(calls))), "calls are not counted 0, 1, 2"
    return [(call_id, name, json.loads(arguments)) for call_id, name, arguments in calls.values()]


def walk(value: Any) -> Iterator[Any]:
    """A JSON value and everything in it."""
    yield value
    inner: Sequence[Any] = ()
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, list):
        inner = value
    for one in inner:
        yield from walk(one)
