"""Gemini's tools: declared, chosen, called and answered."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from madang.core.messages import Media, Message, Opaque, Text, ToolCall, ToolResult
from madang.core.requests import Request, Tool, ToolChoice
from tests.dialects.gemini_wire import again, asked, parts_of, rendered, request, said

PIXEL = Media(kind="image", data="iVBORw==", media_type="image/png")


OLD = "gemini-2.5-pro"
"""A model that wants no signatures, so that nothing is added."""


def called(name: str, *, id: str | None = None, **args: object) -> dict[str, object]:
    """A call on the wire."""
    given = {} if id is None else {"id": id}
    return {"functionCall": {**given, "name": name, "args": args}}


def came(name: str, response: object, *, id: str | None = None, **more: object) -> dict[str, object]:
    """A result on the wire."""
    given = {} if id is None else {"id": id}
    return {"functionResponse": {**given, "name": name, "response": response, **more}}


def results(found: Request) -> list[ToolResult]:
    return [part for part in parts_of(found) if isinstance(part, ToolResult)]


LAYOUTS: list[Any] = [
    [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}],
    [{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}],
    [{"functionDeclarations": [{"name": "f"}], "googleSearch": {}}, {"codeExecution": {}}],
    [{"google_search": {}}, {"url_context": {}, "function_declarations": [{"name": "f"}]}],
    [{"functionDeclarations": []}, {}],
    [
        {
            "functionDeclarations": [
                {"name": "f", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"}
            ]
        }
    ],
    [
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "object"}, "response": {"type": "STRING"}}
            ]
        }
    ],
    [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": True, "description": ""}]}],
    [{"googleSearch": None}],
]


@pytest.mark.parametrize("tools", LAYOUTS)
def test_tools_go_back_in_the_layout_they_came_in(tools: Any) -> None:
    body = {"contents": [said("hi")], "tools": tools}
    assert again(body, OLD) == body


def test_tools_that_others_added_are_laid_out_as_usual() -> None:
    found = request(
        tools=[{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}]
    )
    more = asked(tools=(*found.tools, Tool(name="h", schema={"type": "object"}), Opaque("anthropic", {})))
    functions = [{"name": "f"}, {"name": "g"}, {"name": "h", "parametersJsonSchema": {"type": "object"}}]
    assert rendered(more)["tools"] == [{"functionDeclarations": functions}]


def test_a_server_tool_is_opaque_and_named_in_camel_case() -> None:
    assert request(tools=[{"google_search": {}}]).tools == (Opaque("gemini", {"googleSearch": {}}),)


CHOICES: list[tuple[dict[str, Any], ToolChoice]] = [
    ({"mode": "AUTO"}, ToolChoice(mode="auto")),
    ({"mode": "none"}, ToolChoice(mode="none")),
    ({"mode": "ANY"}, ToolChoice(mode="required")),
    ({"mode": "ANY", "allowedFunctionNames": ["f", "g"]}, ToolChoice(mode="required", names=("f", "g"))),
    ({"mode": "any", "allowedFunctionNames": ["f"]}, ToolChoice(mode="named", names=("f",))),
    ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice(mode="auto", names=("f",))),
    ({"mode": "MODE_UNSPECIFIED", "allowedFunctionNames": []}, ToolChoice(mode="auto")),
    ({"mode": "AUTO", "streamFunctionCallArguments": True}, ToolChoice(mode="auto")),
]


@pytest.mark.parametrize(("config", "wanted"), CHOICES)
def test_a_choice_of_tools_is_known_and_goes_back(config: dict[str, Any], wanted: ToolChoice) -> None:
    found = request(toolConfig={"functionCallingConfig": config, "retrievalConfig": {"languageCode": "ko"}})
    assert found.tool_choice is not None
    assert (found.tool_choice.mode, found.tool_choice.names) == (wanted.mode, wanted.names)
    assert rendered(found)["toolConfig"]["functionCallingConfig"] == config
    assert rendered(found)["toolConfig"]["retrievalConfig"] == {"languageCode": "ko"}


@pytest.mark.parametrize("config", [{}, {"functionCallingConfig": {}}, {"retrievalConfig": {}}])
def test_a_tool_config_that_chooses_nothing_is_left_alone(config: dict[str, Any]) -> None:
    found = request(toolConfig=config)
    assert found.tool_choice is None
    assert rendered(found)["toolConfig"] == config


RESPONSES: list[tuple[object, list[str], bool]] = [
    ({"result": "15°"}, ["15°"], False),
    ({"output": "15°"}, ["15°"], False),
    ({"output": ["a", "b"]}, ["a", "b"], False),
    ({"error": "no such city"}, ["no such city"], True),
    ({"error": []}, [], True),
    ({}, [], False),
    ({"result": 15}, ['{"result":15}'], False),
    ({"result": []}, ['{"result":[]}'], False),
    ({"output": ["a"]}, ['{"output":["a"]}'], False),
    ({"result": "a", "error": "b"}, ['{"result":"a","error":"b"}'], False),
    ({"degrees": 15, "sky": ["blue"]}, ['{"degrees":15,"sky":["blue"]}'], False),
    ({"text": "a"}, ['{"text":"a"}'], False),
]


@pytest.mark.parametrize(("response", "words", "error"), RESPONSES)
def test_a_result_is_read_as_words_and_goes_back(response: object, words: list[str], error: bool) -> None:
    body = {"contents": [said("hi"), said(called("f"), role="model"), said(came("f", response))]}
    found = request(*body["contents"])
    (result,) = results(found)
    assert [part.text for part in result.parts if isinstance(part, Text)] == words
    assert result.is_error is error
    assert again(body, OLD) == body


def test_a_result_that_was_rewritten_shows_nothing_of_what_it_was() -> None:
    found = request(said("hi"), said(called("f"), role="model"), said(came("f", {"phone": "12-34"})))
    (result,) = results(found)
    for words in ("[removed]", '{"phone":"[removed]"}'):
        rewritten = msgspec.structs.replace(result, parts=(Text(words),))
        body = rendered(asked(*found.messages[:2], Message("tool", (rewritten,))))
        assert "12-34" not in str(body)


def test_a_result_without_an_id_belongs_to_the_first_open_call_of_its_name() -> None:
    found = request(
        said("hi"),
        said(called("f", a=1), called("g"), called("f", a=2), called("f", id="x", a=3), role="model"),
        said(came("f", {"n": 1}), came("f", {"n": 2}), came("g", {}), came("f", {"n": 3}), came("h", {})),
    )
    calls = [part.id for part in parts_of(found) if isinstance(part, ToolCall)]
    ids = [result.call_id for result in results(found)]
    assert ids[:4] == [calls[0], calls[2], calls[1], calls[3]] == [calls[0], calls[2], calls[1], "x"]
    assert ids[4] not in calls


def test_a_result_with_an_id_belongs_to_that_call() -> None:
    found = request(
        said("hi"),
        said(called("f", id="a"), called("f", id="b"), role="model"),
        said(came("f", {}, id="b"), came("f", {})),
    )
    assert [result.call_id for result in results(found)] == ["b", "a"]
    assert found.messages[2].role == "tool"


def test_results_of_another_dialect_follow_their_calls_in_one_message() -> None:
    body = rendered(
        asked(
            Message("user", (Text("hi"),)),
            Message("assistant", (Text("let me see"),)),
            Message("assistant", (ToolCall(id="a", name="f", arguments='{"x":1}'),)),
            Message("assistant", (ToolCall(id="b", name="g"),)),
            Message("tool", (ToolResult(call_id="a", parts=(Text("1"),)),)),
            Message("user", (ToolResult(call_id="b", parts=(Text("2"), Text("3")), is_error=True),)),
            Message("user", (Text("and now?"),)),
        )
    )
    assert body["contents"] == [
        said("hi"),
        said("let me see", called("f", id="a", x=1), called("g", id="b"), role="model"),
        said(came("f", {"result": "1"}, id="a"), came("g", {"error": ["2", "3"]}, id="b")),
        said("and now?"),
    ]


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        ("", {}),
        ('{"a": 1}', {"a": 1}),
        ("[1]", {"arguments": [1]}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("null", {"arguments": None}),
    ],
)
def test_arguments_are_an_object_whatever_they_were(arguments: str, args: object) -> None:
    body = rendered(asked(Message("assistant", (ToolCall(id="a", name="f", arguments=arguments),))))
    assert body["contents"][0]["parts"][0]["functionCall"]["args"] == args


def test_media_of_a_result_stand_in_it_for_new_models_and_beside_it_for_old_ones() -> None:
    conversation = asked(
        Message("assistant", (ToolCall(id="a", name="f"),)),
        Message("tool", (ToolResult(call_id="a", parts=(Text("see"), PIXEL)),)),
    )
    blob = {"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}
    new, old = (
        rendered(conversation, model)["contents"][1]["parts"] for model in ("gemini-3-pro", "gemini-2.5-pro")
    )
    assert new == [came("f", {"result": "see"}, id="a", parts=[blob])]
    assert old == [came("f", {"result": "see"}, id="a"), blob]


def test_media_of_a_result_are_read_and_go_back_where_they_were() -> None:
    inner = [{"inline_data": {"mime_type": "image/png", "data": "iVBORw=="}}, {"text": "new"}]
    body = {
        "contents": [
            said("hi"),
            said(called("f"), role="model"),
            said(came("f", {"result": "a"}, parts=inner)),
        ]
    }
    (result,) = results(request(*body["contents"]))
    assert [type(part) for part in result.parts] == [Text, Media, Opaque]
    assert again(body, OLD) == body
    assert again(body)["contents"][2] == body["contents"][2]


@pytest.mark.parametrize(
    "more", [{"willContinue": True}, {"scheduling": "SILENT"}, {"parts": []}, {"new": None}, {"id": "x"}]
)
def test_what_else_a_result_says_goes_back(more: dict[str, Any]) -> None:
    body = {
        "contents": [said("hi"), said(called("f"), role="model"), said(came("f", {"output": "a"}, **more))]
    }
    assert again(body, OLD) == body


def test_a_result_without_a_name_or_a_response_goes_back_so() -> None:
    body = {
        "contents": [
            said("hi"),
            said(called("f", id="a"), role="model"),
            said({"functionResponse": {"id": "a", "response": {}}}, {"functionResponse": {"name": "f"}}),
        ]
    }
    assert again(body, OLD) == body
