"""Requests to the Messages API, read and written: forms that come back as they were, and what they mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest, BrokenAnswer
from madang.core.messages import (
    Cache,
    Citation,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.dialects.anthropic import ANTHROPIC, counting
from madang.dialects.carry import load, wrap
from tests.dialects.bad_anthropic import BAD_REQUESTS, CALL, RESULT, TOOL, USER, asking, saying
from tests.dialects.laws import difference
from tests.dialects.same_anthropic import LINK, PLACE, PNG, SAME, SCHEMA, SEARCHED


def parse(body: object) -> Request:
    return ANTHROPIC.parse_request(body if isinstance(body, bytes) else json.dumps(body).encode(), None, None)


def render(request: Request, model: str = "m") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ANTHROPIC.render_request(request, model))
    return found


def heard(*blocks: object, role: str = "user") -> tuple[Part, ...]:
    """What is said in a message of these blocks."""
    return parse(saying(*blocks, role=role)).messages[-1].parts


def written(*messages: Message) -> list[Any]:
    """What a provider gets of messages that came in this dialect."""
    request = Request(model="m", messages=messages, max_tokens=9, extra={"anthropic": {"$native": True}})
    return list(render(request)["messages"])


@pytest.mark.parametrize(
    ("name", "body", "code", "param"), BAD_REQUESTS, ids=[row[0] for row in BAD_REQUESTS]
)
def test_a_bad_request_says_what_is_wrong_and_where(
    name: str, body: object, code: str, param: str | None
) -> None:
    with pytest.raises(BadRequest) as caught:
        parse(body)
    assert (caught.value.code, caught.value.param) == (code, param), name
    assert len(caught.value.message) > 20
    assert caught.value.message.endswith(".")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    (
                        "model",
                        "max_tokens",
                        "messages",
                        "role",
                        "content",
                        "type",
                        "text",
                        "source",
                        "tools",
                        "input",
                        "citations",
                        "thinking",
                        "signature",
                    )
                )
                | st.text(max_size=3),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_any_json_is_read_or_refused_and_nothing_else(value: object) -> None:
    for body in (
        value,
        {"model": "m", "max_tokens": 1, "messages": value},
        saying(value),
        asking(tools=value),
    ):
        try:
            request = parse(body)
        except BadRequest:
            continue
        assert request.model


@pytest.mark.parametrize(("name", "body"), SAME, ids=[row[0] for row in SAME])
def test_a_request_comes_out_as_it_went_in(name: str, body: dict[str, Any]) -> None:
    request = parse(body)
    assert difference(json.dumps(body).encode(), ANTHROPIC.render_request(request, request.model)) is None, (
        name
    )


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            Text("a", cache=Cache("1h")),
        ),
        ({"type": "image", "source": PNG}, Media(kind="image", data="iVBORw0KGgo=", media_type="image/png")),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, Media(kind="image", file_id="f")),
        (
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a"},
                "title": "t",
                "citations": {"enabled": True},
            },
            Media(kind="document", text="a", media_type="text/plain", name="t", cite=True),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Reasoning(text="hm")),
        ({"type": "thinking", "thinking": "hm"}, Reasoning(text="hm")),
        (
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            Reasoning(text="hm", signature="s", signer="anthropic"),
        ),
        (
            {"type": "redacted_thinking", "data": "s"},
            Reasoning(signature="s", signer="anthropic", redacted=True),
        ),
        (CALL, ToolCall(id="toolu_1", name="f", arguments="{}")),
        (
            {**RESULT, "is_error": True, "content": [{"type": "text", "text": "no"}]},
            ToolResult(call_id="toolu_1", parts=(Text("no"),), is_error=True),
        ),
        ({"type": "mcp_tool_use", "id": "x"}, Opaque("anthropic", {"type": "mcp_tool_use", "id": "x"})),
    ],
)
def test_a_block_is_read_for_what_it_is(block: dict[str, Any], part: Part) -> None:
    assert heard(block) == (part,)


def test_a_result_of_the_search_keeps_its_words_and_title_for_others() -> None:
    [result] = heard({**RESULT, "content": [SEARCHED]})
    assert isinstance(result, ToolResult)
    [found] = result.parts
    assert isinstance(found, Media)
    assert (found.kind, found.text, found.name, found.cite) == (
        "document",
        "rain\n\n\n\nsun",
        "Weather",
        True,
    )


def test_a_rewritten_document_goes_out_whole_and_not_as_it_was_cut() -> None:
    request = parse(saying(SEARCHED))
    [media] = request.messages[0].parts
    assert isinstance(media, Media)
    changed = Media(kind="document", text="[redacted]", name=media.name, extra=media.extra)
    [message] = written(Message("user", (changed,)))
    assert message["content"][0]["content"] == [{"type": "text", "text": "[redacted]"}]
    assert "rain" not in json.dumps(message)


def test_the_five_ways_of_citing_are_one_citation_each() -> None:
    [text] = heard({"type": "text", "text": "a", "citations": [LINK, PLACE]}, role="assistant")
    assert isinstance(text, Text)
    link, place = text.citations
    assert (link.url, link.title, link.quote) == ("https://example.com/a", None, "rain")
    assert (place.document, place.title, place.quote) == (0, "a.txt", "rain")


def test_settings_are_read_into_our_words() -> None:
    request = parse(
        asking(
            thinking={"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
            output_config={"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
            tools=[TOOL],
            tool_choice={"type": "any", "disable_parallel_tool_use": True},
            metadata={"user_id": "u"},
            stop_sequences=["x"],
        )
    )
    assert request.reasoning == ReasoningAsk(enabled=True, effort="high", budget=2048, show="none")
    assert request.output == OutputFormat(kind="schema", schema=SCHEMA, strict=True)
    assert request.tools == (Tool(name="f", schema={"type": "object"}),)
    assert (request.tool_choice, request.parallel_tools) == (ToolChoice(mode="required"), False)
    assert (request.user, request.stop, request.stream) == ("u", ("x",), False)


def test_the_path_decides_over_the_body() -> None:
    request = ANTHROPIC.parse_request(json.dumps(asking(stream=False)).encode(), "of-the-path", True)
    assert (request.model, request.stream) == ("of-the-path", True)


class TestSignatures:
    """Whose signatures go where."""

    def test_its_own_goes_back_and_foreign_and_unsigned_thoughts_do_not(self) -> None:
        own = Reasoning(text="a", signature="s", signer="anthropic")
        others = (Reasoning(text="b"), Reasoning(text="c", signature="t", signer="gemini"))
        hidden = Reasoning(signature="r", signer="anthropic", redacted=True)
        [message] = written(Message("assistant", (own, *others, hidden, Text("d"))))
        assert message["content"] == [
            {"type": "thinking", "thinking": "a", "signature": "s"},
            {"type": "redacted_thinking", "data": "r"},
            {"type": "text", "text": "d"},
        ]

    def test_a_message_of_nothing_but_foreign_thoughts_is_left_out(self) -> None:
        assert written(Message("user", (Text("a"),)), Message("assistant", (Reasoning(text="b"),))) == [
            {"role": "user", "content": [{"type": "text", "text": "a"}]}
        ]

    def test_a_wrapped_signature_comes_out_of_the_field_it_was_carried_in(self) -> None:
        block = {
            "type": "thinking",
            "thinking": "hm",
            "signature": wrap("rs_1:gAAA:B", "openai_responses", "anthropic"),
        }
        assert heard(block, role="assistant") == (
            Reasoning(text="hm", signature="gAAA:B", signer="openai_responses", id="rs_1"),
        )

    def test_a_call_gives_up_what_its_id_carries_and_its_result_finds_it(self) -> None:
        call = ToolCall(id="call_1", name="f", arguments="{}", signature="sig", signer="gemini")
        loaded = load(call)
        parts = heard({**CALL, "id": loaded}, role="assistant")
        assert parts == (call,)
        [result] = heard({**RESULT, "tool_use_id": loaded})
        assert isinstance(result, ToolResult)
        assert result.call_id == "call_1"

    def test_a_thought_in_an_id_stands_before_the_call_unless_it_is_there_already(self) -> None:
        thought = Reasoning(text="hm", signature="t", signer="anthropic")
        loaded = {**CALL, "id": load(ToolCall(id="call_1", name="f"), [thought])}
        block = {"type": "thinking", "thinking": "hm", "signature": "t"}
        call = ToolCall(id="call_1", name="f", arguments="{}")
        assert heard(loaded, role="assistant") == (thought, call)
        assert heard(block, loaded, role="assistant") == (thought, call)

    def test_calls_that_are_alike_are_both_kept(self) -> None:
        assert len(heard(CALL, CALL, role="assistant")) == 2


class TestArguments:
    """Arguments are text with us and an object here."""

    @pytest.mark.parametrize("arguments", ['{"a": 1}', '{"city": "Seo', "[1, 2]", "null", '"서울"', "Seoul"])
    def test_whatever_they_are_they_come_back(self, arguments: str) -> None:
        [message] = written(Message("assistant", (ToolCall(id="c", name="f", arguments=arguments),)))
        assert isinstance(message["content"][0]["input"], dict)
        [call] = heard(*message["content"], role="assistant")
        assert isinstance(call, ToolCall)
        assert call.arguments.replace(" ", "") == arguments.replace(" ", "")

    def test_none_are_an_empty_object(self) -> None:
        [message] = written(Message("assistant", (ToolCall(id="c", name="f"),)))
        assert message["content"][0]["input"] == {}


def test_another_dialects_citation_is_not_sent_and_its_own_is() -> None:
    foreign = Citation(url="https://example.com/a", title="t", quote="q")
    [own] = heard({"type": "text", "text": "a", "citations": [PLACE]}, role="assistant")
    assert isinstance(own, Text)
    [message] = written(Message("assistant", (Text("a", (*own.citations, foreign)),)))
    assert message["content"][0]["citations"] == [PLACE]


class TestCounting:
    """Counting tokens has its own path and takes less."""

    def test_a_count_needs_no_limit(self) -> None:
        body = {
            "model": "m",
            "messages": [USER],
            "system": "s",
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        }
        request = counting.parse_count_request(json.dumps(body).encode())
        assert json.loads(counting.render_count_request(request, "m")) == body

    def test_a_count_is_still_a_request(self) -> None:
        with pytest.raises(BadRequest) as caught:
            counting.parse_count_request(b'{"model": "m"}')
        assert caught.value.param == "messages"

    def test_what_only_an_answer_needs_is_not_sent(self) -> None:
        request = Request(
            model="m",
            messages=(Message("user", (Text("a"),)),),
            tools=(Tool(name="f"),),
            temperature=0.5,
            stop=("x",),
            stream=True,
            user="u",
        )
        assert json.loads(counting.render_count_request(request, "x")) == {
            "model": "x",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
            "tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}],
        }

    def test_a_count_is_a_number_both_ways(self) -> None:
        assert counting.parse_count(counting.render_count(14)) == 14

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"input_tokens": "many"}'])
    def test_a_broken_count_is_a_broken_answer(self, body: bytes) -> None:
        with pytest.raises(BrokenAnswer):
            counting.parse_count(body)

    def test_every_recorded_count_comes_out_as_it_went_in(
        self, recorded_counts: list[tuple[bytes, bytes]]
    ) -> None:
        for asked, told in recorded_counts:
            request = counting.parse_count_request(asked)
            assert difference(asked, counting.render_count_request(request, request.model)) is None
            assert difference(told, counting.render_count(counting.parse_count(told))) is None


@pytest.fixture
def recorded_counts() -> list[tuple[bytes, bytes]]:
    from tests.dialects.recorded import recordings

    found = [
        (one.request, one.body)
        for one in recordings()
        if (one.dialect, one.operation) == ("anthropic", "count")
    ]
    if not recordings():
        pytest.skip("the recordings are not there")
    assert len(found) >= 5
    return found
