"""What a wrong request gets: OpenAI's status, sentence, `param` and `code`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.simulator import Options
from madang.simulator.openai.chat_requests import KNOWN
from madang.simulator.openai.headers import masked
from tests.simulator.desk import Desk, answer_of, chat_of, headers_of

_ROLES = "Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
_USER = {"role": "user", "content": "hi"}
_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def _messages(*messages: object) -> dict[str, object]:
    return {"model": "m", "messages": list(messages)}


def _strict(schema: object) -> dict[str, object]:
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    return chat_of(response_format=form)


_FIELDS = [
    "type",
    "role",
    "content",
    "function",
    "name",
    "parameters",
    "json_schema",
    "schema",
    "url",
    "id",
    "text",
]
_DESK = Desk()

_CASES: list[tuple[object, str, str | None, str | None]] = [
    (b"", "could not parse the JSON", None, None),
    (b"{", "could not parse the JSON", None, None),
    (b"[]", "could not parse the JSON", None, None),
    (b'{"model": "\xff"}', "could not parse the JSON", None, None),
    (b'{"model": NaN}', "could not parse the JSON", None, None),
    (b"[" * 100_000, "could not parse the JSON", None, None),
    (b'{"a":' * 5000 + b"1" + b"}" * 5000, "could not parse the JSON", None, None),
    ({"messages": [_USER]}, "must provide a model", None, None),
    ({"model": 3, "messages": [_USER]}, "expected a string, but got an integer", "model", "invalid_type"),
    ({"model": "m"}, "Missing required parameter: 'messages'", "messages", "missing_required_parameter"),
    ({"model": "m", "messages": []}, "empty array", "messages", "empty_array"),
    ({"model": "m", "messages": None}, "got null", "messages", "invalid_type"),
    (
        {"model": "m", "messages": "hi"},
        "expected an array of objects, but got a string",
        "messages",
        "invalid_type",
    ),
    (_messages("hi"), "expected an object, but got a string", "messages[0]", "invalid_type"),
    (_messages({"content": "hi"}), "'messages[0].role'", "messages[0].role", "missing_required_parameter"),
    (_messages({"role": "robot", "content": "hi"}), _ROLES, "messages[0].role", "invalid_value"),
    (_messages({"role": None, "content": "hi"}), "got null", "messages[0].role", "invalid_type"),
    (_messages({"role": "user"}), "expected a string, got null", "messages.[0].content", None),
    (_messages({"role": "user", "content": 3}), "got an integer", "messages[0].content", "invalid_type"),
    (
        _messages({"role": "user", "content": [{"type": "smell"}]}),
        "'smell'",
        "messages[0].content[0].type",
        "invalid_value",
    ),
    (
        _messages({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://x"}}]}),
        "Invalid image URL",
        "messages[0].content[0].image_url.url",
        "invalid_image_url",
    ),
    (
        _messages({"role": "user", "content": [{"type": "text"}]}),
        "content[0].text",
        "messages[0].content[0].text",
        "missing_required_parameter",
    ),
    (
        _messages(_USER, {"role": "tool", "tool_call_id": "call_1", "content": "x"}),
        "must be a response to a preceeding message with 'tool_calls'",
        "messages.[1].role",
        None,
    ),
    (
        _messages(_USER, {"role": "assistant", "tool_calls": [_CALL]}, _USER),
        "did not have response messages: call_1",
        "messages",
        None,
    ),
    (_messages(_USER, {"role": "assistant", "tool_calls": [_CALL]}), "call_1", "messages", None),
    (
        _messages(_USER, {"role": "assistant", "tool_calls": []}),
        "empty array",
        "messages[1].tool_calls",
        "empty_array",
    ),
    (_messages(_USER, {"role": "assistant"}), "got null", "messages.[1].content", None),
    (chat_of(n=0), "Expected a value >= 1, but got 0 instead", "n", "integer_below_min_value"),
    (chat_of(n=200), "Expected a value <= 128", "n", "integer_above_max_value"),
    (chat_of(n="2"), "expected an integer, but got a string", "n", "invalid_type"),
    (chat_of(n=True), "got a boolean", "n", "invalid_type"),
    (chat_of(temperature=2.1), "decimal above maximum value", "temperature", "decimal_above_max_value"),
    (chat_of(temperature=-1), "decimal below minimum value", "temperature", "decimal_below_min_value"),
    (chat_of(temperature="hot"), "expected a decimal", "temperature", "invalid_type"),
    (chat_of(top_p=1.5), "<= 1", "top_p", "decimal_above_max_value"),
    (chat_of(max_tokens=0), "integer below minimum value", "max_tokens", "integer_below_min_value"),
    (chat_of(max_completion_tokens=-5), ">= 1", "max_completion_tokens", "integer_below_min_value"),
    (
        chat_of(max_tokens=1, max_completion_tokens=1),
        "at the same time",
        "max_tokens",
        "invalid_parameter_combination",
    ),
    (chat_of(stream="yes"), "expected a boolean", "stream", "invalid_type"),
    (
        chat_of(stream_options={"include_usage": True}),
        "only allowed when 'stream' is enabled",
        "stream_options",
        None,
    ),
    (chat_of(stop=list("abcde")), "maximum length 4", "stop", "array_above_max_length"),
    (chat_of(stop=[1]), "expected a string", "stop[0]", "invalid_type"),
    (chat_of(tools=[]), "empty array", "tools", "empty_array"),
    (
        chat_of(tools=[{"type": "function"}]),
        "tools[0].function",
        "tools[0].function",
        "missing_required_parameter",
    ),
    (
        chat_of(tools=[{"type": "function", "function": {"name": "a b"}}]),
        "does not match pattern",
        "tools[0].function.name",
        "invalid_value",
    ),
    (
        chat_of(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "array"}}}]),
        "schema must be a JSON Schema of 'type: \"object\"'",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (
        chat_of(
            tools=[
                {
                    "type": "function",
                    "function": {
                        "name": "f",
                        "strict": True,
                        "parameters": {"type": "object", "properties": {}},
                    },
                }
            ]
        ),
        "'additionalProperties' is required to be supplied and to be false",
        "tools[0].function.parameters",
        "invalid_function_parameters",
    ),
    (chat_of(tool_choice="auto"), "only allowed when 'tools' are specified", "tool_choice", None),
    (
        chat_of(tools=[_TOOL], tool_choice="maybe"),
        "'none', 'auto', and 'required'",
        "tool_choice",
        "invalid_value",
    ),
    (
        chat_of(tools=[_TOOL], tool_choice={"type": "function", "function": {"name": "g"}}),
        "'g' was not found",
        "tool_choice",
        None,
    ),
    (chat_of(parallel_tool_calls=True), "only allowed when 'tools'", "parallel_tool_calls", None),
    (
        chat_of(response_format={"type": "xml"}),
        "'json_object', 'json_schema', and 'text'",
        "response_format.type",
        "invalid_value",
    ),
    (chat_of(response_format={"type": "json_object"}), "must contain the word 'json'", "messages", None),
    (
        chat_of(response_format={"type": "json_schema"}),
        "'response_format.json_schema'",
        "response_format.json_schema",
        "missing_required_parameter",
    ),
    (
        _strict(
            {
                "type": "object",
                "properties": {"a": {"type": "string"}},
                "required": [],
                "additionalProperties": False,
            }
        ),
        "Missing 'a'",
        "response_format",
        None,
    ),
    (_strict({"type": "string"}), "'type: \"object\"'", "response_format", None),
    (
        chat_of(
            response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#"}}}
        ),
        "Invalid schema",
        "response_format",
        None,
    ),
    (chat_of(top_logprobs=2), "'logprobs' must be true", "top_logprobs", None),
    (chat_of(logprobs=True, top_logprobs=21), "<= 20", "top_logprobs", "integer_above_max_value"),
    (chat_of(reasoning_effort="vast"), "'vast'", "reasoning_effort", "invalid_value"),
    (chat_of(service_tier="gold"), "service_tier", "service_tier", "invalid_value"),
    (chat_of(modalities=["audio"]), "does not imitate audio", "modalities", "unsupported_value"),
    (chat_of(functions=[]), "use 'tools'", "functions", "unsupported_parameter"),
    (chat_of(model="sim-explode"), "Known controls: tokens", "model", "unknown_control"),
    (chat_of(model="sim-tokens-many"), "for example tokens=100", "model", "unknown_control"),
]


@pytest.mark.parametrize(("body", "sentence", "param", "code"), _CASES)
def test_a_wrong_request_is_refused_in_openais_words(
    desk: Desk, body: object, sentence: str, param: str | None, code: str | None
) -> None:
    plan = desk.plan(body)
    error = answer_of(plan)["error"]
    assert plan.status == 400
    assert sentence in error["message"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/embeddings", {"model": "m"}, "input"),
        ("/v1/embeddings", {"model": "m", "input": ""}, "input"),
        ("/v1/embeddings", {"model": "m", "input": None}, "input"),
        ("/v1/embeddings", {"model": "m", "input": []}, "input"),
        ("/v1/embeddings", {"model": "m", "input": ["a", ""]}, "input[1]"),
        ("/v1/embeddings", {"model": "m", "input": [True]}, "input[0]"),
        ("/v1/embeddings", {"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        ("/v1/embeddings", {"model": "m", "input": "a", "encoding_format": "hex"}, "encoding_format"),
        ("/v1/moderations", {}, "input"),
        ("/v1/moderations", {"input": 3}, "input"),
        ("/v1/moderations", {"input": [{"type": "text"}]}, "input[0].text"),
        ("/v1/moderations", {"input": ["a", 1]}, "input[0]"),
    ],
)
def test_wrong_input_of_other_endpoints_is_refused_by_name(
    desk: Desk, path: str, body: object, param: str
) -> None:
    plan = desk.plan(body, path)
    assert plan.status == 400
    assert answer_of(plan)["error"]["param"] == param


def test_unknown_parameters_pass_unless_strict() -> None:
    body = chat_of(shiny=True)
    assert Desk().plan(body).status == 200
    refused = Desk(Options(strict=True)).plan(body)
    assert answer_of(refused)["error"] == {
        "message": "Unknown parameter: 'shiny'.",
        "type": "invalid_request_error",
        "param": "shiny",
        "code": "unknown_parameter",
    }


@pytest.mark.parametrize("presented", ["", "Bearer", "Bearer  ", "Basic abc", "secret"])
def test_a_missing_key_is_a_401_as_recorded(desk: Desk, presented: str) -> None:
    plan = desk.plan(chat_of(), authorization=presented)
    error = answer_of(plan)["error"]
    assert plan.status == 401
    assert error["message"].startswith("You didn't provide an API key.")
    assert headers_of(plan)["www-authenticate"] == 'Bearer realm="OpenAI API"'


@pytest.mark.parametrize(
    ("key", "shown"), [("invalid-key", "invalid-key"), ("test-context-key", "test-con****-key")]
)
def test_a_wrong_key_is_repeated_as_openai_repeats_it(key: str, shown: str) -> None:
    assert masked(key) == shown


def test_only_the_given_key_opens() -> None:
    from madang.core.secret import Secret

    desk = Desk(Options(key=Secret("right-key-right-key")))
    refused = desk.plan(chat_of(), authorization="Bearer wrong")
    assert refused.status == 401
    assert answer_of(refused)["error"]["code"] == "invalid_api_key"
    assert b"right-key" not in refused.steps[0].data
    assert desk.plan(chat_of(), authorization="bearer right-key-right-key").status == 200


def test_a_named_list_of_models_is_all_there_is() -> None:
    desk = Desk(Options(models=("a", "sim-special")))
    assert desk.plan(chat_of(model="a")).status == 200
    assert desk.plan(chat_of(model="sim-special")).status == 200
    assert desk.plan(chat_of(model="sim-error-503")).status == 503
    refused = desk.plan(chat_of(model="b"))
    assert refused.status == 404
    assert answer_of(refused)["error"]["code"] == "model_not_found"
    assert [entry["id"] for entry in answer_of(desk.get("/v1/models"))["data"]] == ["a", "sim-special"]
    assert answer_of(desk.get("/v1/models/a"))["id"] == "a"
    assert desk.get("/v1/models/b").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("POST", "/v1/nowhere", 404, "Invalid URL (POST /v1/nowhere)"),
        ("GET", "/", 404, "Invalid URL (GET /)"),
        ("GET", "/v1", 404, "Invalid URL (GET /v1)"),
        ("GET", "/v1/models/", 404, "Invalid URL"),
        ("GET", "/v1/chat/completions", 405, "Not allowed to GET on /v1/chat/completions."),
        ("DELETE", "/v1/models", 405, "Not allowed to DELETE on /v1/models."),
        ("POST", "/v1/models/x", 405, "Not allowed to POST"),
    ],
)
def test_unknown_paths_and_methods_get_openais_error(
    desk: Desk, method: str, path: str, status: int, sentence: str
) -> None:
    plan = desk.get(path, method)
    assert plan.status == status
    assert answer_of(plan)["error"]["message"].startswith(sentence)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), _ANYTHING, max_size=6), st.booleans())
def test_no_request_whatever_is_more_than_refused(fields: dict[str, object], stream: bool) -> None:
    body = {"model": "m", "messages": [_USER], "stream": stream, **fields}
    for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/moderations"):
        assert _DESK.plan(json.dumps({**body, "input": fields}).encode(), path).status in (200, 400)


@pytest.mark.parametrize(
    "body",
    [
        rb'{"model":"m","messages":[{"role":"user","content":"\ud800"}]}',
        rb'{"model":"\ud800","messages":[{"role":"user","content":"x"}]}',
        rb'{"model":"sim-echo","messages":[{"role":"user","content":"\udc00 x"}],"stream":true}',
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"seed":' + b"9" * 400 + b"}",
        b'{"model":"m","messages":[{"role":"user","content":"x"}],"temperature":1e999}',
        b'{"model":"m","messages":[{"role":"user","content":"\x00"}]}',
    ],
)
def test_odd_texts_and_numbers_break_nothing(desk: Desk, body: bytes) -> None:
    assert desk.plan(body).status in (200, 400)
