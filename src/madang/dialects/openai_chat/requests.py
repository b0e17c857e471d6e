"""A request for a chat completion, read and written whole. As far as passing it on goes, see `passing.py`."""

from __future__ import annotations

from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects.openai_chat.form import NAME, noted, restore
from madang.dialects.openai_chat.messages import read_messages, write_messages
from madang.dialects.openai_chat.settings import (
    read_output,
    read_reasoning_ask,
    write_output,
    write_reasoning_ask,
)
from madang.dialects.openai_chat.tools import read_choice, read_tools, write_choice, write_tools
from madang.dialects.reading import Members, read_object, write_json, wrong

_SAME = (
    "temperature",
    "top_p",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "n",
    "service_tier",
    "user",
    "metadata",
)
"""Members that have the same name and form with us."""


def parse_request(body: bytes, model: str | None = None, stream: bool | None = None) -> Request:
    """A request body. `model` and `stream` are what the path says, if it says them. Raises `BadRequest`."""
    members = Members(read_object(body))
    notes: dict[str, Json] = {}
    return Request(
        model=_model(members, model),
        messages=read_messages(members),
        tools=read_tools(members),
        tool_choice=read_choice(members),
        parallel_tools=members.flag("parallel_tool_calls"),
        stream=_stream(members, stream, notes),
        max_tokens=_max_tokens(members, notes),
        temperature=members.number("temperature"),
        top_p=members.number("top_p"),
        top_k=_top_k(members, notes),
        stop=_stop(members, notes),
        seed=members.whole("seed"),
        presence_penalty=members.number("presence_penalty"),
        frequency_penalty=members.number("frequency_penalty"),
        logprobs=members.flag("logprobs"),
        top_logprobs=members.whole("top_logprobs"),
        n=members.whole("n"),
        reasoning=read_reasoning_ask(members),
        output=read_output(members),
        service_tier=members.text("service_tier"),
        user=members.text("user"),
        metadata=_metadata(members),
        extra=members.extra(NAME, **notes),
    )


def _model(members: Members, said: str | None) -> str:
    model = members.text("model") or said
    if model is None:
        raise BadRequest("You must provide a model parameter.", code="missing_model", param="model")
    if not model.strip():
        raise BadRequest("'model' must not be blank.", code="invalid_model", param="model")
    return said or model


def _stream(members: Members, said: bool | None, notes: dict[str, Json]) -> bool:
    stream = members.flag("stream")
    if stream is False:
        notes["stream"] = False
    options = members.left.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise wrong("stream_options", options, "an object")
    if options == {"include_usage": True}:
        del members.left["stream_options"]
        notes["include_usage"] = True
    elif stream:
        notes["include_usage"] = False
    return bool(stream) if said is None else said


def _max_tokens(members: Members, notes: dict[str, Json]) -> int | None:
    most = members.whole("max_completion_tokens")
    if most is None:
        most = members.whole("max_tokens")
        if most is not None:
            notes["max_tokens"] = "max_tokens"
    return most


def _top_k(members: Members, notes: dict[str, Json]) -> int | None:
    top_k = members.whole("top_k")
    if top_k is not None:
        notes["top_k"] = True
    return top_k


def _stop(members: Members, notes: dict[str, Json]) -> tuple[str, ...]:
    stop = members.left.get("stop")
    if not stop and stop != "":
        return ()
    if isinstance(stop, str):
        notes["stop"] = "string"
        return (members.need_text("stop"),)
    sequences = members.items("stop") or []
    for number, sequence in enumerate(sequences):
        if not isinstance(sequence, str):
            raise wrong(f"stop.{number}", sequence, "a string")
    return tuple(sequences)


def _metadata(members: Members) -> dict[str, str] | None:
    metadata = members.object("metadata")
    for name, value in (metadata or {}).items():
        if not isinstance(value, str):
            raise wrong(f"metadata.{name}", value, "a string")
    return metadata


def render_request(request: Request, model: str) -> bytes:
    """The body for a provider that calls the model so."""
    out: dict[str, Json] = {"model": model, "messages": write_messages(request.messages)}
    _write_form(out, request)
    for name in _SAME:
        value = getattr(request, name)
        if value is not None:
            out[name] = value
    _write_tools(out, request)
    if request.reasoning is not None:
        write_reasoning_ask(out, request.reasoning)
    if request.output is not None:
        write_output(out, request.output)
    return write_json(restore(out, request.extra))


def _write_tools(out: dict[str, Json], request: Request) -> None:
    """The tools and how they are called. Without any it is an error here to say how, and none elsewhere."""
    if request.tools:
        write_tools(out, request.tools)
    choice = request.tool_choice
    if choice is not None and (request.tools or choice.mode not in ("auto", "none") or choice.extra):
        write_choice(out, choice)
    if request.parallel_tools is not None and request.tools:
        out["parallel_tool_calls"] = request.parallel_tools


def _write_form(out: dict[str, Json], request: Request) -> None:
    """What can be written in several ways."""
    extra = request.extra
    if request.stream:
        out["stream"] = True
    elif noted(extra, "stream") is False:
        out["stream"] = False
    asks_usage = noted(extra, "include_usage")
    if asks_usage or (request.stream and asks_usage is None):
        out["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        out[noted(extra, "max_tokens") or "max_completion_tokens"] = request.max_tokens
    if request.stop:
        alone = noted(extra, "stop") == "string" and len(request.stop) == 1
        out["stop"] = request.stop[0] if alone else request.stop
    if request.top_k is not None and noted(extra, "top_k"):
        out["top_k"] = request.top_k
