"""A message on the wire: as one body, or as the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from madang.simulator.anthropic.blocks import Block
from madang.simulator.anthropic.replies import Reply
from madang.simulator.dialect import StreamParts

_encode = msgspec.json.encode
PING: Final = b'event: ping\ndata: {"type": "ping"}\n'
BROKEN_JSON: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n'
_OF_DELTA: Final = (
    *("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"),
    *("output_tokens_details", "server_tool_use"),
)
_EARLY_TOKENS = 1
"""What a stream's first event says of the output: hardly anything is known yet."""


def message_body(reply: Reply) -> bytes:
    """The message, whole."""
    content = [block.whole for block in reply.blocks]
    return _encode(_message(reply, content, reply.stop_reason, reply.usage))


def message_events(reply: Reply, *, scripted: bool) -> StreamParts:
    """The stream, as recorded: a ping follows the first block's start.

    Where the stream is scripted, its deltas are those of the last block only.
    """
    first = _event("message_start", {"message": _message(reply, [], None, _early(reply.usage))})
    events = [event for at, block in enumerate(reply.blocks) for event in _block_events(at, block)]
    opening, deltas = [first, *events[:1], PING], events[1:-1]
    if scripted and reply.blocks:
        last = len(reply.blocks[-1].deltas)
        opening, deltas = [*opening, *deltas[: len(deltas) - last]], deltas[len(deltas) - last :]
    stop = {
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "stop_details": reply.stop_details,
    }
    usage = {name: reply.usage[name] for name in _OF_DELTA if name in reply.usage}
    closing = [*events[-1:], _event("message_delta", {"delta": stop, "usage": usage})]
    return StreamParts(opening, deltas, closing, _event("message_stop", {}))


def _message(
    reply: Reply, content: list[Mapping[str, object]], stop_reason: str | None, usage: dict[str, object]
) -> dict[str, object]:
    stopped = stop_reason is not None
    return {
        "model": reply.model,
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": reply.stop_sequence if stopped else None,
        "stop_details": reply.stop_details if stopped else None,
        "usage": usage,
    }


def _early(usage: dict[str, object]) -> dict[str, object]:
    early = {name: value for name, value in usage.items() if name not in _OF_DELTA[4:]}
    return {**early, "output_tokens": _EARLY_TOKENS}


def _block_events(index: int, block: Block) -> Iterator[bytes]:
    yield _event("content_block_start", {"index": index, "content_block": block.opening})
    start = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":' % index
    for delta in block.deltas:
        encoded = _encode(delta)
        yield b"%b%b%b}\n" % (start, encoded, _padding(len(encoded)))
    yield _event("content_block_stop", {"index": index})


def _event(kind: str, fields: dict[str, object]) -> bytes:
    encoded = _encode({"type": kind, **fields})
    return b"event: %b\ndata: %b%b}\n" % (kind.encode(), encoded[:-1], _padding(len(encoded)))


def _padding(size: int) -> bytes:
    """Blanks before the last bracket hide how long an event is: recorded since 2025."""
    return b" " * (size * 7 % 15)


def scripted_event(data: dict[str, object]) -> bytes:
    """An event of a scenario's own, named for its type."""
    return b"event: %b\ndata: %b\n" % (str(data.get("type", "message")).encode(), _encode(data))
