"""Tools, the choice of one, and their results. Calls are items of what the assistant says: `items.py`.

A function is a `Tool`; everything else in `tools` runs at the provider, or is a tool of the client's
that only this dialect knows, and is `Opaque`.
"""

from __future__ import annotations

from madang.core.messages import Json, Media, Opaque, Refusal, Text, ToolResult
from madang.core.requests import Tool, ToolChoice
from madang.dialects import carry
from madang.dialects.openai_responses.content import NAME, Block, read_blocks, write_blocks
from madang.dialects.reading import Members, bad_value, missing, note, put, wrong

_MODES = ("auto", "none", "required")
_ERROR = "Error: "


def read_tools(items: list[Json]) -> tuple[Tool | Opaque, ...]:
    """The tools of a request. Raises `BadRequest`."""
    return tuple([_read_tool(item, f"tools.{number}") for number, item in enumerate(items)])


def _read_tool(value: Json, path: str) -> Tool | Opaque:
    tool = Members(value, path)
    if tool.need_text("type") != "function":
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


def write_tool(tool: Tool | Opaque) -> Block | None:
    """A tool; one that runs elsewhere is left out."""
    if isinstance(tool, Opaque):
        return dict(tool.data) if tool.dialect == NAME else None
    out: Block = {"type": "function", "name": tool.name}
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
            return put({"type": "function", "name": choice.names[0]}, choice.extra, NAME)
        case "required" if choice.names:
            tools = [{"type": "function", "name": name} for name in choice.names]
            return put({"type": "allowed_tools", "mode": "required", "tools": tools}, choice.extra, NAME)
        case "auto" | "none" | "required":
            return choice.mode


def read_result(item: Members) -> ToolResult:
    """What came of a call. Raises `BadRequest`."""
    item.any("type")
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
        extra=item.extra(NAME, form=form),
    )


def write_result(result: ToolResult) -> Block:
    """What came of a call; an error says so in its words."""
    parts = _confess(result.parts) if result.is_error else result.parts
    text = _string(parts) if note(result.extra, NAME, "form") is None else None
    output: Json = write_blocks(parts, "tool") if text is None else text
    out: Block = {"type": "function_call_output", "call_id": result.call_id, "output": output}
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
