"""The Responses API, asked by us: what a provider gets of a request of another dialect."""

from __future__ import annotations

import json
from typing import Any

from madang.core.messages import (
    Cache,
    Citation,
    Media,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC
from tests.dialects.openai_responses import (
    ASKED,
    NAME,
    asked_for,
    asked_for_turn,
    parsed,
    parts_of,
    rendered,
    same,
)

CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
USER = {"role": "user", "content": "hi"}


def test_a_request_of_another_dialect_is_written_simply() -> None:
    said = (
        Message("system", (Text("be brief"),)),
        ASKED,
        Message("assistant", (Text("yes?"),)),
        Message("user", (Text("what is it?"), Media(kind="image", data="AAAA", media_type="image/webp"))),
    )
    assert rendered(*said, max_tokens=99) == {
        "model": "m",
        "instructions": "be brief",
        "input": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "yes?"}]},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "what is it?"},
                    {"type": "input_image", "image_url": "data:image/webp;base64,AAAA"},
                ],
            },
        ],
        "max_output_tokens": 99,
        "store": False,
    }


def test_other_system_messages_stand_where_they_were() -> None:
    first = Message("developer", (Text("be brief"),))
    assert rendered(first, ASKED, Message("system", (Text("a"), Text("b"))))["input"] == [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": "hi"},
        {
            "role": "system",
            "content": [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}],
        },
    ]


def test_functions_are_not_strict_unless_it_is_said() -> None:
    for strict, said in ((None, False), (False, False), (True, True)):
        tool = rendered(tools=(Tool(name="f", strict=strict),))["tools"][0]
        nothing = {"type": "object", "properties": {}}
        assert tool == {"type": "function", "name": "f", "parameters": nothing, "strict": said}
    assert rendered(tools=(Opaque("anthropic", {"type": "bash_20250124"}),))["tools"] == []


def test_a_result_may_hold_images_and_says_if_it_is_an_error() -> None:
    def output(*parts: Text | Media | Opaque, is_error: bool = False) -> object:
        result = ToolResult(call_id="call_1", name="f", parts=parts, is_error=is_error)
        item = rendered(ASKED, Message("tool", (result,)))["input"][1]
        assert (item.pop("type"), item.pop("call_id")) == ("function_call_output", "call_1")
        assert list(item) == ["output"]
        return item["output"]

    image = Media(kind="image", url="https://example.com/a.png")
    block = {"type": "input_image", "image_url": "https://example.com/a.png"}
    assert output(Text("ok")) == "ok"
    assert output() == ""
    assert output(Text("ok"), image) == [{"type": "input_text", "text": "ok"}, block]
    assert output(Text("no such city"), is_error=True) == "Error: no such city"
    assert output(image, is_error=True) == [{"type": "input_text", "text": "Error: "}, block]
    assert output(is_error=True) == "Error: "
    assert output(Text("ok"), Opaque("anthropic", {"type": "search_result"})) == [
        {"type": "input_text", "text": "ok"}
    ]


def test_results_among_words_of_the_users_keep_their_order() -> None:
    result = ToolResult(call_id="call_1", parts=(Text("ok"),))
    items = rendered(ASKED, Message("user", (Text("a"), result, Text("b"))))["input"][1:]
    assert [item.get("type", item.get("content")) for item in items] == ["a", "function_call_output", "b"]


def test_a_thought_is_sent_only_to_those_who_signed_it() -> None:
    def sent(**members: Any) -> list[dict[str, Any]]:
        return asked_for_turn(Reasoning(**members), Text("so"))[:-1]

    sealed = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "sig",
    }
    assert sent(text="hm", signature="sig", signer=NAME) == [sealed]
    assert sent(text="hm", signature="sig", signer=NAME, id="rs_1") == [{**sealed, "id": "rs_1"}]
    assert sent(text="hm", signature="sig") == [sealed]
    assert sent(text="hm", signature="sig", signer="anthropic") == []
    assert sent(text="hm") == []
    assert sent(signature="sig", signer="anthropic", redacted=True) == []


def test_a_thought_that_we_gave_an_id_is_not_asked_for_again() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    words = {"role": "assistant", "content": "so"}
    ours = parsed(USER, {**thought, "id": "rs_bWFkYW5n_answer-1_0"}, words, USER)
    assert parts_of(ours)[1] == Reasoning(text="hm")
    assert asked_for(ours)["input"] == [USER, words, USER]
    same(USER, {**thought, "id": "rs_1"}, words, USER)


def test_calls_and_images_are_items_of_their_own() -> None:
    call = ToolCall(id="call_1", name="f", signature="sig", signer="gemini")
    image = Media(kind="image", data="AAAA", media_type="image/png")
    assert asked_for_turn(Text("a"), Refusal("b"), call, image, Text("c")) == [
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}],
        },
        CALL,
        {
            "type": "image_generation_call",
            "id": "ig_3",
            "status": "completed",
            "output_format": "png",
            "result": "AAAA",
        },
        {"role": "assistant", "content": [{"type": "output_text", "text": "c"}]},
    ]


def test_what_has_no_counterpart_is_left_out() -> None:
    text = Text("so", (Citation(url="https://example.com"),), Cache())
    assert asked_for_turn(text, Opaque("gemini", {"executableCode": {}})) == [
        {"role": "assistant", "content": [{"type": "output_text", "text": "so"}]}
    ]
    asked = rendered(
        Message("user", (Text("hi", cache=Cache("5m")), Media(kind="video", data="AAAA")), name="mina"),
        top_k=3,
        seed=1,
        stop=("x",),
        n=2,
        presence_penalty=1.0,
        frequency_penalty=1.0,
    )
    assert asked == {
        "model": "m",
        "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    } | {"store": False}


def test_reasoning_budgets_become_efforts() -> None:
    for budget, effort in (
        (1024, "low"),
        (2048, "low"),
        (2049, "medium"),
        (8192, "medium"),
        (20_000, "high"),
    ):
        asked = rendered(reasoning=ReasoningAsk(enabled=True, budget=budget))
        assert asked["reasoning"] == {"effort": effort}
    assert rendered(reasoning=ReasoningAsk(enabled=True))["reasoning"] == {"effort": "medium"}


def test_thoughts_are_asked_for_encrypted_where_the_model_thinks() -> None:
    sealed = ["reasoning.encrypted_content"]
    assert rendered(reasoning=ReasoningAsk(effort="low"))["include"] == sealed
    signed = Message("assistant", (Reasoning(text="hm", signature="sig", signer=NAME), Text("so")))
    assert rendered(ASKED, signed, ASKED)["include"] == sealed
    assert "include" not in rendered(reasoning=ReasoningAsk(enabled=False))
    assert "include" not in rendered()


def test_logprobs_are_asked_for_by_including_them() -> None:
    asked = rendered(logprobs=True, top_logprobs=3)
    assert (asked["include"], asked["top_logprobs"]) == (["message.output_text.logprobs"], 3)
    assert parsed(USER, include=asked["include"]).logprobs is True
    assert parsed(USER, top_logprobs=2).logprobs is None


def test_fewer_than_sixteen_tokens_are_not_asked_of_a_provider() -> None:
    assert rendered(max_tokens=1)["max_output_tokens"] == 16
    assert rendered(max_tokens=17)["max_output_tokens"] == 17


def test_a_shape_of_the_answer_always_has_a_name() -> None:
    schema = {"type": "object", "additionalProperties": False}
    wanted = OutputFormat(kind="schema", schema=schema, strict=True)
    assert rendered(output=wanted)["text"] == {
        "format": {"type": "json_schema", "name": "response", "schema": schema, "strict": True}
    }
    assert rendered(output=OutputFormat(kind="json"))["text"] == {"format": {"type": "json_object"}}


def test_a_file_without_a_name_gets_one_for_the_way() -> None:
    pdf = Media(kind="document", data="AAAA", media_type="application/pdf")
    text = Media(kind="document", text="안녕", media_type="text/plain", name="a.txt")
    asked = rendered(Message("user", (pdf, text)))
    assert asked["input"][0]["content"] == [
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "unnamed.pdf"},
        {"type": "input_file", "file_data": "data:text/plain;base64,7JWI64WV", "filename": "a.txt"},
    ]
    again = CODEC.parse_request(json.dumps(asked).encode(), None, None)
    assert [part.name for part in parts_of(again) if isinstance(part, Media)] == [None, "a.txt"]


def test_a_model_that_does_not_reason_is_sent_no_thoughts() -> None:
    signed = Message("assistant", (Reasoning(text="hm", signature="sig", signer=NAME), Text("so")))
    request = Request(model="house", messages=(ASKED, signed, ASKED))
    for model, types in (("gpt-4.1", [None, None, None]), ("gpt-5", [None, "reasoning", None, None])):
        asked = json.loads(CODEC.render_request(request, model))
        assert [item.get("type") for item in asked["input"]] == types
        assert ("include" in asked) == (model == "gpt-5")


def test_requests_go_to_one_place_whatever_they_ask() -> None:
    assert CODEC.endpoint("gpt-5", True) == CODEC.endpoint("gpt-4.1", False)
    assert CODEC.endpoint("gpt-5", True).path == "/responses"
