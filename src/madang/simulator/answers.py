"""The imitated model: from a request to a plausible answer, the same one every time.

Pure. What was scripted or asked for by a control goes before what the model would have said.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.dice import Dice
from madang.simulator.phrases import Phrases, phrases_for, topic_words
from madang.simulator.schema_fill import SchemaTooDeep, fill
from madang.simulator.tokens import split
from madang.simulator.vocabulary import Answer, ApiError, ChatRequest, Choice, Tokens, Tool, ToolCall, Turn

_REASONING = {"minimal": 0, "none": 0, "low": 64, "medium": 192, "high": 640, "xhigh": 1280, "max": 2560}
_MOST_TOKENS = 1_000_000
_LENGTHS = {"low": 1, "high": 5}
"""The fewest sentences of an answer, where its verbosity says so."""


def answer(request: ChatRequest, controls: Controls, seed: int) -> Answer:
    """What the model says. `stream` does not enter into it: both ways say the same."""
    if (controls.tokens or 0) * request.n > _MOST_TOKENS:
        raise ApiError(400, f"The simulator answers with at most {_MOST_TOKENS} tokens.", param="model")
    texts = [turn.text for turn in request.turns]
    dice = Dice(seed, request.model, request.seed, *texts)
    thought = _reasoning(request, controls)
    choices = tuple(_choice(request, controls, dice, thought) for _ in range(request.n))
    return Answer(choices, count(request, choices, thought))


def count(request: ChatRequest, choices: Sequence[Choice], thought: int) -> Tokens:
    """The usage: what was thought is paid for once, what was said for every choice."""
    said = sum(len(choice.pieces) + sum(map(_call_tokens, choice.calls)) for choice in choices)
    return Tokens(request.prompt_tokens, thought + said, thought)


def last_said(turns: Sequence[Turn], role: str = "user") -> str:
    """The text of the last message of a role; empty if there is none."""
    return next((turn.text for turn in reversed(turns) if turn.role == role), "")


def _reasoning(request: ChatRequest, controls: Controls) -> int:
    wanted = controls.reasoning
    if wanted is None:
        wanted = request.think or _REASONING.get(request.reasoning_effort or "none", 0)
    return wanted if request.max_tokens is None else min(wanted, request.max_tokens)


def _choice(request: ChatRequest, controls: Controls, dice: Dice, thought: int) -> Choice:
    room = None if request.max_tokens is None else request.max_tokens - thought
    if controls.refuse:
        pieces = split(phrases_for(last_said(request.turns)).refusal)
        choice = Choice(pieces[:room], _finish(len(pieces), room), refused=True)
    elif called := _called_tools(request, controls, dice):
        choice = _calling(called, request, dice, room)
    else:
        choice = fit(_said(request, controls, dice), request.stop, room)
    return msgspec.structs.replace(choice, finish=controls.finish) if controls.finish else choice


def fit(pieces: tuple[str, ...], stop: Sequence[str], room: int | None) -> Choice:
    """An answer cut off at a stop sequence, and at the room there is for it."""
    finish, stopped_by = "stop", None
    if stop:
        text = "".join(pieces)
        found = [(at, word) for word in stop if word and (at := text.find(word)) >= 0]
        if found:
            at, stopped_by = min(found)
            pieces = split(text[:at])
    if room is not None and len(pieces) > room:
        pieces, finish, stopped_by = pieces[:room], "length", None
    return Choice(pieces, finish, stopped_by=stopped_by)


def _finish(size: int, room: int | None) -> str:
    return "length" if room is not None and size > room else "stop"


# What the model says in text.


def _said(request: ChatRequest, controls: Controls, dice: Dice) -> tuple[str, ...]:
    asked = last_said(request.turns)
    if controls.tokens is not None:
        return _exactly(controls.tokens, asked, dice)
    if controls.echo:
        return split(asked)
    if request.schema is not None:
        return split(as_json(_filled(request.schema, dice, asked, "response_format")))
    if request.as_json:
        text = "".join(_sentences(asked, dice, 1))
        return split(as_json({"answer": text, "topic": _topic(asked)}))
    return _prose(request, asked, dice)


def _prose(request: ChatRequest, asked: str, dice: Dice) -> tuple[str, ...]:
    words = phrases_for(asked)
    if results := _results(request.turns):
        return split(" ".join(_told(words, turn) for turn in results))
    attached = _attached(words, request.turns)
    opening = split(f"{attached} ") if attached else ()
    return opening + _sentences(asked, dice, _LENGTHS.get(request.verbosity or "", 2) + dice.below(3))


def _results(turns: Sequence[Turn]) -> list[Turn]:
    """The tools' results the conversation ends with."""
    others = (at for at in range(len(turns), 0, -1) if turns[at - 1].role not in ("tool", "function"))
    return list(turns[next(others, 0) :])


def _told(words: Phrases, result: Turn) -> str:
    text = words.tool_result.format(name=result.tool or "the tool", result=result.text)
    attached = _attached(words, [result])
    return f"{text} {attached}" if attached else text


def _attached(words: Phrases, turns: Sequence[Turn]) -> str:
    """How much was attached, and what; empty if nothing was."""
    count = sum(turn.attachments for turn in turns)
    kinds = sorted({kind for turn in turns for kind in turn.kinds})
    said = words.attachments.format(count=count, kinds=f" ({', '.join(kinds)})" if kinds else "")
    return said if count else ""


def thoughts(request: ChatRequest, count: int, seed: int) -> tuple[str, ...]:
    """What the model thinks before it speaks, in so many tokens."""
    asked = last_said(request.turns)
    return _exactly(count, asked, Dice(seed, "thoughts", asked))


def _sentences(asked: str, dice: Dice, count: int) -> tuple[str, ...]:
    words = phrases_for(asked)
    return _paragraph(words.sentences, _topic(asked), dice.below(len(words.sentences) - 1), count)


@lru_cache(1024)
def _paragraph(sentences: tuple[str, ...], topic: str, start: int, count: int) -> tuple[str, ...]:
    """The opening sentence, then `count - 1` of the others in a row. Benchmarks ask for few topics."""
    first, rest = sentences[0], sentences[1:]
    chosen = [first, *(rest[(start + step) % len(rest)] for step in range(count - 1))]
    return split(" ".join(sentence.format(topic=topic) for sentence in chosen))


def _topic(asked: str) -> str:
    return max(topic_words(asked), key=len, default="") or phrases_for(asked).topic


def _exactly(count: int, asked: str, dice: Dice) -> tuple[str, ...]:
    paragraph = (*_sentences(asked, dice, 8), " ")
    return (paragraph * (count // len(paragraph) + 1))[:count]


def as_json(value: object) -> str:
    """Compact JSON text."""
    return msgspec.json.encode(value).decode()


# Which tools it calls, and with what.


def _called_tools(request: ChatRequest, controls: Controls, dice: Dice) -> list[Tool]:
    tools = request.tools
    if not tools or request.tool_choice == "none":
        return []
    if request.tool_choice.startswith("="):
        return [tool for tool in tools if tool.name == request.tool_choice[1:]][:1]
    if controls.tool_calls is not None:
        return [tools[index % len(tools)] for index in range(min(controls.tool_calls, 128))]
    if request.tool_choice == "auto" and request.turns[-1].role in ("tool", "function"):
        return []
    asked = last_said(request.turns)
    named = [tool for tool in tools if tool.name in asked]
    return (named if request.parallel else named[:1]) or [_likeliest(tools, asked)]


def _likeliest(tools: Sequence[Tool], asked: str) -> Tool:
    """The tool whose name and description share most words with what was asked; the first if none do."""
    words = {word.lower() for word in topic_words(asked)}
    shared = [len(words.intersection(topic_words(_described(tool)))) for tool in tools]
    return tools[shared.index(max(shared))]


def _described(tool: Tool) -> str:
    return f"{tool.name.replace('_', ' ')} {tool.description}".lower()


def _calling(tools: Sequence[Tool], request: ChatRequest, dice: Dice, room: int | None) -> Choice:
    asked = last_said(request.turns)
    calls: list[ToolCall] = []
    finish = "tool_calls" if not request.tool_choice.startswith("=") else "stop"
    for index, tool in enumerate(tools):
        where = f"tools[{index}].function.parameters"
        call = ToolCall(tool.name, split(as_json(_filled(tool.schema, dice, asked, where))))
        if room is not None and _call_tokens(call) > room:
            finish = "length"
            calls += [ToolCall(call.name, call.pieces[: room - 1])] if room else []
            break
        calls.append(call)
        room = None if room is None else room - _call_tokens(call)
    return Choice((), finish, tuple(calls))


def _call_tokens(call: ToolCall) -> int:
    """A call costs its arguments, and one for its name."""
    return 1 + len(call.pieces)


def _filled(schema: dict[str, object], dice: Dice, asked: str, where: str) -> object:
    try:
        return fill(schema, dice, topic_words(asked))
    except SchemaTooDeep as error:
        raise ApiError(400, f"Invalid schema: {error}.", param=where) from None
