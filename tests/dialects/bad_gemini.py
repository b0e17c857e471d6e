"""Requests that Gemini's dialect refuses: a name, the body (JSON or bytes), the code and the param."""

from __future__ import annotations

_SAID = [{"role": "user", "parts": [{"text": "hi"}]}]


def _with(**members: object) -> dict[str, object]:
    return {"contents": _SAID, **members}


def _part(part: object, role: str = "user") -> dict[str, object]:
    return {"contents": [{"role": role, "parts": [part]}]}


def _config(**members: object) -> dict[str, object]:
    return _with(generationConfig=members)


def _tool(declaration: object) -> dict[str, object]:
    return _with(tools=[{"functionDeclarations": [declaration]}])


BAD_REQUESTS: list[tuple[str, object, str, str | None]] = [
    ("no body", b"", "invalid_json", None),
    ("broken JSON", b'{"contents": [', "invalid_json", None),
    ("a list", [], "invalid_type", None),
    ("half a surrogate pair", b'{"contents": "\\ud800"}', "invalid_encoding", None),
    ("no UTF-8", b'{"contents": "\xff"}', "invalid_encoding", None),
    ("no contents", {}, "missing_parameter", "contents"),
    ("null contents", {"contents": None}, "missing_parameter", "contents"),
    ("empty contents", {"contents": []}, "missing_parameter", "contents"),
    ("contents as text", {"contents": "hi"}, "invalid_type", "contents"),
    ("a content as text", {"contents": ["hi"]}, "invalid_type", "contents.0"),
    ("an unknown role", {"contents": [{"role": "system", "parts": []}]}, "invalid_value", "contents.0.role"),
    ("a role as number", {"contents": [{"role": 1, "parts": []}]}, "invalid_type", "contents.0.role"),
    ("parts as text", {"contents": [{"parts": "hi"}]}, "invalid_type", "contents.0.parts"),
    ("a part as text", _part("hi"), "invalid_type", "contents.0.parts.0"),
    ("text as number", _part({"text": 1}), "invalid_type", "contents.0.parts.0.text"),
    ("a thought as object", _part({"text": {}, "thought": True}), "invalid_type", "contents.0.parts.0.text"),
    (
        "a signature as number",
        _part({"text": "hm", "thought": True, "thoughtSignature": 1}, "model"),
        "invalid_type",
        "contents.0.parts.0.thoughtSignature",
    ),
    (
        "inline data as text",
        _part({"inlineData": "iVBO"}),
        "invalid_type",
        "contents.0.parts.0.inlineData",
    ),
    (
        "inline data without data",
        _part({"inlineData": {"mimeType": "image/png"}}),
        "missing_parameter",
        "contents.0.parts.0.inlineData.data",
    ),
    (
        "inline data in snake case",
        _part({"inline_data": {"mime_type": 1, "data": ""}}),
        "invalid_type",
        "contents.0.parts.0.inline_data.mime_type",
    ),
    (
        "a file without its address",
        _part({"fileData": {"mimeType": "image/png"}}),
        "missing_parameter",
        "contents.0.parts.0.fileData.fileUri",
    ),
    (
        "a call without a name",
        _part({"functionCall": {"args": {}}}, "model"),
        "missing_parameter",
        "contents.0.parts.0.functionCall.name",
    ),
    (
        "arguments as text",
        _part({"functionCall": {"name": "f", "args": "{}"}}, "model"),
        "invalid_type",
        "contents.0.parts.0.functionCall.args",
    ),
    (
        "a result of nothing",
        _part({"functionResponse": {"response": {}}}),
        "missing_parameter",
        "contents.0.parts.0.functionResponse.name",
    ),
    (
        "a result as text",
        _part({"functionResponse": {"name": "f", "response": "ok"}}),
        "invalid_type",
        "contents.0.parts.0.functionResponse.response",
    ),
    (
        "a result's part as text",
        _part({"functionResponse": {"name": "f", "response": {}, "parts": ["x"]}}),
        "invalid_type",
        "contents.0.parts.0.functionResponse.parts.0",
    ),
    ("a system instruction as list", _with(systemInstruction=["x"]), "invalid_type", "systemInstruction"),
    (
        "its part as number",
        _with(system_instruction={"parts": [1]}),
        "invalid_type",
        "system_instruction.parts.0",
    ),
    ("tools as text", _with(tools="all"), "invalid_type", "tools"),
    ("a tool as text", _with(tools=["f"]), "invalid_type", "tools.0"),
    (
        "declarations as object",
        _with(tools=[{"functionDeclarations": {}}]),
        "invalid_type",
        "tools.0.functionDeclarations",
    ),
    (
        "a declaration without a name",
        _tool({"description": "x"}),
        "missing_parameter",
        "tools.0.functionDeclarations.0.name",
    ),
    (
        "parameters as list",
        _tool({"name": "f", "parameters": []}),
        "invalid_type",
        "tools.0.functionDeclarations.0.parameters",
    ),
    ("a tool config as list", _with(toolConfig=[]), "invalid_type", "toolConfig"),
    (
        "an unknown mode",
        _with(toolConfig={"functionCallingConfig": {"mode": "SOMETIMES"}}),
        "invalid_value",
        "toolConfig.functionCallingConfig.mode",
    ),
    (
        "allowed names as text",
        _with(tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": "f"}}),
        "invalid_type",
        "tool_config.function_calling_config.allowed_function_names",
    ),
    ("a config as list", _with(generationConfig=[]), "invalid_type", "generationConfig"),
    ("a temperature as text", _config(temperature="hot"), "invalid_type", "generationConfig.temperature"),
    ("half a token", _config(maxOutputTokens=1.5), "invalid_type", "generationConfig.maxOutputTokens"),
    ("true tokens", _config(maxOutputTokens=True), "invalid_type", "generationConfig.maxOutputTokens"),
    ("a stop as number", _config(stopSequences=["a", 1]), "invalid_type", "generationConfig.stopSequences.1"),
    ("stops as text", _config(stopSequences="a"), "invalid_type", "generationConfig.stopSequences"),
    ("a type as number", _config(responseMimeType=1), "invalid_type", "generationConfig.responseMimeType"),
    (
        "a schema as text",
        _config(responseMimeType="application/json", responseSchema="x"),
        "invalid_type",
        "generationConfig.responseSchema",
    ),
    ("thinking as true", _config(thinkingConfig=True), "invalid_type", "generationConfig.thinkingConfig"),
    (
        "an unknown level",
        _config(thinkingConfig={"thinkingLevel": "deep"}),
        "invalid_value",
        "generationConfig.thinkingConfig.thinkingLevel",
    ),
    (
        "a budget as text",
        _config(thinking_config={"thinking_budget": "much"}),
        "invalid_type",
        "generationConfig.thinking_config.thinking_budget",
    ),
    ("a tier as number", _with(serviceTier=1), "invalid_type", "serviceTier"),
    ("a model as list", _with(model=[]), "invalid_type", "model"),
]
"""The path says the model; see `test_gemini_requests.py` for what happens if nobody does."""
