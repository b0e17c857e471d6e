"""Requests for chat completions that no provider could read, and what their senders are told.

`(name, body, code, param)`; a body is a JSON value, or bytes as they come.
"""

from __future__ import annotations

from typing import Any

USER: dict[str, Any] = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def asked(*messages: object, **members: object) -> dict[str, object]:
    """A request that says these things."""
    return {"model": "m", "messages": list(messages) or [USER], **members}


BAD_REQUESTS: list[tuple[str, object, str, str | None]] = [
    ("an empty body", b"", "invalid_json", None),
    ("half a body", b'{"model": "m", "messages": [', "invalid_json", None),
    ("a body that is no UTF-8", b'{"model": "\xff"}', "invalid_encoding", None),
    ("half of a surrogate pair", rb'{"model": "m", "messages": ["\ud800"]}', "invalid_encoding", None),
    ("a list", [USER], "invalid_type", None),
    ("a number", 7, "invalid_type", None),
    ("no model", {"messages": [USER]}, "missing_model", "model"),
    ("a null model", asked() | {"model": None}, "missing_model", "model"),
    ("a blank model", asked() | {"model": " "}, "invalid_model", "model"),
    ("a numbered model", asked() | {"model": 4}, "invalid_type", "model"),
    ("no messages", {"model": "m"}, "missing_parameter", "messages"),
    ("null messages", {"model": "m", "messages": None}, "missing_parameter", "messages"),
    ("empty messages", {"model": "m", "messages": []}, "invalid_value", "messages"),
    ("messages in a string", {"model": "m", "messages": "hi"}, "invalid_type", "messages"),
    ("a message that is a string", asked("hi"), "invalid_type", "messages.0"),
    ("no role", asked({"content": "hi"}), "missing_parameter", "messages.0.role"),
    ("an unknown role", asked(USER, {"role": "narrator", "content": ""}), "invalid_value", "messages.1.role"),
    ("a user without words", asked({"role": "user"}), "missing_parameter", "messages.0.content"),
    (
        "a system message of nothing",
        asked({"role": "system", "content": None}),
        "missing_parameter",
        "messages.0.content",
    ),
    ("a number for words", asked({"role": "user", "content": 5}), "invalid_type", "messages.0.content"),
    (
        "an object for words",
        asked({"role": "user", "content": {"type": "text"}}),
        "invalid_type",
        "messages.0.content",
    ),
    (
        "a part that is a string",
        asked({"role": "user", "content": ["hi"]}),
        "invalid_type",
        "messages.0.content.0",
    ),
    (
        "a part without a type",
        asked({"role": "user", "content": [{"text": "hi"}]}),
        "missing_parameter",
        "messages.0.content.0.type",
    ),
    (
        "a text part without text",
        asked({"role": "user", "content": [{"type": "text"}]}),
        "missing_parameter",
        "messages.0.content.0.text",
    ),
    (
        "a text part of a list",
        asked({"role": "user", "content": [{"type": "text", "text": []}]}),
        "invalid_type",
        "messages.0.content.0.text",
    ),
    (
        "an image without an address",
        asked({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
        "missing_parameter",
        "messages.0.content.0.image_url.url",
    ),
    (
        "an image without anything",
        asked({"role": "user", "content": [{"type": "text", "text": ""}, {"type": "image_url"}]}),
        "missing_parameter",
        "messages.0.content.1.image_url",
    ),
    (
        "a sound without data",
        asked({"role": "user", "content": [{"type": "input_audio", "input_audio": {"format": "wav"}}]}),
        "missing_parameter",
        "messages.0.content.0.input_audio.data",
    ),
    (
        "a sound without anything",
        asked({"role": "user", "content": [{"type": "input_audio"}]}),
        "missing_parameter",
        "messages.0.content.0.input_audio",
    ),
    (
        "a file without content",
        asked({"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf"}}]}),
        "missing_parameter",
        "messages.0.content.0.file.file_data",
    ),
    (
        "a file without anything",
        asked({"role": "user", "content": [{"type": "file"}]}),
        "missing_parameter",
        "messages.0.content.0.file",
    ),
    (
        "a result without the id of its call",
        asked(USER, {"role": "tool", "content": "ok"}),
        "missing_parameter",
        "messages.1.tool_call_id",
    ),
    (
        "a function's result without its name",
        asked(USER, {"role": "function", "content": "ok"}),
        "missing_parameter",
        "messages.1.name",
    ),
    (
        "calls in an object",
        asked(USER, {"role": "assistant", "tool_calls": CALL}),
        "invalid_type",
        "messages.1.tool_calls",
    ),
    (
        "a call without a function",
        asked(USER, {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function"}]}),
        "missing_parameter",
        "messages.1.tool_calls.0.function",
    ),
    (
        "a call without a name",
        asked(USER, {"role": "assistant", "tool_calls": [CALL, CALL | {"function": {"arguments": ""}}]}),
        "missing_parameter",
        "messages.1.tool_calls.1.function.name",
    ),
    (
        "a call with a number for arguments",
        asked(
            USER, {"role": "assistant", "tool_calls": [CALL | {"function": {"name": "f", "arguments": 3}}]}
        ),
        "invalid_type",
        "messages.1.tool_calls.0.function.arguments",
    ),
    (
        "a call with a numbered id",
        asked(USER, {"role": "assistant", "tool_calls": [CALL | {"id": 1}]}),
        "invalid_type",
        "messages.1.tool_calls.0.id",
    ),
    (
        "thoughts in a string",
        asked(USER, {"role": "assistant", "reasoning_details": "hm"}),
        "invalid_type",
        "messages.1.reasoning_details",
    ),
    ("tools in an object", asked(tools={"type": "function"}), "invalid_type", "tools"),
    ("a tool without a type", asked(tools=[{"function": {}}]), "missing_parameter", "tools.0.type"),
    (
        "a tool without a function",
        asked(tools=[{"type": "function"}]),
        "missing_parameter",
        "tools.0.function",
    ),
    (
        "a tool without a name",
        asked(tools=[{"type": "function", "function": {}}]),
        "missing_parameter",
        "tools.0.function.name",
    ),
    (
        "a schema in a string",
        asked(tools=[{"type": "function", "function": {"name": "f", "parameters": "{}"}}]),
        "invalid_type",
        "tools.0.function.parameters",
    ),
    ("an unknown choice", asked(tool_choice="maybe"), "invalid_value", "tool_choice"),
    ("a numbered choice", asked(tool_choice=1), "invalid_type", "tool_choice"),
    ("a choice of nothing", asked(tool_choice={}), "missing_parameter", "tool_choice.function"),
    (
        "a choice without a name",
        asked(tool_choice={"type": "function", "function": {}}),
        "missing_parameter",
        "tool_choice.function.name",
    ),
    ("warm", asked(temperature="warm"), "invalid_type", "temperature"),
    ("half a token", asked(max_tokens=1.5), "invalid_type", "max_tokens"),
    ("true tokens", asked(max_completion_tokens=True), "invalid_type", "max_completion_tokens"),
    ("a stream in words", asked(stream="yes"), "invalid_type", "stream"),
    ("options in a list", asked(stream=True, stream_options=[]), "invalid_type", "stream_options"),
    ("a stop of numbers", asked(stop=["a", 1]), "invalid_type", "stop.1"),
    ("a numbered stop", asked(stop=1), "invalid_type", "stop"),
    ("numbered metadata", asked(metadata={"a": 1}), "invalid_type", "metadata.a"),
    ("an effort in numbers", asked(reasoning_effort=3), "invalid_type", "reasoning_effort"),
    ("a format in a word", asked(response_format="json"), "invalid_type", "response_format"),
    ("a format without a type", asked(response_format={}), "missing_parameter", "response_format.type"),
    (
        "a schema without a schema",
        asked(response_format={"type": "json_schema"}),
        "missing_parameter",
        "response_format.json_schema",
    ),
    ("n in words", asked(n="two"), "invalid_type", "n"),
]
