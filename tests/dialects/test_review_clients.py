"""What agents really send reaches providers of other dialects, and comes back as they know it.

Claude Code, Codex CLI and Gemini CLI as of 2026-11; each case is a request that was refused, or answered with
an error 400, for a member that its author never thought about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from madang.core.errors import BadRequest
from madang.core.events import explode
from madang.core.messages import Message, Text, ToolCall
from madang.core.requests import Request, Tool
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.losses import find
from madang.dialects.sse import Splitter, data_of
from tests.dialects.kinds import DIALECTS
from tests.dialects.laws import render

MODELS = {
    "openai_chat": "some-model",
    "openai_responses": "gpt-5.2",
    "anthropic": "claude-opus-4-8",
    "gemini": "gemini-3.5-flash",
}
HEADER = "x-anthropic-billing-header: cc_version=2.1.175; cc_entrypoint=cli; cch=ea6aa;"
USER = json.dumps({"device_id": "d" * 64, "account_uuid": "", "session_id": "s" * 36})


def claude_code(**more: Any) -> dict[str, Any]:
    """What Claude Code asks in the middle of its work."""
    mark = {"type": "ephemeral", "ttl": "1h"}
    return {
        "model": "m",
        "max_tokens": 32_000,
        "stream": True,
        "system": [
            {"type": "text", "text": HEADER},
            {"type": "text", "text": "You are Claude Code.", "cache_control": mark},
            {"type": "text", "text": "Be careful.", "cache_control": mark},
        ],
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "xhigh"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": USER},
        "tools": [
            {
                "name": "Bash",
                "description": "Runs a command.",
                "input_schema": {
                    "$schema": "https://json-schema.org/draft/2020-12/schema",
                    "type": "object",
                    "properties": {"command": {"type": "string"}},
                    "required": ["command"],
                    "additionalProperties": False,
                },
                "eager_input_streaming": True,
            },
            {"name": "mcp__house__list", "input_schema": {"type": "object"}},
        ],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "text", "text": "(reminder)"}, {"type": "text", "text": "do"}],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": ""},
                    {"type": "text", "text": "I will."},
                    {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                    },
                    {"type": "text", "text": "(reminder)"},
                ],
            },
        ],
        **more,
    }


def codex(**more: Any) -> dict[str, Any]:
    """What Codex CLI asks in the middle of its work."""
    return {
        "model": "m",
        "instructions": "You are Codex.",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "rules"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "fix it"}]},
            {
                "type": "custom_tool_call",
                "id": "ctc_1",
                "status": "completed",
                "call_id": "call_1",
                "name": "apply_patch",
                "input": "*** Begin Patch\n*** End Patch",
            },
            {"type": "custom_tool_call_output", "call_id": "call_1", "output": "Done."},
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_2",
                "namespace": "mcp__house",
                "name": "list",
                "arguments": "{}",
            },
            {"type": "function_call_output", "call_id": "call_2", "output": "[]"},
        ],
        "tools": [
            {
                "type": "function",
                "name": "exec_command",
                "strict": False,
                "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}},
            },
            {
                "type": "custom",
                "name": "apply_patch",
                "description": "Edits files.",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: patch"},
            },
            {"type": "web_search", "external_web_access": False},
            {
                "type": "namespace",
                "name": "mcp__house",
                "description": "The house.",
                "tools": [
                    {"type": "function", "name": "list", "strict": False, "parameters": {"type": "object"}},
                    {"type": "custom", "name": "note"},
                ],
            },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "0199",
        "text": {"verbosity": "low"},
        **more,
    }


def asked(dialect: str, body: dict[str, Any]) -> Request:
    in_path = dialect == "gemini"
    raw = json.dumps(body).encode()
    return CODECS[dialect].parse_request(raw, "m" if in_path else None, True if in_path else None)


def sent(request: Request, dialect: str) -> dict[str, Any]:
    """What a provider is sent, after all that would be refused has been."""
    find(request, dialect, MODELS[dialect])
    found: dict[str, Any] = json.loads(CODECS[dialect].render_request(request, MODELS[dialect]))
    return found


def lost(request: Request, dialect: str) -> dict[str, str]:
    return {loss.feature: loss.treatment for loss in find(request, dialect, MODELS[dialect])}


def texts(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


ELSEWHERE = [name for name in DIALECTS if name != "anthropic"]


@pytest.mark.parametrize("dialect", ELSEWHERE)
def test_claude_code_is_not_refused_for_context_that_anthropic_would_manage(dialect: str) -> None:
    request = asked("anthropic", claude_code())
    assert lost(request, dialect)["field:anthropic:context_management"] == "drop"
    assert "context_management" not in sent(request, dialect)


@pytest.mark.parametrize("dialect", ELSEWHERE)
def test_the_billing_header_of_claude_code_spoils_no_other_providers_cache(dialect: str) -> None:
    request = asked("anthropic", claude_code())
    said = list(texts(sent(request, dialect)))
    assert not [text for text in said if "billing" in text]
    assert [text for text in said if "You are Claude Code." in text]
    assert json.loads(CODECS["anthropic"].render_request(request, "m"))["system"] == claude_code()["system"]


def test_a_user_of_claude_code_is_told_by_a_fingerprint_that_openai_takes() -> None:
    request = asked("anthropic", claude_code())
    for dialect in ("openai_chat", "openai_responses"):
        found = sent(request, dialect)["user"]
        assert 6 <= len(found) <= 64
        assert found == sent(request, dialect)["user"]
        assert lost(request, dialect)["user.long"] == "emulate"
    other = asked("anthropic", claude_code(metadata={"user_id": USER.replace("d", "e")}))
    assert sent(other, "openai_chat")["user"] != sent(request, "openai_chat")["user"]


@pytest.mark.parametrize("user", ["mina@example.com", "+82 10 1234 5678", "01012345678", "사용자"])
def test_nobodys_address_or_number_is_told_to_anthropic(user: str) -> None:
    request = asked(
        "openai_chat", {"model": "m", "user": user, "messages": [{"role": "user", "content": "a"}]}
    )
    told = sent(request, "anthropic")["metadata"]["user_id"]
    assert told.startswith("user_")
    assert user not in told
    assert lost(request, "anthropic")["user.personal"] == "emulate"
    assert sent(request, "openai_responses")["user"] == user


def test_words_in_several_blocks_are_one_string_for_those_who_take_no_lists() -> None:
    system, user, turn, result, reminder = sent(asked("anthropic", claude_code()), "openai_chat")["messages"]
    assert system == {"role": "system", "content": "You are Claude Code.\n\nBe careful."}
    assert user["content"] == "(reminder)\n\ndo"
    assert turn["content"] == "I will."
    assert result["content"] == "a\n\nb"
    assert reminder["content"] == "(reminder)"


def test_blocks_of_a_chat_client_stay_as_they_came() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    body = {
        "model": "m",
        "messages": [{"role": "system", "content": blocks}, {"role": "user", "content": blocks}],
    }
    assert json.loads(CODECS["openai_chat"].render_request(asked("openai_chat", body), "m")) == body


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "openai_responses"])
def test_codex_asks_any_provider_with_all_its_tools_but_the_search_at_openai(dialect: str) -> None:
    request = asked("openai_responses", codex())
    assert lost(request, dialect)["server_tool.search.openai_responses"] == "drop"
    said = json.dumps(sent(request, dialect))
    for name in ("exec_command", "apply_patch", "mcp__house__list", "mcp__house__note"):
        assert f'"{name}"' in said
    assert "web_search" not in said
    assert "start: patch" in said
    assert "*** Begin Patch" in said


def test_a_request_of_codex_comes_back_to_openai_as_it_was() -> None:
    body = codex()
    assert json.loads(CODECS["openai_responses"].render_request(asked("openai_responses", body), "m")) == body


def test_a_search_that_is_all_there_is_is_refused_by_its_name() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    with pytest.raises(BadRequest, match=r"'server_tool.anthropic' \(web_search_20250305\)"):
        find(asked("anthropic", claude_code(tools=[search])), "gemini")
    computer = {"type": "computer_20250124", "name": "computer"}
    with pytest.raises(BadRequest, match="computer_20250124"):
        find(asked("anthropic", claude_code(tools=[*claude_code()["tools"], computer])), "gemini")


PATCH = "*** Begin Patch\n한글\n*** End Patch"
CALLS = (
    ToolCall(id="toolu_1", name="apply_patch", arguments=json.dumps({"input": PATCH})),
    ToolCall(id="toolu_2", name="mcp__house__list", arguments='{"a":1}'),
    ToolCall(id="toolu_3", name="mcp__house__note", arguments='{"text":"words"}'),
    ToolCall(id="toolu_4", name="exec_command", arguments='{"cmd":"ls"}'),
)
ITEMS = [
    {"type": "custom_tool_call", "call_id": "toolu_1", "name": "apply_patch", "input": PATCH},
    {
        "type": "function_call",
        "call_id": "toolu_2",
        "namespace": "mcp__house",
        "name": "list",
        "arguments": '{"a":1}',
    },
    {
        "type": "custom_tool_call",
        "call_id": "toolu_3",
        "namespace": "mcp__house",
        "name": "note",
        "input": "words",
    },
    {"type": "function_call", "call_id": "toolu_4", "name": "exec_command", "arguments": '{"cmd":"ls"}'},
]
ANSWER = Response(id="msg_1", model="claude", candidates=(Candidate(parts=CALLS, stop=Stop.TOOL),))


def answering() -> Answering:
    return Answering(request=asked("openai_responses", codex()), id="resp_1", created=1)


def bare(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items without ids and states of ours."""
    return [{name: value for name, value in item.items() if name not in ("id", "status")} for item in items]


def test_codex_is_called_by_another_model_in_the_clothes_of_its_own_tools() -> None:
    whole = json.loads(CODECS["openai_responses"].render_response(ANSWER, answering()))
    assert bare(whole["output"]) == ITEMS
    assert whole["status"] == "completed"


def test_a_stream_calls_codex_as_the_whole_answer_does_and_fits_the_sdk() -> None:
    from openai.types.responses import ResponseStreamEvent

    stream = render(CODECS["openai_responses"], explode(ANSWER), answering())
    events = [json.loads(data_of(event)) for event in Splitter().feed(stream)]
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    for event in events:
        adapter.validate_python(event)
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert bare(done) == ITEMS
    assert bare(events[-1]["response"]["output"]) == ITEMS
    spoken = [event for event in events if event["type"].startswith("response.custom_tool_call_input")]
    assert [event.get("delta", event.get("input")) for event in spoken] == [PATCH, PATCH, "words", "words"]
    shown = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    assert shown[0]["input"] == ""
    assert {event["item_id"] for event in spoken[:2]} == {shown[0]["id"]}


@pytest.mark.parametrize("arguments", ["", "{}", "[1]", '{"a":1}', '{"a":"b","c":"d"}', "words", '"words"'])
def test_text_that_a_model_put_in_another_place_is_not_lost(arguments: str) -> None:
    call = ToolCall(id="call_1", name="apply_patch", arguments=arguments)
    answer = Response(candidates=(Candidate(parts=(call,), stop=Stop.TOOL),))
    [item] = json.loads(CODECS["openai_responses"].render_response(answer, answering()))["output"]
    assert item["input"] == arguments


@pytest.mark.parametrize("namespace", [{}, {"tools": []}, {"tools": 5}, {"tools": [{"type": "mcp"}]}])
def test_a_group_of_tools_that_nobody_here_knows_stays_as_it_came(namespace: dict[str, Any]) -> None:
    body = codex(tools=[{"type": "namespace", "name": "x", **namespace}])
    assert json.loads(CODECS["openai_responses"].render_request(asked("openai_responses", body), "m")) == body


def test_a_custom_tool_may_be_the_one_that_is_chosen() -> None:
    body = codex(tool_choice={"type": "custom", "name": "apply_patch"})
    request = asked("openai_responses", body)
    assert json.loads(CODECS["openai_responses"].render_request(request, "m")) == body
    assert sent(request, "gemini")["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"] == [
        "apply_patch"
    ]


JSON_MODE = {
    "contents": [{"role": "user", "parts": [{"text": "Three fruits."}]}],
    "generationConfig": {"responseMimeType": "application/json"},
}


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_json_is_asked_for_in_the_word_that_openai_insists_on(dialect: str) -> None:
    request = asked("gemini", JSON_MODE)
    assert [text for text in texts(sent(request, dialect)) if "JSON" in text]
    assert lost(request, dialect)["output.json.unasked"] == "emulate"
    said = {**JSON_MODE, "contents": [{"role": "user", "parts": [{"text": "Fruits as json."}]}]}
    assert lost(asked("gemini", said), dialect) == {}


def test_an_answer_of_a_word_from_a_list_is_refused_where_it_would_be_a_free_text() -> None:
    enum = {"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a", "b"]}}
    with pytest.raises(BadRequest, match="responseMimeType"):
        find(asked("gemini", {**JSON_MODE, "generationConfig": enum}), "anthropic")


def test_metadata_is_not_sent_to_chat_completions_which_refuse_it_unless_answers_are_stored() -> None:
    request = asked("openai_responses", codex(metadata={"team": "a"}))
    assert "metadata" not in sent(request, "openai_chat")
    assert lost(request, "openai_chat")["metadata"] == "drop"


def test_a_system_prompt_alone_is_something_to_answer_everywhere() -> None:
    request = asked(
        "openai_chat", {"model": "m", "messages": [{"role": "system", "content": "Write a poem."}]}
    )
    assert sent(request, "gemini")["contents"][0]["parts"][0]["text"]
    assert lost(request, "gemini") == {"user.first": "emulate"}
    assert sent(request, "openai_responses")["input"] == [{"role": "system", "content": "Write a poem."}]
    assert sent(request, "anthropic")["messages"][0]["role"] == "user"


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_a_turn_that_is_to_be_continued_is_asked_for_where_it_would_be_begun_anew(dialect: str) -> None:
    turns = [{"role": "user", "content": "As JSON."}, {"role": "assistant", "content": '{"a":'}]
    request = asked("anthropic", {"model": "m", "max_tokens": 99, "messages": turns})
    said = sent(request, dialect)
    assert (said.get("messages") or said["input"])[-1]["role"] == "user"
    assert lost(request, dialect)["user.last"] == "emulate"


def test_a_file_that_a_chat_client_sends_as_bare_base64_is_no_address() -> None:
    file = {"type": "file", "file": {"filename": "notes.txt", "file_data": "aGk="}}
    body = {"model": "m", "messages": [{"role": "user", "content": [file]}]}
    request = asked("openai_chat", body)
    assert json.loads(CODECS["openai_chat"].render_request(request, "m")) == body
    source = sent(request, "anthropic")["messages"][0]["content"][0]["source"]
    assert source == {"type": "text", "media_type": "text/plain", "data": "hi"}
    file["file"]["filename"] = "a.pdf"  # type: ignore[index]  # a dict
    source = sent(asked("openai_chat", body), "anthropic")["messages"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "application/pdf", "data": "aGk="}


def test_claude_is_not_made_to_think_in_a_loop_of_unsigned_calls_though_the_user_speaks_in_it() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "b"},
        {"role": "user", "content": "and hurry"},
    ]
    tool = {"type": "function", "function": {"name": "f"}}
    body = {"model": "m", "reasoning_effort": "high", "messages": turns, "tools": [tool]}
    request = asked("openai_chat", body)
    for model, thinks in (("claude-sonnet-4-5", False), ("claude-opus-4-8", True)):
        found = json.loads(CODECS["anthropic"].render_request(request, model))
        assert ("thinking" in found) is thinks
    ended = {
        **body,
        "messages": [*turns, {"role": "assistant", "content": "so"}, {"role": "user", "content": "c"}],
    }
    found = json.loads(CODECS["anthropic"].render_request(asked("openai_chat", ended), "claude-sonnet-4-5"))
    assert "thinking" in found


def test_showing_thoughts_is_no_wish_to_think_more() -> None:
    config = {"thinkingConfig": {"includeThoughts": True}}
    request = asked("gemini", {**JSON_MODE, "generationConfig": config})
    assert "reasoning_effort" not in sent(request, "openai_chat")


def test_tools_of_any_name_are_told_with_what_openai_wants_of_a_schema() -> None:
    request = Request(model="m", messages=(Message("user", (Text("a"),)),), tools=(Tool(name="f"),))
    nothing = {"type": "object", "properties": {}}
    assert sent(request, "openai_chat")["tools"][0]["function"]["parameters"] == nothing
    assert sent(request, "openai_responses")["tools"][0]["parameters"] == nothing
    mcp = sent(asked("anthropic", claude_code()), "openai_chat")["tools"][1]["function"]["parameters"]
    assert mcp == nothing
