"""From an answer to candidates: each a run of bits, which a stream sends one by one and a body joins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from madang.simulator.answers import last_said, thoughts
from madang.simulator.dialect import Wishes
from madang.simulator.dice import Dice
from madang.simulator.gemini.bits import Bit, Json
from madang.simulator.gemini.grounding import code_bits, grounded, tool_tokens_of
from madang.simulator.gemini.requests import GenerateRequest
from madang.simulator.scripted import answer_by_script
from madang.simulator.signing import sign
from madang.simulator.tokens import split
from madang.simulator.vocabulary import Choice, Tokens, ToolCall

_FINISHES: Final = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}
"""What the imitated model calls a reason; Google's own words, scripted, are put in capitals."""
_CALLED: Final = "Model generated function call(s)."
_SAFETY: Final = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}


class Candidate(msgspec.Struct, frozen=True):
    """One candidate."""

    prelude: Sequence[Bit]
    """Thoughts, and code that was run: before it speaks."""
    spoken: Sequence[Bit]
    signature: str | None
    """Goes with the last words."""
    closing: Json
    """Why it finished, and what it rests on."""


class Answered(msgspec.Struct, frozen=True):
    """A response, not yet rendered."""

    candidates: Sequence[Candidate]
    tokens: Tokens
    tool_tokens: int = 0
    """What tools that Google runs have added to the prompt."""
    said: int | None = None
    """How many tokens were said, if a scenario tells; else they are counted."""
    blocked: bool = False


def compose(request: GenerateRequest, wishes: Wishes) -> Answered:
    """The candidates that answer a request."""
    answer = answer_by_script(request.chat, wishes.script, wishes.controls, wishes.seed)
    if wishes.controls.refuse:
        return Answered((), Tokens(answer.tokens.prompt, 0), blocked=True)
    thought = _thought(request, answer.tokens.reasoning, wishes.seed)
    candidates = [_candidate(request, choice, answer.tokens, thought, wishes) for choice in answer.choices]
    usage = wishes.script.usage
    told = usage is not None and usage.completion_tokens is not None
    said = max(0, answer.tokens.completion - answer.tokens.reasoning) if told else None
    return Answered(candidates, answer.tokens, tool_tokens_of(request.runs()), said)


def _thought(request: GenerateRequest, count: int, seed: int) -> list[Bit]:
    if not request.thinking.shown:
        return []
    return [Bit({"text": piece, "thought": True}) for piece in thoughts(request.chat, count, seed)]


def _candidate(
    request: GenerateRequest, choice: Choice, tokens: Tokens, thought: list[Bit], wishes: Wishes
) -> Candidate:
    finish = _FINISHES.get(choice.finish, choice.finish.upper())
    if finish == "SAFETY":
        return Candidate((), (), None, {"finishReason": finish, "safetyRatings": [_SAFETY]})
    thinks = tokens.reasoning > 0
    pieces = split(choice.text.strip('"')) if request.as_word else choice.pieces
    words = [Bit({"text": piece}, 1, _logprobs(request, piece, at)) for at, piece in enumerate(pieces)]
    if choice.calls:
        calls = enumerate(choice.calls)
        called = [_call(request, call, at, wishes, signed=thinks and at == 0) for at, call in calls]
        closing = {"finishReason": finish, "finishMessage": _CALLED}
        return Candidate(thought, [*words, *called], None, closing)
    ran, rests = _helped(request, choice, wishes, signed=thinks) if finish == "STOP" else ([], {})
    signed = thinks and request.family.by_level and bool(words)
    signature = sign("", choice.text, wishes.stamp.token) if signed else None
    return Candidate([*thought, *ran], words, signature, {"finishReason": finish, **rests})


def _helped(
    request: GenerateRequest, choice: Choice, wishes: Wishes, *, signed: bool
) -> tuple[list[Bit], Json]:
    """What Google's own tools have done: the code that was run, and what the words rest on."""
    ids = request.family.ids
    ran = code_bits(request.runs(), wishes.stamp, signed=signed and ids, ids=ids)
    return ran, grounded(request.runs(), last_said(request.chat.turns), choice.text)


def _call(request: GenerateRequest, call: ToolCall, at: int, wishes: Wishes, *, signed: bool) -> Bit:
    try:
        arguments = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        arguments = {}
    shown: dict[str, object] = {"name": call.name, "args": arguments if isinstance(arguments, dict) else {}}
    if request.family.ids:
        shown["id"] = f"call_{Dice(wishes.stamp.token, at).below(1_000_000):06d}"
    part: dict[str, object] = {"functionCall": shown}
    if signed:
        part["thoughtSignature"] = sign(call.name, call.arguments, wishes.stamp.token)
    return Bit(part, 1 + len(call.pieces))


def _logprobs(request: GenerateRequest, piece: str, at: int) -> Json:
    """The log probability of a piece and of its alternatives, which are less likely and no real words."""
    most = request.chat.top_logprobs
    if most is None:
        return {}
    dice = Dice(piece, at)
    value = -round(dice.unit() ** 4, 6)
    chosen = _token(piece, value)
    others = [_token(f"{piece}~{rank}", round(value - rank - dice.unit(), 6)) for rank in range(1, most)]
    tops = [{"candidates": [chosen, *others][:most]}]
    return {"avgLogprobs": value, "logprobsResult": {"topCandidates": tops, "chosenCandidates": [chosen]}}


def _token(piece: str, value: float) -> Json:
    return {"token": piece, "tokenId": Dice(piece).below(256_000), "logProbability": value}
