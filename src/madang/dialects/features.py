"""What a request or an answer makes use of, fact by fact.

A fact is a feature's name and the value it has at one place. `losses.py` declares features that a
dialect cannot express; the tests hold it to that: what is missing after a translation is exactly
the facts of the features declared.

How it is cut is no fact: a tool's result is one whether it stands in a message of the user's or in
one of its own, and what the assistant says between two of the user's turns is one text, in however
many parts. Nor is a blank text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from madang.core.messages import (
    Citation,
    Extra,
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
from madang.core.responses import Candidate, Response, Stop, Usage
from madang.dialects.carry import plain_id
from madang.dialects.reading import read_json
from madang.dialects.schemas import is_bare, is_closed, lacking
from madang.dialects.users import MOST as MOST_OF_USER
from madang.dialects.users import is_plain


class Fact(NamedTuple):
    """One use of one feature."""

    feature: str
    value: Json = None


KEPT = ("item_reference", "compaction", "compaction_summary")
"""Opaque parts that stand for more than they say: it is kept, or sealed, by their provider."""

_SETTINGS = (
    "stream",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "service_tier",
    "metadata",
)


_RARE_EFFORTS = ("minimal", "xhigh", "max")
"""Those that only some dialects have."""
_SEARCHES = ("web_search", "web_fetch", "googleSearch", "urlContext")
"""Begin the names of tools that read the web at a provider."""
_PARTS_OF_USAGE = frozenset(Usage.__struct_fields__) - {"input_tokens", "output_tokens"}
"""Counts of which zero says no more than their absence."""
_ORDINARY = (None, "default", "standard", "on_demand")
"""Service tiers of an answer that are none in particular."""
_UNSAID: tuple[Json, ...] = ("", [], {}, ["text"])
"""Leftovers that say no more than their absence (`modalities: ["text"]`), as do null and false."""


def of_request(request: Request) -> Iterator[Fact]:
    """Every fact of a request, in order."""
    begun = False
    said: list[Part] = []
    for message in request.messages:
        if message.role == "assistant":
            said.extend(message.parts)
        else:
            yield from _of_spoken(said)
            said = []
        if message.role in ("system", "developer"):
            if begun:
                yield Fact("system.position", _words(message.parts))
        else:
            begun = True
        yield from _of_message(message)
    yield from _of_spoken(said)
    beside = any(isinstance(tool, Tool) for tool in request.tools)
    for tool in request.tools:
        yield from _of_tool(tool, beside=beside)
    yield from _of_settings(request)
    loop = open_loop(request)
    if any(isinstance(part, ToolCall) for part in loop) and not any(
        isinstance(part, Reasoning | ToolCall) and part.signature is not None for part in loop
    ):
        yield Fact("tool_loop.unsigned")
    yield from _leftovers("field", request.extra)


def _of_settings(request: Request) -> Iterator[Fact]:
    if request.tool_choice is not None:
        yield from _of_choice(request.tool_choice)
    if request.parallel_tools is not None and (
        request.tool_choice is None or request.tool_choice.mode != "none"
    ):
        yield Fact("parallel_tools", request.parallel_tools)
    for name in _SETTINGS:
        value = getattr(request, name)
        if value is None or value is False or (name == "top_logprobs" and not request.logprobs):
            continue
        if name != "service_tier" or value != "auto":
            yield Fact(name, value)
    if request.user is not None:
        yield from _of_user(request.user)
    yield from _of_sampling(request)
    yield from _of_bounds(request)
    if request.n is not None and request.n != 1:
        yield Fact("n", request.n)
    if request.reasoning is not None:
        yield from _of_reasoning_ask(request.reasoning)
    if request.output is not None:
        yield from _of_output(request.output, request)


def _of_user(user: str) -> Iterator[Fact]:
    kind = ".long" if len(user) > MOST_OF_USER else "" if is_plain(user) else ".personal"
    yield Fact(f"user{kind}", user)


def _of_sampling(request: Request) -> Iterator[Fact]:
    thinking = thinks(request.reasoning)
    for name in ("temperature", "top_p", "top_k"):
        value = getattr(request, name)
        if value is None:
            continue
        if thinking and (name, value) != ("temperature", 1):
            yield Fact(f"{name}.with_reasoning", value)
        else:
            yield Fact("temperature.above_one" if name == "temperature" and value > 1 else name, value)


def _of_bounds(request: Request) -> Iterator[Fact]:
    most = request.max_tokens
    if most is None:
        yield Fact("max_tokens.unsaid")
    else:
        # Less than the Responses API takes.
        yield Fact("max_tokens.below_16" if most < 16 else "max_tokens", most)
    if stop := tuple([sequence for sequence in request.stop if sequence.strip()]):
        yield Fact("stop", stop)
    for sequence in request.stop:
        if not sequence.strip():
            yield Fact("stop.blank", sequence)


def thinks(ask: ReasoningAsk | None) -> bool:
    """Whether reasoning is asked for."""
    return ask is not None and ask.enabled is not False and bool(ask.enabled or ask.effort or ask.budget)


def open_loop(request: Request) -> list[Part]:
    """What the assistant said since the user last spoke, if results of its tools come last; else nothing."""
    said: list[Part] = []
    results = False
    for message in reversed(request.messages):
        if message.role == "assistant":
            if not results:
                return []
            said.extend(message.parts)
        elif message.role in ("user", "tool"):
            if not all(isinstance(part, ToolResult) for part in message.parts):
                break
            results = True
    return said


def of_response(response: Response, *, several: bool = True) -> Iterator[Fact]:
    """Every fact of an answer, in order; without `several`, candidates after the first are only counted."""
    for number, candidate in enumerate(response.candidates):
        if number:
            yield Fact("candidates", number)
            if not several:
                continue
        yield from _of_candidate(candidate)
    usage = response.usage
    if usage is not None:
        for name in usage.__struct_fields__:
            count = getattr(usage, name)
            if name != "extra" and (count if name in _PARTS_OF_USAGE else count is not None):
                yield Fact(f"usage.{name}", count)
        yield from _leftovers("usage", usage.extra)
    if response.service_tier not in _ORDINARY:
        yield Fact("service_tier", response.service_tier)
    yield from _leftovers("field", response.extra)


def _of_candidate(candidate: Candidate) -> Iterator[Fact]:
    for fact in _of_spoken(candidate.parts):
        # Whoever signed it, a client gets the words (and the signature carried: `carry.py`).
        yield Fact("reasoning.text", fact.value) if fact.feature.startswith("reasoning.text") else fact
    if candidate.stop is not None:
        silent = candidate.stop is Stop.REFUSAL and not any(isinstance(p, Refusal) for p in candidate.parts)
        yield Fact("stop.refusal.wordless" if silent else f"stop.{candidate.stop.value}")
    if candidate.stop_sequence is not None:
        yield Fact("stop.sequence.text", candidate.stop_sequence)
    if candidate.logprobs:
        yield Fact("logprobs", tuple((one.token, one.logprob, one.top) for one in candidate.logprobs))
    yield from _leftovers("field", candidate.extra)


def _words(parts: Sequence[Part]) -> str:
    return "".join([part.text for part in parts if isinstance(part, Text)])


def _of_message(message: Message) -> Iterator[Fact]:
    role = message.role
    if role == "developer":
        yield Fact("developer", _words(message.parts))
    if message.name is not None:
        yield Fact("message.name", message.name)
    if role != "assistant":
        for part in message.parts:
            if isinstance(part, Text) and part.text.strip():
                yield Fact("text", ("system" if role == "developer" else role, part.text))
            yield from _of_part(role, part)
    yield from _leftovers("message", message.extra)


def _of_spoken(parts: Sequence[Part]) -> Iterator[Fact]:
    """What the assistant says in one go."""
    text = _words(parts)
    if text.strip():
        yield Fact("text", ("assistant", text))
    thoughts: dict[str | None, str] = {}
    called = False
    place = 0
    for part in parts:
        if isinstance(part, Text):
            for citation in part.citations:
                if citation.start is None:
                    yield Fact(f"{_kind_of(citation)}.unplaced")
                else:
                    span = (place + citation.start, place + (citation.end or 0))
                    yield Fact(f"{_kind_of(citation)}.place", span)
            place += len(part.text)
        if isinstance(part, Reasoning) and part.text:
            signer = part.signer if part.signature is not None else None
            thoughts[signer] = thoughts.get(signer, "") + part.text
        elif isinstance(part, ToolCall):
            called = True
        elif called and isinstance(part, Text | Refusal) and part.text.strip():
            yield Fact("assistant.order", type(part).__name__)
        yield from _of_part("assistant", part)
    for signer, text in thoughts.items():
        yield Fact(f"reasoning.text.{signer}" if signer else "reasoning.text", text)


def _of_part(role: str, part: Part) -> Iterator[Fact]:
    match part:
        case Text():
            for citation in part.citations:
                yield from _of_citation(citation)
        case Media():
            yield from _of_media(role, part)
        case Reasoning():
            yield from _of_reasoning(part)
        case ToolCall():
            arguments = _parsed(part.arguments)
            sound = isinstance(arguments, dict)
            yield Fact("tool_call" if sound else "tool_call.broken", (part.name, arguments))
            yield Fact("tool_call.id", plain_id(part.id))
            if part.signature is not None:
                yield Fact(f"signature.{part.signer}", part.signature)
        case ToolResult():
            yield from _of_result(part)
        case Refusal():
            yield Fact("refusal", part.text)
        case Opaque():
            kind = str(part.data.get("type", ""))
            kept = f"{kind}." if kind in KEPT else ""
            yield Fact(f"opaque.{kept}{part.dialect}", kind)
    if not isinstance(part, Opaque):
        blank = isinstance(part, Text) and not part.text.strip()
        if not isinstance(part, Reasoning | Refusal) and part.cache is not None and not blank:
            yield Fact("cache", part.cache.ttl)
        yield from _leftovers("part", part.extra)


def _of_citation(citation: Citation) -> Iterator[Fact]:
    for name in ("url", "title", "quote", "file_id", "document"):
        value = getattr(citation, name)
        if value is not None:
            yield Fact(f"{_kind_of(citation)}.{name}", value)
    yield from _leftovers("citation", citation.extra)


def _kind_of(citation: Citation) -> str:
    """Links are told in more dialects than places in documents that were sent along."""
    return "citation" if citation.url is not None else "citation_of_document"


def _of_media(role: str, media: Media) -> Iterator[Fact]:
    where = "" if role == "user" else f"{role}."
    for form in ("data", "url", "file_id", "text"):
        value = getattr(media, form)
        if value is not None:
            yield Fact(f"{where}{media.kind}.{form}", value)
    if media.name is not None:
        yield Fact(f"media.name.{media.kind if media.text is None else 'text'}", media.name)
    if media.detail is not None:
        yield Fact("media.detail", media.detail)
    if media.cite:
        yield Fact("media.cite")


def _of_reasoning(part: Reasoning) -> Iterator[Fact]:
    if part.signature is not None:
        yield Fact(f"signature.{part.signer}", part.signature)


def _of_result(result: ToolResult) -> Iterator[Fact]:
    yield Fact("tool_result", plain_id(result.call_id))
    for part in result.parts:
        if isinstance(part, Text) and part.text.strip() and not result.is_error:
            yield Fact("text", ("tool", part.text))
        yield from _of_part("tool", part)
    if result.is_error:
        yield Fact("tool_result.error", _words(result.parts))


def _of_tool(tool: Tool | Opaque, *, beside: bool) -> Iterator[Fact]:
    """The facts of a tool; `beside`: the client has tools of its own, too."""
    if isinstance(tool, Opaque):
        kind = str(tool.data.get("type") or next(iter(tool.data), ""))
        offer = "search." if beside and kind.startswith(_SEARCHES) else ""
        yield Fact(f"server_tool.{offer}{tool.dialect}", kind)
        return
    feature = "tool.bare" if is_bare(tool.schema) else "tool"
    yield Fact(feature, (tool.name, tool.description, tool.schema))
    if tool.strict:
        how = "open" if not is_closed(tool.schema) else lacking(tool.schema)
        yield Fact(f"tool.strict.{how}".removesuffix("."), tool.name)
    if tool.cache is not None:
        yield Fact("cache", tool.cache.ttl)
    yield from _leftovers("tool", tool.extra)


def _of_choice(choice: ToolChoice) -> Iterator[Fact]:
    feature = f"tool_choice.{choice.mode}"
    if choice.mode == "required" and choice.names:
        feature = "tool_choice.some" if len(choice.names) > 1 else "tool_choice.named"
    if choice.mode != "auto":  # which is what happens where nothing is said
        yield Fact(feature, choice.names)
    yield from _leftovers("tool_choice", choice.extra)


def _of_reasoning_ask(ask: ReasoningAsk) -> Iterator[Fact]:
    if ask.enabled is False:
        yield Fact("reasoning.off")
    elif ask.enabled and ask.effort is None and ask.budget is None:
        yield Fact("reasoning.on")
    if ask.effort is not None:
        rare = f".{ask.effort}" if ask.effort in _RARE_EFFORTS else ""
        yield Fact(f"reasoning.effort{rare}", ask.effort)
    if ask.budget is not None:
        yield Fact("reasoning.budget", ask.budget)
    if ask.show is not None:
        detail = "" if ask.show in ("none", "auto") else ".detail"
        yield Fact(f"reasoning.show{detail}", ask.show)
    yield from _leftovers("reasoning", ask.extra)


def says_json(request: Request) -> bool:
    """Whether the user says the word, without which OpenAI refuses to answer in JSON of no schema."""
    return any(
        isinstance(part, Text) and "json" in part.text.lower()
        for message in request.messages
        if message.role == "user"
        for part in message.parts
    )


def _of_output(output: OutputFormat, request: Request) -> Iterator[Fact]:
    if output.kind == "json":
        yield Fact("output.json" if says_json(request) else "output.json.unasked")
    elif output.kind == "schema":
        yield Fact("output.schema" if is_closed(output.schema) else "output.schema.open", output.schema)
        if output.name is None:
            yield Fact("output.schema.unnamed")
        else:
            yield Fact("output.schema.name", output.name)
        if output.description is not None:
            yield Fact("output.schema.description", output.description)
        if not output.strict:
            yield Fact("output.schema.loose")
        else:
            yield Fact(f"output.schema.strict.{lacking(output.schema)}".removesuffix("."))
    yield from _leftovers("output", output.extra)


def _leftovers(where: str, extra: Extra) -> Iterator[Fact]:
    for dialect, members in extra.items():
        for name, value in members.items():
            if not (name.startswith("$") or value is None or value is False or value in _UNSAID):
                yield Fact(f"{where}:{dialect}:{name}", value)


def _parsed(arguments: str) -> Json:
    try:
        return read_json(arguments) if arguments else {}
    except ValueError:
        return arguments
