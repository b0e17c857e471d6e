"""Tools, the choice of one, and their results. Calls are items of what the assistant says: `items.py`.

A function is a `Tool`, and so is what is a function in other clothes (`clothes.py`); everything else in
`tools` runs at the provider, or is one that only this dialect knows, and is `Opaque`.
"""

from __future__ import annotations

from collections.abc import Sequence

from madang.core.messages import Json, Media, Opaque, Refusal, Text, ToolResult
from madang.core.requests import Tool, ToolChoice
from madang.dialects import carry
from madang.dialects.openai_responses.clothes import (
    OUTPUT,
    group_of,
    grouped,
    is_group,
    own_name,
    read_custom,
    write_custom,
    write_group,
)
from madang.dialects.openai_responses.content import NAME, Block, read_blocks, write_blocks
from madang.dialects.reading import Members, bad_value, missing, note, put, wrong

_MODES = ("auto", "none", "required")
_ERROR = "Error: "


def read_tools(items: list[Json]) -> tuple[Tool | Opaque, ...]:
    """The tools of a request. Raises `BadRequest`."""
    return tuple([tool for number, item in enumerate(items) for tool in _read_item(item, number)])


def _read_item(value: Json, number: int) -> list[Tool | Opaque]:
    path = f"tools.{number}"
    item = Members(value, path)
    if item.need_text("type") != "namespace" or not is_group(item.left.get("tools")):
        return [_read_tool(value, path)]
    group, inner = item.need_text("name"), item.items("tools") or []
    item.any("type")
    tools = [_read_tool(one, f"{path}.tools.{place}") for place, one in enumerate(inner)]
    return grouped(tools, group, number, item.left)


def _read_tool(value: Json, path: str) -> Tool | Opaque:
    tool = Members(value, path)
    kind = tool.need_text("type")
    if kind == "custom":
        return read_custom(tool)
    if kind != "function":
        return Opaque(NAME, value)
    name, schema, strict = tool.need_text("name"), tool.object("parameters"), tool.flag("strict")
    return Tool(
        name=name,
        description=tool.text("description"),
        schema=schema,
        strict=strict,
        extra=tool.extra(
            NAME,
            parameters="unsaid" if schema is None else None,
            strict="unsaid" if strict is None else None,
        ),
    )


def write_tools(tools: Sequence[Tool | Opaque]) -> list[Block]:
    """The tools, in their groups again; those that run elsewhere are left out."""
    out: list[Block] = []
    last: Json = None
    for tool in tools:
        group, written = group_of(tool), _write_tool(tool)
        if written is None:
            continue
        if group is None:
            out.append(written)
        elif group is last or group == last:
            out[-1]["tools"].append(written)
        else:
            out.append(write_group(group, [written]))
        last = group
    return out


def _write_tool(tool: Tool | Opaque) -> Block | None:
    if isinstance(tool, Opaque):
        return dict(tool.data) if tool.dialect == NAME else None
    if note(tool.extra, NAME, "custom"):
        return write_custom(tool)
    out: Block = {"type": "function", "name": own_name(tool)}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.schema is not None or note(tool.extra, NAME, "parameters") is None:
        out["parameters"] = tool.schema
    if tool.strict is not None:
        out["strict"] = tool.strict
    elif note(tool.extra, NAME, "strict") is None:
        # Functions are strict here unless it is said that they are not; nowhere else.
        out["strict"] = False
    return put(out, tool.extra, NAME)


def read_choice(value: Json) -> ToolChoice | None:
    """`tool_choice`; `None` for a choice of what is no function. Raises `BadRequest`."""
    if isinstance(value, str):
        if value not in _MODES:
            raise bad_value("tool_choice", value, "'auto', 'none', 'required' or an object")
        return ToolChoice(mode=value)  # type: ignore[arg-type]  # one of _MODES
    if not isinstance(value, dict):
        raise wrong("tool_choice", value, "a string or an object")
    choice = Members(value, "tool_choice")
    match choice.need_text("type"):
        case "function":
            return ToolChoice(mode="named", names=(choice.need_text("name"),), extra=choice.extra(NAME))
        case "custom":
            names = (choice.need_text("name"),)
            return ToolChoice(mode="named", names=names, extra=choice.extra(NAME, custom=True))
        case "allowed_tools":
            return _read_allowed(choice)
        case _:
            return None


def _read_allowed(choice: Members) -> ToolChoice | None:
    mode = choice.need_text("mode")
    if mode not in ("auto", "required"):
        raise bad_value("tool_choice.mode", mode, "'auto' or 'required'")
    if choice.left.get("tools") is None:
        raise missing("tool_choice.tools", "a list of tools")
    names = []
    for tool in choice.each("tools"):
        kind, name = tool.need_text("type"), tool.text("name")
        if kind != "function" or name is None or tool.left:
            return None
        names.append(name)
    # Nothing else says "these, or none of them", nor "none of these must be used".
    if mode == "auto" or not names:
        return None
    return ToolChoice(mode="required", names=tuple(names), extra=choice.extra(NAME))


def write_choice(choice: ToolChoice) -> Json:
    """`tool_choice`."""
    match choice.mode:
        case "named":
            kind = "custom" if note(choice.extra, NAME, "custom") else "function"
            return put({"type": kind, "name": choice.names[0]}, choice.extra, NAME)
        case "required" if choice.names:
            tools = [{"type": "function", "name": name} for name in choice.names]
            return put({"type": "allowed_tools", "mode": "required", "tools": tools}, choice.extra, NAME)
        case "auto" | "none" | "required":
            return choice.mode


def read_result(item: Members) -> ToolResult:
    """What came of a call. Raises `BadRequest`."""
    custom = item.any("type") == OUTPUT
    call_id = item.need_text("call_id")
    name = item.left.get("name")  # stays: the API has it only since 2026, and from a few tools
    output = item.left.pop("output", None)
    parts: tuple[Text | Media | Opaque, ...]
    form = None
    match output:
        case str():
            parts = (Text(output),) if output else ()
        case list():
            blocks = read_blocks(output, item.at("output"), "tool")
            parts = tuple([block for block in blocks if not isinstance(block, Refusal)])
            form = "list"
        case None:
            raise missing(item.at("output"), "text or a list")
        case _:
            raise wrong(item.at("output"), output, "text or a list")
    return ToolResult(
        call_id=carry.plain_id(call_id) or call_id,
        name=name if isinstance(name, str) else None,
        parts=parts,
        extra=item.extra(NAME, form=form, custom=custom or None),
    )


def write_result(result: ToolResult) -> Block:
    """What came of a call; an error says so in its words."""
    parts = _confess(result.parts) if result.is_error else result.parts
    text = _string(parts) if note(result.extra, NAME, "form") is None else None
    output: Json = write_blocks(parts, "tool") if text is None else text
    kind = OUTPUT if note(result.extra, NAME, "custom") else "function_call_output"
    out: Block = {"type": kind, "call_id": result.call_id, "output": output}
    return put(out, result.extra, NAME)


def _confess(parts: tuple[Text | Media | Opaque, ...]) -> tuple[Text | Media | Opaque, ...]:
    """The parts of an error, whose words begin with saying that it is one."""
    if parts and isinstance(parts[0], Text):
        return (Text(_ERROR + parts[0].text), *parts[1:])
    return (Text(_ERROR), *parts)


def _string(parts: tuple[Text | Media | Opaque, ...]) -> str | None:
    """The words of a result, if there is nothing else to it."""
    match parts:
        case ():
            return ""
        case (Text(text=text, extra=extra),) if text and not extra:
            return text
        case _:
            return None
