"""Requests: the body of `generateContent`. The model and whether to stream stand in the path."""

from __future__ import annotations

import re
from collections.abc import Sequence

from madang.core.errors import BadRequest
from madang.core.messages import Extra, Json, Message, Part, Role, Text, ToolCall, ToolResult
from madang.core.requests import Request
from madang.dialects.base import Endpoint
from madang.dialects.carry import plain_id
from madang.dialects.gemini.content import join_thoughts, parse_parts, render_part
from madang.dialects.gemini.settings import (
    generation,
    is_own,
    parse_settings,
    render_settings,
)
from madang.dialects.gemini.signatures import SKIP, is_ours
from madang.dialects.gemini.spelling import NAME, Spelled, respell
from madang.dialects.gemini.tools import (
    Calls,
    parse_choice,
    parse_tools,
    render_choice,
    render_result,
    render_tools,
)
from madang.dialects.names import fitted
from madang.dialects.reading import bad_value, missing, note, put, read_object, write_json

_QUOTED = {
    chr(code): f"%{code:02X}" for code in range(128) if not (chr(code).isalnum() or chr(code) in "-._~@")
}
_PREFIX = "models/"
_PLAIN = re.compile(r"[A-Za-z0-9._~@-]+")
_BEGINNING = "(The conversation begins here.)"
_USER: Extra = {NAME: {"$role": "user"}}
_MODEL: Extra = {NAME: {"$role": "model"}}


def parse_request(body: bytes, model: str | None, stream: bool | None) -> Request:
    """A request for an answer. Raises `BadRequest`."""
    return parse_object(read_object(body), "", model, stream)


def parse_object(value: Json, path: str, model: str | None, stream: bool | None) -> Request:
    """The same, of a body that has been decoded."""
    try:
        return _parse(Spelled(value, path), model, stream)
    except RecursionError:
        raise BadRequest("The request is nested too deeply to be read.", code="nested_too_deeply") from None


def _parse(top: Spelled, model: str | None, stream: bool | None) -> Request:
    given = top.text("model")
    if model is None and given is None:
        raise missing(top.at("model"), "the model's name, here or in the path")
    system = _parse_system(top)
    messages = _parse_contents(top)
    tools, layout = parse_tools(top)
    choice = parse_choice(top)
    settings, inside = parse_settings(top)
    tier = top.text("serviceTier")
    modalities = top.left.get("responseModalities")
    if inside and modalities == ["TEXT"]:
        del top.left["responseModalities"]  # what is always so is no wish
    else:
        modalities = None
    return Request(
        model=model if model is not None else (given or "").removeprefix(_PREFIX),
        messages=(*system, *messages),
        tools=tools,
        tool_choice=choice,
        stream=bool(stream),
        service_tier=tier,
        extra=top.extra(
            NAME,
            model=(_PREFIX if given.startswith(_PREFIX) else "") if given is not None else None,
            tools=layout,
            config=inside,
            modalities=modalities,
            tier=tier is not None or None,
        ),
        **settings,
    )


def render_request(request: Request, model: str) -> bytes:
    """The body for a target that calls the model so."""
    return write_json(render_object(request, model))


def render_object(request: Request, model: str) -> dict[str, Json]:
    """The same, not yet encoded."""
    if not is_own(request):
        request = fitted(request, NAME)
    extra = request.extra
    out: dict[str, Json] = {}
    prefix = note(extra, NAME, "model")
    if prefix is not None:
        out["model"] = prefix + model.removeprefix(prefix)
    system = [message for message in request.messages if message.role in ("system", "developer")]
    if system and (instruction := _render_system(system)):
        out["systemInstruction"] = instruction
    out["contents"] = _render_contents(request.messages, model)
    if request.tools or note(extra, NAME, "tools") is not None:
        tools = render_tools(request.tools, note(extra, NAME, "tools"), own=is_own(request))
        if tools:
            out["tools"] = tools
    if request.tool_choice is not None:
        config = render_choice(request.tool_choice)
        outer = {**extra.get(NAME, {}).get("toolConfig", {}), "functionCallingConfig": config}
        respell(extra, config, outer)
        out["toolConfig"] = outer
    if note(extra, NAME, "tier"):
        out["serviceTier"] = request.service_tier
    config = render_settings(request, model)
    if note(extra, NAME, "modalities"):
        config["responseModalities"] = ["TEXT"]
    if config or note(extra, NAME, "config") is not None:
        out["generationConfig"] = config
    return _put_back(out, config, extra)


def _put_back(out: dict[str, Json], config: dict[str, Json], extra: Extra) -> dict[str, Json]:
    """What was left over, where it was."""
    if NAME not in extra:
        return out
    inside = frozenset(note(extra, NAME, "config") or ())
    for name, value in extra[NAME].items():
        if not name.startswith("$"):
            (config if name in inside else out).setdefault(name, value)
    respell(extra, config, out)
    return out


def endpoint(model: str, stream: bool) -> Endpoint:
    """Where requests for an answer go."""
    if stream:
        return Endpoint(path_of(model, "streamGenerateContent"), b"alt=sse")
    return Endpoint(path_of(model, "generateContent"))


def path_of(model: str, verb: str) -> str:
    """Where a model is asked for something; a tuned one is not among the `models/`.

    The client chose the name: whatever would end the path, or leave its folder, is quoted.
    """
    tuned = model.startswith("tunedModels/")
    name = "".join(_QUOTED.get(character, character) for character in model.removeprefix("tunedModels/"))
    name = name if name.isascii() else "".join(_quote(character) for character in name)
    return f"/v1beta/{'tunedModels/' if tuned else _PREFIX}{name}:{verb}"


def _quote(character: str) -> str:
    return character if character.isascii() else "".join(f"%{byte:02X}" for byte in character.encode())


def _parse_system(top: Spelled) -> list[Message]:
    value = top.left.get("systemInstruction")
    if value is None:
        return []
    path = top.at("systemInstruction")
    del top.left["systemInstruction"]
    if isinstance(value, str):
        value, form = {"parts": [{"text": value}]}, "string"
    else:
        form = None
    block = Spelled(value, path)
    role = block.any("role")
    values = block.listed("parts")
    parts = parse_parts(values or [], block.at("parts"), Calls())
    bare = values is None and "parts" not in block.left
    extra = block.extra(NAME, form=form or "content", role=role, bare=bare or None)
    return [Message("system", tuple(parts), extra=extra)]


def _is_empty(part: Part, message: Message) -> bool:
    """Whether it is a text of no words, which other dialects let pass and Google refuses:
    "required oneof field 'data' must have one initialized field"."""
    return isinstance(part, Text) and not part.text and NAME not in message.extra


def _render_system(messages: Sequence[Message]) -> Json:
    parts = [
        rendered
        for message in messages
        for part in message.parts
        if not _is_empty(part, message) and (rendered := render_part(part)) is not None
    ]
    extra: Extra = messages[0].extra if len(messages) == 1 else {}
    if not parts and not any(NAME in message.extra for message in messages):
        return None
    if note(extra, NAME, "form") == "string" and len(parts) == 1:
        return parts[0].get("text", "")
    out: dict[str, Json] = {"parts": parts}
    if note(extra, NAME, "bare") and not parts:
        del out["parts"]
    if (role := note(extra, NAME, "role")) is not None:
        out["role"] = role
    out = put(out, extra, NAME)
    respell(extra, out)
    return out


def _parse_contents(top: Spelled) -> list[Message]:
    path = top.at("contents")
    values = top.listed("contents")
    if not values:
        raise missing(path, "a list of at least one message, each with 'role' and 'parts'")
    calls = Calls()
    messages = [_parse_content(value, f"{path}.{number}", calls) for number, value in enumerate(values)]
    return join_thoughts(messages) if calls.carried else messages


def _parse_content(value: Json, path: str, calls: Calls) -> Message:
    block = Spelled(value, path)
    role = block.text("role")
    values = block.listed("parts")
    bare = values is None and "parts" not in block.left
    parts = parse_parts(values or [], block.at("parts"), calls, said=role == "model")
    ours: Role
    match role:
        case "model":
            ours = "assistant"
        case "user" | None:
            only_results = bool(parts) and all(isinstance(part, ToolResult) for part in parts)
            ours = "tool" if only_results else "user"
        case "function":
            ours = "tool"
        case _:
            raise bad_value(block.at("role"), role, "'user' or 'model'")
    extra: Extra
    if role is not None and not (block.left or block.snake or block.single or bare) and role != "function":
        extra = _MODEL if role == "model" else _USER
    else:
        extra = block.extra(NAME, role=role or "", bare=bare or None)
    return Message(ours, tuple(parts), extra=extra)


def _render_contents(messages: Sequence[Message], model: str) -> list[dict[str, Json]]:
    """The messages as contents; neighbours of another dialect are put together, since Gemini counts
    the results that follow a message with calls."""
    version = generation(model)
    needs_signature = _unsigned_steps(messages) if version >= 3 else frozenset()
    names: dict[str, str] = {}
    out: list[dict[str, Json]] = []
    last = ""
    for place, message in enumerate(messages):
        if message.role in ("system", "developer"):
            continue
        parts: list[dict[str, Json]] = []
        unsigned = place in needs_signature
        for part in message.parts:
            if isinstance(part, ToolResult):
                parts.extend(render_result(part, names.get(plain_id(part.call_id)), apart=version < 3))
                continue
            rendered = render_part(part) if not _is_empty(part, message) else None
            if rendered is None:
                continue
            if isinstance(part, ToolCall):
                names[plain_id(part.id)] = part.name
                if unsigned and "thought_signature" not in rendered:
                    rendered.setdefault("thoughtSignature", SKIP)
                unsigned = False
            parts.append(rendered)
        own = NAME in message.extra
        speaks = "tool" if _only_results(message) else message.role
        if not own and speaks == last and speaks != "user":
            out[-1]["parts"].extend(parts)
        elif parts or own:
            out.append(_render_content(message, parts))
            last = "" if own else speaks
    return out or [{"parts": [{"text": _BEGINNING}], "role": "user"}]


def is_silent(messages: Sequence[Message]) -> bool:
    """Whether there is nothing but a system prompt: "contents is not specified", says Google."""
    return all(
        message.role in ("system", "developer") or all(_is_empty(part, message) for part in message.parts)
        for message in messages
    )


def _render_content(message: Message, parts: list[dict[str, Json]]) -> dict[str, Json]:
    extra = message.extra
    out: dict[str, Json] = {"parts": parts}
    if not parts and (note(extra, NAME, "bare") or "parts" in extra.get(NAME, {})):
        del out["parts"]
    role = note(extra, NAME, "role")
    if role is None:
        out["role"] = "model" if message.role == "assistant" else "user"
    elif role:
        out["role"] = role
    if extra is _USER or extra is _MODEL:
        return out
    out = put(out, extra, NAME)
    respell(extra, out)
    return out


def _unsigned_steps(messages: Sequence[Message]) -> frozenset[int]:
    """Where, since the user last spoke, calls begin of which the first has no signature of Gemini's."""
    found: set[int] = set()
    begins = True
    for place, message in enumerate(messages):
        match message.role:
            case "assistant":
                first = next((part for part in message.parts if isinstance(part, ToolCall)), None)
                if first is not None and begins:
                    begins = False
                    if first.signature is None or not is_ours(first.signer):
                        found.add(place)
            case "user" | "tool":
                begins = True
                if not any(isinstance(part, ToolResult) for part in message.parts):
                    found.clear()
            case "system" | "developer":
                pass
    return frozenset(found)


def _only_results(message: Message) -> bool:
    return bool(message.parts) and all(isinstance(part, ToolResult) for part in message.parts)
