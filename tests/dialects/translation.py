"""What must hold between two dialects, each law as a function: what is wrong, or `None`.

What is missing after a translation is exactly what the target's column in `losses.py` declares.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from itertools import takewhile

from madang.core.errors import BadRequest
from madang.core.events import Event, collect, explode
from madang.core.messages import Json, Message, Part, Reasoning, ToolCall, ToolResult
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects.base import Answering, Dialect
from madang.dialects.carry import plain_id
from madang.dialects.features import Fact, of_request, of_response
from madang.dialects.losses import Loss, find, find_in_answer, look_up
from madang.dialects.schemas import of_object, with_items
from tests.dialects.clients import BACK, gathered, rebuilt_chat_back
from tests.dialects.hub import legal
from tests.dialects.laws import parse, render

NEWEST = "newest"
"""A model that no dialect knows, and takes for one of its newest. Columns say what those cannot do."""
DERIVED = frozenset(("max_tokens.unsaid", "output.schema.unnamed", "reasoning.show", "tool_loop.unsigned"))
"""Facts that arise where another one is lost (Gemini shows its thoughts to whoever makes it think), and may
vanish where one is emulated."""

_TEXT = frozenset(("text",))
_EFFORT = frozenset(
    (
        "reasoning.effort",
        "reasoning.effort.minimal",
        "reasoning.effort.xhigh",
        "reasoning.off",
        "reasoning.budget",
        "reasoning.show",
    )
)
_FORCED = frozenset(("text", "tool_choice.auto"))
BECOMES: dict[str, frozenset[str]] = {
    "assistant.order": _TEXT,
    "citation.place": frozenset(("citation.unplaced",)),
    "citation.unplaced": frozenset(("citation.place",)),
    "citation_of_document.unplaced": frozenset(("citation_of_document.place",)),
    "document.text": frozenset(("document.data", "media.name.document", "text")),
    "max_tokens": frozenset(("max_tokens",)),
    "max_tokens.below_16": frozenset(("max_tokens",)),
    "max_tokens.unsaid": frozenset(("max_tokens",)),
    "media.name.text": frozenset(("media.name.document", "text")),
    "output.json": _TEXT,
    "output.json.unasked": _TEXT | {"output.json"},
    "output.schema": _TEXT,
    "output.schema.open": frozenset(("output.schema", "text")),
    "output.schema.loose": frozenset(
        ("output.schema.strict", "output.schema.strict.open", "output.schema.strict.optional")
    ),
    "output.schema.strict": _TEXT,
    "output.schema.strict.open": _TEXT | {"output.schema.strict", "output.schema.loose"},
    "output.schema.strict.optional": _TEXT | {"output.schema.loose"},
    "output.schema.unnamed": frozenset(("output.schema.name",)),
    "reasoning.budget": _EFFORT,
    "reasoning.effort": _EFFORT,
    "reasoning.effort.max": _EFFORT,
    "reasoning.effort.minimal": _EFFORT,
    "reasoning.effort.xhigh": _EFFORT,
    "reasoning.on": _EFFORT,
    "reasoning.off": _EFFORT,
    "reasoning.show.detail": _EFFORT,
    "reasoning.unsaid": frozenset(("reasoning.off",)),
    "refusal": _TEXT,
    "stop.context": frozenset(("stop.length",)),
    "stop.filter": frozenset(("stop.refusal.wordless",)),
    "stop.other": frozenset(("stop.end",)),
    "stop.pause": frozenset(("stop.end", "stop.length", "stop.other")),
    "stop.refusal": frozenset(("stop.filter", "stop.refusal.wordless")),
    "stop.refusal.wordless": frozenset(("stop.filter",)),
    "stop.sequence": frozenset(("stop.end",)),
    "temperature.above_one": frozenset(("temperature",)),
    **{
        f"tool.{kind}.{form}": frozenset(
            (f"{kind}.{form}", f"{kind}.data", f"tool.{kind}.data", f"media.name.{kind}", "text")
        )
        for kind in ("image", "audio", "video", "document")
        for form in ("data", "url", "file_id", "text")
    },
    "tool.bare": frozenset(("tool",)),
    "tool_call.broken": frozenset(("tool_call",)),
    "tool_call.id": frozenset(("tool_call.id",)),
    "tool_call.unanswered": frozenset(("tool_result.error",)),
    "tool_choice.named": _FORCED,
    "tool_choice.required": _FORCED,
    "tool_choice.some": _FORCED | {"tool_choice.required"},
    "tool_loop.unsigned": frozenset(("signature.None",)),
    "tool_result": frozenset(("tool_result",)),
    "tool_result.error": _TEXT,
    "tool_result.orphan": _TEXT,
    "user.first": _TEXT,
    "user.last": _TEXT,
    "user.long": frozenset(("user",)),
    "user.personal": frozenset(("user",)),
}
"""What a feature becomes where it is emulated. Nothing else may be made up."""
SHOWN = frozenset(("assistant.order",))
"""What a stream may show though the whole answer cannot tell it: in a chat completion, words after a call."""

Facts = Counter[tuple[str, str]]


def asked_through(dialect: Dialect, request: Request, model: str = NEWEST) -> Request:
    """A request as a provider of a dialect reads it, for one of its models."""
    body = dialect.render_request(request, model)
    in_path = dialect.name == "gemini"
    return dialect.parse_request(body, model if in_path else None, request.stream if in_path else None)


def answered_through(dialect: Dialect, response: Response, asked: Request) -> Response:
    """An answer as a client of a dialect reads it."""
    return dialect.parse_response(dialect.render_response(response, answering(asked)))


def streamed_through(dialect: Dialect, events: Iterable[Event], asked: Request) -> Response:
    """A streamed answer as a client of a dialect reads it."""
    return collect(legal(parse(dialect, [render(dialect, events, answering(asked))])))


def answering(asked: Request) -> Answering:
    return Answering(request=asked, id="answer-1", created=1_700_000_000)


def refusal(request: Request, dialect: Dialect) -> BadRequest | None:
    """Why a request cannot be sent to a dialect, if so."""
    try:
        find(request, dialect.name, NEWEST)
    except BadRequest as problem:
        return problem
    return None


def request_fault(before: Request, dialect: Dialect, model: str = NEWEST) -> str | None:
    """A request that is sent to a dialect loses what its column says, and nothing else."""
    after = asked_through(dialect, before, model)
    return fault(facts(of_request(before)), facts(of_request(after)), find(before, dialect.name, model))


def return_fault(before: Request, through: Dialect, back: Dialect) -> str | None:
    """Nor does it lose more on the way back."""
    between = asked_through(through, before)
    problem = refusal(between, back)
    if problem is None:
        found = request_fault(between, back)
        return f"on the way back: {found}" if found else None
    # Some providers take more than their dialect can say of itself: Perplexity, a document's address.
    return f"on the way back it is refused: {problem}" if refusal(before, back) is None else None


def answer_fault(before: Response, asked: Request, dialect: Dialect) -> str | None:
    """An answer in a client's dialect lacks what its column says, and nothing else."""
    return _answer_fault(before, answered_through(dialect, before, asked), dialect)


def stream_fault(events: list[Event], asked: Request, dialect: Dialect) -> str | None:
    """Neither does a streamed answer."""
    before, after = collect(events), streamed_through(dialect, events, asked)
    return _answer_fault(before, after, dialect, SHOWN)


def _answer_fault(
    before: Response, after: Response, dialect: Dialect, shown: frozenset[str] = frozenset()
) -> str | None:
    several = look_up("candidates", dialect.name, "answers") is None
    losses = find_in_answer(before, dialect.name)
    told, found = of_response(before, several=several), of_response(after)
    return fault(unsigned(told), unsigned(found), losses, shown)


def fault(before: Facts, after: Facts, losses: list[Loss], shown: frozenset[str] = frozenset()) -> str | None:
    """What differs though it is not declared, or is declared and does not differ."""
    declared = {loss.feature for loss in losses}
    before, after = _plainly(before, declared), _plainly(after, declared)
    lost, gained = before - after, after - before
    emulated = any(loss.treatment == "emulate" for loss in losses)
    derived = DERIVED if emulated else frozenset()
    silent = Counter({fact: count for fact, count in lost.items() if fact[0] not in declared | derived})
    if silent and not (emulated and all(_is_longer_now(fact, gained) for fact in silent)):
        instead = f"instead there is {told(gained)}; declared {sorted(declared)}"
        return f"lost without a word: {told(silent)}; {instead}"
    expected = DERIVED.union(
        *[BECOMES.get(loss.feature, ()) for loss in losses if loss.treatment == "emulate"]
    )
    surplus = Counter({fact: count for fact, count in gained.items() if fact[0] not in expected})
    if surplus:
        return f"made up: {told(surplus)}; declared {sorted(declared)}"
    gone = declared - shown
    kept = Counter({fact: count for fact, count in (before & after).items() if fact[0] in gone})
    return f"declared as lost, and still there: {told(kept)}" if kept else None


def _plainly(found: Facts, declared: set[str]) -> Facts:
    """With no word of reasoning beside a setting that it does not touch here."""
    out: Facts = Counter()
    for (feature, value), count in found.items():
        plain = feature.removesuffix(".with_reasoning")
        above = plain == "temperature" and json.loads(value) > 1
        bare = "temperature.above_one" if above else plain
        out[(feature if feature in declared else bare, value)] += count
    return out


def _is_longer_now(fact: tuple[str, str], gained: Facts) -> bool:
    """Whether it is a text that something was said in the midst of, which is emulated in words."""
    if fact[0] != "text":
        return False
    role, text = json.loads(fact[1])
    for feature, value in gained:
        if feature == "text" and (now := json.loads(value))[0] == role:
            head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, now[1], strict=False)))
            if len(now[1]) > len(text) and now[1].endswith(text[head:]):
                return True
    return False


_PARAGRAPH = "\n\n"
_JOINED = frozenset(("developer", "system.position", "tool_result.error"))
"""Facts whose value is all words of a message."""


def facts(found: Iterable[Fact]) -> Facts:
    return Counter(
        (fact.feature, json.dumps(plain(value), sort_keys=True)) for fact in found for value in values(fact)
    )


def values(fact: Fact) -> Iterable[Json]:
    """A fact's value, where less than all of it matters.

    A tool's schema has what goes without saying. What is said is told paragraph by paragraph, but of the
    assistant: in how many texts it is cut is no fact, and likenesses of OpenAI's take one alone.
    """
    if fact.feature in ("tool", "tool.bare"):
        name, description, schema = fact.value
        return [(name, description, with_items(of_object(schema), {}))]
    if fact.feature in _JOINED:
        return [str(fact.value).replace(_PARAGRAPH, "")]
    if fact.feature != "text" or fact.value[0] == "assistant":
        return [fact.value]
    role, text = fact.value
    return [(role, one.strip("\n")) for one in text.split(_PARAGRAPH) if one.strip()]


def unsigned(found: Iterable[Fact]) -> Facts:
    """Without signatures, which answers carry in another dialect's fields: `loop_fault` is about them."""
    return facts(fact for fact in found if not fact.feature.startswith("signature."))


def plain(value: Json) -> Json:
    """A value in which `1.0` is `1`."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


def told(found: Facts) -> str:
    return ", ".join(f"{feature} {value[:200]}" for feature, value in list(found)[:6]) or "nothing"


def loop_fault(response: Response, client: Dialect, provider: Dialect, *, streamed: bool) -> str | None:
    """A signed tool loop comes back from a client as it went there, and goes on at the provider."""
    answer = answering(Request(model="m", messages=(), stream=streamed))
    if streamed:
        got = gathered(client.name, render(client, explode(response), answer))
    else:
        got = json.loads(client.render_response(response, answer))
    for back in BACK[client.name]:
        if back is rebuilt_chat_back and provider is client:
            continue  # a provider's own members are the client's own business
        body = json.dumps(back(got)).encode()
        in_path = client.name == "gemini"
        request = client.parse_request(body, "m" if in_path else None, False if in_path else None)
        if found := _returned_fault(response, request, own=client is provider):
            return found
        if (problem := refusal(request, provider)) is not None and problem.code == "signature_not_portable":
            return f"its own provider refuses it: {problem}"
        if problem is None and (
            found := _returned_fault(response, asked_through(provider, request), own=client is provider)
        ):
            return f"at the provider: {found}"
    return None


def _returned_fault(response: Response, request: Request, *, own: bool) -> str | None:
    spoken = [part for message in request.messages if message.role == "assistant" for part in message.parts]
    # Gemini's own signature may come behind the words, in a part of its own: that is its business.
    sent, returned = signed(response.candidates[0].parts, words=not own), signed(spoken, words=not own)
    if sent != returned:
        return f"sent {sent}, returned {returned}"
    calls = [part.id for part in spoken if isinstance(part, ToolCall)]
    results = [part.call_id for part in _results(request.messages)]
    sent_ids = [plain_id(part.id) for part in response.candidates[0].parts if isinstance(part, ToolCall)]
    if calls != results or not (own or calls == sent_ids):
        return f"the calls {sent_ids} came back as {calls} with results of {results}"
    return None


def signed(parts: Iterable[Part], *, words: bool) -> list[tuple[str, ...]]:
    """What must not change while a loop is open."""
    out: list[tuple[str, ...]] = []
    for part in parts:
        if isinstance(part, Reasoning) and part.signature is not None:
            name = part.id or "" if part.signer == "openai_responses" else ""
            text = part.text if words else ""
            out.append(("thought", text, part.signature, part.signer or "", str(part.redacted), name))
        elif isinstance(part, ToolCall):
            out.append(("call", part.name, part.signature or "", part.signer or ""))
    return out


def _results(messages: Iterable[Message]) -> list[ToolResult]:
    return [part for message in messages for part in message.parts if isinstance(part, ToolResult)]
