"""Tools, which of them to use, calls of them and their results.

Before `tools` there were `functions` (until 2023-11), and requests still come with them: the note
`$form` is then `functions`, and their calls, which have no ids, are `function_call`. Custom tools,
whose input is no JSON, are `Opaque` as tools and `ToolCall` with `$form: custom` as calls.

The id of a call that a client gets carries the signatures which chat completions have no field for;
every client returns it (`carry.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from madang.core.messages import Json, Opaque, Part, Reasoning, ToolCall
from madang.core.requests import Tool, ToolChoice
from madang.dialects.carry import load, unload
from madang.dialects.openai_chat.content import read_mark, write_mark
from madang.dialects.openai_chat.form import NAME, absent, keep, noted, restore
from madang.dialects.openai_chat.reasoning import signed
from madang.dialects.reading import Members, bad_value, json_text, missing, read_json, wrong

CALLS = "tool_calls"
_MODES: tuple[Literal["auto", "none", "required"], ...] = ("auto", "none", "required")


def read_tools(members: Members) -> tuple[Tool | Opaque, ...]:
    """`tools`, and the older `functions`."""
    tools: list[Tool | Opaque] = []
    if members.left.get("tools"):
        path = members.at("tools")
        found = members.items("tools") or ()
        tools += [_read_tool(tool, f"{path}.{number}") for number, tool in enumerate(found)]
    if members.left.get("functions"):
        functions = members.each("functions")
        tools += [_read_function(function, function, form="functions") for function in functions]
    return tuple(tools)


def _read_tool(tool: Json, path: str) -> Tool | Opaque:
    members = Members(tool, path)
    kind = members.need_text("type")
    if kind != "function":
        return Opaque(NAME, tool)
    function = members.members("function")
    if function is None:
        raise missing(members.at("function"), "an object with a 'name'")
    return _read_function(function, members)


def _read_function(function: Members, tool: Members, form: str | None = None) -> Tool:
    cache = read_mark(tool)
    name = function.need_text("name")
    description, schema = function.text("description"), function.object("parameters")
    strict = function.flag("strict")
    if function is not tool:
        keep(tool, "function", function)
    extra = tool.extra(NAME, form=form)
    return Tool(name=name, description=description, schema=schema, strict=strict, cache=cache, extra=extra)


def write_tools(out: dict[str, Json], tools: Sequence[Tool | Opaque]) -> None:
    """`tools`, and `functions` for those that came so."""
    for tool in tools:
        if isinstance(tool, Opaque):
            if tool.dialect == NAME:
                out.setdefault("tools", []).append(dict(tool.data))
            continue
        function: dict[str, Json] = {"name": tool.name}
        if tool.description is not None:
            function["description"] = tool.description
        if tool.schema is not None:
            function["parameters"] = tool.schema
        if tool.strict is not None:
            function["strict"] = tool.strict
        if noted(tool.extra, "form") == "functions":
            write_mark(function, tool.cache, tool.extra)
            out.setdefault("functions", []).append(restore(function, tool.extra))
            continue
        written: dict[str, Json] = {"type": "function", "function": function}
        if tool.extra:
            write_mark(written, tool.cache, tool.extra)
            restore(written, tool.extra)
        out.setdefault("tools", []).append(written)


def has_functions(tools: Sequence[Tool | Opaque]) -> bool:
    """Whether the client offers `functions`, and so expects `function_call`."""
    return any(isinstance(tool, Tool) and noted(tool.extra, "form") == "functions" for tool in tools)


def read_choice(members: Members) -> ToolChoice | None:
    """`tool_choice`, or the older `function_call`."""
    if members.left.get("tool_choice") is not None:
        return _read_choice(members)
    value = members.left.get("function_call")
    if value is None:
        return None
    if isinstance(value, str):
        return _read_mode(members, "function_call", "function_call")
    named = Members(value, members.at("function_call"))
    del members.left["function_call"]
    name = named.need_text("name")
    return ToolChoice(mode="named", names=(name,), extra=named.extra(NAME, form="function_call"))


def _read_choice(members: Members) -> ToolChoice:
    if isinstance(members.left["tool_choice"], str):
        return _read_mode(members, "tool_choice")
    if not isinstance(members.left["tool_choice"], dict):
        raise wrong(members.at("tool_choice"), members.left["tool_choice"], "a string or an object")
    written = members.left.pop("tool_choice")
    choice = Members(written, members.at("tool_choice"))
    match written:
        case {"type": "function", "function": dict()}:
            del choice.left["type"]
            function = Members(choice.left.pop("function"), choice.at("function"))
            name = function.need_text("name")
            keep(choice, "function", function)
            return ToolChoice(mode="named", names=(name,), extra=choice.extra(NAME))
        case {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": list(tools), **rest},
        } if tools and not rest and all(_is_named(tool) for tool in tools):
            del choice.left["type"], choice.left["allowed_tools"]
            names = tuple(tool["function"]["name"] for tool in tools)
            return ToolChoice(mode="required", names=names, extra=choice.extra(NAME))
        case {"type": str(), **rest} if rest and "function" not in rest:
            required = (
                isinstance(inner := written.get("allowed_tools"), dict) and inner.get("mode") == "required"
            )
            return ToolChoice(mode="required" if required else "auto", extra={NAME: {"choice": written}})
        case _:
            raise missing(choice.at("function"), "an object with a 'name', and 'type' must be 'function'")


def _is_named(tool: Json) -> bool:
    match tool:
        case {"type": "function", "function": {"name": str(), **more}, **rest} if not more and not rest:
            return True
        case _:
            return False


def _read_mode(members: Members, name: str, form: str | None = None) -> ToolChoice:
    word = members.text(name) or ""
    # Mistral's word for `required` (docs.mistral.ai, "Function calling").
    if word == "any":
        return ToolChoice(mode="required", extra={NAME: {"$form": "any"}})
    for mode in _MODES:
        if word == mode:
            return ToolChoice(mode=mode, extra={NAME: {"$form": form}} if form else {})
    raise bad_value(members.at(name), word, "'auto', 'none', 'required' or an object that names a function")


def write_choice(out: dict[str, Json], choice: ToolChoice) -> None:
    """`tool_choice`, or `function_call` where it came so."""
    form = noted(choice.extra, "form")
    if form == "function_call":
        named: Json = restore({"name": choice.names[0]}, choice.extra) if choice.names else choice.mode
        out["function_call"] = named
        return
    whole = choice.extra.get(NAME, {}).get("choice")
    if whole is not None:
        out["tool_choice"] = whole
    elif choice.mode == "named":
        named = {"type": "function", "function": {"name": choice.names[0]}}
        out["tool_choice"] = restore(named, choice.extra)
    elif choice.mode == "required" and choice.names:
        tools = [{"type": "function", "function": {"name": name}} for name in choice.names]
        allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": tools}}
        out["tool_choice"] = restore(allowed, choice.extra)
    else:
        out["tool_choice"] = form or choice.mode


class Calls(msgspec.Struct, frozen=True, gc=False):
    """The calls of a message, and the thoughts that their ids carried: before all of it, or among them."""

    parts: list[Part]
    thoughts: list[Reasoning]


def read_calls(members: Members, nameless: str) -> Calls:
    """`tool_calls` and `function_call`, taken from a message.

    `nameless` begins the ids of those that have none.
    """
    parts: list[Part] = []
    thoughts: list[Reasoning] = []
    if members.left.get(CALLS):
        path = members.at(CALLS)
        for number, one in enumerate(members.items(CALLS) or ()):
            call = read_call(one, number, f"{path}.{number}", nameless)
            if isinstance(call, Opaque):
                parts.append(call)
                continue
            call, carried = take_out(call)
            (parts or thoughts).extend(carried)
            parts.append(call)
    if members.left.get("function_call") is not None:
        function = members.members("function_call")
        if function is not None:
            parts.append(_read_named(function, function, nameless, {"form": "function_call"}))
    return Calls(parts, thoughts)


def read_call(one: Json, number: int, path: str, nameless: str) -> ToolCall | Opaque:
    """An entry of `tool_calls`, its id as it came."""
    members = Members(one, path)
    unsaid = absent(members, ("type", "id"))
    kind = members.any("type")
    if kind not in ("function", "custom", None):
        return Opaque(NAME, {CALLS: one})
    given = members.text("id")
    notes: dict[str, Json] = {"absent": unsaid, "id": "" if given == "" else None}
    if members.left.get("index") == number:
        del members.left["index"]
        notes["placed"] = True
    if kind == "custom":
        notes["form"] = kind
    inner = members.members(kind or "function")
    if inner is None:
        raise missing(members.at(kind or "function"), "an object with a 'name'")
    return _read_named(inner, members, given or f"{nameless}_{number}", notes)


def _read_named(function: Members, call: Members, id: str, notes: dict[str, Json]) -> ToolCall:
    name = function.need_text("name")
    custom = notes.get("form") == "custom"
    member = "input" if custom else "arguments"
    if isinstance(function.left.get(member), dict):
        # Some likenesses write an object where OpenAI has text.
        arguments, notes["arguments"] = json_text(function.left.pop(member)), "object"
    else:
        if not function.left.get(member):
            notes["arguments"] = "empty" if function.left.get(member) == "" else "absent"
        arguments = function.text(member) or ""
    signature = _take_google(call)
    if function is not call:
        keep(call, "custom" if custom else "function", function)
    return ToolCall(
        id=id,
        name=name,
        arguments=arguments,
        signature=signature,
        signer=NAME if signature is not None else None,
        extra=call.extra(NAME, **notes),
    )


def _take_google(call: Members) -> str | None:
    """Gemini signs calls in this dialect too (ai.google.dev/gemini-api/docs/thought-signatures)."""
    match call.left.get("extra_content"):
        case {"google": {"thought_signature": str(signature), **more}, **rest} if not more and not rest:
            del call.left["extra_content"]
            return signature
        case _:
            return None


def take_out(call: ToolCall) -> tuple[ToolCall, tuple[Reasoning, ...]]:
    """A call without what its id carries, and the thoughts from there."""
    unloaded = unload(call.id)
    if unloaded.id == call.id:
        return call, ()
    signature, signer = unloaded.signature, unloaded.signer
    if signature is None:
        signature, signer = call.signature, call.signer
    return msgspec.structs.replace(
        call, id=unloaded.id, signature=signature, signer=signer
    ), unloaded.thoughts


def write_calls(out: dict[str, Json], parts: Sequence[Part], *, to_client: bool) -> None:
    """The calls among `parts`, put into a message."""
    calls: list[Json] = []
    since = 0
    for number, part in enumerate(parts):
        if isinstance(part, Opaque) and part.dialect == NAME and CALLS in part.data:
            calls.append(part.data[CALLS])
        if not isinstance(part, ToolCall):
            continue
        if noted(part.extra, "form") == "function_call":
            out["function_call"] = restore(write_function(part), part.extra)
            continue
        name = client_id(part, parts[since:number]) if to_client else part.id
        calls.append(write_call(part, name, len(calls)))
        since = number + 1
    if calls:
        out[CALLS] = calls


def client_id(call: ToolCall, before: Sequence[Part]) -> str:
    """The id a client gets: with the foreign signatures of the call and of the thoughts just before it."""
    if call.signature is not None and call.signer in (NAME, None):
        call = msgspec.structs.replace(call, signature=None, signer=None)
    return load(call, signed(before))


def write_call(call: ToolCall, id: str, position: int) -> dict[str, Json]:
    """An entry of `tool_calls`."""
    kind = noted(call.extra, "form") or "function"
    given = noted(call.extra, "id")
    written: dict[str, Json] = {
        "id": id if given is None else given,
        "type": kind,
        kind: write_function(call),
    }
    if call.signature is not None and call.signer in (NAME, None):
        written["extra_content"] = {"google": {"thought_signature": call.signature}}
    mine = call.extra.get(NAME)
    if mine:
        if "$placed" in mine:
            written["index"] = position
        for name in ("id", "type"):
            if name in mine:
                written[name] = None
        restore(written, call.extra)
    return written


def write_function(call: ToolCall) -> dict[str, Json]:
    """A call's name and arguments; no arguments are an empty object, but for who wrote nothing."""
    if not call.extra:
        return {"name": call.name, "arguments": call.arguments or "{}"}
    custom, form = noted(call.extra, "form") == "custom", noted(call.extra, "arguments")
    arguments: Json = call.arguments
    if not arguments:
        if form == "absent":
            return {"name": call.name}
        arguments = "" if form == "empty" else "{}"
    elif form == "object":
        arguments = _parsed(arguments)
    return {"name": call.name, "input" if custom else "arguments": arguments}


def _parsed(arguments: str) -> Json:
    """As an object again; what somebody has changed in between may be none."""
    try:
        return read_json(arguments)
    except ValueError:
        return arguments
