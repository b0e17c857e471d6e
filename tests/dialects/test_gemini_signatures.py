"""Thought signatures: Gemini's own in every form, and those of others that its clients carry."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given

from madang.core.errors import BadRequest
from madang.core.events import Event, collect, explode
from madang.core.messages import Message, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop
from madang.dialects import losses
from madang.dialects.carry import load
from madang.dialects.gemini.signatures import SKIP
from tests.dialects import hub
from tests.dialects.gemini_wire import asked, chunks, parts_of, rendered, request, said, stream, told

STANDARD, URL_SAFE = "+/+/AAAA", "-_-_AAAA"
CALL = {"functionCall": {"name": "f", "args": {}}}


def answered(*parts: Part) -> Response:
    return Response(id="r", model="m", candidates=(Candidate(parts=parts, stop=Stop.TOOL),))


def through_python(content: Any) -> Any:
    """As Google's SDK for Python sends it back: signatures decoded to bytes, and encoded for URLs."""
    types = pytest.importorskip("google.genai.types")
    kept = types.Content.model_validate(content)
    assert pytest.importorskip("google.genai.chats")._validate_content(kept), "its chats would drop the turn"
    return kept.model_dump(mode="json", by_alias=True, exclude_none=True)


def without_empty_text(value: Any) -> Any:
    """As Google's SDK for Go sends it back, whose `omitempty` knows no empty text."""
    if isinstance(value, list):
        return [without_empty_text(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: without_empty_text(inner) for name, inner in value.items() if (name, inner) != ("text", "")}


def signed(parts: tuple[Part, ...]) -> list[tuple[object, ...]]:
    return [
        ("thought", part.text, part.signature, part.signer, part.redacted, part.id)
        if isinstance(part, Reasoning)
        else ("call", part.name, part.signature, part.signer)
        for part in parts
        if isinstance(part, Reasoning | ToolCall)
    ]


def test_a_signature_is_read_in_the_standard_alphabet() -> None:
    for text in (STANDARD, URL_SAFE):
        found = parts_of(request(said({**CALL, "thoughtSignature": text}, role="model")))[0]
        assert isinstance(found, ToolCall)
        assert (found.signature, found.signer) == (STANDARD, "gemini")


def test_a_signature_on_words_stays_with_them_in_this_dialect() -> None:
    part = {"text": "so", "thoughtSignature": STANDARD}
    found = request(said(part, role="model"))
    assert parts_of(found)[0] == Text("so", extra={"gemini": {"thoughtSignature": STANDARD}})
    assert rendered(found)["contents"][0]["parts"] == [part]


LOOPS: list[tuple[Part, ...]] = [
    (Reasoning(text="hm", signature="s1", signer="anthropic"), ToolCall(id="a", name="f")),
    (Reasoning(text="", signature="s1", signer="anthropic"), ToolCall(id="a", name="f")),
    (Reasoning(signature="s1\n", signer="anthropic", redacted=True), ToolCall(id="a", name="f")),
    (Reasoning(signature="s1", signer="openai_responses", id="rs_1"), ToolCall(id="a", name="f")),
    (
        Reasoning(text="one", signature="s1", signer="anthropic"),
        Reasoning(text="two", signature="s2", signer="anthropic"),
        Reasoning(signature="s3", signer="anthropic", redacted=True),
        Text("let me see"),
        ToolCall(id="a", name="f"),
    ),
    (Reasoning(text="hm"), ToolCall(id="a", name="f", signature=STANDARD, signer="gemini")),
    (ToolCall(id="a", name="f", signature="s", signer="openai_chat"), ToolCall(id="b", name="f")),
]


@pytest.mark.parametrize("parts", LOOPS)
@pytest.mark.parametrize("way", [lambda body: body, through_python, without_empty_text])
def test_signatures_come_back_from_any_of_googles_sdks(parts: tuple[Part, ...], way: Any) -> None:
    content = told(answered(*parts))["candidates"][0]["content"]
    back = parts_of(request(said("hi"), way(content)))
    assert signed(back[1:]) == signed(parts)


@pytest.mark.parametrize("parts", LOOPS)
def test_a_streamed_thought_comes_back_in_one_piece(parts: tuple[Part, ...]) -> None:
    """Google's chats keep each chunk of a stream as a message of its own."""
    contents = contents_of(list(explode(answered(*parts))))
    assert signed(parts_of(request(said("hi"), *contents))) == signed(parts)


@given(hub.streams(media=False, signers=("anthropic", "openai_chat", "openai_responses")))
def test_any_signature_comes_back_streamed_or_not(happening: list[Event]) -> None:
    response = collect(happening)
    parts = response.candidates[0].parts
    for contents in ([told(response)["candidates"][0]["content"]], contents_of(happening)):
        back = signed(parts_of(request(*contents)))
        assert [one for one in back if one[2]] == [one for one in signed(parts) if one[2]]


def contents_of(happening: list[Event]) -> list[Any]:
    return [chunk["candidates"][0]["content"] for chunk in chunks(stream(happening))]


def test_a_loop_signed_elsewhere_is_refused_before_it_comes_to_gemini() -> None:
    loop = asked(
        Message("user", (Text("hi"),)),
        Message(
            "assistant", (Reasoning(text="hm", signature="s", signer="anthropic"), ToolCall(id="a", name="f"))
        ),
        Message("tool", (ToolResult(call_id="a"),)),
    )
    with pytest.raises(BadRequest) as found:
        losses.find(loop, "gemini")
    assert found.value.code == "signature_not_portable"
    assert '"s"' not in json.dumps(rendered(loop)), "nobody else may be sent it"


def unsigned_loop(*, signature: str | None = None) -> Request:
    return asked(
        Message("user", (Text("before"),)),
        Message("assistant", (ToolCall(id="a", name="f"),)),
        Message("tool", (ToolResult(call_id="a"),)),
        Message("assistant", (Text("so"),)),
        Message("user", (Text("hi"),)),
        Message("assistant", (ToolCall(id="b", name="f"), ToolCall(id="c", name="f"))),
        Message("tool", (ToolResult(call_id="b"),)),
        Message("tool", (ToolResult(call_id="c"),)),
        Message("assistant", (ToolCall(id="d", name="f", signature=signature, signer="gemini"),)),
        Message("user", (ToolResult(call_id="d"), Text("the tool took a minute"))),
    )


def signatures(body: Any) -> list[str | None]:
    parts = [part for content in body["contents"] for part in content["parts"]]
    return [part.get("thoughtSignature") for part in parts if "functionCall" in part]


def test_a_call_from_elsewhere_says_that_it_is_unsigned_in_the_turn_under_way() -> None:
    assert signatures(rendered(unsigned_loop(), "gemini-3-pro")) == [None, SKIP, None, SKIP]
    assert signatures(rendered(unsigned_loop(signature="c2ln"), "gemini-3-pro")) == [None, SKIP, None, "c2ln"]


def test_models_before_gemini_3_want_no_such_word() -> None:
    assert signatures(rendered(unsigned_loop(), "gemini-2.5-flash")) == [None, None, None, None]


@pytest.mark.parametrize("word", [SKIP, base64.b64encode(SKIP.encode()).decode()])
def test_that_word_is_nobodys_signature(word: str) -> None:
    found = request(said("hi"), said({**CALL, "thoughtSignature": word}, role="model"))
    call = parts_of(found)[1]
    assert isinstance(call, ToolCall)
    assert call.signature is None
    assert signatures(rendered(found)) == [word]


def test_what_the_id_of_a_call_carries_is_unloaded() -> None:
    thought = Reasoning(text="hm", signature="s", signer="anthropic")
    id_ = load(ToolCall(id="a", name="f", signature="t", signer="gemini"), [thought])
    found = request(
        said("hi"),
        said({"functionCall": {"name": "f", "args": {}, "id": id_}}, role="model"),
        said({"functionResponse": {"name": "f", "response": {}, "id": id_}}),
    )
    _, back, call, result = parts_of(found)
    assert back == thought
    assert isinstance(call, ToolCall)
    assert (call.id, call.signature, call.signer) == ("a", "t", "gemini")
    assert isinstance(result, ToolResult)
    assert result.call_id == "a"


def test_a_thought_is_not_unloaded_twice() -> None:
    thought = Reasoning(text="hm", signature="s", signer="anthropic")
    id_ = load(ToolCall(id="a", name="f"), [thought])
    content = told(answered(thought, ToolCall(id=id_, name="f")))["candidates"][0]["content"]
    assert [type(part) for part in parts_of(request(content))] == [Reasoning, ToolCall]


def test_the_empty_end_of_a_stream_is_nothing_to_others() -> None:
    found = parts_of(
        request(said({"text": ""}, role="model"), said({"text": "", "thoughtSignature": "a"}, role="model"))
    )
    assert all(isinstance(part, Opaque) for part in found)
    assert parts_of(request(said(""))) == (Text(""),), "what a user says stays what it is"
