"""What Anthropic's Messages refuses, in its own words: the first sentence of each rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.secret import Secret
from madang.simulator import Options
from tests.simulator.desk import Desk, answer_of, headers_of
from tests.simulator.dialect_desks import ASKED, CLOCK, PIXEL, WEATHER, AnthropicDesk


@pytest.fixture
def desk() -> AnthropicDesk:
    return AnthropicDesk()


def _user(*blocks: Any) -> list[Any]:
    return [{"role": "user", "content": list(blocks)}]


def _image(**source: str) -> dict[str, Any]:
    return {"type": "image", "source": source}


_SEARCHED = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
_FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": 64_001}, "max_tokens: 64001 > 64000, which is the maximum allowed number of output"),
        ({"model": ""}, "model: String should have at least 1 character"),
        ({"model": 7}, "model: Input should be a valid string"),
        ({"n": 2}, "n: Extra inputs are not permitted"),
        ({"context_management": {}}, "context_management: Extra inputs are not permitted"),
        ({"metadata": {"team": "a"}}, "metadata.team: Extra inputs are not permitted"),
        ({"temperature": 1.5}, "temperature: range: 0..1"),
        ({"temperature": "hot"}, "temperature: Input should be a valid number"),
        ({"top_p": 2}, "top_p: range: 0..1"),
        ({"top_p": 0.5, "temperature": 0.5}, "`temperature` and `top_p` cannot both be specified"),
        ({"model": "claude-opus-5", "temperature": 0.5}, "`temperature` is deprecated for this model."),
        ({"stream": "yes"}, "stream: Input should be a valid boolean"),
        ({"stop_sequences": "no"}, "stop_sequences: Input should be a valid list"),
        ({"stop_sequences": ["\n"]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"service_tier": "flex"}, "service_tier: Input should be 'auto' or 'standard_only'"),
        (
            {"system": [{"type": "text", "text": "x", "role": "a"}]},
            "system.0.text.role: Extra inputs are not",
        ),
        ({"stop_sequences": [7]}, "stop_sequences.0: Input should be a valid string"),
        (
            {"model": "claude-opus-4-6", "output_config": {"effort": "huge"}},
            "output_config.effort: Input should",
        ),
        (
            {"model": "claude-3-5-haiku-latest", "max_tokens": 9000},
            "max_tokens: 9000 > 8192, which is the max",
        ),
        ({"system": [{"type": "image"}]}, "system.0: Input tag 'image' found using 'type' does not match"),
        ({"system": [{"type": "text", "text": ""}]}, "system: text content blocks must be non-empty"),
        ({"output_config": {"effort": "high"}}, "This model does not support the effort parameter."),
        (
            {"output_config": {"format": {"type": "json_object"}}},
            "output_config.format: Input tag 'json_object'",
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set",
        ),
    ],
)
def test_a_wrong_parameter_is_named(desk: AnthropicDesk, fields: Any, sentence: str) -> None:
    assert desk.refusal(**fields).startswith(sentence)


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([{"role": "assistant", "content": "Hi"}], 'messages: first message must use the "user" role'),
        ([{"role": "tool", "content": "x"}], "messages.0.role: Input should be 'user' or 'assistant'"),
        (
            [{"role": "system", "content": "x"}, *ASKED],
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter',
        ),
        ([{"role": "user", "content": ""}], "messages.0: all messages must have non-empty content"),
        ([{"role": "user", "content": []}], "messages.0: all messages must have non-empty content"),
        ([{"role": "user", "content": " "}], "messages: text content blocks must contain non-whitespace"),
        ([{"role": "user"}], "messages.0.content: Field required"),
        ([{"role": "user", "content": "x", "name": "a"}], "messages.0.name: Extra inputs are not permitted"),
        (_user({"type": "text", "text": ""}), "messages: text content blocks must be non-empty"),
        (_user({"type": "text"}), "messages.0.content.0.text.text: Field required"),
        (_user({"text": "x"}), "messages.0.content.0.type: Field required"),
        (
            _user({"type": "image_url", "image_url": {}}),
            "messages.0.content.0: Input tag 'image_url' found using 'type' does not match any of the exp",
        ),
        (
            _user({"type": "text", "text": "x", "detail": 1}),
            "messages.0.content.0.text.detail: Extra inputs are not permitted",
        ),
        (
            _user(_image(type="base64", media_type="image/tiff", data=PIXEL)),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/pn",
        ),
        (
            _user(_image(type="base64", media_type="image/png", data="!!")),
            "messages.0.content.0.image.source.base64.data: Invalid base64 data",
        ),
        (
            _user(_image(type="url", url="http://example.com/a.png")),
            "messages.0.content.0.image.source.url.url: Only HTTPS URLs are supported.",
        ),
        (
            _user({"type": "text", "text": "", "cache_control": {"type": "ephemeral"}}),
            "messages.0.content.0.text: cache_control cannot be set for empty text blocks",
        ),
        (
            _user(_image(type="base64", media_type="image/png", data="")),
            "messages.0.content.0.image.source.ba",
        ),
        (_user(_image(type="file")), "messages.0.content.0.image.source.file.file_id: Field required"),
        ([{"role": "user", "content": 5}], "messages.0.content: Input should be a valid string or list"),
        (["hello"], "messages.0: Input should be an object"),
        (
            _user({"type": "document", "source": {"type": "text", "media_type": "text/html", "data": "x"}}),
            "messages.0.content.0.document.source.text.media_type: Input should be 'text/plain'",
        ),
        (
            [*ASKED, {"role": "assistant", "content": [{**_SEARCHED, "id": "x"}]}],
            "messages.1.content.0.server_tool_use.id: String should match pattern '^srvtoolu_",
        ),
        (
            [*ASKED, {"role": "assistant", "content": [_SEARCHED]}, *ASKED],
            "messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding",
        ),
        (
            [*ASKED, {"role": "assistant", "content": [_FOUND]}, *ASKED],
            "messages.1.content.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: sr",
        ),
        (
            [*ASKED, {"role": "assistant", "content": "Yes "}],
            "messages: final assistant content cannot end with trailing whitespace",
        ),
        (
            [*ASKED, {"role": "assistant", "content": [_image(type="file", file_id="f")]}, *ASKED],
            "messages.1: `image` blocks can only be in `user` messages",
        ),
        (
            _user({"type": "thinking", "thinking": "", "signature": ""}),
            "messages.0: `thinking` blocks can only be in `assistant` messages",
        ),
    ],
)
def test_a_wrong_message_is_named(desk: AnthropicDesk, messages: Any, sentence: str) -> None:
    assert desk.refusal(messages).startswith(sentence)


def test_no_messages_are_refused(desk: AnthropicDesk) -> None:
    body = {"model": "claude-haiku-4-5", "max_tokens": 5}
    assert answer_of(desk.post(body))["error"]["message"] == "messages: Field required"
    plan = desk.post({**body, "messages": []})
    assert answer_of(plan)["error"]["message"] == "messages: at least one message is required"


def test_words_may_be_put_into_the_mouth_of_older_models_only(desk: AnthropicDesk) -> None:
    talk = [*ASKED, {"role": "assistant", "content": "The weather"}]
    assert desk.message(talk)
    assert desk.refusal(talk, model="claude-opus-4-6").startswith("This model does not support assistant")


def test_newer_models_take_a_system_message_later_on(desk: AnthropicDesk) -> None:
    talk = [*ASKED, {"role": "system", "content": "Be brief."}]
    assert desk.message(talk, model="claude-sonnet-5")
    assert "Unexpected role" in desk.refusal(talk)


def test_users_may_speak_twice_in_a_row(desk: AnthropicDesk) -> None:
    assert desk.message([*ASKED, *ASKED])


def test_more_than_four_breakpoints_are_refused(desk: AnthropicDesk) -> None:
    block = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    assert desk.message(_user(*[block] * 4))
    sentence = "A maximum of 4 blocks with cache_control may be provided. Found 5."
    assert desk.refusal(_user(*[block] * 5)) == sentence
    wrong = {**block, "cache_control": {"type": "ephemeral", "ttl": "2h"}}
    assert desk.refusal(_user(wrong)).endswith("ephemeral.ttl: Input should be '5m' or '1h'")


def test_a_prompt_larger_than_the_window_is_refused(desk: AnthropicDesk) -> None:
    sentence = desk.refusal("x" * 900_000)
    assert sentence == "prompt is too long: 225007 tokens > 200000 maximum"


@pytest.mark.parametrize(
    ("tool", "sentence"),
    [
        ({"name": "a"}, "tools.0.custom.input_schema: Field required"),
        (
            {"name": "a b", "input_schema": {}},
            "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]",
        ),
        ({"name": "a", "input_schema": {}}, "tools.0.custom.input_schema.type: Field required"),
        (
            {"name": "a", "input_schema": {"type": "array"}},
            "tools.0.custom.input_schema.type: Input should be",
        ),
        (
            {"name": "a", "input_schema": {"type": "object", "anyOf": []}},
            "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top",
        ),
        ({**WEATHER, "parameters": {}}, "tools.0.custom.parameters: Extra inputs are not permitted"),
        (
            {"type": "function", "function": {}},
            "tools.0: Input tag 'function' found using 'type' does not match",
        ),
    ],
)
def test_a_wrong_tool_is_named(desk: AnthropicDesk, tool: Any, sentence: str) -> None:
    assert desk.refusal(tools=[tool]).startswith(sentence)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tool_choice": {"type": "any"}}, "tool_choice may only be specified while providing tools."),
        ({"tools": [CLOCK], "tool_choice": "auto"}, "tool_choice: Input should be an object"),
        ({"tools": [CLOCK], "tool_choice": {"type": "required"}}, "tool_choice: Input tag 'required' found"),
        ({"tools": [CLOCK], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        (
            {"tools": [CLOCK], "tool_choice": {"type": "tool", "name": "x"}},
            "Tool 'x' not found in provided tools",
        ),
        ({"tools": [CLOCK, CLOCK]}, "tools: Tool names must be unique."),
    ],
)
def test_a_wrong_choice_is_named(desk: AnthropicDesk, fields: Any, sentence: str) -> None:
    assert desk.refusal(**fields).startswith(sentence)


def test_what_is_no_json_is_refused(desk: AnthropicDesk) -> None:
    for body in (b"{", b"[]", b'"x"'):
        plan = desk.post(body)
        assert plan.status == 400
        assert answer_of(plan)["type"] == "error"


def test_a_body_of_more_than_32_megabytes_is_too_large(desk: AnthropicDesk) -> None:
    plan = desk.post(b" " * (32 * 1024 * 1024 + 1))
    assert (plan.status, answer_of(plan)["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("headers", "status", "sentence"),
    [
        ({"x_api_key": ""}, 401, "x-api-key header is required"),
        ({"x_api_key": "bad"}, 401, "invalid x-api-key"),
        ({"x_api_key": "", "authorization": "Bearer bad"}, 401, "Invalid bearer token"),
        ({"x_api_key": "", "authorization": "Bearer good"}, 200, ""),
        ({"x_api_key": "good", "anthropic_version": ""}, 400, "anthropic-version: header is required"),
        ({"x_api_key": "good"}, 200, ""),
    ],
)
def test_the_key_is_looked_at_first(headers: Any, status: int, sentence: str) -> None:
    desk = AnthropicDesk(Options(key=Secret("good")))
    plan = desk.post({"model": "m", "max_tokens": 5, "messages": ASKED}, **headers)
    assert plan.status == status
    if sentence:
        assert answer_of(plan)["error"]["message"] == sentence


def test_a_model_that_is_not_on_offer_is_not_found() -> None:
    plan = AnthropicDesk(Options(models=("a",))).messages(model="b")
    assert plan.status == 404
    assert answer_of(plan)["error"] == {"type": "not_found_error", "message": "model: b"}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (409, "conflict_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
        (599, "api_error"),
    ],
)
def test_every_status_has_its_kind_and_the_requests_id(status: int, kind: str) -> None:
    plan = AnthropicDesk().messages(model=f"sim-error-{status}+retry-after-3")
    body = answer_of(plan)
    assert (plan.status, body["type"], body["error"]["type"]) == (status, "error", kind)
    assert body["request_id"] == headers_of(plan)["request-id"]
    assert headers_of(plan)["retry-after"] == "3"


def test_another_kind_can_be_asked_for(desk: AnthropicDesk) -> None:
    plan = desk.messages(model="sim-error-400+error-code-billing_error")
    assert answer_of(plan)["error"]["type"] == "billing_error"
    assert "credit balance is too low" in answer_of(plan)["error"]["message"]


def test_a_path_nobody_has_is_refused_in_the_callers_dialect(desk: AnthropicDesk) -> None:
    plan = desk.post({}, "/v1/nothing")
    assert (plan.status, answer_of(plan)["type"]) == (404, "error")
    assert "type" not in answer_of(Desk().plan({}, "/v1/nothing"))
    assert desk.get("/v1/messages").status == 405


def test_an_unknown_control_is_refused_in_shape(desk: AnthropicDesk) -> None:
    assert json.dumps(answer_of(desk.messages(model="sim-nonsense"))).startswith('{"type": "error"')
