"""Facts: what a request or an answer uses, however it is cut."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from madang.core.messages import (
    Cache,
    Citation,
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
from madang.core.responses import Candidate, Response, Stop, TokenLogprob, Usage
from madang.dialects.carry import load
from madang.dialects.features import of_request, of_response, open_loop
from tests.dialects.hub import DIALECTS, requests, responses

ASKED = Message("user", (Text("hi"),))
CALL = ToolCall(id="call_1", name="f", arguments='{"a": 1}')
THOUGHT = Reasoning(text="hm", signature="sig", signer="anthropic")
RESULT = ToolResult(call_id="call_1", parts=(Text("ok"),))


def asked(*messages: Message, **settings: Any) -> list[tuple[str, Json]]:
    """The facts of a request, without what every request says."""
    facts = of_request(Request(model="m", messages=messages, **settings))
    return [tuple(fact) for fact in facts if fact.feature != "max_tokens.unsaid"]


def answered(*parts: Part, **candidate: Any) -> list[tuple[str, Json]]:
    response = Response(candidates=(Candidate(parts=parts, **candidate),))
    return [tuple(fact) for fact in of_response(response)]


@pytest.mark.parametrize(
    ("part", "facts"),
    [
        (Text("hi"), [("text", ("user", "hi"))]),
        (Text(" "), []),
        (Text("hi", cache=Cache("5m")), [("text", ("user", "hi")), ("cache", "5m")]),
        (Media(kind="image", data="AA=="), [("image.data", "AA==")]),
        (
            Media(kind="image", url="https://a", detail="low"),
            [("image.url", "https://a"), ("media.detail", "low")],
        ),
        (Media(kind="video", file_id="f1"), [("video.file_id", "f1")]),
        (
            Media(kind="document", text="words", name="a.txt", cite=True),
            [("document.text", "words"), ("media.name.text", "a.txt"), ("media.cite", None)],
        ),
        (Media(kind="audio", data="AA==", cite=False), [("audio.data", "AA==")]),
        (Opaque("gemini", {"type": "x"}), [("opaque.gemini", "x")]),
        (
            Text("hi", extra={"gemini": {"a": 1, "$b": 2, "c": None}}),
            [("text", ("user", "hi")), ("part:gemini:a", 1)],
        ),
    ],
)
def test_every_part_of_the_users_has_its_facts(part: Part, facts: list[tuple[str, Json]]) -> None:
    assert asked(Message("user", (part,))) == facts


@pytest.mark.parametrize(
    ("parts", "facts"),
    [
        ((THOUGHT,), [("signature.anthropic", "sig"), ("reasoning.text.anthropic", "hm")]),
        ((Reasoning(text="hm", signer="gemini"),), [("reasoning.text", "hm")]),
        (
            (Reasoning(redacted=True, signature="x", signer="anthropic"),),
            [("signature.anthropic", "x")],
        ),
        ((Refusal("no"),), [("refusal", "no")]),
        (
            (Text("a", (Citation(url="u", title="t", quote="q"),)), Text("b")),
            [
                ("text", ("assistant", "ab")),
                ("citation.unplaced", None),
                ("citation.url", "u"),
                ("citation.title", "t"),
                ("citation.quote", "q"),
            ],
        ),
        (
            (Text("ab"), Text("cd", (Citation(start=1, end=2, document=0, extra={"gemini": {"uri": "x"}}),))),
            [
                ("text", ("assistant", "abcd")),
                ("citation_of_document.place", (3, 4)),
                ("citation_of_document.document", 0),
                ("citation:gemini:uri", "x"),
            ],
        ),
        ((CALL,), [("tool_call", ("f", {"a": 1})), ("tool_call.id", "call_1")]),
        ((ToolCall(id="a", name="f"),), [("tool_call", ("f", {})), ("tool_call.id", "a")]),
        (
            (ToolCall(id="a", name="f", arguments="{oops"),),
            [("tool_call.broken", ("f", "{oops")), ("tool_call.id", "a")],
        ),
        (
            (CALL, Text("a"), Media(kind="image", data="AA=="), Opaque("gemini", {})),
            [
                ("text", ("assistant", "a")),
                ("tool_call", ("f", {"a": 1})),
                ("tool_call.id", "call_1"),
                ("assistant.order", "Text"),
                ("assistant.image.data", "AA=="),
                ("opaque.gemini", ""),
            ],
        ),
    ],
)
def test_what_the_assistant_says_has_its_facts(
    parts: tuple[Part, ...], facts: list[tuple[str, Json]]
) -> None:
    assert asked(Message("assistant", parts)) == facts
    assert asked(*[Message("assistant", (part,)) for part in parts]) == facts


def test_a_signature_in_the_id_of_a_call_does_not_change_the_id() -> None:
    loaded = ToolCall(id=load(CALL, [THOUGHT]), name="f")
    result = Message("tool", (ToolResult(call_id=loaded.id),))
    assert ("tool_call.id", "call_1") in asked(Message("assistant", (loaded,)), result)
    assert ("tool_result", "call_1") in asked(Message("assistant", (loaded,)), result)


@pytest.mark.parametrize("role", ["tool", "user"])
def test_a_result_is_one_in_whichever_message_it_stands(role: Any) -> None:
    result = ToolResult(
        call_id="call_1", parts=(Text("boom"), Media(kind="image", data="AA==")), is_error=True, cache=Cache()
    )
    assert asked(Message(role, (result,))) == [
        ("tool_result", "call_1"),
        ("tool.image.data", "AA=="),
        ("tool_result.error", "boom"),
        ("cache", None),
    ]


def test_a_system_message_has_a_place_only_after_somebody_spoke() -> None:
    system, developer = Message("system", (Text("be"),)), Message("developer", (Text("brief"),))
    assert asked(system, developer, ASKED) == [
        ("text", ("system", "be")),
        ("developer", "brief"),
        ("text", ("system", "brief")),
        ("text", ("user", "hi")),
    ]
    assert ("system.position", "be") in asked(ASKED, system)


def test_a_speakers_name_and_leftovers_of_a_message_are_facts() -> None:
    message = Message("user", (Text("hi"),), "mina", {"openai_chat": {"weight": 1}})
    assert asked(message) == [
        ("message.name", "mina"),
        ("text", ("user", "hi")),
        ("message:openai_chat:weight", 1),
    ]


SETTINGS: list[tuple[dict[str, Any], list[tuple[str, Json]]]] = [
    ({"stream": False, "logprobs": False, "n": 1}, []),
    ({"stream": True, "seed": 0, "n": 2}, [("stream", True), ("seed", 0), ("n", 2)]),
    ({"parallel_tools": False}, [("parallel_tools", False)]),
    ({"service_tier": "auto", "user": "auto1"}, [("user", "auto1")]),
    ({"temperature": 1.0}, [("temperature", 1.0)]),
    ({"temperature": 1.5}, [("temperature.above_one", 1.5)]),
    ({"stop": ("a", "b")}, [("stop", ("a", "b"))]),
    ({"metadata": {"a": "b"}}, [("metadata", {"a": "b"})]),
    ({"tool_choice": ToolChoice(mode="auto")}, []),
    ({"tool_choice": ToolChoice(mode="required")}, [("tool_choice.required", ())]),
    ({"tool_choice": ToolChoice(mode="required", names=("f",))}, [("tool_choice.named", ("f",))]),
    ({"tool_choice": ToolChoice(mode="required", names=("f", "g"))}, [("tool_choice.some", ("f", "g"))]),
    ({"tool_choice": ToolChoice(mode="named", names=("f",))}, [("tool_choice.named", ("f",))]),
    ({"reasoning": ReasoningAsk(enabled=False)}, [("reasoning.off", None)]),
    ({"reasoning": ReasoningAsk(enabled=True)}, [("reasoning.on", None)]),
    ({"reasoning": ReasoningAsk(enabled=True, budget=9)}, [("reasoning.budget", 9)]),
    (
        {"reasoning": ReasoningAsk(effort="low", show="auto")},
        [("reasoning.effort", "low"), ("reasoning.show", "auto")],
    ),
    ({"output": OutputFormat(kind="text")}, []),
    ({"output": OutputFormat(kind="json")}, [("output.json.unasked", None)]),
    (
        {"output": OutputFormat(kind="schema", schema={}, name="n", description="d", strict=False)},
        [
            ("output.schema", {}),
            ("output.schema.name", "n"),
            ("output.schema.description", "d"),
            ("output.schema.loose", None),
        ],
    ),
    (
        {"output": OutputFormat(kind="schema", schema={})},
        [("output.schema", {}), ("output.schema.unnamed", None), ("output.schema.loose", None)],
    ),
    ({"tools": (Tool(name="f"),)}, [("tool", ("f", None, None))]),
    (
        {
            "tools": (
                Tool(name="f", description="d", schema={"type": "object"}, strict=True, cache=Cache("1h")),
            )
        },
        [("tool", ("f", "d", {"type": "object"})), ("tool.strict.open", "f"), ("cache", "1h")],
    ),
    ({"tools": (Opaque("anthropic", {"type": "bash_1"}),)}, [("server_tool.anthropic", "bash_1")]),
    ({"tools": (Opaque("gemini", {"googleSearch": {}}),)}, [("server_tool.gemini", "googleSearch")]),
    ({"tools": (Opaque("gemini", {}),)}, [("server_tool.gemini", "")]),
    (
        {"extra": {"openai_chat": {"logit_bias": {"1": 2}, "$form": 1}}},
        [("field:openai_chat:logit_bias", {"1": 2})],
    ),
    ({"extra": {"openai_chat": {"modalities": ["text"], "logit_bias": {}}}}, []),
    ({"extra": {"openai_responses": {"background": False, "top": 0}}}, [("field:openai_responses:top", 0)]),
]


@pytest.mark.parametrize(("settings", "facts"), SETTINGS, ids=lambda value: str(value)[:60])
def test_every_setting_has_its_facts(settings: dict[str, Any], facts: list[tuple[str, Json]]) -> None:
    assert asked(**settings) == facts


def test_a_request_without_a_limit_says_so() -> None:
    assert [fact.feature for fact in of_request(Request(model="m", messages=()))] == ["max_tokens.unsaid"]
    assert asked(max_tokens=16) == [("max_tokens", 16)]
    assert asked(max_tokens=15) == [("max_tokens.below_16", 15)]


@pytest.mark.parametrize(
    ("said", "open"),
    [
        ((ASKED,), False),
        ((ASKED, Message("assistant", (CALL,))), False),
        ((ASKED, Message("assistant", (CALL,)), Message("tool", (RESULT,))), True),
        ((ASKED, Message("assistant", (CALL,)), Message("user", (RESULT,))), True),
        (
            (
                ASKED,
                Message("assistant", (CALL,)),
                Message("tool", (RESULT,)),
                Message("system", (Text("s"),)),
            ),
            True,
        ),
        ((ASKED, Message("assistant", (CALL,)), Message("tool", (RESULT,)), ASKED), False),
        ((ASKED, Message("assistant", (CALL,)), Message("tool", (RESULT,)), Message("assistant", ())), False),
        ((), False),
    ],
)
def test_a_loop_is_open_while_results_come_last(said: tuple[Message, ...], open: bool) -> None:
    assert open_loop(Request(model="m", messages=said)) == ([CALL] if open else [])
    assert (("tool_loop.unsigned", None) in asked(*said)) == open


def test_an_open_loop_reaches_back_to_where_the_user_last_spoke() -> None:
    other = ToolCall(id="call_2", name="g")
    said = (
        ASKED,
        Message("assistant", (ToolCall(id="call_0", name="old"),)),
        Message("tool", (ToolResult(call_id="call_0"),)),
        ASKED,
        Message("assistant", (THOUGHT, CALL)),
        Message("tool", (RESULT,)),
        Message("assistant", (other,)),
        Message("tool", (ToolResult(call_id="call_2"),)),
    )
    assert set(map(repr, open_loop(Request(model="m", messages=said)))) == set(
        map(repr, (THOUGHT, CALL, other))
    )
    assert ("tool_loop.unsigned", None) not in asked(*said)


def test_an_answer_has_the_facts_of_its_parts_and_its_end() -> None:
    token = TokenLogprob("a", -0.5, (("b", -1.0),))
    assert answered(
        THOUGHT,
        Text("a"),
        stop=Stop.SEQUENCE,
        stop_sequence="X",
        logprobs=(token,),
        extra={"gemini": {"safetyRatings": [1]}},
    ) == [
        ("text", ("assistant", "a")),
        ("signature.anthropic", "sig"),
        ("reasoning.text", "hm"),
        ("stop.sequence", None),
        ("stop.sequence.text", "X"),
        ("logprobs", (("a", -0.5, (("b", -1.0),)),)),
        ("field:gemini:safetyRatings", [1]),
    ]


def test_an_answer_has_the_facts_of_its_usage_and_of_more_candidates() -> None:
    response = Response(
        candidates=(Candidate(), Candidate()),
        usage=Usage(
            input_tokens=0, cached_tokens=0, reasoning_tokens=4, extra={"anthropic": {"inference_geo": "us"}}
        ),
        service_tier="flex",
        extra={"openai_chat": {"system_fingerprint": "fp"}},
    )
    assert [tuple(fact) for fact in of_response(response)] == [
        ("candidates", 1),
        ("usage.input_tokens", 0),
        ("usage.reasoning_tokens", 4),
        ("usage:anthropic:inference_geo", "us"),
        ("service_tier", "flex"),
        ("field:openai_chat:system_fingerprint", "fp"),
    ]


@settings(max_examples=50)
@given(requests(opaque=DIALECTS, shuffled=True, broken_arguments=True))
def test_every_text_call_and_result_of_a_request_is_a_fact(request: Request) -> None:
    facts = Counter(fact.feature for fact in of_request(request))
    parts = [part for message in request.messages for part in message.parts]
    assert facts["tool_call"] + facts["tool_call.broken"] == sum(isinstance(part, ToolCall) for part in parts)
    assert facts["tool_result"] == sum(isinstance(part, ToolResult) for part in parts)
    assert facts["tool"] == len(request.tools)
    assert facts["refusal"] == sum(isinstance(part, Refusal) for part in parts)


@settings(max_examples=50)
@given(responses(candidates=3, opaque=DIALECTS, shuffled=True))
def test_every_answer_has_facts_and_each_has_a_name(response: Response) -> None:
    facts = list(of_response(response))
    assert facts
    assert all(fact.feature for fact in facts)
