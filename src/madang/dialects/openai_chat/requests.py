"""A request for a chat completion, read and written whole. As far as passing it on goes, see `passing.py`.

The note `$own` says that it came in this dialect: then it is written as it was, and else fitted to the
model's maker (`models.py`).
"""

from __future__ import annotations

from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects.openai_chat.form import NAME, noted, restore
from madang.dialects.openai_chat.messages import read_messages, write_messages
from madang.dialects.openai_chat.models import Maker, maker
from madang.dialects.openai_chat.settings import (
    read_output,
    read_reasoning_ask,
    write_output,
    write_reasoning_ask,
)
from madang.dialects.openai_chat.tools import read_choice, read_tools, write_choice, write_tools
from madang.dialects.openai_models import fitted, with_json_asked
from madang.dialects.reading import Members, read_object, write_json, wrong
from madang.dialects.users import short

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
    notes: dict[str, Json] = {"own": True}
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
        top_k=members.whole("top_k"),
        stop=_stop(members, notes),
        seed=_seed(members, notes),
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


def _seed(members: Members, notes: dict[str, Json]) -> int | None:
    """The seed, also under the name that Mistral has for it."""
    seed = members.whole("seed")
    if seed is None and type(members.left.get("random_seed")) is int:
        seed, notes["seed"] = members.whole("random_seed"), "random_seed"
    return seed


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
    return bool(stream) if said is None else said


def _max_tokens(members: Members, notes: dict[str, Json]) -> int | None:
    most = members.whole("max_completion_tokens")
    if most is None:
        most = members.whole("max_tokens")
        if most is not None:
            notes["max_tokens"] = "max_tokens"
    return most


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
    made = None if noted(request.extra, "own") else maker(model)
    if made is not None:
        request = with_json_asked(fitted(request, model, chat=True))
    out: dict[str, Json] = {"model": model, "messages": write_messages(request.messages, made)}
    for name in _SAME:
        value = getattr(request, name)
        if value is not None:
            out[name] = value
    if made is None:
        _write_as_it_was(out, request)
    else:
        _write_for(out, request, made)
    _write_tools(out, request, own=made is None)
    if request.reasoning is not None and (made is None or made.reasons):
        write_reasoning_ask(out, request.reasoning, made)
    if request.output is not None:
        write_output(out, request.output)
    return write_json(restore(out, request.extra))


def _write_tools(out: dict[str, Json], request: Request, *, own: bool) -> None:
    """The tools and how they are called. Without any it is an error here to say how, and none elsewhere."""
    write_tools(out, request.tools)
    choice = request.tool_choice
    meant = own or bool(request.tools)
    if choice is not None and (meant or choice.mode not in ("auto", "none")):
        write_choice(out, choice)
    if request.parallel_tools is not None and meant:
        out["parallel_tool_calls"] = request.parallel_tools


def _write_as_it_was(out: dict[str, Json], request: Request) -> None:
    extra = request.extra
    if request.stream:
        out["stream"] = True
    elif noted(extra, "stream") is False:
        out["stream"] = False
    if (seed := noted(extra, "seed")) is not None:
        out[seed] = out.pop("seed")
    if noted(extra, "include_usage"):
        out["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        out[noted(extra, "max_tokens") or "max_completion_tokens"] = request.max_tokens
    if request.stop:
        alone = noted(extra, "stop") == "string" and len(request.stop) == 1
        out["stop"] = request.stop[0] if alone else request.stop
    if request.top_k is not None:
        out["top_k"] = request.top_k


def _write_for(out: dict[str, Json], request: Request, made: Maker) -> None:
    # "The 'metadata' parameter is only allowed when 'store' is enabled", and nobody asked for that.
    for name in (made.unknown | {"metadata"}) & out.keys():
        del out[name]
    if not request.logprobs:
        out.pop("top_logprobs", None)  # refused by itself
    if "user" in out:
        out["user"] = short(out["user"])
    if "seed" in out:
        out[made.seed] = out.pop("seed")
    if request.stream:
        out["stream"] = True
        if made.usage and noted(request.extra, "include_usage") is not False:
            out["stream_options"] = {"include_usage": True}
    if request.max_tokens is not None:
        out[made.max_tokens] = request.max_tokens
    if request.stop:
        out["stop"] = request.stop
