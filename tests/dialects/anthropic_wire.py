"""Events of the Messages API's streams, as they stand on the wire."""

from __future__ import annotations

import json
from typing import Any

BEGIN = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1, "cache_read_input_tokens": 2},
    },
}
STOPPED = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 9},
}
OVER = {"type": "message_stop"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
LINK = {
    "type": "web_search_result_location",
    "cited_text": "q",
    "url": "u",
    "title": None,
    "encrypted_index": "E",
}


def wire(*events: dict[str, Any]) -> bytes:
    """Events as they come."""
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode()) for one in events
    )


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, kind: str, **members: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def words(index: int, text: str) -> dict[str, Any]:
    return delta(index, "text_delta", text=text)


def thought(index: int, text: str) -> dict[str, Any]:
    return delta(index, "thinking_delta", thinking=text)


def arguments(index: int, text: str) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=text)


TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


WHOLE = wire(
    BEGIN,
    {"type": "ping"},
    start(0, THINKING),
    thought(0, "h"),
    thought(0, "m"),
    delta(0, "signature_delta", signature="EqQB"),
    stop(0),
    start(1, TEXT),
    words(1, "서울"),
    delta(1, "citations_delta", citation=LINK),
    stop(1),
    start(2, {**CALL, "caller": {"type": "direct"}}),
    arguments(2, ""),
    arguments(2, '{"a": '),
    arguments(2, "1}"),
    stop(2),
    {**STOPPED, "delta": {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None}},
    OVER,
)
