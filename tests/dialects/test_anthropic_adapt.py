"""Requests from other dialects, as Claude models take them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from madang.core.errors import BadRequest
from madang.core.messages import (
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.dialects.anthropic import ANTHROPIC
from madang.dialects.losses import find
from madang.dialects.schemas import closed, is_closed
from tests.dialects.test_anthropic_models import MODELS

HI = Message("user", (Text("hi"),))
CALL = ToolCall(id="call_1", name="f", arguments="{}")
RESULT = Message("tool", (ToolResult(call_id="call_1", parts=(Text("ok"),)),))
LOOP = (HI, Message("assistant", (CALL,)), RESULT)
TOOLS = (Tool(name="f"), Tool(name="g"), Tool(name="h"))
OPEN = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}


def sent(*messages: Message, model: str = "claude-opus-5", **settings: Any) -> dict[str, Any]:
    """What a provider gets."""
    request = Request(model="house", messages=messages or (HI,), **settings)
    body: dict[str, Any] = json.loads(ANTHROPIC.render_request(request, model))
    return body


def turns(*messages: Message, model: str = "claude-opus-5") -> list[tuple[str, Json]]:
    """Who says what."""
    return [(message["role"], message["content"]) for message in sent(*messages, model=model)["messages"]]


def text(words: str) -> dict[str, Json]:
    return {"type": "text", "text": words}


class TestTurns:
    """A conversation as the API insists on it."""

    def test_system_messages_from_anywhere_are_one_prompt_in_order(self) -> None:
        body = sent(
            Message("system", (Text("a"),)),
            HI,
            Message("developer", (Text("b"), Text(" "))),
            Message("assistant", (Text("yes?"),)),
            Message("system", (Text("c"),)),
            HI,
        )
        assert body["system"] == [text("a"), text("b"), text("c")]
        assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]

    def test_messages_of_one_speaker_are_one_turn(self) -> None:
        assert turns(HI, HI, Message("assistant", (Text("a"),)), Message("assistant", (Text("b"),)), HI) == [
            ("user", [text("hi"), text("hi")]),
            ("assistant", [text("a"), text("b")]),
            ("user", [text("hi")]),
        ]

    def test_results_stand_first_in_the_turn_after_their_calls(self) -> None:
        other = ToolCall(id="call_2", name="g")
        _, _, (role, content) = turns(
            HI,
            Message("assistant", (CALL, other)),
            Message("tool", (ToolResult(call_id="call_2", parts=(Text("two"),)),)),
            HI,
            RESULT,
        )
        assert role == "user"
        assert [block["type"] for block in content] == ["tool_result", "tool_result", "text"]
        assert [block["tool_use_id"] for block in content[:2]] == ["call_2", "call_1"]

    def test_a_call_without_a_result_gets_one_that_says_so(self) -> None:
        _, _, (_, content) = turns(HI, Message("assistant", (CALL,)), HI)
        assert content[0]["tool_use_id"] == "call_1"
        assert content[0]["is_error"] is True
        assert content[1] == text("hi")

    def test_a_call_at_the_very_end_gets_one_too(self) -> None:
        assert turns(HI, Message("assistant", (CALL,)))[-1][1][0]["type"] == "tool_result"

    def test_a_result_without_a_call_becomes_words(self) -> None:
        late = Message(
            "tool", (ToolResult(call_id="call_9", parts=(Text("sunny"), Media(kind="image", url="u"))),)
        )
        [(_, content)] = turns(HI, late)
        assert [block["type"] for block in content] == ["text", "text", "text", "image"]
        assert "call_9" in content[1]["text"]

    def test_a_result_given_twice_is_one_result(self) -> None:
        content = turns(*LOOP, RESULT)[-1][1]
        assert [block["type"] for block in content] == ["tool_result", "text", "text"]

    def test_the_user_has_the_first_word(self) -> None:
        assert [role for role, _ in turns(Message("assistant", (Text("a"),)), HI)] == [
            "user",
            "assistant",
            "user",
        ]

    @pytest.mark.parametrize(
        "said", [(), (Message("system", (Text("s"),)),), (Message("user", (Text(" "),)),)]
    )
    def test_a_conversation_of_nothing_is_begun(self, said: tuple[Message, ...]) -> None:
        assert [role for role, _ in turns(*(said or (Message("system", ()),)))] == ["user"]

    def test_the_assistants_last_word_is_continued_where_a_model_can(self) -> None:
        said = (HI, Message("assistant", (Text("The answer is \n"),)))
        assert turns(*said, model="claude-haiku-4-5")[-1] == ("assistant", [text("The answer is")])
        assert turns(*said, model="claude-opus-5")[-1][0] == "user"

    def test_blank_texts_are_left_out_and_join_their_neighbours(self) -> None:
        said = (Text("a"), Text("\n\n"), Text("b"), CALL, Text(" "))
        assert turns(
            Message("user", (Text(""), Text("hi"), Text(" \n"))), Message("assistant", said), RESULT
        )[:2] == [
            ("user", [text("hi")]),
            (
                "assistant",
                [text("a\n\n"), text("b"), {"type": "tool_use", "id": "call_1", "name": "f", "input": {}}],
            ),
        ]

    def test_a_refusal_is_sent_as_words_and_names_and_foreign_blocks_are_not(self) -> None:
        said: tuple[Part, ...] = (
            Opaque("gemini", {"x": 1}),
            Refusal("no"),
            Opaque("anthropic", {"type": "server_tool_use"}),
        )
        body = sent(Message("user", (Text("hi"),), "mina"), Message("assistant", said), HI)
        assert body["messages"][1]["content"] == [text("no"), {"type": "server_tool_use"}]
        assert "mina" not in json.dumps(body)

    def test_ids_that_anthropic_refuses_are_rewritten_alike_in_calls_and_results(self) -> None:
        calls = (ToolCall(id="functions.f:0", name="f"), ToolCall(id="functions_f:0", name="f"))
        results = tuple([Message("tool", (ToolResult(call_id=call.id),)) for call in calls])
        _, (_, called), (_, answered) = turns(HI, Message("assistant", calls), *results)
        ids = [block["id"] for block in called]
        assert ids == [block["tool_use_id"] for block in answered]
        assert len(set(ids)) == 2
        assert all(one.replace("_", "").replace("-", "").isalnum() for one in ids)


class TestMedia:
    """Images and documents."""

    @pytest.mark.parametrize(
        ("media", "source"),
        [
            (
                Media(kind="image", data="AA==", media_type="image/webp"),
                {"type": "base64", "media_type": "image/webp", "data": "AA=="},
            ),
            (
                Media(kind="image", data="/9j/4A=="),
                {"type": "base64", "media_type": "image/jpeg", "data": "/9j/4A=="},
            ),
            (
                Media(kind="image", data="R0lGODlh"),
                {"type": "base64", "media_type": "image/gif", "data": "R0lGODlh"},
            ),
            (Media(kind="image", url="https://a.example/b"), {"type": "url", "url": "https://a.example/b"}),
            (
                Media(kind="image", url="data:image/png;base64,AA=="),
                {"type": "base64", "media_type": "image/png", "data": "AA=="},
            ),
            (Media(kind="image", file_id="f"), {"type": "file", "file_id": "f"}),
            (
                Media(kind="document", data="AA=="),
                {"type": "base64", "media_type": "application/pdf", "data": "AA=="},
            ),
            (
                Media(kind="document", data="aGk=", media_type="text/csv"),
                {"type": "text", "media_type": "text/plain", "data": "hi"},
            ),
            (
                Media(kind="document", data="/w==", media_type="text/csv"),
                {"type": "base64", "media_type": "text/csv", "data": "/w=="},
            ),
            (Media(kind="document", text="hi"), {"type": "text", "media_type": "text/plain", "data": "hi"}),
        ],
    )
    def test_every_form_has_its_source(self, media: Media, source: dict[str, Json]) -> None:
        [(_, [block])] = turns(Message("user", (media,)))
        assert (block["type"], block["source"]) == (media.kind, source)

    def test_a_tools_image_stays_in_its_result(self) -> None:
        shown = Message("tool", (ToolResult(call_id="call_1", parts=(Media(kind="image", url="u"),)),))
        assert turns(*LOOP[:2], shown)[-1][1][0]["content"] == [
            {"type": "image", "source": {"type": "url", "url": "u"}}
        ]

    @pytest.mark.parametrize("kind", ["audio", "video"])
    def test_sounds_and_films_are_refused(self, kind: Any) -> None:
        request = Request(model="m", messages=(Message("user", (Media(kind=kind, data="AA=="),)),))
        with pytest.raises(BadRequest, match="Anthropic takes no"):
            find(request, "anthropic")


class TestSettings:
    """What a request asks for."""

    def test_a_limit_is_set_where_none_is(self) -> None:
        limits = {model: sent(model=model)["max_tokens"] for model in MODELS}
        assert limits["claude-3-haiku-20240307"] == 4096
        assert limits["claude-opus-4-1"] == 32_000
        assert limits["claude-opus-5"] == 64_000
        assert limits["somebody-elses"] == 8192
        assert sent(max_tokens=7)["max_tokens"] == 7

    @pytest.mark.parametrize(
        ("model", "asked", "told"),
        [
            ("claude-sonnet-4-5", {"temperature": 1.5, "top_k": 3}, {"temperature": 1, "top_k": 3}),
            ("claude-sonnet-4-5", {"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5}),
            ("claude-sonnet-4-5", {"top_p": 0.5}, {"top_p": 0.5}),
            ("somebody-elses", {"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5, "top_p": 0.5}),
            ("claude-opus-4-7", {"temperature": 0.5, "top_p": 0.5, "top_k": 3}, {}),
            ("claude-opus-4-7", {"temperature": 1.0}, {"temperature": 1}),
            (
                "claude-opus-4-6",
                {"temperature": 0.5, "top_k": 3, "reasoning": ReasoningAsk(effort="low")},
                {},
            ),
        ],
    )
    def test_sampling_is_what_the_model_takes(
        self, model: str, asked: dict[str, Any], told: dict[str, Any]
    ) -> None:
        body = sent(model=model, **asked)
        assert {name: body[name] for name in ("temperature", "top_p", "top_k") if name in body} == told

    def test_blank_stop_sequences_tiers_and_metadata_are_left_out(self) -> None:
        body = sent(stop=("\n", "END"), service_tier="priority", metadata={"a": "b"}, user="u", seed=1, n=2)
        assert body["stop_sequences"] == ["END"]
        assert body["metadata"] == {"user_id": "u"}
        assert not {"service_tier", "seed", "n"} & body.keys()

    @pytest.mark.parametrize(
        ("model", "ask", "thinking", "effort"),
        [
            ("claude-opus-5", ReasoningAsk(effort="high"), {"type": "adaptive"}, "high"),
            ("claude-opus-5", ReasoningAsk(effort="minimal"), {"type": "adaptive"}, "low"),
            (
                "claude-opus-5",
                ReasoningAsk(effort="xhigh", show="concise"),
                {"type": "adaptive", "display": "summarized"},
                "xhigh",
            ),
            ("claude-opus-4-6", ReasoningAsk(effort="xhigh"), {"type": "adaptive"}, "high"),
            ("claude-opus-5", ReasoningAsk(enabled=True), {"type": "adaptive"}, None),
            ("claude-opus-5", ReasoningAsk(budget=8000), {"type": "adaptive"}, "medium"),
            ("claude-opus-5", ReasoningAsk(budget=99_000), {"type": "adaptive"}, "max"),
            ("claude-opus-5", ReasoningAsk(enabled=False), {"type": "disabled"}, None),
            ("claude-sonnet-5-5", ReasoningAsk(enabled=False), {"type": "between_tools"}, None),
            ("claude-opus-5-5", ReasoningAsk(enabled=False), None, "low"),
            ("claude-fable-5", ReasoningAsk(enabled=False), None, "low"),
            ("claude-opus-5", ReasoningAsk(show="auto"), None, None),
            (
                "claude-sonnet-4-5",
                ReasoningAsk(effort="low"),
                {"type": "enabled", "budget_tokens": 2048},
                None,
            ),
            (
                "claude-sonnet-4-5",
                ReasoningAsk(effort="max"),
                {"type": "enabled", "budget_tokens": 7500},
                None,
            ),
            (
                "claude-sonnet-4-5",
                ReasoningAsk(enabled=True),
                {"type": "enabled", "budget_tokens": 7500},
                None,
            ),
            (
                "claude-sonnet-4-5",
                ReasoningAsk(budget=3000),
                {"type": "enabled", "budget_tokens": 3000},
                None,
            ),
            ("claude-sonnet-4-5", ReasoningAsk(budget=3), {"type": "enabled", "budget_tokens": 1024}, None),
            (
                "claude-sonnet-4-5",
                ReasoningAsk(budget=30_000),
                {"type": "enabled", "budget_tokens": 9999},
                None,
            ),
            ("claude-sonnet-4-5", ReasoningAsk(enabled=False), {"type": "disabled"}, None),
            ("claude-3-5-haiku-latest", ReasoningAsk(effort="high"), None, None),
            ("claude-3-5-haiku-latest", ReasoningAsk(enabled=False), None, None),
        ],
    )
    def test_reasoning_is_asked_for_in_the_models_own_way(
        self, model: str, ask: ReasoningAsk, thinking: Json, effort: str | None
    ) -> None:
        body = sent(model=model, reasoning=ask, max_tokens=10_000)
        assert body.get("thinking") == thinking
        assert body.get("output_config", {}).get("effort") == effort

    def test_no_budget_is_asked_for_that_leaves_nothing_to_say(self) -> None:
        assert "thinking" not in sent(
            model="claude-sonnet-4-5", reasoning=ReasoningAsk(effort="low"), max_tokens=1024
        )

    def test_an_unsigned_loop_goes_on_without_thinking_where_it_must(self) -> None:
        ask = ReasoningAsk(effort="high")
        signed = Message("assistant", (Reasoning(text="hm", signature="s", signer="anthropic"), CALL))
        assert "thinking" not in sent(*LOOP, model="claude-sonnet-4-5", reasoning=ask)
        assert "thinking" in sent(HI, signed, RESULT, model="claude-sonnet-4-5", reasoning=ask)
        assert "thinking" in sent(*LOOP, model="claude-opus-5", reasoning=ask)

    def test_a_forced_tool_is_forced_or_asked_for(self) -> None:
        choice = ToolChoice(mode="named", names=("f",))
        forced = sent(tools=TOOLS, tool_choice=choice, parallel_tools=False)
        assert forced["tool_choice"] == {"type": "tool", "name": "f", "disable_parallel_tool_use": True}
        asked = sent(model="claude-opus-5-5", tools=TOOLS, tool_choice=choice)
        assert asked["tool_choice"] == {"type": "auto"}
        assert "the tool f" in asked["system"][-1]["text"]
        thinking = {"reasoning": ReasoningAsk(effort="high"), "tools": TOOLS, "tool_choice": choice}
        assert "thinking" not in sent(model="claude-sonnet-4-5", **thinking)
        assert "thinking" in sent(model="claude-opus-5", **thinking)

    def test_a_choice_of_some_offers_only_those(self) -> None:
        body = sent(tools=TOOLS, tool_choice=ToolChoice(mode="required", names=("f", "h")))
        assert ([tool["name"] for tool in body["tools"]], body["tool_choice"]) == (
            ["f", "h"],
            {"type": "any"},
        )
        one = sent(tools=TOOLS, tool_choice=ToolChoice(mode="required", names=("f",)))
        assert (len(one["tools"]), one["tool_choice"]) == (3, {"type": "tool", "name": "f"})

    def test_no_choice_is_sent_without_tools_and_no_side_by_side_with_none(self) -> None:
        assert "tool_choice" not in sent(tool_choice=ToolChoice(mode="auto"), parallel_tools=True)
        body = sent(tools=TOOLS, tool_choice=ToolChoice(mode="none"), parallel_tools=False)
        assert body["tool_choice"] == {"type": "none"}

    def test_a_tool_without_a_schema_has_an_empty_one_and_one_without_a_type_an_object(self) -> None:
        tools = (Tool(name="f"), Tool(name="g", schema={"properties": {}}))
        assert [tool["input_schema"] for tool in sent(tools=tools)["tools"]] == [
            {"type": "object", "properties": {}},
            {"type": "object", "properties": {}},
        ]

    def test_strictness_is_asked_for_where_the_schema_can_be_held_to(self) -> None:
        tools = (Tool(name="f", schema=OPEN, strict=True), Tool(name="g", schema=closed(OPEN), strict=True))
        assert [tool.get("strict") for tool in sent(tools=tools)["tools"]] == [None, True]
        assert [tool.get("strict") for tool in sent(tools=tools, model="claude-sonnet-4-0")["tools"]] == [
            None,
            None,
        ]


class TestOutput:
    """The shape of the answer."""

    def test_a_schema_is_closed_and_sent(self) -> None:
        output = OutputFormat(kind="schema", name="n", description="d", schema=OPEN, strict=False)
        assert sent(output=output)["output_config"] == {
            "format": {"type": "json_schema", "schema": closed(OPEN)}
        }

    def test_an_older_model_is_told_it(self) -> None:
        body = sent(output=OutputFormat(kind="schema", schema=OPEN), model="claude-3-7-sonnet-latest")
        assert "output_config" not in body
        assert '"minimum":1' in body["system"][0]["text"]

    def test_any_json_is_asked_for_in_a_sentence(self) -> None:
        body = sent(Message("system", (Text("s"),)), HI, output=OutputFormat(kind="json"))
        assert [block["text"] == "s" for block in body["system"]] == [True, False]
        assert "JSON" in body["system"][1]["text"]
        assert "system" not in sent(output=OutputFormat(kind="text"))

    def test_what_a_grammar_cannot_hold_is_told_in_the_description(self) -> None:
        assert closed({"type": "integer", "minimum": 1, "description": "How many."}) == {
            "type": "integer",
            "description": 'How many.\n\n{"minimum":1}',
        }

    def test_objects_are_closed_all_the_way_down(self) -> None:
        inner = {"type": "object", "properties": {"a": {"type": "string", "format": "email"}}}
        schema = {
            "type": "array",
            "items": {"oneOf": [inner, {"$ref": "#/$defs/x"}]},
            "$defs": {"x": {**inner, "additionalProperties": True}},
        }
        shut = {**inner, "additionalProperties": False}
        assert closed(schema) == {
            "type": "array",
            "items": {"anyOf": [shut, {"$ref": "#/$defs/x"}]},
            "$defs": {"x": shut},
        }
        assert is_closed(closed(schema))
        assert not is_closed(schema)
        assert not is_closed(None)

    def test_a_bottomless_schema_is_left_alone(self) -> None:
        schema: dict[str, Any] = {"type": "string"}
        for _ in range(500):
            schema = {"type": "array", "items": schema}
        assert closed(schema)["type"] == "array"
