"""`tools`, `tool_choice` and the answer's format: what a request says about the form of its answer."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from madang.simulator.anthropic.content import read_cache_control
from madang.simulator.anthropic.errors import invalid
from madang.simulator.anthropic.fields import Fields, refuse
from madang.simulator.vocabulary import Tool

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_TYPED = re.compile(r"(.+)_(\d{8})")
_OF_CUSTOM = (
    *("type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading"),
    *("eager_input_streaming", "input_examples", "allowed_callers"),
)
SERVER_TOOLS: Final = {
    "web_search": ("20250305", "20260209", "20260318"),
    "web_fetch": ("20250910", "20260209", "20260309", "20260318"),
    "code_execution": ("20250522", "20250825", "20260120", "20260521"),
    "tool_search_tool_regex": ("20251119",),
    "tool_search_tool_bm25": ("20251119",),
}
"""Tools that Anthropic runs, and their versions."""
_CLIENT_TOOLS: Final = {
    "bash": ("20250124",),
    "text_editor": ("20250124", "20250429", "20250728"),
    "memory": ("20250818",),
    "computer_toolset": ("20260801",),
    "browser_toolset": ("20260801",),
}
"""Tools whose schema Anthropic knows and the client runs."""
_TAGS: Final = frozenset(
    f"{name}_{version}"
    for tools in (SERVER_TOOLS, _CLIENT_TOOLS)
    for name in tools
    for version in tools[name]
) | {"custom"}


class Offer(msgspec.Struct, frozen=True):
    """The tools on offer."""

    tools: tuple[Tool, ...] = ()
    served: frozenset[str] = frozenset()
    """Those that Anthropic runs itself, such as `web_search`."""


class Choice(msgspec.Struct, frozen=True):
    """Which tools are to be called: `auto`, `none`, `required`, or `=name`."""

    tool_choice: str = "auto"
    parallel: bool = True


def read_tools(request: Fields) -> Offer:
    """The tools. Raises ApiError."""
    tools: list[Tool] = []
    served: set[str] = set()
    names: set[str] = set()
    for entry in request.objects("tools"):
        kind = entry.tag(_TAGS) if "type" in entry else "custom"
        tool = entry.tagged(kind)
        read_cache_control(tool)
        name = tool.matching("name", _NAME) if kind == "custom" or "name" in tool else kind
        if name in names:
            invalid("tools: Tool names must be unique.")
        names.add(name)
        if kind == "custom":
            tools.append(_custom(tool, name))
        elif (found := _TYPED.fullmatch(kind)) and found[1] in SERVER_TOOLS:
            served.add(found[1])
    return Offer(tuple(tools), frozenset(served))


def _custom(tool: Fields, name: str) -> Tool:
    tool.refuse_unknown(_OF_CUSTOM)
    schema = tool.mapping("input_schema")
    if "type" not in schema:
        refuse(tool.path("input_schema.type"), "Field required")
    if schema["type"] != "object":
        refuse(tool.path("input_schema.type"), "Input should be 'object'")
    if any(name in schema for name in ("oneOf", "allOf", "anyOf")):
        why = "input_schema does not support oneOf, allOf, or anyOf at the top level"
        refuse(tool.path("input_schema"), why)
    tool.boolean("strict")
    return Tool(name, tool.optional_text("description") or "", schema)


def read_choice(request: Fields, offer: Offer) -> Choice:
    """The choice among the tools. Raises ApiError."""
    choice = request.section("tool_choice")
    if choice is None:
        return Choice()
    kind = choice.tag(("auto", "any", "tool", "none"))
    choice = choice.tagged(kind)
    extra = {"tool": ("name", "disable_parallel_tool_use"), "none": ()}.get(
        kind, ("disable_parallel_tool_use",)
    )
    choice.refuse_unknown(("type", *extra))
    if not (offer.tools or offer.served) and kind != "none":
        invalid("tool_choice may only be specified while providing tools.")
    parallel = choice.boolean("disable_parallel_tool_use") is not True
    if kind != "tool":
        return Choice({"auto": "auto", "any": "required", "none": "none"}[kind], parallel)
    name = choice.text("name")
    if name not in offer.served and all(tool.name != name for tool in offer.tools):
        invalid(f"Tool '{name}' not found in provided tools")
    return Choice("=" + name, parallel)


def read_schema(request: Fields) -> dict[str, object] | None:
    """The JSON schema the answer has to follow; `output_format` is the older name. Raises ApiError."""
    config = request.section("output_config")
    holder, name = (
        (config, "format") if config is not None and "format" in config else (request, "output_format")
    )
    form = holder.section(name)
    if form is None:
        return None
    form.tag(("json_schema",))
    form.refuse_unknown(("type", "schema"))
    schema = form.mapping("schema")
    _check_closed(schema, form.path("schema"))
    return schema


def _check_closed(schema: object, where: str) -> None:
    """Every object has to say that it takes no other properties."""
    if isinstance(schema, list):
        for part in schema:
            _check_closed(part, where)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        refuse(where, "For 'object' type, 'additionalProperties' must be explicitly set to false")
    for name, part in schema.items():
        if name in ("properties", "$defs", "definitions") and isinstance(part, dict):
            _check_closed(list(part.values()), where)
        elif name in ("items", "anyOf", "allOf"):
            _check_closed(part, where)
