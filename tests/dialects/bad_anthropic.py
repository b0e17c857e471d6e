"""Requests to the Messages API that cannot be understood: what a client is told, and where it is.

`(name, body, code, param)`; a body is a JSON value, or bytes as they come.
"""

from __future__ import annotations

USER: dict[str, object] = {"role": "user", "content": "hi"}
CALL: dict[str, object] = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT: dict[str, object] = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "ok"}
TOOL: dict[str, object] = {"name": "f", "input_schema": {"type": "object"}}


def asking(*messages: object, **members: object) -> dict[str, object]:
    """A request that says these things."""
    return {"model": "m", "max_tokens": 9, "messages": list(messages) or [USER], **members}


def saying(*blocks: object, role: str = "user") -> dict[str, object]:
    """A request of one message."""
    return asking({"role": role, "content": list(blocks)})


def without(value: dict[str, object], name: str) -> dict[str, object]:
    """The same without a member."""
    return {key: member for key, member in value.items() if key != name}


BLOCK = "messages.0.content.0"
BAD_REQUESTS: list[tuple[str, object, str, str | None]] = [
    ("empty", b"", "invalid_json", None),
    ("no JSON", b"{model: m}", "invalid_json", None),
    ("cut off", b'{"model": "m"', "invalid_json", None),
    ("not UTF-8", b'{"model": "\xff"}', "invalid_encoding", None),
    ("half a surrogate pair", rb'{"model": "m", "messages": ["\ud800"]}', "invalid_encoding", None),
    ("a list", [USER], "invalid_type", None),
    ("a string", "hi", "invalid_type", None),
    ("no model", without(asking(), "model"), "missing_model", "model"),
    ("a null model", asking(model=None), "missing_model", "model"),
    ("a blank model", asking(model=" "), "invalid_model", "model"),
    ("a numbered model", asking(model=4), "invalid_type", "model"),
    ("no limit", without(asking(), "max_tokens"), "missing_parameter", "max_tokens"),
    ("a null limit", asking(max_tokens=None), "missing_parameter", "max_tokens"),
    ("a limit in words", asking(max_tokens="9"), "invalid_type", "max_tokens"),
    ("half a token", asking(max_tokens=9.5), "invalid_type", "max_tokens"),
    ("a limit below nothing", asking(max_tokens=-1), "invalid_value", "max_tokens"),
    ("no messages", without(asking(), "messages"), "missing_parameter", "messages"),
    ("empty messages", asking(messages=[]), "invalid_value", "messages"),
    ("messages that are words", asking(messages="hi"), "invalid_type", "messages"),
    ("a message that is words", asking("hi"), "invalid_type", "messages.0"),
    ("no role", asking({"content": "hi"}), "missing_parameter", "messages.0.role"),
    ("an unknown role", asking({"role": "tool", "content": "hi"}), "invalid_value", "messages.0.role"),
    ("no content", asking(USER, {"role": "user"}), "missing_parameter", "messages.1.content"),
    (
        "content that is a number",
        asking({"role": "user", "content": 1}),
        "invalid_type",
        "messages.0.content",
    ),
    ("a block that is words", saying("hi"), "invalid_type", BLOCK),
    ("a block of no kind", saying({"text": "hi"}), "missing_parameter", f"{BLOCK}.type"),
    ("a block of a numbered kind", saying({"type": 1}), "invalid_type", f"{BLOCK}.type"),
    ("a text without words", saying({"type": "text"}), "missing_parameter", f"{BLOCK}.text"),
    ("a text that is a list", saying({"type": "text", "text": []}), "invalid_type", f"{BLOCK}.text"),
    (
        "a mark that is words",
        saying({"type": "text", "text": "hi", "cache_control": "5m"}),
        "invalid_type",
        f"{BLOCK}.cache_control",
    ),
    (
        "a mark for a number of minutes",
        saying({"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": 5}}),
        "invalid_type",
        f"{BLOCK}.cache_control.ttl",
    ),
    (
        "citations that are an object",
        saying({"type": "text", "text": "hi", "citations": {}}),
        "invalid_type",
        f"{BLOCK}.citations",
    ),
    (
        "a citation that is words",
        saying({"type": "text", "text": "hi", "citations": ["a"]}),
        "invalid_type",
        f"{BLOCK}.citations.0",
    ),
    ("an image of nothing", saying({"type": "image"}), "missing_parameter", f"{BLOCK}.source"),
    (
        "a source of no kind",
        saying({"type": "image", "source": {"data": "AA=="}}),
        "missing_parameter",
        f"{BLOCK}.source.type",
    ),
    (
        "an image without data",
        saying({"type": "image", "source": {"type": "base64", "media_type": "image/png"}}),
        "missing_parameter",
        f"{BLOCK}.source.data",
    ),
    (
        "a document without an address",
        saying({"type": "document", "source": {"type": "url"}}),
        "missing_parameter",
        f"{BLOCK}.source.url",
    ),
    (
        "a file without a name",
        saying({"type": "document", "source": {"type": "file", "file_id": 1}}),
        "invalid_type",
        f"{BLOCK}.source.file_id",
    ),
    (
        "a thought without words",
        saying({"type": "thinking", "signature": "s"}, role="assistant"),
        "missing_parameter",
        f"{BLOCK}.thinking",
    ),
    (
        "a hidden thought without data",
        saying({"type": "redacted_thinking"}, role="assistant"),
        "missing_parameter",
        f"{BLOCK}.data",
    ),
    ("a call without an id", saying(without(CALL, "id")), "missing_parameter", f"{BLOCK}.id"),
    ("a call of nothing", saying(without(CALL, "name")), "missing_parameter", f"{BLOCK}.name"),
    ("a call without arguments", saying(without(CALL, "input")), "missing_parameter", f"{BLOCK}.input"),
    ("arguments in a string", saying({**CALL, "input": "{}"}), "invalid_type", f"{BLOCK}.input"),
    (
        "a result without an id",
        saying(without(RESULT, "tool_use_id")),
        "missing_parameter",
        f"{BLOCK}.tool_use_id",
    ),
    ("a result that is a number", saying({**RESULT, "content": 5}), "invalid_type", f"{BLOCK}.content"),
    (
        "a result of words in a list",
        saying({**RESULT, "content": ["ok"]}),
        "invalid_type",
        f"{BLOCK}.content.0",
    ),
    ("an error in words", saying({**RESULT, "is_error": "yes"}), "invalid_type", f"{BLOCK}.is_error"),
    ("a system prompt that is a number", asking(system=1), "invalid_type", "system"),
    (
        "a system block without words",
        asking(system=[{"type": "text"}]),
        "missing_parameter",
        "system.0.text",
    ),
    ("tools that are an object", asking(tools={}), "invalid_type", "tools"),
    ("a tool that is words", asking(tools=["f"]), "invalid_type", "tools.0"),
    ("a tool without a name", asking(tools=[without(TOOL, "name")]), "missing_parameter", "tools.0.name"),
    (
        "a tool without a schema",
        asking(tools=[TOOL, without(TOOL, "input_schema")]),
        "missing_parameter",
        "tools.1.input_schema",
    ),
    ("a choice in a word", asking(tool_choice="auto"), "invalid_type", "tool_choice"),
    ("a choice of no kind", asking(tool_choice={}), "missing_parameter", "tool_choice.type"),
    ("an unknown choice", asking(tool_choice={"type": "some"}), "invalid_value", "tool_choice.type"),
    ("a tool of no name", asking(tool_choice={"type": "tool"}), "missing_parameter", "tool_choice.name"),
    ("a stream in words", asking(stream="yes"), "invalid_type", "stream"),
    ("a temperature in words", asking(temperature="hot"), "invalid_type", "temperature"),
    ("half a top_k", asking(top_k=1.5), "invalid_type", "top_k"),
    ("one stop sequence", asking(stop_sequences="x"), "invalid_type", "stop_sequences"),
    ("a numbered stop sequence", asking(stop_sequences=["x", 1]), "invalid_type", "stop_sequences.1"),
    ("thinking in a word", asking(thinking="enabled"), "invalid_type", "thinking"),
    ("thinking of no kind", asking(thinking={}), "missing_parameter", "thinking.type"),
    (
        "a budget in words",
        asking(thinking={"type": "enabled", "budget_tokens": "all"}),
        "invalid_type",
        "thinking.budget_tokens",
    ),
    (
        "an effort that is a number",
        asking(output_config={"effort": 3}),
        "invalid_type",
        "output_config.effort",
    ),
    (
        "an unknown format",
        asking(output_config={"format": {"type": "xml"}}),
        "invalid_value",
        "output_config.format.type",
    ),
    (
        "a format without a schema",
        asking(output_format={"type": "json_schema"}),
        "missing_parameter",
        "output_format.schema",
    ),
    ("metadata in words", asking(metadata="me"), "invalid_type", "metadata"),
    ("a numbered user", asking(metadata={"user_id": 7}), "invalid_type", "metadata.user_id"),
]
