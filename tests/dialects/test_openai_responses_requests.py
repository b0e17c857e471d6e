"""The Responses API, asked of us: what a client says, and that it comes out as it went in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest
from madang.core.messages import (
    Cache,
    Media,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import ReasoningAsk, ToolChoice
from madang.dialects.carry import load, wrap
from madang.dialects.losses import find
from madang.dialects.openai_responses import OPENAI_RESPONSES as CODEC
from tests.dialects.bad_openai_responses import BAD_REQUESTS
from tests.dialects.openai_responses import (
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


# What a client says


@pytest.mark.parametrize(
    ("name", "body", "code", "param"), BAD_REQUESTS, ids=[row[0] for row in BAD_REQUESTS]
)
def test_a_bad_request_is_told_what_is_wrong_and_where(
    name: str, body: object, code: str, param: str | None
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadRequest) as caught:
        CODEC.parse_request(raw, None, None)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert param is None or param in caught.value.message
    assert caught.value.message.endswith(".")


def test_a_string_is_one_message_of_the_users() -> None:
    request = CODEC.parse_request(b'{"model": "m", "input": "hi"}', None, None)
    assert [(message.role, message.parts) for message in request.messages] == [("user", (Text("hi"),))]
    assert asked_for(request) == {"model": "m", "input": "hi"}


def test_instructions_are_a_system_message_that_stands_first() -> None:
    request = parsed({"role": "developer", "content": "be brief"}, USER, instructions="be kind")
    assert [message.role for message in request.messages] == ["system", "developer", "user"]
    same({"role": "developer", "content": "be brief"}, USER, instructions="be kind")
    same({"role": "system", "content": "be brief"}, USER)


def test_what_the_assistant_says_in_one_go_is_one_message() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "one moment"}],
    }
    other = {**CALL, "call_id": "call_2"}
    request = parsed(USER, thought, said, CALL, other, RESULT, {**RESULT, "call_id": "call_2"}, USER)
    assert [message.role for message in request.messages] == ["user", "assistant", "tool", "tool", "user"]
    turn = request.messages[1].parts
    assert [type(part) for part in turn] == [Reasoning, Text, ToolCall, ToolCall]


def test_items_that_nobody_else_knows_come_back_as_they_were() -> None:
    strange = (
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}},
        {"type": "item_reference", "id": "msg_1"},
        {"id": "msg_2"},
        {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}},
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec"}},
        {"type": "from_next_year", "anything": [None, {"at": "all"}]},
    )
    opaque = [part for part in parts_of(parsed(USER, *strange)) if isinstance(part, Opaque)]
    assert [dict(part.data) for part in opaque] == list(strange)
    same(USER, *strange, USER)


def test_blocks_that_nobody_else_knows_keep_their_place_in_the_message() -> None:
    words = {"type": "output_text", "text": "so"}
    for content in (
        [{"type": "hologram"}, words, {"type": "hologram", "x": 1}, words],
        [words, {"type": "hologram"}],
        [{"type": "hologram"}],
        [],
    ):
        for more in ({}, {"type": "message", "id": "msg_1", "status": "completed", "phase": "commentary"}):
            same(
                USER,
                {"role": "assistant", "content": content, **more},
                {"role": "assistant", "content": "so"},
            )
        same({"role": "user", "content": [{"type": "hologram"}, {"type": "input_text", "text": "hi"}]})


@pytest.mark.parametrize(
    "block",
    [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "file_id": None},
        {"type": "input_image", "image_url": "data:,plain"},
        {"type": "input_image", "file_id": "file-1", "image_url": None},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA"},
        {"type": "input_file", "file_data": "AAAA", "filename": "a.docx"},
        {"type": "input_file", "file_data": "data:text/plain;base64,aGk=", "filename": "unnamed.txt"},
        {"type": "input_file", "file_data": "data:text/plain;base64,aGk", "filename": "a.txt"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf", "filename": "unnamed.pdf"},
        {"type": "input_file", "file_id": "file-1", "detail": "high"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3", "rate": 8000}},
        {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
        {"type": "output_text", "text": "hi"},
    ],
    ids=str,
)
def test_a_block_comes_out_as_it_went_in(block: dict[str, Any]) -> None:
    same({"role": "user", "content": [block]})
    same(USER, {"role": "assistant", "content": [block]})
    same(USER, CALL, {**RESULT, "output": [block]})


def test_a_text_file_is_a_document_whose_words_can_be_read() -> None:
    block = {"type": "input_file", "file_data": "data:text/plain;base64,7JWI64WV", "filename": "a.txt"}
    document = parts_of(parsed({"role": "user", "content": [block]}))[0]
    assert isinstance(document, Media)
    assert (document.text, document.data, document.name) == ("안녕", None, "a.txt")


def test_a_mark_for_caching_is_understood() -> None:
    for mark, cache in (({"mode": "explicit"}, Cache()), ({"mode": "explicit", "ttl": "12h"}, Cache("1h"))):
        block = {"type": "input_text", "text": "hi", "prompt_cache_breakpoint": mark}
        part = parts_of(parsed({"role": "user", "content": [block]}))[0]
        assert isinstance(part, Text)
        assert part.cache == cache


@pytest.mark.parametrize(
    "item",
    [
        {"type": "reasoning", "summary": []},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None, "status": None},
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": text} for text in ("a", "", "bc")],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "a", "more": 1}, {"text": "b"}, {"type": "picture"}],
            "content": [{"type": "reasoning_text", "text": "c"}],
            "encrypted_content": "sealed",
            "status": "completed",
        },
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "c"}]},
        {"type": "reasoning", "summary": None, "content": []},
    ],
    ids=str,
)
def test_a_thought_comes_out_as_it_went_in(item: dict[str, Any]) -> None:
    same(USER, item, CALL, RESULT)


def test_the_pieces_of_a_thought_are_told_apart_and_may_be_rewritten() -> None:
    pieces = [{"type": "summary_text", "text": "first"}, {"type": "summary_text", "text": "then"}]
    request = parsed(USER, {"type": "reasoning", "id": "rs_1", "summary": pieces}, USER)
    thought = request.messages[1].parts[0]
    assert isinstance(thought, Reasoning)
    assert thought.text == "first\n\nthen"
    rewritten = Reasoning(text="[removed]", id="rs_1", extra=thought.extra)
    body = asked_for_turn(rewritten)
    assert body == [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "[removed]"}]}
    ]


def test_no_note_on_the_form_holds_words_of_the_client() -> None:
    request = parsed(
        {"role": "user", "content": "secret"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "secret"}], "content": None},
        {"role": "assistant", "content": [{"type": "output_text", "text": "secret", "annotations": []}]},
        {**CALL, "arguments": "secret"},
        {**RESULT, "output": "secret"},
        {"role": "user", "content": [{"type": "input_file", "file_data": "data:text/plain;base64,c2VjcmV0"}]},
        instructions="secret",
    )
    extras = [request.extra, *[message.extra for message in request.messages]]
    extras += [part.extra for part in parts_of(request) if not isinstance(part, Opaque)]
    assert "secret" not in str(extras)
    assert "c2VjcmV0" not in str(extras)


def test_notes_that_a_client_makes_up_are_ignored() -> None:
    forged = {"$form": [], "$has": 5, "$item": {"role": "system"}, "$type": {}, "$pieces": [[]], "$title": []}
    cited = {"type": "url_citation", "url": "https://example.com", **forged}
    request = parsed(
        {"role": "user", "content": [{"type": "input_text", "text": "hi", **forged}], **forged},
        {"type": "reasoning", "summary": [], **forged},
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "hi", "annotations": [cited], **forged}],
            **forged,
        },
        {"type": "made_up", "$content": "text"},
        {**CALL, **forged},
        {**RESULT, **forged},
        tools=[{"type": "function", "name": "f", **forged}],
        **{"$store": False, "$input": "text", "$include": 5, "$user": []},
    )
    assert asked_for(request)["input"][0] == {
        "role": "user",
        "content": [{"type": "input_text", "text": "hi"}],
    }


def test_annotations_are_citations_and_come_back() -> None:
    annotations = [
        {
            "type": "url_citation",
            "url": "https://example.com",
            "title": "A",
            "start_index": 0,
            "end_index": 2,
        },
        {"type": "file_citation", "file_id": "file-1", "filename": "a.pdf", "index": 1},
        {"type": "from_next_year", "start_index": "soon"},
    ]
    item = {
        "role": "assistant",
        "content": [{"type": "output_text", "text": "so", "annotations": annotations}],
    }
    text = parsed(USER, item).messages[1].parts[0]
    assert isinstance(text, Text)
    first, second, third = text.citations
    assert (first.url, first.title, first.start, first.end) == ("https://example.com", "A", 0, 2)
    assert (second.file_id, second.title) == ("file-1", "a.pdf")
    assert third.url is None
    same(USER, item)


def test_signatures_are_read_wherever_a_client_sends_them_back() -> None:
    thought = Reasoning(text="hm", signature="sig", signer="anthropic")
    call = ToolCall(id="call_1", name="f", arguments="{}", signature="call-sig", signer="gemini")
    item = {
        "type": "reasoning",
        "id": "rs_bWFkYW5n_1",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": wrap("sig", "anthropic", NAME),
    }
    carried = load(call, [thought])
    for items in (
        [item, {**CALL, "call_id": carried}],
        [{**CALL, "call_id": carried}],
    ):
        request = parsed(USER, *items, {**RESULT, "call_id": carried})
        thoughts = [part for part in request.messages[1].parts if isinstance(part, Reasoning)]
        assert [(one.text, one.signature, one.signer) for one in thoughts] == [("hm", "sig", "anthropic")]
        found = request.messages[1].parts[-1]
        assert isinstance(found, ToolCall)
        assert (found.id, found.signature, found.signer) == ("call_1", "call-sig", "gemini")
        result = request.messages[2].parts[0]
        assert isinstance(result, ToolResult)
        assert result.call_id == "call_1"


# What is asked for besides


def test_everything_asked_for_comes_out_as_it_went_in() -> None:
    same(
        USER,
        temperature=0.5,
        top_p=1,
        max_output_tokens=3,
        top_logprobs=2,
        parallel_tool_calls=False,
        stream=False,
        store=True,
        service_tier="flex",
        user="u",
        safety_identifier="s",
        metadata={"team": "a"},
        include=[
            "reasoning.encrypted_content",
            "web_search_call.action.sources",
            "message.output_text.logprobs",
        ],
        reasoning={"effort": "none", "summary": None, "generate_summary": "auto", "mode": "pro"},
        text={
            "verbosity": "low",
            "format": {"type": "json_schema", "name": "x", "schema": {}, "strict": None},
        },
        tools=[
            {"type": "function", "name": "f"},
            {"type": "function", "name": "g", "parameters": None, "strict": None, "description": None},
            {"type": "function", "name": "h", "parameters": {}, "strict": True, "defer_loading": True},
            {"type": "web_search", "search_context_size": "low"},
            {"type": "custom", "name": "grep"},
        ],
        previous_response_id=None,
        background=True,
        truncation="auto",
        prompt={"id": "pmpt_1"},
        made_up={"next": "year"},
    )
    for settings in (
        {"reasoning": {}, "text": {}, "tools": [], "include": [], "metadata": {}, "store": False},
        {"reasoning": {"generate_summary": "auto"}, "text": {"format": {"type": "text"}}, "store": None},
        {"text": {"format": {"type": "from_next_year", "grammar": "x"}}, "stream": True},
        {"safety_identifier": "s", "text": {"format": {"type": "json_object"}}},
        {"tool_choice": "required", "max_tokens": 5},
        {"tool_choice": {"type": "function", "name": "f"}},
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}],
            }
        },
        {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}},
        {"tool_choice": {"type": "web_search_preview"}},
    ):
        same(USER, **settings)


@pytest.mark.parametrize(
    ("said", "ask"),
    [
        ({"effort": "high"}, ReasoningAsk(effort="high")),
        ({"effort": "none"}, ReasoningAsk(enabled=False)),
        ({"effort": "low", "summary": "auto"}, ReasoningAsk(effort="low", show="auto")),
        ({"summary": None}, ReasoningAsk(show="none")),
    ],
    ids=str,
)
def test_reasoning_is_asked_for_in_our_words(said: dict[str, object], ask: ReasoningAsk) -> None:
    assert parsed(USER, reasoning=said).reasoning == ask
    assert rendered(reasoning=ask)["reasoning"] == said


def test_the_choice_of_a_tool_is_understood() -> None:
    tools = [{"type": "function", "name": name} for name in ("f", "g")]
    for said, choice in (
        ("auto", ToolChoice(mode="auto")),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        ({"type": "function", "name": "f"}, ToolChoice(mode="named", names=("f",))),
        (
            {"type": "allowed_tools", "mode": "required", "tools": tools},
            ToolChoice(mode="required", names=("f", "g")),
        ),
    ):
        assert parsed(USER, tool_choice=said).tool_choice == choice
        assert rendered(tool_choice=choice)["tool_choice"] == said


def test_what_openai_keeps_is_refused_elsewhere() -> None:
    for name in ("previous_response_id", "conversation", "prompt"):
        request = CODEC.parse_request(json.dumps({"model": "m", name: "x_1"}).encode(), None, None)
        assert request.messages == ()
        assert asked_for(request) == {"model": "m", name: "x_1"}
        with pytest.raises(BadRequest) as caught:
            find(request, "anthropic")
        assert caught.value.param == name


def test_whether_an_answer_is_kept_is_a_loss_only_if_it_is_wanted() -> None:
    kept = [loss.feature for loss in find(parsed(USER, max_output_tokens=99, store=True), "openai_chat")]
    assert kept == [f"field:{NAME}:store"]
    assert find(parsed(USER, max_output_tokens=99, store=False), "openai_chat") == []
    assert find(parsed(USER, max_output_tokens=99), "openai_chat") == []


# Whatever comes

json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-9, 2**53), st.floats(allow_nan=False, allow_infinity=False)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(("type", "role", "id", "x")), inner)
    ),
    max_leaves=6,
)
_any = {
    "id": st.one_of(st.none(), st.sampled_from(("msg_1", "rs_1", "fc_1"))),
    "status": st.sampled_from(("completed", "incomplete", None)),
    "x": json_values,
}
_words = st.text(max_size=3)


def _objects(more: dict[str, Any] | None = None, **needed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members, where they are not strategies with just these values, and any others."""
    return st.fixed_dictionaries(
        {name: one if isinstance(one, st.SearchStrategy) else st.just(one) for name, one in needed.items()},
        optional={**_any, **(more or {})},
    )


_blocks = st.lists(
    st.one_of(
        _objects({"logprobs": st.just([])}, type=st.sampled_from(("input_text", "output_text")), text=_words),
        _objects(
            type="output_text",
            text=_words,
            annotations=st.lists(
                _objects({"title": _words}, type="url_citation", url=_words, start_index=0), max_size=2
            ),
        ),
        _objects(type="refusal", refusal=_words),
        _objects(
            {"detail": st.just("low")},
            type="input_image",
            image_url=st.sampled_from(("data:image/png;base64,AAAA", "https://example.com")),
        ),
        _objects(
            {"filename": st.sampled_from(("a.pdf", "unnamed.pdf", ""))},
            type="input_file",
            file_data=st.sampled_from(
                ("data:text/plain;base64,aGk=", "AAAA", "data:application/pdf;base64,AA==")
            ),
        ),
        _objects(type="hologram"),
    ),
    max_size=3,
)
_content = st.one_of(_words, _blocks)
_pieces = st.lists(
    st.one_of(_objects(type="summary_text", text=_words), _objects(text=_words), _objects()), max_size=3
)
_items = st.one_of(
    _objects(
        {"type": st.just("message"), "phase": st.just("commentary")},
        role=st.sampled_from(("user", "assistant", "system", "developer")),
        content=_content,
    ),
    _objects(
        {"content": st.one_of(st.none(), _pieces), "encrypted_content": st.sampled_from((None, "sealed"))},
        type="reasoning",
        summary=_pieces,
    ),
    _objects(type="function_call", call_id="call_1", name="f", arguments=_words),
    _objects({"name": st.just("f")}, type="function_call_output", call_id="call_1", output=_content),
    _objects({"output_format": st.just("webp")}, type="image_generation_call", result="AAAA"),
    _objects(type="from_next_year"),
)


@given(st.lists(_items, max_size=5))
def test_whatever_is_understood_comes_out_as_it_went_in(items: list[Any]) -> None:
    same(*items)


@given(st.one_of(json_values, st.lists(_items)))
def test_a_body_is_understood_or_refused_and_nothing_else(value: Any) -> None:
    for body in (
        value,
        {"model": "m", "input": value},
        {"model": "m", "input": "hi", "tools": value, "text": value},
    ):
        with suppress(BadRequest):
            CODEC.render_request(CODEC.parse_request(json.dumps(body).encode(), None, None), "m")
