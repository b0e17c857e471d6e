"""What a client asks ↔ what a provider is asked: the body of `POST /v1/messages`.

A request that came in this dialect goes out as it came: what is wrong with it its provider will say.
One from another dialect is first made into one that the model takes (`adapt.py`).
"""

from __future__ import annotations

from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects.anthropic.adapt import adapt
from madang.dialects.anthropic.messages import parse_messages, parse_system, render_messages
from madang.dialects.anthropic.models import claude
from madang.dialects.anthropic.name import NAME
from madang.dialects.anthropic.settings import (
    parse_output,
    parse_reasoning,
    parse_stop,
    parse_user,
    render_config,
    render_reasoning,
)
from madang.dialects.anthropic.tools import parse_choice, parse_tools, render_choice, render_tool
from madang.dialects.reading import Members, missing, note, put, read_object, write_json

_LIMITS = ("max_tokens", "temperature", "top_p", "top_k", "service_tier")


def parse_request(body: bytes, model: str | None = None, stream: bool | None = None) -> Request:
    """The request in a body. Raises `BadRequest`."""
    top = Members(read_object(body))
    request = read(top, model, stream)
    if request.max_tokens is None:
        raise missing("max_tokens", "a whole number: how many tokens the answer may have")
    return request


def read(top: Members, model: str | None = None, stream: bool | None = None) -> Request:
    """The request in an object; it may set no limit to the answer's tokens. Raises `BadRequest`."""
    named = top.text("model")
    model = model or named
    if model is None:
        raise BadRequest(
            "'model' is missing; it must be the name of a model.", code="missing_model", param="model"
        )
    if not model.strip():
        raise BadRequest("'model' must not be blank.", code="invalid_model", param="model")
    messages = parse_system(top) + parse_messages(top)
    choice, parallel = parse_choice(top)
    config = top.members("output_config")
    reasoning = parse_reasoning(top, config)
    output = parse_output(top, config)
    tools_said = top.left.get("tools")
    tools = parse_tools(top)
    stop, no_stop = parse_stop(top)
    user, metadata = parse_user(top)
    streamed = top.flag("stream")
    if config is not None and (config.left or not (reasoning or output)):
        top.left["output_config"] = config.left
    return Request(
        model=model,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        stream=bool(streamed if stream is None else stream),
        max_tokens=_limit(top),
        temperature=top.number("temperature"),
        top_p=top.number("top_p"),
        top_k=top.whole("top_k"),
        stop=stop,
        reasoning=reasoning,
        output=output,
        service_tier=top.text("service_tier"),
        user=user,
        extra=top.extra(
            NAME,
            native=True,
            stream=streamed if streamed is False else None,
            tools="empty" if tools_said == [] else None,
            stop=no_stop,
            metadata=metadata,
        ),
    )


def _limit(top: Members) -> int | None:
    """`max_tokens`; 0 is allowed, and only fills the prompt cache."""
    most = top.whole("max_tokens")
    if most is not None and most < 0:
        raise BadRequest(
            f"'max_tokens' must be a whole number of 0 or more, but is {most}.",
            code="invalid_value",
            param="max_tokens",
        )
    return most


def render_request(request: Request, model: str) -> bytes:
    """The body for a provider that calls the model so."""
    return write_json(write(request, model))


def write(request: Request, model: str) -> dict[str, Json]:
    """The body, not yet JSON."""
    extra = request.extra
    if not note(extra, NAME, "native"):
        request = adapt(request, claude(model)).request
    out: dict[str, Json] = {"model": model}
    render_messages(request.messages, out)
    tools = [tool for one in request.tools if (tool := render_tool(one)) is not None]
    if tools or note(extra, NAME, "tools"):
        out["tools"] = tools
    choice = render_choice(request)
    if choice is not None:
        out["tool_choice"] = choice
    for name in _LIMITS:
        value = getattr(request, name)
        if value is not None:
            out[name] = value
    if request.stop or note(extra, NAME, "stop"):
        out["stop_sequences"] = request.stop
    if request.stream or note(extra, NAME, "stream") is False:
        out["stream"] = request.stream
    metadata = note(extra, NAME, "metadata")
    if request.user is not None:
        out["metadata"] = {**(metadata or {}), "user_id": request.user}
    elif metadata is not None:
        out["metadata"] = metadata
    render_reasoning(request.reasoning, out)
    render_config(request, out)
    return put(out, extra, NAME)
