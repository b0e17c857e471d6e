"""Tools, the choice among them, what the model calls and what came of it.

Ids of calls: Anthropic takes letters, digits, `_` and `-` (recorded 2026-08: "messages.1.content.0.
tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"); others are rewritten, in calls and
results alike. What a client's id carries for another provider (`carry.py`) is taken out on reading.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping

from madang.core.messages import Json, Media, Opaque, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import Request, Tool, ToolChoice
from madang.dialects import carry
from madang.dialects.anthropic.content import parse_text, put_cache, render_text, take_cache
from madang.dialects.anthropic.media import parse_document, parse_image, parse_search_result, render_media
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import Members, bad_value, json_text, missing, note, put, read_json, wrong

_ODD = re.compile(r"[^a-zA-Z0-9_-]")
_UNPARSED = "unparsed_arguments"
"""The one member of an input that stands for arguments which are no JSON object."""
_NOTHING = {"type": "object", "properties": {}}

_INSIDE: Mapping[str, Callable[[Members], Text | Media | None]] = {
    "text": parse_text,
    "image": parse_image,
    "document": parse_document,
    "search_result": parse_search_result,
}


def parse_tools(top: Members) -> tuple[Tool | Opaque, ...]:
    """The tools of a request."""
    values = top.items("tools") or ()
    return tuple([_parse_tool(value, f"tools.{number}") for number, value in enumerate(values)])


def _parse_tool(value: Json, path: str) -> Tool | Opaque:
    tool = Members(value, path)
    kind = tool.text("type")
    if kind not in (None, "custom"):
        return Opaque(NAME, value)
    name = tool.need_text("name")
    description = tool.text("description")
    schema = tool.object("input_schema")
    if schema is None:
        raise missing(tool.at("input_schema"), "a JSON schema")
    strict = tool.flag("strict")
    cache, more = take_cache(tool)
    return Tool(
        name=name,
        description=description,
        schema=None if schema == _NOTHING else schema,
        strict=strict,
        cache=cache,
        extra=tool.extra(NAME, cache=more, type=kind),
    )


def render_tool(tool: Tool | Opaque) -> dict[str, Json] | None:
    """A tool; `None` for one that runs at another provider."""
    if isinstance(tool, Opaque):
        return dict(tool.data) if tool.dialect == NAME else None
    out: dict[str, Json] = {"name": tool.name}
    kind = note(tool.extra, NAME, "type")
    if kind is not None:
        out["type"] = kind
    if tool.description is not None:
        out["description"] = tool.description
    out["input_schema"] = _NOTHING if tool.schema is None else tool.schema
    if tool.strict is not None:
        out["strict"] = tool.strict
    put_cache(out, tool)
    return put(out, tool.extra, NAME)


def parse_choice(top: Members) -> tuple[ToolChoice | None, bool | None]:
    """`tool_choice`, and whether tools may be called side by side."""
    choice = top.members("tool_choice")
    if choice is None:
        return None, None
    kind = choice.need_text("type")
    alone = choice.flag("disable_parallel_tool_use")
    parallel = None if alone is None else not alone
    match kind:
        case "auto":
            return ToolChoice(mode="auto", extra=choice.extra(NAME)), parallel
        case "any":
            return ToolChoice(mode="required", extra=choice.extra(NAME)), parallel
        case "none":
            return ToolChoice(mode="none", extra=choice.extra(NAME)), parallel
        case "tool":
            names = (choice.need_text("name"),)
            return ToolChoice(mode="named", names=names, extra=choice.extra(NAME)), parallel
        case _:
            raise bad_value(choice.at("type"), kind, "one of 'auto', 'any', 'tool' and 'none'")


_MODES = {"auto": "auto", "required": "any", "named": "tool", "none": "none"}


def render_choice(request: Request) -> dict[str, Json] | None:
    """`tool_choice`; `None` where nothing is to be said."""
    choice = request.tool_choice
    out: dict[str, Json] = {"type": "auto" if choice is None else _MODES[choice.mode]}
    if request.parallel_tools is not None and out["type"] != "none":
        out["disable_parallel_tool_use"] = not request.parallel_tools
    elif choice is None:
        return None
    if choice is None:
        return out
    if choice.mode == "named":
        out["name"] = choice.names[0] if choice.names else ""
    return put(out, choice.extra, NAME)


def parse_call(block: Members) -> tuple[ToolCall, tuple[Reasoning, ...]]:
    """A `tool_use` block, and the thoughts of another provider's that its id carries."""
    found = carry.unload(block.need_text("id"))
    name = block.need_text("name")
    arguments = block.object("input")
    if arguments is None:
        raise missing(block.at("input"), "an object")
    cache, more = take_cache(block)
    call = ToolCall(
        id=found.id,
        name=name,
        arguments=_written(arguments),
        signature=found.signature,
        signer=found.signer,
        cache=cache,
        extra=block.extra(NAME, cache=more),
    )
    return call, found.thoughts


def render_call(call: ToolCall, *, told: bool = False) -> dict[str, Json]:
    """The block; `told`: to a client, whose id carries another provider's signature."""
    wire_id = carry.load(call) if told and call.signer != NAME else call.id
    block: dict[str, Json] = {
        "type": "tool_use",
        "id": wire_id,
        "name": call.name,
        "input": _read(call.arguments),
    }
    put_cache(block, call)
    return put(block, call.extra, NAME)


def _written(arguments: dict[str, Json]) -> str:
    text = arguments.get(_UNPARSED)
    return text if isinstance(text, str) and len(arguments) == 1 else json_text(arguments)


def _read(arguments: str) -> Json:
    """Arguments as the object they must be here; text that is none is the one member of one."""
    if not arguments:
        return {}
    try:
        value = read_json(arguments)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {_UNPARSED: arguments}


def parse_result(block: Members) -> ToolResult:
    """A `tool_result` block."""
    call_id = carry.plain_id(block.need_text("tool_use_id"))
    content = block.any("content")
    is_error = block.flag("is_error")
    cache, more = take_cache(block)
    form = None
    parts: tuple[Text | Media | Opaque, ...] = ()
    if isinstance(content, str):
        form, parts = "string", (Text(content),)
    elif isinstance(content, list):
        form = None if content else "list"
        parts = tuple([_parse_inside(value, f"{block.at('content')}.{n}") for n, value in enumerate(content)])
    elif content is not None:
        raise wrong(block.at("content"), content, "a string or a list of blocks")
    said = is_error if is_error is False else None
    return ToolResult(
        call_id=call_id,
        parts=parts,
        is_error=bool(is_error),
        cache=cache,
        extra=block.extra(NAME, cache=more, form=form, is_error=said),
    )


def _parse_inside(value: Json, path: str) -> Text | Media | Opaque:
    block = Members(value, path)
    read = _INSIDE.get(block.need_text("type"))
    part = read(block) if read is not None else None
    return Opaque(NAME, value) if part is None else part


def render_result(result: ToolResult) -> dict[str, Json]:
    """The block."""
    block: dict[str, Json] = {"type": "tool_result", "tool_use_id": result.call_id}
    form = note(result.extra, NAME, "form")
    content: Json = [inside for part in result.parts if (inside := render_inside(part)) is not None]
    if form == "string" and all(one["type"] == "text" for one in content):
        content = "".join([one["text"] for one in content])
    if content or form is not None:
        block["content"] = content
    if result.is_error or note(result.extra, NAME, "is_error") is False:
        block["is_error"] = result.is_error
    put_cache(block, result)
    return put(block, result.extra, NAME)


def render_inside(part: Text | Media | Opaque) -> dict[str, Json] | None:
    """What a tool brought."""
    match part:
        case Text():
            return render_text(part)
        case Media():
            return render_media(part)
        case Opaque():
            return dict(part.data) if part.dialect == NAME else None


def plain(call_id: str) -> str:
    """An id that Anthropic takes: the same for the same, another for another."""
    if not _ODD.search(call_id):
        return call_id
    return f"{_ODD.sub('_', call_id)}_{zlib.crc32(call_id.encode()):08x}"
