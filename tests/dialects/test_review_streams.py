"""Streams that we render are put together by the SDKs' own code, and say what was said.

The laws of `test_pairs.py` read a stream with our own parser, which forgives what an SDK does not: a list
that grows without saying where, a block that was never begun, an item in another place. Every event is held
to the SDK's types as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import openai
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message as ClaudesMessage
from anthropic.types import RawMessageStreamEvent
from google.genai import types as google
from hypothesis import given, settings
from openai.lib.streaming.chat._completions import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import Response as OpenAIsResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from madang.core.events import Event, collect, explode
from madang.core.messages import Citation, Media, Part, Reasoning, Refusal, Text, ToolCall
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.base import Answering
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.sse import Splitter, data_of
from tests.dialects.hub import DIALECTS, streams
from tests.dialects.laws import render


class Said(NamedTuple):
    """What an SDK has put together."""

    text: str = ""
    thoughts: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    input: int = 0
    output: int = 0


def payloads(stream: bytes) -> list[dict[str, Any]]:
    splitter = Splitter()
    found = [data for data in map(data_of, splitter.feed(stream)) if data not in (b"", b"[DONE]")]
    assert not splitter.rest().strip()
    return [json.loads(data) for data in found]


def by_chat(stream: bytes) -> Said:
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in payloads(stream):
        list(state.handle_chunk(ChatCompletionChunk.model_validate(chunk)))
    assert stream.endswith(b"data: [DONE]\n\n")
    whole = state.current_completion_snapshot
    message = whole.choices[0].message
    calls = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]
    return Said(
        text=message.content or "",
        thoughts=(message.model_extra or {}).get("reasoning_content") or "",
        refusal=message.refusal or "",
        calls=tuple(calls),
        input=whole.usage.prompt_tokens if whole.usage else 0,
        output=whole.usage.completion_tokens if whole.usage else 0,
    )


_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


def by_responses(stream: bytes) -> Said:
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
    last: Any = None
    for number, payload in enumerate(payloads(stream)):
        assert payload["sequence_number"] == number
        last = _EVENTS.validate_python(payload)
        state.handle_event(last)
    final = OpenAIsResponse.model_validate(last.response.model_dump(warnings=False))
    grown = getattr(state, "_ResponseStreamState__current_snapshot")  # noqa: B009  # mangled, and all there is
    assert [item.type for item in grown.output] == [item.type for item in final.output]
    contents = [part for item in final.output if item.type == "message" for part in item.content]
    calls = [item for item in final.output if item.type == "function_call"]
    return Said(
        text="".join([part.text for part in contents if part.type == "output_text"]),
        thoughts="".join(
            [one.text for item in final.output if item.type == "reasoning" for one in item.summary]
        ),
        refusal="".join([part.refusal for part in contents if part.type == "refusal"]),
        calls=tuple([(call.name, json.loads(call.arguments)) for call in calls]),
        input=final.usage.input_tokens if final.usage else 0,
        output=final.usage.output_tokens if final.usage else 0,
    )


_CLAUDES: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)


def by_claude(stream: bytes) -> Said:
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for payload in payloads(stream):
        if payload["type"] != "ping":
            event = _CLAUDES.validate_python(payload)
            snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    whole = ClaudesMessage.model_validate(snapshot.model_dump(warnings=False))
    usage = whole.usage
    cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return Said(
        text="".join([block.text for block in whole.content if block.type == "text"]),
        thoughts="".join([block.thinking for block in whole.content if block.type == "thinking"]),
        calls=tuple([(block.name, block.input) for block in whole.content if block.type == "tool_use"]),
        input=usage.input_tokens + cached,
        output=usage.output_tokens,
    )


def by_google(stream: bytes) -> Said:
    parts: list[Any] = []
    usage = google.GenerateContentResponseUsageMetadata()
    for payload in payloads(stream):
        chunk = google.GenerateContentResponse.model_validate(payload)
        usage = chunk.usage_metadata or usage
        for candidate in chunk.candidates or ():
            if not candidate.index and candidate.content is not None:
                parts += candidate.content.parts or ()
    return Said(
        text="".join([part.text for part in parts if part.text and not part.thought]),
        thoughts="".join([part.text for part in parts if part.text and part.thought]),
        calls=tuple(
            [(part.function_call.name, part.function_call.args) for part in parts if part.function_call]
        ),
        input=usage.prompt_token_count or 0,
        output=(usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
    )


READERS: dict[str, Callable[[bytes], Said]] = {
    "openai_chat": by_chat,
    "openai_responses": by_responses,
    "anthropic": by_claude,
    "gemini": by_google,
}
REFUSES = ("openai_chat", "openai_responses")
"""Dialects that have words for a refusal."""


def meant(response: Response, dialect: str) -> Said:
    """What a client of a dialect is to be told of an answer."""
    parts = response.candidates[0].parts
    refusal = "".join([part.text for part in parts if isinstance(part, Refusal)])
    texts: tuple[type[Part], ...] = (Text,) if dialect in REFUSES else (Text, Refusal)
    calls = [(part.name, json.loads(part.arguments)) for part in parts if isinstance(part, ToolCall)]
    usage = response.usage or Usage()
    return Said(
        text="".join(
            [part.text for part in parts if isinstance(part, Text | Refusal) and type(part) in texts]
        ),
        thoughts="".join([part.text for part in parts if isinstance(part, Reasoning)]),
        refusal=refusal if dialect in REFUSES else "",
        calls=tuple(calls),
        input=usage.input_tokens or 0,
        output=usage.output_tokens or 0,
    )


def fault(events: list[Event], dialect: str) -> str | None:
    asked = Request(model="m", messages=(), n=2, stream=True)
    stream = render(CODECS[dialect], events, Answering(request=asked, id="answer-1", created=1_700_000_000))
    found, wanted = READERS[dialect](stream), meant(collect(events), dialect)
    return None if found == wanted else f"the SDK read {found}\ninstead of {wanted}"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_sdk_puts_together_any_stream_of_another_dialect(dialect: str) -> None:
    others = tuple(name for name in DIALECTS if name != dialect)

    @settings(max_examples=60)
    @given(streams(candidates=2, opaque=others, shuffled=True, signers=others))
    def hold(events: list[Event]) -> None:
        found = fault(events, dialect)
        assert found is None, found

    hold()


CITED = Text("It rains.", (Citation(url="https://example.com/a", title="News", start=0, end=9),))
PICTURE = Media(kind="image", data="AAAA", media_type="image/png")
CALL = ToolCall(id="call_1", name="f", arguments='{"a":1}')
ODD: dict[str, tuple[Part, ...]] = {
    "two texts with citations": (CITED, CITED),
    "two pictures": (Text("see"), PICTURE, PICTURE),
    "a text with citations before and after a call": (CITED, CALL, CITED),
    "thoughts after words": (Text("so"), Reasoning(text="hm"), Text("then")),
    "words after calls": (CALL, Text("wait"), msgspec.structs.replace(CALL, id="call_2")),
    "empty parts": (Text(""), Reasoning(), Text("a"), Text("")),
    "a call without arguments": (ToolCall(id="call_1", name="f", arguments="{}"),),
    "thoughts that are signed, sealed and neither": (
        Reasoning(text="a", signature="AA==", signer="elsewhere"),
        Reasoning(signature="AA==", signer="elsewhere", redacted=True),
        Reasoning(text="b"),
        CALL,
    ),
    "nothing at all": (),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_sdk_puts_together_what_is_seldom_said(dialect: str, odd: str) -> None:
    stop = Stop.TOOL if CALL in ODD[odd] else Stop.END
    answer = Response(
        id="a", model="m", candidates=(Candidate(parts=ODD[odd], stop=stop),), usage=Usage(3, 4)
    )
    assert fault(list(explode(answer)), dialect) is None


def test_citations_of_several_texts_are_told_apart_in_a_chat_completions_stream() -> None:
    answer = Response(candidates=(Candidate(parts=(CITED, CITED), stop=Stop.END),))
    asked = Answering(request=Request(model="m", messages=()), id="a", created=1)
    state: ChatCompletionStreamState[Any] = ChatCompletionStreamState()
    for chunk in payloads(render(CODECS["openai_chat"], explode(answer), asked)):
        list(state.handle_chunk(ChatCompletionChunk.model_validate(chunk)))
    cited = state.current_completion_snapshot.choices[0].message.annotations or []
    assert [one.url_citation.start_index for one in cited] == [0, len(CITED.text)]
