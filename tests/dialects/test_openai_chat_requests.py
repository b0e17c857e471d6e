"""Requests for chat completions, read and written: forms that come back as they were, and what is foreign."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest
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
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.dialects.carry import load, wrap
from madang.dialects.openai_chat import OPENAI_CHAT
from tests.dialects.bad_openai_chat import BAD_REQUESTS, CALL, USER, asked
from tests.dialects.hub import requests
from tests.dialects.same_openai_chat import IMAGE, PNG, RESULT, SAME


def parse(body: object) -> Request:
    return OPENAI_CHAT.parse_request(
        body if isinstance(body, bytes) else json.dumps(body).encode(), None, None
    )


def render(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(OPENAI_CHAT.render_request(request, "m"))
    return found


def written(*messages: Message, **settings: Any) -> dict[str, Any]:
    """What a provider gets of a request from another dialect."""
    return render(Request(model="m", messages=messages, **settings))


def said(message: Message) -> dict[str, Any]:
    [only, *_] = written(message)["messages"]
    return dict(only)


def heard(*messages: object) -> Message:
    """The last of the messages, read."""
    return parse(asked(*messages)).messages[-1]


@pytest.mark.parametrize(
    ("name", "body", "code", "param"), BAD_REQUESTS, ids=[row[0] for row in BAD_REQUESTS]
)
def test_a_bad_request_names_the_place(name: str, body: object, code: str, param: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert caught.value.message.endswith((".", ")."))


def test_there_are_enough_bad_requests() -> None:
    assert len(BAD_REQUESTS) == len({row[0] for row in BAD_REQUESTS}) >= 30


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)
MEMBERS = (
    "role content tool_calls tool_call_id name reasoning reasoning_content reasoning_details annotations "
    "refusal audio images function_call type text id function custom arguments image_url input_audio file "
    "url detail format cache_control thinking signature index data messages tools functions tool_choice "
    "response_format json_schema schema stop stream stream_options metadata n reasoning_effort"
).split()
telling_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-2, 2),
        st.sampled_from([*MEMBERS, "", "user", "assistant", "tool"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_json_is_read_or_refused(body: object) -> None:
    try:
        parse(body)
    except BadRequest:
        return
    raise AssertionError("no made-up value is a request")


@given(st.dictionaries(st.sampled_from(MEMBERS), telling_values), st.lists(telling_values, max_size=3))
def test_any_members_are_read_or_refused_and_what_is_read_comes_back(
    members: dict[str, Any], messages: list[Any]
) -> None:
    body = {"model": "m", **members, "messages": [USER, *messages]}
    try:
        request = parse(body)
    except BadRequest:
        return
    assert render(request) == body


@given(requests(shuffled=True, broken_arguments=True, opaque=("openai_chat", "anthropic")))
def test_any_request_is_written_and_once_written_it_stays(request: Request) -> None:
    once = OPENAI_CHAT.render_request(request, "m")
    again = OPENAI_CHAT.render_request(OPENAI_CHAT.parse_request(once, None, None), "m")
    assert json.loads(once) == json.loads(again)


@pytest.mark.parametrize("name", SAME)
def test_what_was_read_is_written_as_it_was(name: str) -> None:
    body = SAME[name]
    assert render(parse(body)) == body


def test_the_path_may_say_model_and_stream() -> None:
    body = json.dumps({"messages": [USER]}).encode()
    request = OPENAI_CHAT.parse_request(body, "deployment", True)
    assert (request.model, request.stream) == ("deployment", True)
    assert OPENAI_CHAT.parse_request(json.dumps(asked()).encode(), "deployment", None).model == "deployment"


def test_every_likeness_of_a_setting_is_understood() -> None:
    assert parse(asked(max_tokens=9)).max_tokens == 9
    assert parse(asked(stop="x")).stop == ("x",)
    assert parse(asked(top_k=5)).top_k == 5
    for body, ask in (
        ({"reasoning_effort": "high"}, {"effort": "high"}),
        ({"reasoning_effort": "none"}, {"enabled": False}),
        ({"reasoning": {"effort": "low", "max_tokens": 9}}, {"effort": "low", "budget": 9}),
        ({"reasoning": {"exclude": True, "enabled": True}}, {"enabled": True, "show": "none"}),
        ({"thinking": {"type": "disabled"}}, {"enabled": False}),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, {"enabled": True, "budget": 9}),
        ({"enable_thinking": True}, {"enabled": True}),
    ):
        found = parse(asked(**body)).reasoning
        assert found is not None
        assert ReasoningAsk(**ask) == ReasoningAsk(
            enabled=found.enabled, effort=found.effort, budget=found.budget, show=found.show
        )


def test_media_are_understood_whoever_writes_them() -> None:
    parts = heard(
        {
            "role": "user",
            "content": [
                IMAGE,
                {"type": "image_url", "image_url": "https://example.com/a"},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
                {
                    "type": "file",
                    "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
                },
                {"type": "file", "file": {"file_data": "https://example.com/a.pdf"}},
                {"type": "document_url", "document_url": "https://example.com/b.pdf"},
                {"type": "video_url", "video_url": {"url": "https://example.com/c.mp4"}},
            ],
        }
    ).parts
    assert [
        (part.kind, part.data, part.url, part.media_type) for part in parts if isinstance(part, Media)
    ] == [
        ("image", PNG, None, "image/png"),
        ("image", None, "https://example.com/a", None),
        ("audio", "AAAA", None, "audio/mp3"),
        ("document", "AAAA", None, "application/pdf"),
        ("document", None, "https://example.com/a.pdf", None),
        ("document", None, "https://example.com/b.pdf", None),
        ("video", None, "https://example.com/c.mp4", None),
    ]


def test_a_mark_of_the_cache_is_understood_and_from_elsewhere_left_out() -> None:
    marked = {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    [part] = heard({"role": "user", "content": [marked]}).parts
    assert isinstance(part, Text)
    assert part.cache == Cache("1h")
    assert said(Message("user", (Text("hi", cache=Cache("1h")),))) == {"role": "user", "content": "hi"}


def test_the_words_of_a_function_of_old_become_a_call_and_its_result() -> None:
    request = parse(SAME["functions of old"])
    call = request.messages[1].parts[0]
    result = request.messages[2].parts[0]
    assert isinstance(call, ToolCall)
    assert isinstance(result, ToolResult)
    assert call.id == result.call_id != ""
    assert request.tools == (
        Tool(
            name="f",
            description="d",
            schema={"type": "object"},
            extra={"openai_chat": {"$form": "functions"}},
        ),
    )
    assert request.tool_choice is not None
    assert (request.tool_choice.mode, request.tool_choice.names) == ("named", ("f",))


def test_a_call_without_an_id_gets_the_same_one_every_time() -> None:
    turn = {"role": "assistant", "tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "f"}}]}
    ids = [[part.id for part in heard(USER, turn).parts if isinstance(part, ToolCall)] for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


THOUGHT = Reasoning(text="hm", signature="sig", signer="anthropic")
HIDDEN = Reasoning(signature="xyz", signer="anthropic", redacted=True)
SIGNED = ToolCall(id="call_1", name="f", arguments="{}", signature="gsig", signer="gemini")


def test_what_an_id_carries_is_unpacked_before_the_turn() -> None:
    loaded = load(SIGNED, [THOUGHT, HIDDEN])
    turn = {"role": "assistant", "content": "so", "tool_calls": [CALL | {"id": loaded}]}
    parts = heard(USER, turn).parts
    assert parts == (THOUGHT, HIDDEN, Text("so"), SIGNED)
    [result] = heard(USER, turn, RESULT | {"tool_call_id": loaded}).parts
    assert isinstance(result, ToolResult)
    assert result.call_id == "call_1"


def test_thoughts_that_came_back_by_both_ways_are_there_once() -> None:
    entry = {"type": "reasoning.text", "text": "hm", "signature": wrap("sig", "anthropic", "openai_chat")}
    turn = {
        "role": "assistant",
        "content": None,
        "reasoning_content": "hm",
        "reasoning_details": [entry],
        "tool_calls": [CALL | {"id": load(SIGNED, [THOUGHT])}],
    }
    thoughts = [part for part in heard(USER, turn).parts if isinstance(part, Reasoning)]
    assert [(one.text, one.signature, one.signer) for one in thoughts] == [("hm", "sig", "anthropic")]


def test_thoughts_between_calls_stay_between_them() -> None:
    second = ToolCall(id="call_2", name="f")
    calls = [CALL, CALL | {"id": load(second, [THOUGHT])}]
    parts = heard(USER, {"role": "assistant", "tool_calls": calls}).parts
    assert [type(part).__name__ for part in parts] == ["ToolCall", "Reasoning", "ToolCall"]


def test_a_provider_gets_its_own_signatures_and_no_others() -> None:
    own = Reasoning(text="hm", signature="sig", signer="openai_chat", id="rs_1")
    hidden = Reasoning(signature="xyz", redacted=True)
    call = ToolCall(id="call_1", name="f", signature="gsig", signer="openai_chat")
    turn = said(Message("assistant", (THOUGHT, own, hidden, Text("so"), call)))
    assert turn == {
        "role": "assistant",
        "content": "so",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "hm", "signature": "sig", "id": "rs_1", "index": 0},
            {"type": "reasoning.encrypted", "data": "xyz", "index": 1},
        ],
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "gsig"}},
            }
        ],
    }
    foreign = said(Message("assistant", (THOUGHT, Reasoning(text="aloud"), SIGNED)))
    assert foreign == {"role": "assistant", "content": None, "tool_calls": [CALL]}


def test_a_turn_of_which_nothing_can_be_said_is_left_out() -> None:
    turns = (
        Message("user", (Text("hi"),)),
        Message("assistant", (Opaque("anthropic", {"type": "server_tool_use"}), THOUGHT)),
        Message("user", (Text("go on"),)),
    )
    assert [turn["role"] for turn in written(*turns)["messages"]] == ["user", "user"]


def test_results_in_a_users_message_come_before_what_the_user_says() -> None:
    message = Message(
        "user",
        (
            Text("and now?"),
            ToolResult(call_id="call_1", parts=(Text("ok"),)),
            ToolResult(call_id="call_2", parts=(Text("a"), Text("b")), is_error=True),
            ToolResult(call_id="call_3", is_error=True),
        ),
        name="mina",
    )
    assert written(message)["messages"] == [
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Error: a\n\nb"},
        {"role": "tool", "tool_call_id": "call_3", "content": "Error: "},
        {"role": "user", "content": "and now?", "name": "mina"},
    ]


def test_what_results_show_follows_all_of_them() -> None:
    picture = Media(kind="image", data=PNG, media_type="image/png")
    one, other = (
        Message("tool", (ToolResult(call_id=f"call_{n}", parts=(Text("see"), picture)),)) for n in (1, 2)
    )
    for last in ([], [Message("user", (Text("well?"),))]):
        turns = written(one, other, *last)["messages"]
        assert [turn["role"] for turn in turns[:3]] == ["tool", "tool", "user"]
        assert [turn["content"] for turn in turns[:2]] == ["see", "see"]
        assert turns[2]["content"] == [
            {"type": "text", "text": "From the result of tool call call_1:"},
            IMAGE,
            {"type": "text", "text": "From the result of tool call call_2:"},
            IMAGE,
        ]
        assert len(turns) == 3 + len(last)


def test_nothing_is_said_of_calling_tools_where_there_are_none() -> None:
    """OpenAI refuses that; the Responses API takes it, and LlamaIndex sends it there."""
    body = written(Message("user", (Text("hi"),)), tool_choice=ToolChoice(mode="none"), parallel_tools=False)
    assert body.keys() == {"model", "messages"}


def test_what_another_dialect_says_is_said_in_openais_words() -> None:
    body = written(
        Message("developer", (Text("be brief"),)),
        Message(
            "user",
            (
                Text("hi"),
                Media(kind="image", url="https://example.com/a", detail="low"),
                Media(kind="audio", data="AAAA", media_type="audio/mpeg"),
                Media(kind="document", data="AAAA", media_type="application/pdf", name="a.pdf"),
                Media(kind="document", file_id="file-1"),
                Media(kind="document", text="words", name="notes"),
            ),
        ),
        Message("assistant", (Text("a", (Citation(url="u"),)), Refusal("no"))),
        Message("user", (Text("b"), Text("c"))),
        stream=True,
        max_tokens=9,
        stop=("x",),
        tools=(Tool(name="f"), Opaque("anthropic", {"type": "bash"})),
        tool_choice=ToolChoice(mode="required", names=("f",)),
        output=OutputFormat(kind="schema", schema={"type": "object"}),
    )
    assert body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hi"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/a", "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
                    },
                    {"type": "file", "file": {"file_id": "file-1"}},
                    {"type": "text", "text": "notes:\nwords"},
                ],
            },
            {"role": "assistant", "content": "a", "refusal": "no"},
            {"role": "user", "content": "b\n\nc"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "stop": ["x"],
        "tools": [
            {
                "type": "function",
                "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
            }
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
        },
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}},
        },
    }


@pytest.mark.parametrize(
    ("ask", "effort"),
    [
        (ReasoningAsk(enabled=True), "medium"),
        (ReasoningAsk(enabled=False), "none"),
        (ReasoningAsk(effort="xhigh", budget=9), "high"),
        (ReasoningAsk(budget=1024), "low"),
        (ReasoningAsk(budget=8000), "medium"),
        (ReasoningAsk(budget=32_000), "high"),
    ],
)
def test_another_dialects_wish_to_think_becomes_an_effort(ask: ReasoningAsk, effort: str) -> None:
    assert written(Message("user", (Text("hi"),)), reasoning=ask)["reasoning_effort"] == effort


def test_a_text_that_was_changed_leaves_no_trace_of_the_old_one() -> None:
    body = {
        "role": "assistant",
        "content": [{"type": "text", "text": "secret", "cache_control": {"type": "ephemeral"}}],
        "reasoning": "secret",
        "reasoning_details": [{"type": "reasoning.text", "text": "secret"}],
        "refusal": "secret",
    }
    message = heard(USER, body)
    parts = tuple(
        type(part)(**{**{name: getattr(part, name) for name in part.__struct_fields__}, "text": "xxx"})
        for part in message.parts
        if isinstance(part, Text | Reasoning | Refusal)
    )
    assert len(parts) == 3
    assert "secret" not in json.dumps(said(Message("assistant", parts, extra=message.extra)))
