"""Tools and thoughts over several turns: what has to come back, and how what does not is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from tests.simulator.desk import answer_of
from tests.simulator.dialect_desks import ASKED, CLOCK, PIXEL, WEATHER, AnthropicDesk, events

_MANUAL: Any = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "tools": [WEATHER]}


@pytest.fixture
def desk() -> AnthropicDesk:
    return AnthropicDesk()


def _answered(message: Any, *results: Any, text: str = "") -> list[Any]:
    """The conversation with the answer, and the results of its calls."""
    calls = [block for block in message["content"] if block["type"] == "tool_use"]
    content: list[Any] = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": result}
        for call, result in zip(calls, results, strict=True)
    ]
    content += [{"type": "text", "text": text}] if text else []
    return [
        *ASKED,
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": content},
    ]


def _calls(message: Any) -> list[str]:
    return [block["name"] for block in message["content"] if block["type"] == "tool_use"]


def _text(message: Any) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


# Tools.


def test_a_tool_is_called_with_arguments_of_its_schema(desk: AnthropicDesk) -> None:
    message = desk.message(tools=[WEATHER])
    (call,) = message["content"]
    assert (call["type"], call["name"], message["stop_reason"]) == ("tool_use", "weather", "tool_use")
    assert isinstance(call["input"]["city"], str)
    assert call["id"].startswith("toolu_01")


def test_several_tools_are_called_at_once_unless_that_is_disabled(desk: AnthropicDesk) -> None:
    both: Any = {"tools": [WEATHER, CLOCK]}
    assert _calls(desk.message("weather and clock", **both)) == ["weather", "clock"]
    one = {"type": "auto", "disable_parallel_tool_use": True}
    assert len(_calls(desk.message("weather and clock", **both, tool_choice=one))) == 1
    ids = [block["id"] for block in desk.message("weather and clock", **both)["content"]]
    assert len(set(ids)) == 2


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["weather"]),
        ({"type": "tool", "name": "clock"}, ["clock"]),
    ],
)
def test_the_choice_of_a_tool_is_kept(desk: AnthropicDesk, choice: Any, called: list[str]) -> None:
    message = desk.message(tools=[WEATHER, CLOCK], tool_choice=choice)
    assert _calls(message) == called
    assert message["stop_reason"] == ("tool_use" if called else "end_turn")


def test_a_result_is_quoted_with_the_pictures_in_it(desk: AnthropicDesk) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    first = desk.message("weather and clock", tools=[WEATHER, CLOCK])
    talk = _answered(first, [{"type": "text", "text": "Sunny."}, image], "Noon.")
    told = _text(desk.message(talk, tools=[WEATHER, CLOCK]))
    assert told == (
        "The result of weather is: Sunny. Attachments received: 1 (image). The result of clock is: Noon."
    )


def test_a_result_that_is_a_search_is_cited(desk: AnthropicDesk) -> None:
    found = {
        "type": "search_result",
        "source": "https://example.com/a",
        "title": "A",
        "content": [{"type": "text", "text": "The sea is wide."}],
        "citations": {"enabled": True},
    }
    talk = _answered(desk.message(tools=[WEATHER]), [found])
    citation = desk.message(talk, tools=[WEATHER])["content"][0]["citations"][0]
    assert (citation["type"], citation["source"]) == ("search_result_location", "https://example.com/a")


def test_arguments_cut_off_by_max_tokens_are_none_at_all(desk: AnthropicDesk) -> None:
    message = desk.message(tools=[WEATHER], max_tokens=3)
    assert message["stop_reason"] == "max_tokens"
    assert message["content"][0]["input"] == {}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda talk: talk.pop(),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_",
        ),
        (
            lambda talk: talk[2]["content"].insert(0, {"type": "text", "text": "Look:"}),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_",
        ),
        (
            lambda talk: talk.pop(1),
            "messages.1.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_",
        ),
        (
            lambda talk: talk[2]["content"].append(talk[2]["content"][0]),
            "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blo",
        ),
        (
            lambda talk: talk[1]["content"].append(talk[1]["content"][0]),
            "messages.1.content.1: `tool_use` ids must be unique",
        ),
        (
            lambda talk: talk[1]["content"][0].update(id="call.1"),
            "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        ),
        (
            lambda talk: talk[2]["content"][0].update(tool_use_id="call.1"),
            "messages.2.content.0.tool_result.tool_use_id: String should match pattern",
        ),
        (
            lambda talk: talk[1]["content"][0].update(input="{}"),
            "messages.1.content.0.tool_use.input: Input should be a valid dictionary",
        ),
        (
            lambda talk: talk[1].update(role="user"),
            "messages.1: `tool_use` blocks can only be in `assistant` messages",
        ),
        (
            lambda talk: talk[2].update(role="assistant"),
            "messages.2: `tool_result` blocks can only be in `user` messages",
        ),
    ],
)
def test_calls_and_results_have_to_match(desk: AnthropicDesk, change: Any, sentence: str) -> None:
    talk = _answered(desk.message(tools=[WEATHER]), "Sunny.")
    change(talk)
    assert desk.refusal(talk, tools=[WEATHER]).startswith(sentence)


def test_a_text_may_follow_the_results(desk: AnthropicDesk) -> None:
    talk = _answered(desk.message(tools=[WEATHER]), "Sunny.", text="Briefly, please.")
    assert _text(desk.message(talk, tools=[WEATHER])) == "The result of weather is: Sunny."


def test_results_may_come_in_several_messages(desk: AnthropicDesk) -> None:
    first = desk.message("weather and clock", tools=[WEATHER, CLOCK])
    talk = _answered(first, "Sunny.", "Noon.")
    results = talk.pop()["content"]
    talk += [{"role": "user", "content": [result]} for result in results]
    assert "Noon." in _text(desk.message(talk, tools=[WEATHER, CLOCK]))


# Thoughts.


def test_thoughts_come_first_signed_and_counted(desk: AnthropicDesk) -> None:
    message = desk.message(thinking={"type": "enabled", "budget_tokens": 1024})
    thought, text = message["content"]
    assert (thought["type"], text["type"]) == ("thinking", "text")
    assert thought["thinking"]
    assert len(thought["signature"]) >= 60
    assert message["usage"]["output_tokens_details"]["thinking_tokens"] == 24
    assert "thinking" not in [block["type"] for block in desk.message()["content"]]


def test_a_stream_signs_its_thoughts_before_the_block_ends(desk: AnthropicDesk) -> None:
    found = [json.loads(data) for _, data in events(desk.messages(stream=True, **_MANUAL))]
    kinds = [event["delta"]["type"] for event in found if event["type"] == "content_block_delta"]
    assert kinds[:24] == ["thinking_delta"] * 24
    assert kinds[24] == "signature_delta"
    assert set(kinds[25:]) == {"input_json_delta"}


def test_effort_decides_how_much_is_thought(desk: AnthropicDesk) -> None:
    def thought(effort: str) -> int:
        fields: Any = {"thinking": {"type": "adaptive"}, "output_config": {"effort": effort}}
        usage = desk.message(model="claude-opus-4-6", **fields)["usage"]
        return int(usage["output_tokens_details"]["thinking_tokens"])

    assert thought("low") < thought("medium") < thought("high") < thought("max")


@pytest.mark.parametrize(
    ("model", "thinking", "shown"),
    [
        ("claude-opus-4-6", {"type": "adaptive"}, True),
        ("claude-opus-4-7", {"type": "adaptive"}, False),
        ("claude-opus-4-7", {"type": "adaptive", "display": "summarized"}, True),
        ("claude-opus-4-6", {"type": "adaptive", "display": "omitted"}, False),
        ("claude-sonnet-5", None, False),
    ],
)
def test_thoughts_are_hidden_where_the_model_hides_them(
    desk: AnthropicDesk, model: str, thinking: Any, shown: bool
) -> None:
    thought = desk.message(model=model, thinking=thinking)["content"][0]
    assert bool(thought["thinking"]) is shown
    assert thought["signature"]


@pytest.mark.parametrize(
    ("model", "fields", "sentence"),
    [
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled"}},
            "thinking.enabled.budget_tokens: Field required",
        ),
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            "`max_tokens` must be greater than `thinking.budget_tokens`.",
        ),
        (
            "claude-haiku-4-5",
            {"thinking": {"type": "adaptive"}},
            "adaptive thinking is not supported on this model",
        ),
        (
            "claude-sonnet-5",
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            '"thinking.type.enabled" is not supported for this model.',
        ),
        (
            "claude-haiku-4-5",
            {**_MANUAL, "temperature": 0.5},
            "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.",
        ),
        ("claude-haiku-4-5", {**_MANUAL, "top_k": 5}, "`top_k` must be unset when thinking is enabled"),
        (
            "claude-haiku-4-5",
            {**_MANUAL, "tool_choice": {"type": "any"}},
            "Thinking may not be enabled when tool_choice forces tool use.",
        ),
        ("claude-haiku-4-5", {"thinking": {"type": "on"}}, "thinking: Input tag 'on' found using 'type'"),
    ],
)
def test_thinking_is_refused_where_it_does_not_fit(
    desk: AnthropicDesk, model: str, fields: Any, sentence: str
) -> None:
    assert desk.refusal(model=model, **fields).startswith(sentence)


def test_thoughts_go_back_unchanged_in_an_open_loop(desk: AnthropicDesk) -> None:
    talk = _answered(desk.message(**_MANUAL), "Sunny.")
    last = desk.message(talk, **_MANUAL)
    assert [block["type"] for block in last["content"]] == ["text"]
    again = copy.deepcopy(talk)
    again += [{"role": "assistant", "content": last["content"]}, *ASKED]
    assert desk.message(again, **_MANUAL)["content"][0]["type"] == "thinking"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda blocks: blocks[0].update(signature="c2ltdWxhdGVk"),
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            lambda blocks: blocks[0].update(signature=""),
            "messages.1.content.0: Invalid `signature` in `thinking` block",
        ),
        (
            lambda blocks: blocks[0].pop("signature"),
            "messages.1.content.0.thinking.signature: Field required",
        ),
        (
            lambda blocks: blocks[0].update(thinking="Something else."),
            "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message",
        ),
        (
            lambda blocks: blocks.pop(0),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`.",
        ),
        (
            lambda blocks: blocks.insert(0, {"type": "text", "text": "Well."}),
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
        ),
    ],
)
def test_thoughts_that_were_touched_are_refused(desk: AnthropicDesk, change: Any, sentence: str) -> None:
    talk = _answered(desk.message(**_MANUAL), "Sunny.")
    change(talk[1]["content"])
    assert desk.refusal(talk, **_MANUAL).startswith(sentence)


def test_thoughts_may_be_left_out_when_thinking_is_off_adaptive_or_over(desk: AnthropicDesk) -> None:
    talk = _answered(desk.message(**_MANUAL), "Sunny.")
    talk[1]["content"].pop(0)
    assert desk.message(talk, tools=[WEATHER])
    assert desk.message(talk, model="claude-opus-4-6", thinking={"type": "adaptive"}, tools=[WEATHER])
    over = [*talk, {"role": "assistant", "content": "It is sunny."}, *ASKED]
    assert desk.message(over, **_MANUAL)


def test_a_foreign_signature_of_an_older_turn_is_refused_as_well(desk: AnthropicDesk) -> None:
    thought = desk.message(thinking=_MANUAL["thinking"])["content"]
    talk = [*ASKED, {"role": "assistant", "content": thought}, *ASKED]
    assert desk.message(talk)
    thought[0]["thinking"] += "!"
    talk += [{"role": "assistant", "content": "Yes."}, *ASKED]
    assert desk.refusal(talk) == "messages.1.content.0: Invalid `signature` in `thinking` block"


def test_encrypted_thoughts_go_back_as_they_came(desk: AnthropicDesk) -> None:
    first = desk.message(**_MANUAL, model="sim-redact")
    assert first["content"][0]["type"] == "redacted_thinking"
    talk = _answered(first, "Sunny.")
    assert desk.message(talk, **_MANUAL)
    talk[1]["content"][0]["data"] = "bWFkZSB1cA=="
    assert desk.refusal(talk, **_MANUAL).endswith("Invalid `data` in `redacted_thinking` block")


def test_thoughts_between_calls_come_where_they_are_interleaved(desk: AnthropicDesk) -> None:
    talk = _answered(desk.message(**_MANUAL), "Sunny.")
    body = {"model": "claude-haiku-4-5", "max_tokens": 4096, "messages": talk, **_MANUAL}
    beta = answer_of(desk.post(body, anthropic_beta="interleaved-thinking-2025-05-14"))
    assert beta["content"][0]["type"] == "thinking"
    fields: Any = {"model": "claude-opus-4-6", "thinking": {"type": "adaptive"}, "tools": [WEATHER]}
    adaptive = desk.message(_answered(desk.message(**fields), "Sunny."), **fields)
    assert adaptive["content"][0]["type"] == "thinking"
