"""What Gemini refuses, in Google's words and shape."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from madang.core.secret import Secret
from madang.simulator import Options
from madang.simulator.request import Request
from tests.simulator.desk import answer_of, headers_of
from tests.simulator.dialect_desks import GeminiDesk

_PRO = "gemini-3.1-pro-preview"
_ASKED = [{"role": "user", "parts": [{"text": "use weather and clock"}]}]
_WEATHER = {
    "name": "weather",
    "description": "Tells the weather.",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
_CLOCK = {
    "name": "clock",
    "parametersJsonSchema": {"type": "object", "properties": {"zone": {"enum": ["UTC"]}}},
}
_TWICE = {**_WEATHER, "parametersJsonSchema": {"type": "object"}}
_TOOLS: Any = [{"functionDeclarations": [_WEATHER, _CLOCK]}]
_DUMMY = "skip_thought_signature_validator"


@pytest.fixture
def desk() -> GeminiDesk:
    return GeminiDesk()


def _parts(answer: Any) -> list[Any]:
    return list(answer["candidates"][0]["content"]["parts"])


def _loop(desk: GeminiDesk, model: str) -> list[Any]:
    """A conversation in which two functions were called and have returned."""
    content = desk.content(_ASKED, model=model, tools=_TOOLS)["candidates"][0]["content"]
    results = [
        {"functionResponse": {"name": part["functionCall"]["name"], "response": {"result": "Fine."}}}
        for part in content["parts"]
    ]
    return copy.deepcopy([*_ASKED, content, {"role": "user", "parts": results}])


# Functions and signatures.


def test_functions_are_called_with_ids_by_the_newest_models_only(desk: GeminiDesk) -> None:
    newest = _parts(desk.content(_ASKED, model=_PRO, tools=_TOOLS))
    assert [part["functionCall"]["name"] for part in newest] == ["weather", "clock"]
    assert newest[1]["functionCall"]["args"] == {"zone": "UTC"}
    assert all("id" in part["functionCall"] for part in newest)
    assert ["thoughtSignature" in part for part in newest] == [True, False]
    older = _parts(desk.content(_ASKED, tools=_TOOLS))
    assert all("id" not in part["functionCall"] for part in older)


@pytest.mark.parametrize(
    ("config", "called"),
    [
        ({"mode": "NONE"}, []),
        ({"mode": "ANY", "allowedFunctionNames": ["clock"]}, ["clock"]),
        ({"mode": "any"}, ["weather", "clock"]),
        ({"mode": "AUTO"}, ["weather", "clock"]),
    ],
)
def test_the_mode_of_calling_is_kept(desk: GeminiDesk, config: Any, called: list[str]) -> None:
    parts = _parts(desk.content(_ASKED, tools=_TOOLS, toolConfig={"functionCallingConfig": config}))
    assert [part["functionCall"]["name"] for part in parts if "functionCall" in part] == called


def test_responses_are_quoted_with_the_pictures_in_them(desk: GeminiDesk) -> None:
    talk = _loop(desk, _PRO)
    talk[2]["parts"][0]["functionResponse"]["parts"] = [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
    ]
    talk[2]["parts"][1]["functionResponse"]["response"] = {"hour": 12}
    told = _parts(desk.content(talk, model=_PRO, tools=_TOOLS))[0]["text"]
    assert told == (
        'The result of weather is: Fine. Attachments received: 1 (image). The result of clock is: {"hour":12}'
    )


@pytest.mark.parametrize("signature", [_DUMMY, "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="])
def test_a_dummy_stands_in_for_a_signature(desk: GeminiDesk, signature: str) -> None:
    talk = _loop(desk, _PRO)
    talk[1]["parts"][0]["thoughtSignature"] = signature
    assert desk.content(talk, model=_PRO, tools=_TOOLS)


def test_a_signature_may_come_back_in_the_other_base64(desk: GeminiDesk) -> None:
    talk = _loop(desk, _PRO)
    part = talk[1]["parts"][0]
    part["thought_signature"] = part.pop("thoughtSignature").replace("+", "-").replace("/", "_")
    assert desk.content(talk, model=_PRO, tools=_TOOLS)


def test_a_call_without_its_signature_is_refused(desk: GeminiDesk) -> None:
    talk = _loop(desk, _PRO)
    del talk[1]["parts"][0]["thoughtSignature"]
    sentence = desk.refusal(talk, model=_PRO, tools=_TOOLS)
    assert sentence.startswith(
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
        "work correctly, and missing thought_signature may lead to degraded model performance. Additional "
        "data, function call `default_api:weather` , position 2."
    )


def test_every_step_of_the_turn_under_way_needs_its_signature(desk: GeminiDesk) -> None:
    talk = _loop(desk, _PRO)
    talk += talk[1:]
    assert desk.content(talk, model=_PRO, tools=_TOOLS)
    talk[3] = copy.deepcopy(talk[3])
    del talk[3]["parts"][0]["thoughtSignature"]
    assert "position 4" in desk.refusal(talk, model=_PRO, tools=_TOOLS)
    over = [*talk, {"role": "model", "parts": [{"text": "Fine."}]}, *_ASKED]
    assert desk.content(over, model=_PRO, tools=_TOOLS)


def test_older_models_do_not_miss_a_signature_but_know_a_damaged_one(desk: GeminiDesk) -> None:
    talk = _loop(desk, "gemini-2.5-flash")
    talk[1]["parts"][0]["thoughtSignature"] = "ZGFtYWdlZA=="
    assert desk.refusal(talk, tools=_TOOLS) == "Corrupted thought signature."
    del talk[1]["parts"][0]["thoughtSignature"]
    assert desk.content(talk, tools=_TOOLS)


def test_a_signature_belongs_to_its_function(desk: GeminiDesk) -> None:
    talk = _loop(desk, _PRO)
    first, second = talk[1]["parts"]
    first["functionCall"], second["functionCall"] = second["functionCall"], first["functionCall"]
    assert desk.refusal(talk, model=_PRO, tools=_TOOLS) == "Corrupted thought signature."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda talk: talk[2]["parts"].pop(), "Please ensure that the number of function response parts is"),
        (lambda talk: talk.pop(), "Please ensure that the number of function response parts is equal"),
        (lambda talk: talk.pop(1), "Please ensure that function response turn comes immediately after a"),
        (
            lambda talk: talk.insert(1, {"role": "model", "parts": [{"text": "Well."}]}),
            "Please ensure that function call turn comes immediately after a user turn",
        ),
    ],
)
def test_calls_and_responses_have_to_match(desk: GeminiDesk, change: Any, sentence: str) -> None:
    talk = _loop(desk, _PRO)
    change(talk)
    assert desk.refusal(talk, model=_PRO, tools=_TOOLS).startswith(sentence)


# Everything else that can be wrong.

_AT = "* GenerateContentRequest."


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ([], _AT + "contents: contents is not specified\n"),
        ([{"role": "user", "parts": []}], _AT + "contents[0].parts: contents.parts must not be empty.\n"),
        ([{"role": "assistant", "parts": [{"text": "x"}]}], "Please use a valid role: user, model."),
        ([{"role": "user", "parts": [{}]}], _AT + "contents[0].parts[0].data: required oneof field 'data'"),
        ([{"parts": [{"text": ""}]}], _AT + "contents[0].parts[0].data: required oneof field 'data' must"),
        ([{"parts": [{"text": 7}]}], "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 7"),
        (
            [{"parts": [{"type": "text", "text": "x"}]}],
            "Invalid JSON payload received. Unknown name \"type\" at 'contents[0].parts[0]'",
        ),
        (
            [{"parts": [{"text": "x", "inlineData": {"mimeType": "image/png", "data": ""}}]}],
            "Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set",
        ),
        (
            [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "!"}}]}],
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
        ),
        (
            [{"parts": [{"functionCall": {"args": {}}}]}],
            _AT + "contents[0].parts[0].function_call.name: Name",
        ),
        ([{"parts": [{"functionResponse": {}}]}], _AT + "contents[0].parts[0].function_response.name: Name"),
        ([{"parts": [{"inlineData": {"data": "aGk="}}]}], _AT + "contents[0].parts[0].inline_data.mime_type"),
        (
            [{"parts": [{"thought": 1, "text": "x"}]}],
            "Invalid value at 'contents[0].parts[0].thought' (TYPE_",
        ),
        (["hello"], "Invalid value at 'contents[0]' (type.googleapis.com/Message), \"hello\""),
        (
            [{"parts": [{"functionCall": {"name": "a", "args": "{}"}}]}],
            "Invalid value at 'contents[0].parts[0].function_call.args' (type.googleapis.com/google.protobuf",
        ),
    ],
)
def test_wrong_contents_are_named(desk: GeminiDesk, contents: Any, sentence: str) -> None:
    assert desk.refusal(contents).startswith(sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"messages": []}, 'Invalid JSON payload received. Unknown name "messages": Cannot find field.'),
        (
            {"generationConfig": {"max_tokens": 5}},
            "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': Cannot find",
        ),
        (
            {"generationConfig": {"temperature": 3}},
            _AT + "generation_config.temperature: temperature must be in",
        ),
        (
            {"generationConfig": {"temperature": "x"}},
            "Invalid value at 'generation_config.temperature' (TYPE_F",
        ),
        (
            {"generationConfig": "x"},
            "Invalid value at 'generation_config' (type.googleapis.com/Message), \"x\"",
        ),
        ({"generationConfig": {"stopSequences": [1]}}, "Invalid value at 'generation_config.stop_sequences'"),
        ({"generationConfig": {"seed": 1.5}}, "Invalid value at 'generation_config.seed' (TYPE_INT32), 1.5"),
        ({"tools": [{"functionDeclarations": [_TWICE]}]}, "Only one of parameters or parameters_json_schema"),
        (
            {"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"type": "MAP"}}]}]},
            "Invalid value at 'tools[0].function_declarations[0].parameters.type' (TYPE_ENUM), \"MAP\"",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"required": ["b"]}}]}]},
            _AT + "tools[0].function_declarations[0].parameters.required[0]: property is not defined",
        ),
        (
            {"tools": _TOOLS, "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["clock"]}}},
            "Function calling config mode should be ANY or VALIDATED if allowed_function_names is set.",
        ),
        (
            {
                "tools": _TOOLS,
                "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["x"]}},
            },
            "allowed_function_names contains a function that is not declared: x",
        ),
        (
            {"generationConfig": {"candidateCount": 9}},
            _AT + "generation_config.candidate_count: candidate_count",
        ),
        (
            {"generationConfig": {"maxOutputTokens": 0}},
            _AT + "generation_config.max_output_tokens: max_output",
        ),
        (
            {"generationConfig": {"stopSequences": ["a"] * 6}},
            _AT + "generation_config.stop_sequences: the num",
        ),
        ({"generationConfig": {"logprobs": 2}}, "logprobs can only be set if response_logprobs is true."),
        (
            {"generationConfig": {"responseMimeType": "text/html"}},
            _AT + "generation_config.response_mime_type",
        ),
        (
            {"generationConfig": {"responseSchema": {"type": "OBJECT"}}},
            "Response_schema with a response mime type: 'text/plain' is unsupported",
        ),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}},
            "Thinking level is not supported for this model.",
        ),
        ({"generationConfig": {"responseModalities": ["AUDIO"]}}, "The simulator does not imitate audio"),
        (
            {"tools": _TOOLS, "generationConfig": {"responseMimeType": "application/json"}},
            "Function calling with a response mime type: 'application/json' is unsupported",
        ),
        ({"tools": [*_TOOLS, {"googleSearch": {}}]}, "Tool use with function calling is unsupported"),
        (
            {"tools": [{"type": "function"}]},
            "Invalid JSON payload received. Unknown name \"type\" at 'tools[0]'",
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "2a"}]}]},
            _AT + "tools[0].function_declarations[0].name: Invalid function name. Must start with a letter",
        ),
        ({"tools": [*_TOOLS, *_TOOLS]}, "Duplicate function declaration found: weather"),
        (
            {"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"$schema": "x"}}]}]},
            'Invalid JSON payload received. Unknown name "$schema" at \'tools[0].function_declarations[0].pa',
        ),
        (
            {"tools": [{"functionDeclarations": [{"name": "a", "parameters": {"type": "ARRAY"}}]}]},
            _AT + "tools[0].function_declarations[0].parameters.items: missing field.",
        ),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
            "Function calling config is set without function_declarations.",
        ),
    ],
)
def test_wrong_parameters_are_named(desk: GeminiDesk, fields: Any, sentence: str) -> None:
    assert desk.refusal(**fields).startswith(sentence)


@pytest.mark.parametrize(
    ("model", "config", "sentence"),
    [
        (
            "gemini-2.5-pro",
            {"thinkingBudget": 0},
            "Budget 0 is invalid. This model only works in thinking mode.",
        ),
        (_PRO, {"thinkingBudget": 9, "thinkingLevel": "low"}, "You can only set only one of thinking budget"),
        ("gemini-2.0-flash", {"thinkingBudget": 9}, "Unable to submit request because thinking is not supp"),
    ],
)
def test_thinking_is_refused_where_it_does_not_fit(
    desk: GeminiDesk, model: str, config: Any, sentence: str
) -> None:
    assert desk.refusal(model=model, generationConfig={"thinkingConfig": config}).startswith(sentence)


def test_newer_models_take_functions_with_searches_and_json(desk: GeminiDesk) -> None:
    mixed: Any = [*_TOOLS, {"googleSearch": {}}]
    assert desk.content(model=_PRO, tools=mixed, generationConfig={"responseMimeType": "application/json"})


def test_an_unknown_field_is_named_in_the_details_too(desk: GeminiDesk) -> None:
    error = answer_of(desk.generate(messages=[]))["error"]
    assert error["details"][0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert error["details"][0]["fieldViolations"][0]["description"] == error["message"]


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 403),
        ("key=good", {}, 200),
        ("key=bad", {}, 400),
        ("", {"x-goog-api-key": "good"}, 200),
        ("", {"x-goog-api-key": "bad"}, 400),
        ("", {"authorization": "Bearer good"}, 200),
        ("", {"authorization": "Bearer bad"}, 401),
    ],
)
def test_the_key_is_looked_at_first(query: str, headers: dict[str, str], status: int) -> None:
    desk = GeminiDesk(Options(key=Secret("good")))
    body = b'{"contents": {"parts": {"text": "Hi"}}}'
    path = "/v1beta/models/gemini-2.5-flash:generateContent"
    plan = desk.service.plan(Request("POST", path, query, headers, body))
    assert plan.status == status
    if status >= 400:
        assert answer_of(plan)["error"]["code"] == status


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (418, "FAILED_PRECONDITION"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (599, "INTERNAL"),
    ],
)
def test_every_status_has_its_word(desk: GeminiDesk, status: int, kind: str) -> None:
    plan = desk.generate(model=f"sim-error-{status}")
    error = answer_of(plan)["error"]
    assert (plan.status, error["code"], error["status"]) == (status, status, kind)


def test_a_full_limit_tells_in_its_body_when_to_come_back() -> None:
    desk = GeminiDesk(Options(rpm=2))
    assert [desk.generate().status for _ in range(3)] == [200, 200, 429]
    plan = desk.generate()
    error = answer_of(plan)["error"]
    delays = [detail["retryDelay"] for detail in error["details"] if "retryDelay" in detail]
    assert delays == ["30s"]
    assert "Please retry in 30.000000000s." in error["message"]
    assert "retry-after" not in headers_of(plan)


def test_models_and_methods_nobody_has_are_not_found(desk: GeminiDesk) -> None:
    plan = GeminiDesk(Options(models=("a",))).generate()
    assert plan.status == 404
    assert answer_of(plan)["error"]["message"].startswith(
        "models/gemini-2.5-flash is not found for API version"
    )
    other = desk.generate(method="predict")
    assert (other.status, answer_of(other)["error"]["status"]) == (404, "NOT_FOUND")
    assert answer_of(desk.post({}, "/v1beta/nothing"))["error"]["status"] == "NOT_FOUND"
    cached = desk.generate(cachedContent="cachedContents/x")
    assert (cached.status, answer_of(cached)["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_an_unknown_control_is_refused_in_shape(desk: GeminiDesk) -> None:
    assert answer_of(desk.generate(model="sim-nonsense"))["error"]["status"] == "INVALID_ARGUMENT"


def test_a_prompt_larger_than_the_window_is_refused(desk: GeminiDesk) -> None:
    sentence = desk.refusal("x" * 4_200_000)
    assert (
        sentence == "The input token count (1050000) exceeds the maximum number of tokens allowed (1048576)."
    )


def test_wrong_embeddings_are_named(desk: GeminiDesk) -> None:
    start = "/v1beta/models/gemini-embedding-001:"
    for body, method, sentence in (
        ({}, "embedContent", "* EmbedContentRequest.content: contents is not specified\n"),
        (
            {"requests": []},
            "batchEmbedContents",
            "* BatchEmbedContentsRequest.requests: requests must not be",
        ),
        (
            {"content": {"parts": [{"text": "x"}]}, "outputDimensionality": 0},
            "embedContent",
            "* EmbedContentRequest.output_dimensionality: must be in the range [1, 3072].",
        ),
    ):
        plan = desk.post(body, start + method)
        assert plan.status == 400
        assert answer_of(plan)["error"]["message"].startswith(sentence)


def test_what_is_no_json_is_refused(desk: GeminiDesk) -> None:
    for body in (b"{", b"[]"):
        plan = desk.post(body, "/v1beta/models/m:generateContent")
        assert answer_of(plan)["error"]["message"].startswith("Invalid JSON payload received.")
