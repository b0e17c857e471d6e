"""Functions in other clothes: tools of the client's own that only this dialect knows.

A custom tool takes free text; a namespace is a group of tools. Elsewhere both are functions: the text is the
one member of the arguments, and a grouped function's name begins with its group's. An answer to this
dialect's client puts the clothes on again, which are those of its request's tools. Codex has such tools: its
`apply_patch` is custom, and each of its MCP servers a namespace (openai/codex, codex-rs/tools, 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from madang.core.messages import Json, Opaque, ToolCall
from madang.core.requests import Tool
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.reading import Members, json_text, note, put, read_json

CALL, OUTPUT = "custom_tool_call", "custom_tool_call_output"
_INPUT = "input"
_MEMBERS = frozenset(("function", "custom"))
_replace = msgspec.structs.replace


# Tools


def read_custom(tool: Members) -> Tool:
    """A custom tool, its type taken. Its schema tells what its text must be like. Raises `BadRequest`."""
    name, description = tool.need_text("name"), tool.text("description")
    text: dict[str, Json] = {"type": "string"}
    wanted = tool.left.get("format")
    if isinstance(wanted, dict) and isinstance(wanted.get("definition"), str):
        text["description"] = f"Free text, in this grammar ({wanted.get('syntax')}):\n{wanted['definition']}"
    schema = {
        "type": "object",
        "properties": {_INPUT: text},
        "required": [_INPUT],
        "additionalProperties": False,
    }
    return Tool(name=name, description=description, schema=schema, extra=tool.extra(NAME, custom=True))


def write_custom(tool: Tool) -> Block:
    """The tool again."""
    out: Block = {"type": "custom", "name": own_name(tool)}
    if tool.description is not None:
        out["description"] = tool.description
    return put(out, tool.extra, NAME)


def is_group(tools: Json) -> bool:
    """Whether these are tools that a namespace may hold, as far as they are known here."""
    return (
        isinstance(tools, list)
        and bool(tools)
        and all(isinstance(one, dict) and one.get("type") in _MEMBERS for one in tools)
    )


def grouped(tools: Sequence[Tool | Opaque], group: str, number: int, rest: Block) -> list[Tool | Opaque]:
    """The tools of the request's so many-th group, under names of their own; `rest` is what else it says."""
    out: list[Tool | Opaque] = []
    for tool in tools:
        if isinstance(tool, Tool):
            notes = {**tool.extra.get(NAME, {}), "$name": tool.name, "$group": [number, group, rest]}
            tool = _replace(tool, name=full_name(group, tool.name), extra={**tool.extra, NAME: notes})
        out.append(tool)
    return out


def group_of(tool: Tool | Opaque) -> Json:
    """The group that a tool came in, as noted; `None` if it came by itself."""
    return note(tool.extra, NAME, "group") if isinstance(tool, Tool) else None


def write_group(group: Json, tools: list[Block]) -> Block:
    """A group and its tools again."""
    _, name, rest = group
    return {"type": "namespace", "name": name, **rest, "tools": tools}


def own_name(tool: Tool) -> str:
    """A tool's name within its group."""
    name = note(tool.extra, NAME, "name")
    return name if isinstance(name, str) else tool.name


def full_name(group: str | None, name: str) -> str:
    """The name of a group's function where there are no groups."""
    if group is None:
        return name
    return f"{group}{name}" if group.endswith("__") else f"{group}__{name}"


# Calls


def read_call(item: Members) -> tuple[str, str, dict[str, Json]]:
    """A call's name, its arguments and the notes on its clothes. Raises `BadRequest`."""
    custom = item.any("type") == CALL
    name = item.need_text("name")
    said = item.need_text(_INPUT if custom else "arguments")
    group = item.text("namespace")
    notes: dict[str, Json] = {"custom": True if custom else None}
    if group is not None:
        notes.update(name=name, group=group)
    return full_name(group, name), json_text({_INPUT: said}) if custom else said, notes


def write_call(call: ToolCall, call_id: str) -> Block:
    """What a call is, but for its own id and state."""
    extra = call.extra
    custom = note(extra, NAME, "custom")
    out: Block = {"type": CALL if custom else "function_call", "call_id": call_id}
    group = note(extra, NAME, "group")
    if group is not None:
        out["namespace"] = group
    out["name"] = call.name if group is None else note(extra, NAME, "name")
    if custom:
        out[_INPUT] = free_text(call.arguments)
    else:
        # JSON, so never nothing, as some providers write a call without arguments.
        out["arguments"] = call.arguments if NAME in extra else call.arguments or "{}"
    return out


def free_text(arguments: str) -> str:
    """The text in a function's arguments; all of them where a model has written something else."""
    try:
        found = read_json(arguments)
    except ValueError:
        return arguments
    if isinstance(found, dict):
        text = found.get(_INPUT, next(iter(found.values()), "") if len(found) == 1 else None)
        if isinstance(text, str):
            return text
    return arguments


class Clothes:
    """What the calls of an answer are to be dressed in."""

    __slots__ = ("_notes",)

    def __init__(self, tools: Sequence[Tool | Opaque]) -> None:
        self._notes: dict[str, Mapping[str, Json]] = {}
        for tool in tools:
            if isinstance(tool, Tool) and NAME in tool.extra:
                self._remember(tool)

    def _remember(self, tool: Tool) -> None:
        group = group_of(tool)
        notes: dict[str, Json] = {}
        if note(tool.extra, NAME, "custom"):
            notes["$custom"] = True
        if group is not None:
            notes.update({"$group": group[1], "$name": own_name(tool)})
        if notes:
            self._notes[tool.name] = notes

    def on(self, call: ToolCall) -> ToolCall:
        """A call as the client knows its tool."""
        notes = self._notes.get(call.name)
        if notes is None:
            return call
        return _replace(call, extra={**call.extra, NAME: {**call.extra.get(NAME, {}), **notes}})
