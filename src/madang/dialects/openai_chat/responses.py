"""Answers that are not streamed, whole and as far as the meter hears them; and why they ended.

What is left over of a choice's `message` stands among the candidate's leftovers as `message.…`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from madang.core.messages import Extra, Json, Part, Refusal, ToolCall
from madang.core.record import Usage
from madang.core.responses import Candidate, Response, Stop
from madang.dialects.base import Answering
from madang.dialects.openai_chat.errors import read_error
from madang.dialects.openai_chat.form import NAME, absent, give_way, keep, noted, restore
from madang.dialects.openai_chat.logprobs import read_logprobs, write_logprobs
from madang.dialects.openai_chat.messages import read_said, write_said
from madang.dialects.openai_chat.tools import has_functions
from madang.dialects.openai_chat.usage import WireUsage, read_usage, write_usage
from madang.dialects.reading import Members, read_json, reading_answer, write_json
from madang.dialects.tap import Heard

STOPS = {
    "stop": Stop.END,
    "length": Stop.LENGTH,
    "tool_calls": Stop.TOOL,
    "function_call": Stop.TOOL,
    "content_filter": Stop.FILTER,
    "model_length": Stop.CONTEXT,
}
"""`model_length` is Mistral's (docs.mistral.ai, "Chat completion")."""
_USUAL = frozenset(("stop", "length", "tool_calls", "content_filter"))
_WORDS = {
    Stop.END: "stop",
    Stop.LENGTH: "length",
    Stop.CONTEXT: "length",
    Stop.SEQUENCE: "stop",
    Stop.TOOL: "tool_calls",
    Stop.PAUSE: "stop",
    Stop.REFUSAL: "content_filter",
    Stop.FILTER: "content_filter",
    Stop.OTHER: "stop",
}
MESSAGE = "message."
"""What the names of a message's leftovers begin with among those of its choice."""
_OFMESSAGE = frozenset(("$content", "$repeats", "$role"))


def _parse_response(body: bytes) -> Response:
    members = Members(read_json(body))
    if members.left.get("error") is not None and not members.left.get("choices"):
        # Azure says so with status 200 when a filter took the prompt (recorded 2026-08), OpenRouter
        # when a provider failed after the head was sent.
        raise read_error(members.left["error"])
    unsaid = absent(members, ("id", "object", "created", "model", "choices"))
    named = members.text("id") if members.left.get("id") else None
    model = members.text("model") if members.left.get("model") else None
    if members.left.get("object") == "chat.completion":
        del members.left["object"]
    candidates = [
        _read_choice(choice, number, named or "") for number, choice in enumerate(members.each("choices"))
    ]
    usage = members.any("usage")
    return Response(
        id=named or "",
        model=model or "",
        created=members.whole("created"),
        candidates=tuple(candidates),
        usage=read_usage(usage) if usage is not None else None,
        service_tier=members.text("service_tier"),
        extra=members.extra(NAME, absent=unsaid),
    )


parse_response = reading_answer(_parse_response)
"""A whole answer. Raises `BrokenAnswer`, and `ProviderError` where it is an error in spite of its status."""


def _read_choice(choice: Members, number: int, answer: str) -> Candidate:
    left = choice.left
    unsaid = absent(choice, ("index", "message", "finish_reason"))
    if left.get("index") == number:
        del left["index"]
    message = choice.members("message") or Members({})
    role = "absent" if "role" not in message.left else None
    if message.left.get("role") == "assistant":
        del message.left["role"]
    said = read_said(message, f"call_{answer}_{number}")
    logprobs: Json = ()
    if left.get("logprobs"):
        inner = choice.members("logprobs") or Members({})
        if inner.left.get("content"):
            logprobs = inner.items("content")
        keep(choice, "logprobs", inner)
    refusal = "words" if _refused(said.parts) else message.left.get("refusal")
    called = any(isinstance(part, ToolCall) for part in said.parts)
    word = choice.text("finish_reason") if left.get("finish_reason") else None
    read = read_stop(word, refusal, called=called)
    if read.stop is Stop.OTHER:
        left["finish_reason"] = read.word
    for name, value in message.left.items():
        left[MESSAGE + name] = value
    return Candidate(
        parts=said.parts,
        stop=read.stop,
        logprobs=read_logprobs(logprobs),
        extra=choice.extra(NAME, absent=unsaid, stop=read.word, role=role, **said.notes),
    )


class ReadStop(msgspec.Struct, frozen=True, gc=False):
    """Why an answer ended, and the provider's word for it where it is not the usual one."""

    stop: Stop | None
    word: str | None = None
    """The note `$stop`."""


def read_stop(word: str | None, refusal: str | None, *, called: bool) -> ReadStop:
    """`finish_reason`, beside a refusal's words and calls of tools.

    A refusal says `stop`; one of ours without words, `content_filter`. A call that was forced says
    `stop` as well (OpenAI's API reference, "Function calling", read 2026-11).
    """
    if not word:
        return ReadStop(None)
    stop = STOPS.get(word, Stop.OTHER)
    if stop is Stop.END and called:
        return ReadStop(Stop.TOOL, word)
    if (stop is Stop.END and refusal) or (stop is Stop.FILTER and refusal == ""):
        stop = Stop.REFUSAL
    return ReadStop(stop, word if word not in _USUAL else None)


def write_stop(stop: Stop | None, word: Json, *, refused: bool, functions: bool = False) -> str | None:
    """`finish_reason`."""
    if stop is None:
        return None
    if isinstance(word, str):
        return word
    if stop is Stop.TOOL and functions:
        return "function_call"
    return "stop" if stop is Stop.REFUSAL and refused else _WORDS[stop]


def _refused(parts: Iterable[Part]) -> bool:
    return any(isinstance(part, Refusal) for part in parts)


def render_response(response: Response, answering: Answering) -> bytes:
    """A whole answer for a client."""
    functions = has_functions(answering.request.tools)
    out: dict[str, Json] = {
        "id": response.id or answering.id,
        "object": "chat.completion",
        "created": answering.created if response.created is None else response.created,
        "model": response.model or answering.request.model,
        "choices": [
            _write_choice(candidate, number, functions=functions)
            for number, candidate in enumerate(response.candidates)
        ],
    }
    if response.usage is not None:
        out["usage"] = write_usage(response.usage)
    if response.service_tier is not None:
        out["service_tier"] = response.service_tier
    return write_json(restore(give_way(out, response.extra), response.extra))


def _write_choice(candidate: Candidate, number: int, *, functions: bool) -> dict[str, Json]:
    outer, inner = _divided(candidate.extra)
    message: dict[str, Json] = {} if noted(inner, "role") else {"role": "assistant"}
    give_way(message, inner)
    parts = as_functions(candidate.parts) if functions else candidate.parts
    write_said(message, parts, inner, to_client=True)
    refused = _refused(parts)
    if candidate.stop is Stop.REFUSAL and not refused:
        message.setdefault("refusal", "")
    choice: dict[str, Json] = {
        "index": number,
        "message": restore(message, inner),
        "finish_reason": write_stop(
            candidate.stop, noted(outer, "stop"), refused=refused, functions=functions
        ),
    }
    give_way(choice, outer)
    if candidate.logprobs:
        choice["logprobs"] = {"content": write_logprobs(candidate.logprobs)}
    return restore(choice, outer)


def _divided(extra: Extra) -> tuple[Extra, Extra]:
    """The leftovers of a choice, and those of the message in it."""
    outer: dict[str, Json] = {}
    inner: dict[str, Json] = {}
    for name, value in extra.get(NAME, {}).items():
        if name.startswith(MESSAGE):
            inner[name.removeprefix(MESSAGE)] = value
        elif name in _OFMESSAGE:
            inner[name] = value
        else:
            outer[name] = value
    return {NAME: outer}, {NAME: inner}


def as_functions(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts for a client that knows `function_call` alone, which says one call."""
    called = [part for part in parts if isinstance(part, ToolCall)]
    if not called:
        return parts
    first = msgspec.structs.replace(called[0], extra={NAME: {"$form": "function_call"}})
    return (*(part for part in parts if not isinstance(part, ToolCall)), first)


class WireError(msgspec.Struct, gc=False):
    """`error` as OpenAI writes it; some write the code as a number."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None

    def word(self) -> str:
        """The most telling word of it, for a record."""
        return str(self.code or self.type or "upstream_error")


class _Choice(msgspec.Struct, gc=False):
    finish_reason: str | None = None


class _Answer(msgspec.Struct, gc=False):
    choices: list[_Choice] = []
    usage: WireUsage | None = None
    error: WireError | str | None = None


_answer = msgspec.json.Decoder(_Answer)


def hear(body: bytes) -> Heard:
    """Read an answer for the meter; one that cannot be read is heard as silence."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Heard()
    return Heard(
        usage=answer.usage.read() if answer.usage is not None else None,
        stop_reason=answer.choices[0].finish_reason if answer.choices else None,
        error=error_word(answer.error) if answer.error is not None else None,
    )


def error_word(error: WireError | str) -> str:
    """An error in a word."""
    return error.word() if isinstance(error, WireError) else "upstream_error"


class Head(msgspec.Struct, frozen=True):
    """What an answer of our own says of itself, and every chunk of it repeats."""

    id: str
    created: int
    """Seconds since 1970-01-01 UTC."""
    model: str


def render_answer(head: Head, text: str, usage: Usage, finish_reason: str) -> bytes:
    """A whole answer of our own making."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return write_json(
        {
            "id": head.id,
            "object": "chat.completion",
            "created": head.created,
            "model": head.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
            "usage": write_usage(usage),
        }
    )
