"""Conversations, answers and streams in nobody's dialect, made up for laws.

What comes out is canonical: tool calls are answered, totals hold their parts, ids are never empty,
thoughts come before words and words before calls. What a test cannot use it switches off:
`requests(media=False, signers=("anthropic",))`; what only some dialects know it switches on
(`candidates=3`, `opaque=("anthropic",)`, `shuffled=True`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Literal, Unpack

import msgspec
from hypothesis import strategies as st

from madang.core.events import (
    Begin,
    End,
    Event,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    Ping,
    StopEvent,
    UsageEvent,
    explode,
)
from madang.core.messages import (
    Citation,
    Json,
    Media,
    MediaKind,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, TokenLogprob, Usage
from tests.dialects.grammar import legal
from tests.dialects.hub_settings import caches, choices, settings, tools
from tests.dialects.kinds import DIALECTS, Kinds, Wanted
from tests.dialects.words import maybe, names, numbers, words

__all__ = [
    "DIALECTS",
    "Kinds",
    "Wanted",
    "legal",
    "maybe",
    "messages",
    "reasonings",
    "requests",
    "responses",
    "streams",
    "tools",
    "usages",
    "words",
]


Role = Literal["system", "user", "assistant", "tool"]


_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
_TYPES: dict[MediaKind, tuple[str, ...]] = {
    "image": ("image/png", "image/jpeg", "image/webp", "image/gif"),
    "audio": ("audio/wav", "audio/mp3"),
    "video": ("video/mp4",),
    "document": ("application/pdf",),
}
_OPAQUE: dict[str, dict[str, Json]] = {
    "openai_chat": {"type": "hologram", "hologram": {"colour": "green"}},
    "openai_responses": {"type": "web_search_call", "id": "ws_1", "status": "completed"},
    "anthropic": {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
    "gemini": {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
}
_letters = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=10)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.sampled_from((0.5, -1.25)), words),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(words, inner, max_size=2)),
    max_leaves=4,
)
_arguments = st.one_of(
    st.sampled_from(({"city": "서울", "days": 3}, {"city": "Busan"})),
    st.dictionaries(words, _json, max_size=2),
).map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")))
_broken_arguments = st.one_of(
    st.sampled_from(("", '{"city": "Seo', "[1, 2]", "null", '"서울"', "Seoul")), words
)
_signatures = st.one_of(
    st.binary(min_size=1, max_size=40).map(lambda data: base64.b64encode(data).decode()), _letters
)


@st.composite
def _texts(draw: st.DrawFn, kinds: Kinds, role: Role) -> Text:
    text = draw(words)
    cited = role == "assistant" and kinds.citations and draw(st.booleans())
    return Text(text, (draw(_citations(text)),) if cited else (), draw(caches(kinds)))


@st.composite
def _citations(draw: st.DrawFn, text: str) -> Citation:
    placed = draw(st.booleans())
    of_file = draw(st.integers(0, 3)) == 3
    return Citation(
        url=None if of_file else "https://example.com/a",
        title=draw(maybe(words)),
        quote=draw(maybe(words)),
        file_id="file-abc123" if of_file else None,
        document=0 if of_file else None,
        start=0 if placed else None,
        end=len(text) if placed else None,
    )


@st.composite
def _media(draw: st.DrawFn, kinds: Kinds) -> Media:
    kind: MediaKind = draw(st.sampled_from(tuple(_TYPES)))
    form = draw(st.sampled_from(("data", "url", "file_id", "text" if kind == "document" else "data")))
    media_type = draw(st.sampled_from(_TYPES[kind]))
    return Media(
        kind=kind,
        data=_PIXEL if form == "data" else None,
        url="https://example.com/사진" if form == "url" else None,
        file_id="file-abc123" if form == "file_id" else None,
        text=draw(words) if form == "text" else None,
        media_type=media_type if form == "data" else "text/plain" if form == "text" else None,
        name=draw(maybe(st.sampled_from(("보고서.pdf", "report.pdf")))) if kind == "document" else None,
        detail=draw(maybe(st.sampled_from(("low", "high", "auto")))) if kind == "image" else None,
        cache=draw(caches(kinds)),
    )


@st.composite
def reasonings(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> Reasoning:
    """A thought: signed, unsigned or redacted."""
    kinds = Kinds(**wanted)
    signer = draw(maybe(st.sampled_from(kinds.signers))) if kinds.signers else None
    if signer is None:
        return Reasoning(text=draw(words))
    signature = draw(_signatures)
    if signer == "anthropic" and draw(st.booleans()):
        return Reasoning(signature=signature, signer=signer, redacted=True)
    name = f"rs_{draw(_letters)}" if signer == "openai_responses" else None
    return Reasoning(text=draw(words), signature=signature, signer=signer, id=name)


@st.composite
def _calls(draw: st.DrawFn, kinds: Kinds) -> list[ToolCall]:
    arguments = st.one_of(_arguments, _broken_arguments) if kinds.broken_arguments else _arguments
    ids = draw(st.lists(_letters, min_size=1, max_size=3, unique=True))
    signer = "gemini" if "gemini" in kinds.signers and kinds.reasoning and draw(st.booleans()) else None
    return [
        ToolCall(
            id=f"call_{name}",
            name=draw(names),
            arguments=draw(arguments),
            # Gemini signs the first of parallel calls only.
            signature=draw(_signatures) if signer and not number else None,
            signer=None if number else signer,
            cache=draw(caches(kinds)),
        )
        for number, name in enumerate(ids)
    ]


@st.composite
def _spoken(draw: st.DrawFn, kinds: Kinds, *, calls: bool) -> tuple[Part, ...]:
    """What the assistant says; never nothing."""
    parts: list[Part] = []
    if kinds.reasoning:
        parts += draw(st.lists(reasonings(signers=kinds.signers), max_size=2 if kinds.shuffled else 1))
    said: list[Part] = draw(st.lists(_texts(kinds, "assistant"), max_size=3 if kinds.shuffled else 1))
    if kinds.media and kinds.assistant_media and draw(st.integers(0, 7)) == 7:
        said.append(Media(kind="image", data=_PIXEL, media_type="image/png"))
    if len(kinds.opaque) > 0 and draw(st.booleans()):
        name = draw(st.sampled_from(kinds.opaque))
        said.append(Opaque(name, _OPAQUE[name]))
    if calls:
        said += draw(_calls(kinds))
    elif kinds.refusals and not said and draw(st.booleans()):
        said.append(Refusal(draw(words)))
    elif not said:
        said.append(draw(_texts(kinds, "assistant")))
    parts += said
    return tuple(draw(st.permutations(parts))) if kinds.shuffled else tuple(parts)


@st.composite
def _results(draw: st.DrawFn, kinds: Kinds, calls: Sequence[ToolCall]) -> list[ToolResult]:
    results = []
    for call in calls:
        parts: list[Text | Media | Opaque] = [Text(draw(words))]
        if kinds.media and kinds.result_media and draw(st.integers(0, 7)) == 7:
            parts.append(Media(kind="image", data=_PIXEL, media_type="image/png"))
        results.append(
            ToolResult(
                call_id=call.id,
                name=call.name,
                parts=tuple(parts),
                is_error=draw(st.integers(0, 7)) == 7,
                cache=draw(caches(kinds)),
            )
        )
    return results


@st.composite
def _asked(draw: st.DrawFn, kinds: Kinds) -> Message:
    parts: list[Part] = [draw(_texts(kinds, "user"))]
    if kinds.media:
        parts += draw(st.lists(_media(kinds), max_size=2))
    parts += draw(st.lists(_texts(kinds, "user"), max_size=1))
    name = draw(maybe(st.sampled_from(("mina", "jun")))) if kinds.spoken_names else None
    return Message("user", tuple(parts), name)


@st.composite
def messages(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> tuple[Message, ...]:
    """A legal conversation whose last word is the user's or a tool's."""
    kinds = Kinds(**wanted)
    out: list[Message] = []
    first: tuple[Literal["system", "developer"], ...] = (
        ("system", "developer") if kinds.developer else ("system",)
    )
    if kinds.system and draw(st.booleans()):
        out.append(Message(draw(st.sampled_from(first)), (draw(_texts(kinds, "system")),)))
    turns = draw(st.integers(1, 3))
    for turn in range(turns):
        if turn and kinds.late_system and kinds.system and draw(st.integers(0, 5)) == 5:
            out.append(Message("system", (draw(_texts(kinds, "system")),)))
        out.append(draw(_asked(kinds)))
        loops = draw(st.integers(0, 2)) if kinds.tools else 0
        for _ in range(loops):
            spoken = draw(_spoken(kinds, calls=True))
            results = draw(_results(kinds, [part for part in spoken if isinstance(part, ToolCall)]))
            out.append(Message("assistant", spoken))
            out += [Message("tool", (result,)) for result in results]
        if turn < turns - 1:
            out.append(Message("assistant", draw(_spoken(kinds, calls=False))))
    return tuple(out)


@st.composite
def requests(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> Request:
    """A request that a client might send."""
    kinds = Kinds(**wanted)
    said = draw(messages(**wanted))
    called = any(isinstance(part, ToolCall) for message in said for part in message.parts)
    offered = draw(tools(**wanted)) if kinds.tools and (called or draw(st.booleans())) else ()
    said_too = draw(settings()) if kinds.settings else {}
    if offered and kinds.settings:
        said_too["tool_choice"] = draw(maybe(choices(offered)))
        said_too["parallel_tools"] = draw(maybe(st.booleans()))
    return Request(model="house", messages=said, tools=offered, stream=draw(st.booleans()), **said_too)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Counts that add up. A part that was not used is not said; zero is for some dialects the same."""
    parts: dict[str, Any] = {
        name: draw(maybe(numbers))
        for name in (
            "cached_tokens",
            "cache_write_tokens",
            "audio_input_tokens",
            "reasoning_tokens",
            "audio_output_tokens",
        )
    }
    known = {name: count or 0 for name, count in parts.items()}
    into = known["cached_tokens"] + known["cache_write_tokens"] + known["audio_input_tokens"]
    out = known["reasoning_tokens"] + known["audio_output_tokens"]
    return Usage(input_tokens=into + draw(numbers), output_tokens=out + draw(numbers), **parts)


@st.composite
def _candidates(draw: st.DrawFn, kinds: Kinds) -> Candidate:
    parts = draw(_spoken(kinds, calls=kinds.calls or (kinds.tools and draw(st.booleans()))))
    sequence = None
    if any(isinstance(part, ToolCall) for part in parts):
        stop = Stop.TOOL
    elif any(isinstance(part, Refusal) for part in parts):
        stop = Stop.REFUSAL
    else:
        stop = draw(
            st.sampled_from(
                (
                    Stop.END,
                    Stop.LENGTH,
                    Stop.CONTEXT,
                    Stop.SEQUENCE,
                    Stop.PAUSE,
                    Stop.FILTER,
                    Stop.REFUSAL,
                    Stop.OTHER,
                )
            )
        )
        sequence = draw(words) if stop is Stop.SEQUENCE else None
    logprobs: tuple[TokenLogprob, ...] = ()
    if kinds.logprobs and isinstance(parts[-1], Text) and draw(st.booleans()):
        top = (("맑음", -0.25), ("rain", -2.5))
        logprobs = tuple(
            TokenLogprob(token, -0.25, top) for token in draw(st.lists(words, min_size=1, max_size=2))
        )
    return Candidate(parts=parts, stop=stop, stop_sequence=sequence, logprobs=logprobs)


@st.composite
def responses(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> Response:
    """A whole answer that was finished."""
    kinds = msgspec.structs.replace(Kinds(**wanted), cache=False)
    return Response(
        id=f"answer-{draw(_letters)}",
        model="house-1",
        created=draw(st.integers(1_700_000_000, 1_800_000_000)),
        candidates=tuple(draw(st.lists(_candidates(kinds), min_size=1, max_size=kinds.candidates))),
        usage=draw(maybe(usages())) if kinds.usage else None,
    )


@st.composite
def streams(draw: st.DrawFn, **wanted: Unpack[Wanted]) -> list[Event]:
    """A legal stream: words cut anywhere, signatures late, candidates mixed, pings and early usage."""
    response = draw(responses(**wanted))
    lanes: dict[int, list[Event]] = {}
    begin: list[Event] = []
    end: list[Event] = []
    for event in explode(response):
        match event:
            case PartStart() | PartDelta() | PartEnd() | StopEvent():
                lanes.setdefault(event.candidate, []).extend(draw(_cut(event)))
            case Begin():
                begin.append(event)
            case UsageEvent() | End() | Failure() | Ping():
                end.append(event)
    mixed: list[Event] = []
    while waiting := [lane for lane in lanes.values() if lane]:
        mixed.append(draw(st.sampled_from(waiting)).pop(0))
    if response.usage is not None and draw(st.booleans()):
        mixed.insert(0, UsageEvent(Usage(input_tokens=response.usage.input_tokens, output_tokens=1)))
    for place in draw(st.lists(st.integers(0, len(mixed)), max_size=2)):
        mixed.insert(place, Ping())
    return begin + mixed + end


@st.composite
def _cut(draw: st.DrawFn, event: Event) -> list[Event]:
    match event:
        case PartDelta(text=text) if len(text) > 1 and event == PartDelta(event.candidate, event.index, text):
            at = draw(st.integers(1, len(text) - 1))
            return [msgspec.structs.replace(event, text=piece) for piece in (text[:at], text[at:])]
        case PartStart(part=Reasoning(signature=str(signature), signer=signer, redacted=False)):
            bare = msgspec.structs.replace(event.part, signature=None, signer=None)
            late = PartDelta(event.candidate, event.index, signature=signature, signer=signer)
            return [msgspec.structs.replace(event, part=bare), late]
        case _:
            return [event]
