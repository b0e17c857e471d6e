"""Requests and answers that use one feature each, all there are: what hypothesis meets only by luck."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import msgspec

from madang.core.messages import (
    Cache,
    Citation,
    Json,
    Media,
    MediaKind,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import OutputFormat, ReasoningAsk, Request, Tool, ToolChoice
from madang.core.responses import Candidate, Response, Stop, TokenLogprob, Usage
from tests.dialects.kinds import DIALECTS

KINDS: tuple[MediaKind, ...] = get_args(MediaKind)
TYPES = {"image": "image/png", "audio": "audio/wav", "video": "video/mp4", "document": "application/pdf"}
OPEN: dict[str, Json] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED: dict[str, Json] = {**OPEN, "additionalProperties": False}
OPTIONAL: dict[str, Json] = {**CLOSED, "required": []}
BARE: dict[str, Json] = {"type": "object", "properties": {"cities": {"type": ["array", "null"]}}}
CALL = ToolCall(id="call_1", name="f", arguments='{"city":"서울"}')
RESULT = ToolResult(call_id="call_1", name="f", parts=(Text("ok"),))
BROKEN = ("", '{"a', "[1]", "null", '"a"')
CITED = "It rains in Seoul."


def requests() -> Iterator[tuple[str, Request]]:
    """Each with a name."""
    for name, settings in _settings():
        yield name, asking(_user(Text("hi")), **settings)
    for name, message in _messages():
        yield name, asking(_user(Text("hi")), message, _user(Text("go on")))
    for arguments in BROKEN:
        broken = ToolCall(id="call_1", name="f", arguments=arguments)
        said = (_user(Text("hi")), Message("assistant", (broken,)), Message("tool", (RESULT,)))
        yield f"broken arguments {arguments}", asking(*said, tools=(Tool(name="f", schema=OPEN),))
    said = (_user(Text("hi")), Message("assistant", (CALL, Text("wait"))), Message("tool", (RESULT,)))
    yield "words after a call", asking(*said, tools=(Tool(name="f", schema=OPEN),))
    for name, results in _results():
        said = (_user(Text("hi")), Message("assistant", (CALL,)), Message("tool", (results,)))
        yield name, asking(*said, tools=(Tool(name="f", schema=OPEN),))
    for name, tools in _tools():
        yield name, asking(_user(Text("hi")), tools=tools)
    yield from _choices()
    roles: tuple[Role, ...] = ("system", "developer")
    for role in roles:
        yield role, asking(Message(role, (Text("be brief"),)), _user(Text("hi")))
    yield (
        "a late system message",
        asking(_user(Text("hi")), Message("system", (Text("be brief"),)), _user(Text("so"))),
    )


def asking(*messages: Message, **settings: Any) -> Request:
    return Request(model="house", messages=messages, **{"max_tokens": 4000, **settings})


def _user(*parts: Part) -> Message:
    return Message("user", parts)


def _settings() -> Iterator[tuple[str, dict[str, Any]]]:
    one_by_one: dict[str, tuple[Any, ...]] = {
        "stream": (True,),
        "max_tokens": (None, 1, 5000, 200_000),
        "temperature": (0, 0.5, 1.5),
        "top_p": (0.5,),
        "top_k": (40,),
        "stop": (("END",), ("\n\n",), ("END", "\n\n")),
        "seed": (7,),
        "presence_penalty": (0.5,),
        "frequency_penalty": (0.5,),
        "n": (1, 2),
        "service_tier": ("auto", "default", "flex", "priority"),
        "user": ("user-1", "mina@example.com", "{}" * 80),
        "metadata": ({"team": "a"},),
        "reasoning": tuple(_reasoning()),
        "output": tuple(_outputs()),
    }
    for name, values in one_by_one.items():
        for value in values:
            yield f"{name} {value}", {name: value}
    yield "logprobs", {"logprobs": True}
    yield "top_logprobs", {"logprobs": True, "top_logprobs": 3}
    for name, value in (("temperature", 0.5), ("top_p", 0.5), ("top_k", 40)):
        yield f"{name} with reasoning", {name: value, "reasoning": ReasoningAsk(effort="high")}


def _reasoning() -> Iterator[ReasoningAsk]:
    yield ReasoningAsk(enabled=False)
    yield ReasoningAsk(enabled=True)
    for effort in ("minimal", "low", "medium", "high", "xhigh", "max"):
        yield ReasoningAsk(effort=effort)
    for budget in (1024, 3000, 3999):
        yield ReasoningAsk(enabled=True, budget=budget)
    for show in ("none", "auto", "concise", "detailed"):
        yield ReasoningAsk(effort="low", show=show)


def _outputs() -> Iterator[OutputFormat]:
    yield OutputFormat(kind="text")
    yield OutputFormat(kind="json")
    for schema, name, description, strict in product(
        (OPEN, CLOSED, OPTIONAL), (None, "forecast"), (None, "날씨"), (None, True, False)
    ):
        yield OutputFormat(kind="schema", schema=schema, name=name, description=description, strict=strict)


def _messages() -> Iterator[tuple[str, Message]]:
    yield "a name", Message("user", (Text("hi"),), "mina")
    yield "a blank text", _user(Text("hi"), Text(" "))
    yield "a cache mark", _user(Text("hi", cache=Cache("1h")))
    for kind in KINDS:
        for media in _media(kind):
            yield f"{kind} of the user's", _user(Text("see"), media)
            if media.detail is None:
                yield f"{kind} of the assistant's", Message("assistant", (Text("see"), media))
    for name, parts, _ in _spoken():
        yield name, Message("assistant", parts)


def _media(kind: MediaKind) -> Iterator[Media]:
    yield Media(kind=kind, data="AAAA", media_type=TYPES[kind])
    yield Media(kind=kind, data="AAAA", media_type=TYPES[kind], cache=Cache("5m"))
    yield Media(kind=kind, url="https://example.com/a")
    yield Media(kind=kind, file_id="file-abc123")
    if kind == "image":
        yield Media(kind=kind, data="AAAA", media_type="image/png", detail="low")
    if kind == "document":
        yield Media(kind=kind, text="words", media_type="text/plain")
        yield Media(kind=kind, text="words", media_type="text/plain", name="a.txt")
        yield Media(kind=kind, data="AAAA", media_type="application/pdf", name="a.pdf")
        yield Media(kind=kind, data="AAAA", media_type="application/pdf", cite=True)


def _spoken() -> Iterator[tuple[str, tuple[Part, ...], Stop]]:
    yield "a refusal", (Refusal("no"),), Stop.REFUSAL
    yield "an unsigned thought", (Reasoning(text="hm"), Text("so")), Stop.END
    for dialect in DIALECTS:
        thought = Reasoning(text="hm", signature="AA==", signer=dialect)
        yield f"a thought signed for {dialect}", (thought, Text("so")), Stop.END
        yield (
            f"a part of {dialect}",
            (Opaque(dialect, {"type": "novelty", "novelty": {}}), Text("so")),
            Stop.END,
        )
    for name, citation in _citations():
        yield name, (Text(CITED, (citation,)),), Stop.END


def _citations() -> Iterator[tuple[str, Citation]]:
    found = {
        "a link": Citation(url="https://example.com/a"),
        "a link with a title": Citation(url="https://example.com/a", title="News"),
        "a link with a quote": Citation(url="https://example.com/a", quote="rain"),
        "a document": Citation(document=0, title="a.pdf", quote="rain"),
        "a file": Citation(file_id="file-abc123", title="a.pdf"),
    }
    for name, citation in found.items():
        yield name, citation
        yield f"{name} in its place", msgspec.structs.replace(citation, start=0, end=len(CITED))


def _results() -> Iterator[tuple[str, ToolResult]]:
    yield "a result", RESULT
    yield "an empty result", ToolResult(call_id="call_1", name="f")
    yield "a failed result", ToolResult(call_id="call_1", name="f", parts=(Text("boom"),), is_error=True)
    yield "a cached result", ToolResult(call_id="call_1", name="f", parts=(Text("ok"),), cache=Cache())
    for kind in KINDS:
        for media in _media(kind):
            yield f"{kind} of a tool's", ToolResult(call_id="call_1", name="f", parts=(Text("see"), media))


def _tools() -> Iterator[tuple[str, tuple[Tool | Opaque, ...]]]:
    yield "a bare tool", (Tool(name="f"),)
    yield "a tool of no type", (Tool(name="f", schema={}),)
    yield "a tool without members", (Tool(name="f", schema={"type": "object"}),)
    yield "a list of anything", (Tool(name="f", schema=BARE),)
    for schema, strict in product((OPEN, CLOSED, OPTIONAL), (None, True, False)):
        yield f"strict {strict}", (Tool(name="f", description="날씨", schema=schema, strict=strict),)
    yield "a cached tool", (Tool(name="f", schema=OPEN, cache=Cache()),)


def _choices() -> Iterator[tuple[str, Request]]:
    tools = (Tool(name="f", schema=OPEN), Tool(name="g", schema=OPEN))
    for choice in (
        ToolChoice(mode="auto"),
        ToolChoice(mode="none"),
        ToolChoice(mode="required"),
        ToolChoice(mode="required", names=("f",)),
        ToolChoice(mode="required", names=("f", "g")),
        ToolChoice(mode="named", names=("g",)),
    ):
        for parallel in (None, True, False):
            settings: dict[str, Any] = {"tools": tools, "tool_choice": choice, "parallel_tools": parallel}
            yield f"{choice.mode} {choice.names} {parallel}", asking(_user(Text("hi")), **settings)


def answers() -> Iterator[tuple[str, Response]]:
    """Each with a name."""
    for stop in Stop:
        if stop is not Stop.TOOL:
            sequence = "X" if stop is Stop.SEQUENCE else None
            yield f"stop {stop}", _answer(Text("so"), stop=stop, stop_sequence=sequence)
    for name, parts, stop in _spoken():
        yield name, _answer(*parts, stop=stop)
    yield "a call", _answer(CALL, stop=Stop.TOOL)
    yield "words after a call", _answer(CALL, Text("wait"), stop=Stop.TOOL)
    for arguments in BROKEN:
        broken = ToolCall(id="call_1", name="f", arguments=arguments)
        yield f"broken arguments {arguments}", _answer(broken, stop=Stop.TOOL)
    for kind in KINDS:
        yield f"{kind} in an answer", _answer(Media(kind=kind, data="AAAA", media_type=TYPES[kind]))
    probabilities = (TokenLogprob("so", -0.5, (("so", -0.5),)),)
    yield "log probabilities", _answer(Text("so"), logprobs=probabilities)
    one = _answer(Text("a"))
    yield "candidates", msgspec.structs.replace(one, candidates=one.candidates * 2)
    for tier in ("default", "standard", "flex", "priority", "batch"):
        yield f"service tier {tier}", msgspec.structs.replace(one, service_tier=tier)
    usage = Usage(input_tokens=10, output_tokens=10)
    for field in usage.__struct_fields__[2:-1]:
        counted = msgspec.structs.replace(usage, **{field: 3})
        yield f"usage {field}", msgspec.structs.replace(one, usage=counted)


def _answer(*parts: Part, **candidate: Any) -> Response:
    return Response(candidates=(Candidate(parts=parts, **{"stop": Stop.END, **candidate}),))
