"""Names of tools that a provider refuses reach it in another form, and the client never hears of it.

Claude Code names the tools of its plugins' servers in more than 64 letters (`mcp__plugin_…`), Google's
clients use dots and colons; OpenAI answers 400 to both, and so to every request of the session.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.events import collect, explode
from madang.core.messages import Part, Text, ToolCall
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop
from madang.dialects import names
from madang.dialects.base import Answering
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.losses import find
from tests.dialects.hub import DIALECTS
from tests.dialects.laws import parse, render

LONG = "mcp__plugin_engineering_house__" + "list_every_room_and_window_" * 2 + "now"
NEIGHBOUR = LONG[:-3] + "old"
DOTTED = "house.rooms:list"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
MODELS = {
    "openai_chat": "some-model",
    "openai_responses": "gpt-5.2",
    "anthropic": "claude-opus-4-8",
    "gemini": "gemini-3.5-flash",
}
TAKEN = {
    "openai_chat": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "openai_responses": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "anthropic": re.compile(r"[A-Za-z0-9_-]{1,128}"),
    "gemini": re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"),
}


def claudes(*tools: str) -> dict[str, Any]:
    """A request of Claude Code after its first call."""
    return {
        "model": "m",
        "max_tokens": 99,
        "tools": [{"name": name, "input_schema": SCHEMA} for name in tools],
        "tool_choice": {"type": "tool", "name": tools[0]},
        "messages": [
            {"role": "user", "content": "a"},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_1", "name": tools[0], "input": {"a": "b"}}],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "c"}],
            },
        ],
    }


def googles(*tools: str) -> dict[str, Any]:
    return {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"functionCall": {"name": tools[0], "args": {"a": "b"}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": tools[0], "response": {"output": "c"}}}],
            },
        ],
        "tools": [
            {"functionDeclarations": [{"name": name, "parametersJsonSchema": SCHEMA} for name in tools]}
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [tools[0]]}},
    }


def asked(dialect: str, body: dict[str, Any]) -> Request:
    in_path = dialect == "gemini"
    raw = json.dumps(body).encode()
    return CODECS[dialect].parse_request(raw, "m" if in_path else None, False if in_path else None)


def sent(request: Request, dialect: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CODECS[dialect].render_request(request, MODELS[dialect]))
    return found


def named(value: Any) -> set[str]:
    """Every name of a function that a request says, wherever that is."""
    found: set[str] = set()
    if isinstance(value, dict):
        found |= {value["name"]} if isinstance(value.get("name"), str) else set()
        found |= set(value.get("allowedFunctionNames", ()))
        for name, inner in value.items():
            found |= (
                named(inner) if name not in ("parameters", "input_schema", "parametersJsonSchema") else set()
            )
    if isinstance(value, list):
        for inner in value:
            found |= named(inner)
    return found


def answer(*calls: str) -> Response:
    parts: list[Part] = [Text("so")]
    parts += [
        ToolCall(id=f"call_{place}", name=name, arguments='{"a":"b"}') for place, name in enumerate(calls)
    ]
    return Response(id="a", model="m", candidates=(Candidate(parts=tuple(parts), stop=Stop.TOOL),))


def called(response: Response) -> list[str]:
    return [part.name for part in response.candidates[0].parts if isinstance(part, ToolCall)]


CASES = [
    *[("anthropic", claudes(LONG, NEIGHBOUR, "Bash"), LONG, to) for to in DIALECTS if to != "anthropic"],
    *[
        ("gemini", googles(DOTTED, "house.rooms.list", "Bash"), DOTTED, to)
        for to in DIALECTS
        if to != "gemini"
    ],
    ("openai_chat", None, "9lives", "gemini"),
]


def body_of(name: str) -> dict[str, Any]:
    function = {"name": name, "parameters": SCHEMA}
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": '{"a":"b"}'}}
    return {
        "model": "m",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "c"},
        ],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": name}},
    }


@pytest.mark.parametrize(("source", "body", "name", "target"), CASES)
def test_a_name_that_a_provider_refuses_is_told_in_another_way_and_back(
    source: str, body: dict[str, Any] | None, name: str, target: str
) -> None:
    request = asked(source, body_of(name) if body is None else body)
    said = named(sent(request, target))
    assert said
    assert not [one for one in said if not TAKEN[target].fullmatch(one)]
    assert len(said - {"user", "c"}) == len({tool.name for tool in request.tools if hasattr(tool, "name")})
    assert ("tool.name", "emulate") in [(loss.feature, loss.treatment) for loss in find(request, target)]

    heard = [name for name in sorted(said) if name != "Bash"] + ["Bash"]
    client, asking = CODECS[source], Answering(request=request, id="a", created=1)
    whole = client.parse_response(client.render_response(answer(*heard), asking))
    streamed = collect(parse(client, [render(client, explode(answer(*heard)), asking)]))
    known = {tool.name for tool in request.tools if hasattr(tool, "name")} | {"Bash"}
    assert called(whole) == called(streamed)
    assert set(called(whole)) == known


@pytest.mark.parametrize("source", ["anthropic", "gemini"])
def test_a_provider_of_the_clients_own_dialect_hears_the_clients_names(source: str) -> None:
    body = claudes(LONG, "Bash") if source == "anthropic" else googles(DOTTED, "Bash")
    request = asked(source, body)
    assert sent(request, source).get("tools") == body["tools"]
    assert find(request, source) == []
    own = answer(LONG if source == "anthropic" else DOTTED, "Bash")
    client = CODECS[source]
    back = client.parse_response(client.render_response(own, Answering(request=request, id="a", created=1)))
    assert called(back) == called(own)


@pytest.mark.parametrize("target", DIALECTS)
def test_the_plain_names_of_a_plain_client_are_nobodys_business(target: str) -> None:
    request = asked("openai_chat", body_of("plain_name"))
    assert "tool.name" not in [loss.feature for loss in find(request, target)]
    assert "plain_name" in named(sent(request, target))


def test_a_tool_of_a_namespace_of_codex_may_have_a_name_too_long_for_others() -> None:
    group = "mcp__plugin_engineering_house_with_many_rooms"
    tool = {"type": "function", "name": "list_every_room_and_window", "parameters": SCHEMA}
    body = {
        "model": "m",
        "input": "a",
        "tools": [{"type": "namespace", "name": group, "description": "", "tools": [tool]}],
    }
    request = asked("openai_responses", body)
    [name] = named(sent(request, "openai_chat")["tools"])
    assert TAKEN["openai_chat"].fullmatch(name)
    client, asking = CODECS["openai_responses"], Answering(request=request, id="a", created=1)
    items = json.loads(client.render_response(answer(name), asking))["output"]
    assert [(item["namespace"], item["name"]) for item in items[1:]] == [(group, tool["name"])]
    stream = render(client, explode(answer(name)), asking)
    assert name.encode() not in stream
    assert json.loads(sent_again(request)) == body


def sent_again(request: Request) -> bytes:
    return CODECS["openai_responses"].render_request(request, "m")


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_another_name_is_taken_by_all_and_tells_names_apart(one: str, two: str) -> None:
    first, second = names.other(one), names.other(two)
    assert all(rule.fullmatch(first) for rule in TAKEN.values())
    assert (first == second) == (one == two)
