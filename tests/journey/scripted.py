"""One answer as a provider of each dialect gives it, whole and streamed; and how its client reads it."""

from __future__ import annotations

import json
from typing import Any

from tests.journey.field import data_event, event, piece
from tests.journey.live import DONE, Say, json_answer

PAIRS = [
    (provider, client)
    for provider in ("openai_chat", "openai_responses", "anthropic", "gemini")
    for client in ("openai_chat", "openai_responses", "anthropic", "gemini")
    if provider != client
]
"""A provider's dialect, and that of a client who is answered in translation."""
TEXT = "Once upon a time."
USAGE = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}


def _response(status: str, output: list[Any]) -> dict[str, Any]:
    usage = {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6} if status == "completed" else None
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m"}
    return {**head, "status": status, "output": output, "usage": usage}


_PART = {"type": "output_text", "text": TEXT, "annotations": []}
_ITEM = {"type": "message", "id": "item_1", "role": "assistant", "status": "completed", "content": [_PART]}
_PLACE = {"item_id": "item_1", "output_index": 0, "content_index": 0}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m"}
_HEAD = {"modelVersion": "m", "responseId": "r"}


def _candidate(text: str, **more: Any) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}


WHOLE: dict[str, Say] = {
    "openai_chat": json_answer(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "m",
            "created": 1,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
            ],
            "usage": USAGE,
        }
    ),
    "openai_responses": json_answer(_response("completed", [_ITEM])),
    "anthropic": json_answer(
        {
            **_MESSAGE,
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 4, "output_tokens": 2},
        }
    ),
    "gemini": json_answer(
        {
            "candidates": [_candidate(TEXT, finishReason="STOP")],
            "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6},
        }
    ),
}
STREAMS: dict[str, list[bytes]] = {
    "openai_chat": [
        piece({"role": "assistant", "content": ""}),
        piece({"content": TEXT[:4]}),
        piece({"content": TEXT[4:]}),
        piece({}, "stop"),
        data_event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": USAGE}),
        DONE,
    ],
    "openai_responses": [
        event("response.created", response=_response("in_progress", [])),
        event("response.output_item.added", output_index=0, item={**_ITEM, "content": []}),
        event("response.content_part.added", part={**_PART, "text": ""}, **_PLACE),
        event("response.output_text.delta", delta=TEXT[:4], **_PLACE),
        event("response.output_text.delta", delta=TEXT[4:], **_PLACE),
        event("response.output_text.done", text=TEXT, **_PLACE),
        event("response.output_item.done", output_index=0, item=_ITEM),
        event("response.completed", response=_response("completed", [_ITEM])),
    ],
    "anthropic": [
        event(
            "message_start",
            message={**_MESSAGE, "content": [], "usage": {"input_tokens": 4, "output_tokens": 1}},
        ),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": TEXT[:4]}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": TEXT[4:]}),
        event("content_block_stop", index=0),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2}),
        event("message_stop"),
    ],
    "gemini": [
        data_event({"candidates": [_candidate(TEXT[:4])], **_HEAD, "usageMetadata": {"promptTokenCount": 4}}),
        data_event({"candidates": [_candidate(TEXT[4:])], **_HEAD}),
        data_event(
            {
                "candidates": [_candidate("", finishReason="STOP")],
                **_HEAD,
                "usageMetadata": {"promptTokenCount": 4, "candidatesTokenCount": 2, "totalTokenCount": 6},
            }
        ),
    ],
}
BEGUN = {
    dialect: next(number for number, one in enumerate(stream, 1) if TEXT[:4].encode() in one)
    for dialect, stream in STREAMS.items()
}
"""How many events bring the first words."""
BREAKS: dict[str, bytes] = {
    "openai_chat": data_event({"error": {"message": "so it is", "type": "server_error", "code": "busy"}}),
    "openai_responses": event("error", code="server_error", message="so it is", param=None),
    "anthropic": event("error", error={"type": "overloaded_error", "message": "so it is"}),
    "gemini": data_event({"error": {"code": 503, "message": "so it is", "status": "UNAVAILABLE"}}),
}
"""An error in the middle of a stream."""
_ENDS = {
    "openai_chat": '"finish_reason":"stop"',
    "openai_responses": '"response.completed"',
    "anthropic": '"message_stop"',
    "gemini": '"finishReason":"STOP"',
}


def is_whole(client: str, body: bytes) -> bool:
    """Whether a stream tells its client that the answer is whole."""
    return _ENDS[client] in body.decode().replace('": ', '":')


def is_broken(body: bytes) -> bool:
    """Whether a stream tells its client that it broke."""
    text = body.decode()
    return '"error":{' in text or "event: error" in text or "response.failed" in text


def error(dialect: str, status: int, message: str) -> dict[str, Any]:
    """An error's body, in the words of a provider."""
    kind, word = _WORDS[status]
    match dialect:
        case "anthropic":
            return {"type": "error", "error": {"type": kind, "message": message}}
        case "gemini":
            return {"error": {"code": status, "message": message, "status": word}}
        case _:
            return {"error": {"message": message, "type": kind, "param": None, "code": None}}


def message_of(client: str, body: bytes) -> str:
    """The sentence of an error, as a client reads it."""
    said = json.loads(body)
    assert client != "anthropic" or said["type"] == "error"
    message = said["error"]["message"]
    assert isinstance(message, str)
    return message


_WORDS = {
    400: ("invalid_request_error", "INVALID_ARGUMENT"),
    401: ("authentication_error", "UNAUTHENTICATED"),
    403: ("permission_error", "PERMISSION_DENIED"),
    404: ("not_found_error", "NOT_FOUND"),
    408: ("timeout_error", "DEADLINE_EXCEEDED"),
    409: ("conflict_error", "ABORTED"),
    413: ("request_too_large", "INVALID_ARGUMENT"),
    422: ("invalid_request_error", "INVALID_ARGUMENT"),
    429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
    500: ("api_error", "INTERNAL"),
    502: ("api_error", "UNKNOWN"),
    503: ("overloaded_error", "UNAVAILABLE"),
    504: ("timeout_error", "DEADLINE_EXCEEDED"),
    529: ("overloaded_error", "UNAVAILABLE"),
}
STATUSES = tuple(_WORDS)
