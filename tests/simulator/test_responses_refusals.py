"""What a wrong request for a response gets: OpenAI's status, sentence, `param` and `code`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.simulator import Options
from madang.simulator.openai.responses_requests import KNOWN
from tests.simulator.desk import Desk, answer_of
from tests.simulator.responses_desk import WEATHER, asked, question, refused, respond

_DESK = Desk()
_STRICT = Desk(Options(strict=True))
_CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}
_OPEN = {"type": "object", "properties": {"city": {"type": "string"}}}
_IMAGE = {"type": "input_image", "image_url": "https://example.com/a.png"}


def _user(*parts: object) -> dict[str, object]:
    return asked([{"role": "user", "content": list(parts)}])


def _form(**form: object) -> dict[str, object]:
    return asked(text={"format": {"type": "json_schema", **form}})


_CASES: list[tuple[dict[str, object], str, str | None, str | None]] = [
    ({"input": "x"}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    (asked(model=None), "expected a string, but got an object instead.", "model", "invalid_type"),
    (asked(model=""), "The requested model '' does not exist.", "model", "model_not_found"),
    ({"model": "m"}, "Missing required parameter: 'input'.", "input", "missing_required_parameter"),
    (asked(None), "expected a string, but got an object instead.", "input", "invalid_type"),
    (asked(""), 'One of "input" or "previous_response_id"', None, "missing_required_parameter"),
    (asked([]), 'One of "input" or "previous_response_id"', None, "missing_required_parameter"),
    (asked(7), "expected one of a string or array of input items", "input", "invalid_type"),
    (asked([7]), "expected an input item, but got an integer", "input[0]", "invalid_type"),
    (asked([{"type": "smell"}]), "Invalid value: 'smell'. Supported", "input[0]", "invalid_value"),
    (asked([{"content": "x"}]), "Supported values are: 'assistant', 'system',", "input[0]", "invalid_value"),
    (asked([{"role": "tool", "content": "x"}]), "Invalid value: 'tool'", "input[0]", "invalid_value"),
    (asked([{"role": "user"}]), "'input[0].content'", "input[0].content", "missing_required_parameter"),
    (asked([{"role": "user", "content": 3}]), "got an integer", "input[0].content", "invalid_type"),
    (
        _user({"type": "text", "text": "x"}),
        "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'output_text'",
        "input[0].content[0].type",
        "invalid_value",
    ),
    (
        _user({"type": "output_text", "text": "x"}),
        "Supported values are: 'input_text', 'input_image', and 'input_file'.",
        "input[0].content[0]",
        "invalid_value",
    ),
    (
        asked([{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]),
        "Supported values are: 'output_text' and 'refusal'.",
        "input[0].content[0]",
        "invalid_value",
    ),
    (
        _user({**_IMAGE, "image_url": {"url": "https://example.com"}}),
        "expected an image URL, but got an object instead.",
        "input[0].content[0].image_url",
        "invalid_type",
    ),
    (
        _user({**_IMAGE, "image_url": "ftp://x"}),
        "a valid URL",
        "input[0].content[0].image_url",
        "invalid_value",
    ),
    (
        _user({**_IMAGE, "image_url": "data:text/plain;base64,AA"}),
        "unsupported image",
        "input[0].content[0].image_url",
        "invalid_image_format",
    ),
    (
        _user({"type": "input_file", "file_data": "AAAA"}),
        "without the 'data:' prefix",
        "input[0].content[0].file_data",
        "invalid_value",
    ),
    (
        asked([question("x"), {**_CALL, "call_id": "c" * 65}]),
        "maximum length 64, but got a string with length 65",
        "input[1].call_id",
        "string_above_max_length",
    ),
    (
        asked([question("x"), {**_CALL, "id": "call_1"}]),
        "Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.",
        "input[1].id",
        "invalid_value",
    ),
    (
        asked([question("x"), {**_CALL, "arguments": {}}]),
        "expected a string, but got an object",
        "input[1].arguments",
        "invalid_type",
    ),
    (asked([question("x"), _CALL]), "No tool output found for function call call_1.", "input", None),
    (
        asked([{"type": "function_call_output", "call_id": "call_9", "output": "x"}]),
        "No tool call found for function call output with call_id call_9.",
        "input",
        None,
    ),
    (
        asked([question("x"), {"type": "reasoning", "id": "rs_1"}]),
        "Missing required parameter: 'input[1].summary'.",
        "input[1].summary",
        "missing_required_parameter",
    ),
    (asked([{"type": "mcp_call"}]), "does not imitate items of type 'mcp_call'", "input[0].type", None),
    (asked(messages=[]), "this parameter has moved to 'input'", None, "unsupported_parameter"),
    (asked(max_tokens=5), "Unknown parameter: 'max_tokens'.", "max_tokens", "unknown_parameter"),
    (asked(response_format={}), "Unknown parameter", "response_format", "unknown_parameter"),
    (asked(max_output_tokens=15), ">= 16, but got 15", "max_output_tokens", "integer_below_min_value"),
    (asked(max_tool_calls=0), ">= 1, but got 0", "max_tool_calls", "integer_below_min_value"),
    (asked(temperature=2.5), "<= 2", "temperature", "decimal_above_max_value"),
    (asked(truncation="much"), "'auto' and 'disabled'.", "truncation", "invalid_value"),
    (asked(include=["x"]), "Invalid value: 'x'. Supported", "include[0]", "invalid_value"),
    (asked(include="x"), "got a string", "include", "invalid_type"),
    (
        asked(service_tier="x"),
        "'auto', 'default', 'fast', 'flex', and 'priority'.",
        "service_tier",
        "invalid_value",
    ),
    (asked(metadata="x"), "expected a metadata object", "metadata", "invalid_type"),
    (asked(metadata={"a": 1}), "expected a string, but got an integer", "metadata.a", "invalid_type"),
    (
        asked(metadata={str(at): "" for at in range(17)}),
        "at most 16 properties, but got an object with 17",
        "metadata",
        "object_above_max_properties",
    ),
    (asked(stream_options={}), "only allowed when 'stream' is enabled", "stream_options", None),
    (
        asked(stream=True, stream_options={"include_usage": True}),
        "Unknown parameter: 'stream_options.include_usage'.",
        "stream_options.include_usage",
        "unknown_parameter",
    ),
    (asked(reasoning={"effort": "hard"}), "'xhigh', and 'max'.", "reasoning.effort", "invalid_value"),
    (
        asked(reasoning={"effort": "low"}),
        "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
        "reasoning.effort",
        "unsupported_parameter",
    ),
    (
        asked(include=["reasoning.encrypted_content"]),
        "Encrypted content is not supported with this model.",
        "include",
        None,
    ),
    (
        asked(model="gpt-5-nano", temperature=0.5),
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "temperature",
        None,
    ),
    (
        asked(model="gpt-5-nano", include=["message.output_text.logprobs"]),
        "logprobs are not supported with reasoning models.",
        "include",
        "unsupported_parameter",
    ),
    (asked(tools="x"), "expected an array of tools", "tools", "invalid_type"),
    (asked(tools=[{}]), "'tools[0].type'", "tools[0].type", "missing_required_parameter"),
    (
        asked(tools=[{"type": "function", "function": {"name": "f"}}]),
        "Missing required parameter: 'tools[0].name'.",
        "tools[0].name",
        "missing_required_parameter",
    ),
    (
        asked(tools=[{**WEATHER, "parameters": _OPEN}]),
        "Invalid schema for function 'weather': In context=(), 'additionalProperties' is required",
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    (asked(tools=[{"type": "mcp"}]), "does not imitate tools of type 'mcp'", "tools[0].type", None),
    (
        asked(tools=[WEATHER], tool_choice="x"),
        "'none', 'auto', and 'required'.",
        "tool_choice",
        "invalid_value",
    ),
    (
        asked(tool_choice=7),
        "one of an object or 'none', 'auto', or 'required'",
        "tool_choice",
        "invalid_type",
    ),
    (
        asked(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}}),
        "Missing required parameter: 'tool_choice.name'.",
        "tool_choice.name",
        "missing_required_parameter",
    ),
    (
        asked(tools=[WEATHER], tool_choice={"type": "function", "name": "clock"}),
        "Tool choice 'function' not found in 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        asked(tools=[WEATHER], tool_choice={"type": "web_search"}),
        "Tool choice 'web_search' not found in 'tools' parameter.",
        "tool_choice",
        None,
    ),
    (
        _form(schema=_OPEN),
        "Missing required parameter: 'text.format.name'.",
        "text.format.name",
        "missing_required_parameter",
    ),
    (
        _form(name="x", strict=True, schema=_OPEN),
        "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is required",
        "text.format.schema",
        "invalid_json_schema",
    ),
    (
        asked(text={"format": {"type": "yaml"}}),
        "'json_object', 'text', and 'json_schema'.",
        "text.format.type",
        "invalid_value",
    ),
    (asked(text={"format": {"type": "json_object"}}), "must contain the word 'json'", "input", None),
]


@pytest.mark.parametrize(("body", "sentence", "param", "code"), _CASES)
def test_a_wrong_request_is_refused_in_openais_words(
    body: dict[str, object], sentence: str, param: str | None, code: str | None
) -> None:
    plan = _DESK.plan(body, "/v1/responses")
    error = answer_of(plan)["error"]
    assert plan.status == 400
    assert sentence in error["message"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"conversation": "conv_1"}, "Conversation with id 'conv_1' not found."),
        ({"conversation": {"id": "conv_1"}}, "Conversation with id 'conv_1' not found."),
        ({"prompt": {"id": "pmpt_1"}}, "Prompt with id 'pmpt_1' not found."),
    ],
)
def test_what_nobody_has_stored_is_not_found(fields: dict[str, object], message: str) -> None:
    status, error = refused(_DESK, **fields)
    assert (status, error["message"], error["param"]) == (404, message, None)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (asked(shiny=True), "shiny"),
        (asked([{**question("x"), "bogus": 1}]), "input[0].bogus"),
        (asked([{**question("x"), "phase": "final_answer"}]), "input[0].phase"),
        (
            _user({"type": "input_text", "text": "x", "cache_control": {}}),
            "input[0].content[0].cache_control",
        ),
        (asked(tools=[{**WEATHER, "input_schema": {}}]), "tools[0].input_schema"),
        (asked(text={"zzz": 1}), "text.zzz"),
        (asked(model="o3", reasoning={"generate_summary": "auto"}), "reasoning.generate_summary"),
    ],
)
def test_unknown_members_pass_unless_strict(body: dict[str, Any], param: str) -> None:
    assert _DESK.plan(body, "/v1/responses").status == 200
    plan = _STRICT.plan(body, "/v1/responses")
    assert (plan.status, answer_of(plan)["error"]["param"]) == (400, param)
    assert answer_of(plan)["error"]["message"] == f"Unknown parameter: '{param}'."


def test_an_answer_is_good_input_even_for_the_strict() -> None:
    wishes: dict[str, Any] = {"model": "gpt-5.6-luna", "include": ["reasoning.encrypted_content"]}
    first = respond(_STRICT, "weather", tools=[WEATHER], **wishes)
    output = {"type": "function_call_output", "call_id": first["output"][1]["call_id"], "output": "warm"}
    second = respond(_STRICT, [question("weather"), *first["output"], output], **wishes)
    assert respond(_STRICT, [question("x"), *second["output"], question("y")], **wishes)["output"]


def test_a_model_that_does_not_have_to_think_takes_a_temperature(desk: Desk) -> None:
    assert respond(desk, model="gpt-5.4", temperature=0.5)["temperature"] == 0.5
    assert refused(desk, model="gpt-5.4", temperature=0.5, reasoning={"effort": "low"})[0] == 400
    assert respond(desk, model="gpt-5", temperature=1)["temperature"] == 1.0


_FIELDS = [
    *("type", "role", "content", "id", "call_id", "name", "arguments", "output", "summary", "text", "format"),
    *("schema", "parameters", "image_url", "encrypted_content", "effort", "tools", "mode", "strict"),
]
_WORDS = [
    *("message", "user", "assistant", "function", "function_call", "function_call_output", "reasoning"),
    *("item_reference", "web_search", "json_schema", "object", "allowed_tools", "input_text", "required"),
]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=5),
    max_leaves=18,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), _ANYTHING, max_size=6), st.booleans())
def test_no_request_whatever_is_more_than_refused(fields: dict[str, object], stream: bool) -> None:
    body = {"model": "gpt-5", "input": "Hi", "stream": stream, **fields}
    for desk in (_DESK, _STRICT):
        for path in ("/v1/responses", "/v1/responses/input_tokens"):
            assert desk.plan(json.dumps(body).encode(), path).status in (200, 400, 404)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.dictionaries(st.sampled_from(_FIELDS), _ANYTHING, max_size=5), max_size=3))
def test_no_item_whatever_is_more_than_refused(items: list[object]) -> None:
    plan = _DESK.plan(asked([question("Hi"), *items], model="o3"), "/v1/responses")
    assert plan.status in (200, 400, 404)
