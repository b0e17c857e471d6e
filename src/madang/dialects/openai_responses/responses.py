"""An answer: its frame, its items (`output.py`), its usage and why it ended (`usage.py`).

The frame echoes what the request asked for. An answer of this dialect keeps the provider's echo as a
note; one of another dialect gets an echo of what its client asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from madang.core.messages import Extra, Json, Message, Part, Refusal, Text, ToolCall
from madang.core.record import Usage
from madang.core.requests import Request
from madang.core.responses import Candidate, Response, Stop, TokenLogprob
from madang.dialects.base import Answering
from madang.dialects.carry import Said
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.openai_responses.errors import error_of
from madang.dialects.openai_responses.items import read_item
from madang.dialects.openai_responses.output import Names, write_output
from madang.dialects.openai_responses.settings import write_format
from madang.dialects.openai_responses.tools import write_choice, write_tools
from madang.dialects.openai_responses.usage import UNKNOWN, read_stop, read_usage, write_stop, write_usage
from madang.dialects.reading import Members, note, put, read_object, reading_answer, write_json
from madang.dialects.tap import Heard

_ECHO = (
    "background",
    "conversation",
    "error",
    "frequency_penalty",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "presence_penalty",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
)
"""Members that say again what was asked, and so are no part of what was answered."""
_TIERS: Mapping[str, str | None] = {"standard": "default", "on_demand": "default"}
"""What others call OpenAI's ordinary tier."""


# Reading


class Frame(msgspec.Struct, frozen=True):
    """An answer without what it says."""

    id: str
    model: str
    created: int | None
    service_tier: str | None
    usage: Usage | None
    status: Json
    details: Json
    error: Json
    output: list[Json] | None
    extra: Extra

    def stop(self, *, calls: bool, refused: bool) -> Stop | None:
        """Why it ended."""
        return read_stop(self.status, self.details, calls=calls, refused=refused)

    def with_status(self, status: str) -> Frame:
        """The same, with the status that its event tells."""
        return msgspec.structs.replace(self, status=status)

    def ending(self) -> Extra:
        """What a candidate keeps of how it ended: OpenAI's own words, where they are not the usual ones."""
        if self.status == "completed" and self.details is None:
            return {}
        return {NAME: {"$status": self.status, "$incomplete": self.details}}


def read_frame(answer: Members) -> Frame:
    """The frame of an answer, its items unread. Raises `BadRequest`."""
    left, output = answer.left, answer.items("output")
    created = left.get("created_at")
    if isinstance(created, int | float) and not isinstance(created, bool) and created == created // 1:
        created = int(left.pop("created_at"))
    else:
        created = None
    usage = read_usage(left.get("usage"))
    if usage is not None:
        del left["usage"]
        if usage == UNKNOWN:
            usage, left["$usage"] = None, "unknown"
    error = left.get("error")
    left["$echo"] = {name: left.pop(name) for name in _ECHO if name in left}
    if left.get("object") == "response":
        del left["object"]
    else:
        left["$object"] = "other"
    if output is None:
        left["$output"] = "unsaid"
    details = left.get("incomplete_details")
    if details is not None:
        del left["incomplete_details"]
    return Frame(
        id=answer.text("id") or "",
        model=answer.text("model") or "",
        created=created,
        service_tier=answer.text("service_tier"),
        usage=usage,
        status=answer.any("status"),
        details=details,
        error=error,
        output=output,
        extra={NAME: left},
    )


def _parse_response(body: bytes) -> Response:
    frame = read_frame(Members(read_object(body)))
    if frame.status == "failed" or (frame.error is not None and frame.output is None):
        raise error_of(frame.error)
    parts, tokens = read_output(frame)
    return Response(
        id=frame.id,
        model=frame.model,
        created=frame.created,
        candidates=(
            Candidate(
                parts=tuple(parts),
                stop=frame.stop(calls=calls(parts), refused=refused(parts)),
                logprobs=tuple(tokens),
                extra=frame.ending(),
            ),
        ),
        usage=frame.usage,
        service_tier=frame.service_tier,
        extra=frame.extra,
    )


parse_response = reading_answer(_parse_response)
"""A provider's answer. Raises `BrokenAnswer`; `ProviderError` for one that says that it failed."""


def read_output(frame: Frame) -> tuple[list[Part], list[TokenLogprob]]:
    """What an answer says, and its tokens. Raises `BadRequest`."""
    parts = Said()
    tokens: list[TokenLogprob] = []
    for number, value in enumerate(frame.output or ()):
        read_item(Members(value, f"output.{number}"), value, parts, tokens)
    return parts, tokens


def calls(parts: Sequence[Part]) -> bool:
    """Whether the model asks for a function."""
    return any(isinstance(part, ToolCall) for part in parts)


def refused(parts: Sequence[Part]) -> bool:
    """Whether the model declined."""
    return any(isinstance(part, Refusal) for part in parts)


# Writing


def render_response(response: Response, answering: Answering) -> bytes:
    """An answer for a client of this dialect; of several candidates it gets the first."""
    out = write_frame(response, answering)
    candidate = response.candidates[0] if response.candidates else Candidate()
    status, details = write_stop(
        candidate.stop, candidate.extra, calls=calls(candidate.parts), refused=refused(candidate.parts)
    )
    output = write_output(candidate, Names(response.id or answering.id, answering.request.tools), status)
    return write_json(finish(out, response, status, details, output))


def write_frame(response: Response, answering: Answering) -> Block:
    """The frame, without what is known only at the end."""
    own = response.extra.get(NAME)
    out: Block = {"created_at": response.created} if response.created is not None else {}
    if own is None:
        return {
            "id": response.id or answering.id,
            "object": "response",
            "created_at": answering.created,
            **out,
            "model": response.model or answering.request.model,
            **_echo(answering.request),
            "service_tier": _TIERS.get(response.service_tier or "", response.service_tier),
        }
    if "$object" not in own:
        out["object"] = "response"
    tier = response.service_tier or ("auto" if "$service_tier" in own else None)
    for name, value in (("id", response.id), ("model", response.model), ("service_tier", tier)):
        if value or (value == "" and name == "service_tier"):
            out[name] = value
    return {**own.get("$echo", {}), **out}


def finish(
    out: Block, response: Response, status: str | None, details: Block | None, output: list[Block]
) -> Block:
    """The frame with what is known at the end."""
    own = response.extra.get(NAME)
    if own is not None and "$service_tier" in own:
        out["service_tier"] = own["$service_tier"]
    if status is not None:
        out["status"] = status
    if details is not None or own is None:
        out["incomplete_details"] = details
    if output or own is None or "$output" not in own:
        out["output"] = output
    if response.usage is not None:
        out["usage"] = write_usage(response.usage)
    elif own is None or "$usage" in own:
        # Not null: Vercel's SDK would not read the answer at all.
        out["usage"] = write_usage(Usage())
    return put(out, response.extra, NAME)


def _echo(request: Request) -> Block:
    """What was asked, as an answer says it again; what was not said, as OpenAI would take it."""
    left = request.extra.get(NAME, {})
    ask, output = request.reasoning, request.output
    effort = None if ask is None else "none" if ask.enabled is False else ask.effort
    show = None if ask is None or ask.show == "none" else ask.show
    form = write_format(output) if output is not None else {"type": "text"}
    tools = write_tools(request.tools)
    choice = write_choice(request.tool_choice) if request.tool_choice is not None else left.get("tool_choice")
    return {
        "background": False,
        "error": None,
        "instructions": _instructions(request.messages),
        "max_output_tokens": request.max_tokens,
        "max_tool_calls": None,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tools is not False,
        "previous_response_id": None,
        "prompt_cache_key": left.get("prompt_cache_key"),
        "reasoning": {"effort": effort, "summary": show},
        "store": False,
        "temperature": 1.0 if request.temperature is None else request.temperature,
        "text": {"verbosity": "medium", **(left.get("text") or {}), "format": form},
        "tool_choice": choice or "auto",
        "tools": [_as_function(tool) if tool.get("type") == "function" else tool for tool in tools],
        "top_logprobs": request.top_logprobs or 0,
        "top_p": 1.0 if request.top_p is None else request.top_p,
        "truncation": "disabled",
        note(request.extra, NAME, "user") or "user": request.user,
    }


def _as_function(tool: Block) -> Block:
    return {"description": None, "parameters": None, "strict": True, **tool}


def _instructions(messages: Sequence[Message]) -> str | None:
    if not messages or note(messages[0].extra, NAME, "form") != "instructions":
        return None
    return "".join(part.text for part in messages[0].parts if isinstance(part, Text))


# For the meter


class _Answer(msgspec.Struct, gc=False):
    status: Json = None
    incomplete_details: Json = None
    usage: Json = None
    error: Json = None

    def heard(self) -> Heard:
        """What the meter learns."""
        details = self.incomplete_details
        reason = details.get("reason") if isinstance(details, dict) else None
        stop = reason or self.status
        usage = read_usage(self.usage)
        return Heard(
            usage=usage if usage != UNKNOWN else None,
            stop_reason=stop if isinstance(stop, str) else None,
            error=_error_word(self.error) if self.error is not None else None,
        )


def _error_word(error: Json) -> str:
    word = (error.get("code") or error.get("type")) if isinstance(error, dict) else None
    return str(word) if isinstance(word, str | int) else "upstream_error"


_answer = msgspec.json.Decoder(_Answer)


def hear(body: bytes) -> Heard:
    """Read an answer for the meter; one that cannot be read is heard as silence."""
    try:
        return _answer.decode(body).heard()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Heard()


class _Event(msgspec.Struct, gc=False):
    type: str | None = None
    response: _Answer | None = None
    code: Json = None
    error: Json = None


_event = msgspec.json.Decoder(_Event)


def hear_end(data: bytes) -> Heard | None:
    """The same of an event of a stream; `None` if it is not the last one. Never raises."""
    try:
        event = _event.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if event.type in ENDS and event.response is not None:
        return event.response.heard()
    if event.type == "error" or event.error is not None:
        return Heard(error=_error_word(event.error if event.error is not None else {"code": event.code}))
    return None


ENDS = frozenset(("response.completed", "response.incomplete", "response.failed"))
"""The last events of a stream, each with the whole answer."""
