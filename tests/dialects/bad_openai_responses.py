"""Requests to the Responses API that cannot be understood: what a client is told, and where it is."""

from __future__ import annotations

from collections.abc import Mapping


def asking(*items: object, **more: object) -> dict[str, object]:
    return {"model": "m", "input": list(items), **more}


def saying(*blocks: object, role: str = "user") -> dict[str, object]:
    return asking({"role": role, "content": list(blocks)})


def offering(tool: object) -> dict[str, object]:
    return {"model": "m", "input": "hi", "tools": [tool]}


def setting(**settings: object) -> dict[str, object]:
    return {"model": "m", "input": "hi", **settings}


CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}


def without(item: Mapping[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in item.items() if key != name}


BAD_REQUESTS: list[tuple[str, object, str, str | None]] = [
    ("empty", b"", "invalid_json", None),
    ("no JSON", b"{model: m}", "invalid_json", None),
    ("cut off", b'{"model": "m"', "invalid_json", None),
    ("a list", [], "invalid_type", None),
    ("no model", {"input": "hi"}, "missing_model", "model"),
    ("a blank model", {"model": " ", "input": "hi"}, "invalid_model", "model"),
    ("a model that is a number", {"model": 1, "input": "hi"}, "invalid_type", "model"),
    ("no input", {"model": "m"}, "missing_parameter", "input"),
    ("input that is null", {"model": "m", "input": None}, "missing_parameter", "input"),
    ("input that is an object", {"model": "m", "input": {}}, "invalid_type", "input"),
    ("instructions that are a list", setting(instructions=["be brief"]), "invalid_type", "instructions"),
    ("an item that is text", asking("hi"), "invalid_type", "input.0"),
    ("an item of no type", asking({"content": "hi"}), "missing_parameter", "input.0.type"),
    ("a type that is a number", asking({"type": 1}), "invalid_type", "input.0.type"),
    (
        "a message of nobody",
        asking({"type": "message", "content": "hi"}),
        "missing_parameter",
        "input.0.role",
    ),
    (
        "an unknown role",
        asking({"role": "user", "content": "hi"}, {"role": "tool", "content": "hi"}),
        "invalid_value",
        "input.1.role",
    ),
    ("a role that is a number", asking({"role": 1, "content": "hi"}), "invalid_type", "input.0.role"),
    ("a message without content", asking({"role": "user"}), "missing_parameter", "input.0.content"),
    (
        "an assistant without content",
        asking({"role": "assistant", "content": None}),
        "missing_parameter",
        "input.0.content",
    ),
    ("content that is a number", asking({"role": "user", "content": 1}), "invalid_type", "input.0.content"),
    ("a block that is text", saying("hi"), "invalid_type", "input.0.content.0"),
    ("a block of no type", saying({"text": "hi"}), "missing_parameter", "input.0.content.0.type"),
    (
        "text without text",
        saying({"type": "input_text", "text": "hi"}, {"type": "input_text"}),
        "missing_parameter",
        "input.0.content.1.text",
    ),
    (
        "words without words",
        saying({"type": "output_text"}, role="assistant"),
        "missing_parameter",
        "input.0.content.0.text",
    ),
    (
        "annotations that are none",
        saying({"type": "output_text", "text": "hi", "annotations": [1]}, role="assistant"),
        "invalid_type",
        "input.0.content.0.annotations",
    ),
    (
        "an image of nothing",
        saying({"type": "input_image"}),
        "missing_parameter",
        "input.0.content.0.image_url",
    ),
    (
        "an image as chat completions write it",
        saying({"type": "input_image", "image_url": {"url": "https://example.com/a.png"}}),
        "invalid_type",
        "input.0.content.0.image_url",
    ),
    (
        "a file of nothing",
        saying({"type": "input_file", "filename": "a.pdf"}),
        "missing_parameter",
        "input.0.content.0.file_data",
    ),
    (
        "a sound of no format",
        saying({"type": "input_audio", "input_audio": {"data": "AAAA"}}),
        "missing_parameter",
        "input.0.content.0.input_audio.format",
    ),
    ("a call without an id", asking(without(CALL, "call_id")), "missing_parameter", "input.0.call_id"),
    ("a call of an empty id", asking({**CALL, "call_id": ""}), "missing_parameter", "input.0.call_id"),
    ("a call of no function", asking(without(CALL, "name")), "missing_parameter", "input.0.name"),
    (
        "arguments that are an object",
        asking({**CALL, "arguments": {}}),
        "invalid_type",
        "input.0.arguments",
    ),
    (
        "a result of no call",
        asking(CALL, without(RESULT, "call_id")),
        "missing_parameter",
        "input.1.call_id",
    ),
    ("a result of nothing", asking(CALL, without(RESULT, "output")), "missing_parameter", "input.1.output"),
    ("a result that is an object", asking(CALL, {**RESULT, "output": {}}), "invalid_type", "input.1.output"),
    (
        "a summary that is text",
        asking({"type": "reasoning", "summary": "hm"}),
        "invalid_type",
        "input.0.summary",
    ),
    (
        "a signature that is none",
        asking({"type": "reasoning", "summary": [], "encrypted_content": 1}),
        "invalid_type",
        "input.0.encrypted_content",
    ),
    ("tools that are an object", setting(tools={}), "invalid_type", "tools"),
    ("a tool of no type", offering({"name": "f"}), "missing_parameter", "tools.0.type"),
    (
        "a tool as chat completions write it",
        offering({"type": "function", "function": {"name": "f"}}),
        "missing_parameter",
        "tools.0.name",
    ),
    (
        "parameters that are text",
        offering({"type": "function", "name": "f", "parameters": "{}"}),
        "invalid_type",
        "tools.0.parameters",
    ),
    ("an unknown choice", setting(tool_choice="any"), "invalid_value", "tool_choice"),
    ("a choice that is a list", setting(tool_choice=["f"]), "invalid_type", "tool_choice"),
    (
        "a choice of no function",
        setting(tool_choice={"type": "function"}),
        "missing_parameter",
        "tool_choice.name",
    ),
    (
        "a choice in no mode",
        setting(tool_choice={"type": "allowed_tools", "mode": "none", "tools": []}),
        "invalid_value",
        "tool_choice.mode",
    ),
    ("a temperature that is text", setting(temperature="hot"), "invalid_type", "temperature"),
    ("half a token", setting(max_output_tokens=1.5), "invalid_type", "max_output_tokens"),
    ("a stream that is text", setting(stream="yes"), "invalid_type", "stream"),
    ("a store that is text", setting(store="yes"), "invalid_type", "store"),
    ("an effort that is a number", setting(reasoning={"effort": 1}), "invalid_type", "reasoning.effort"),
    ("reasoning that is text", setting(reasoning="high"), "invalid_type", "reasoning"),
    ("a format of no type", setting(text={"format": {}}), "missing_parameter", "text.format.type"),
    (
        "a schema of no name",
        setting(text={"format": {"type": "json_schema", "schema": {}}}),
        "missing_parameter",
        "text.format.name",
    ),
    (
        "a name of no schema",
        setting(text={"format": {"type": "json_schema", "name": "x"}}),
        "missing_parameter",
        "text.format.schema",
    ),
    ("an include that is a number", setting(include=["x", 1]), "invalid_type", "include.1"),
    ("metadata that is a number", setting(metadata={"a": "b", "c": 1}), "invalid_type", "metadata.c"),
    ("a user that is a number", setting(user=1), "invalid_type", "user"),
]
"""Name, body (as JSON, or raw bytes), code, param."""
