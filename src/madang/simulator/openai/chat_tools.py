"""`tools`, `tool_choice` and `response_format`: what a chat request says about the form of its answer."""

from __future__ import annotations

import re

import msgspec

from madang.simulator.openai.fields import Fields, invalid, wrong_type
from madang.simulator.openai.strict_schema import check_strict
from madang.simulator.vocabulary import Tool

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Format(msgspec.Struct, frozen=True):
    """What form the answer's text has to have."""

    as_json: bool = False
    schema: dict[str, object] | None = None


def read_tools(request: Fields) -> tuple[Tool, ...]:
    """The functions on offer. Raises ApiError."""
    return tuple(_tool(entry) for entry in request.objects("tools", least=1, most=128))


def _tool(entry: Fields) -> Tool:
    entry.required("type")
    if entry.one_of("type", ("function", "custom")) == "custom":
        invalid("The simulator does not imitate custom tools.", entry.path("type"), "unsupported_value")
    entry.required("function")
    function = entry.section("function") or wrong_type(entry.path("function"), "an object", None)
    name = read_name(function)
    schema = function.mapping("parameters") or {"type": "object", "properties": {}}
    if schema.get("type") != "object":
        kind = schema.get("type")
        invalid(
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: \"{'None' if kind is None else kind}\"'.",
            function.path("parameters"),
            "invalid_function_parameters",
        )
    if function.boolean("strict"):
        check_strict(schema, f"function '{name}'", function.path("parameters"), "invalid_function_parameters")
    return Tool(name, function.text("description") or "", schema)


def read_name(holder: Fields) -> str:
    """The name of a function or a format. Raises ApiError."""
    holder.required("name")
    name = holder.text("name") or ""
    if not _NAME.fullmatch(name):
        where = holder.path("name")
        invalid(
            f"Invalid '{where}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            where,
            "invalid_value",
        )
    return name


class Choosing(msgspec.Struct, frozen=True):
    """Which tools may be called, and how."""

    tools: tuple[Tool, ...]
    choice: str = "auto"
    """`auto`, `none`, `required`, or `=name`."""


def read_choosing(request: Fields, tools: tuple[Tool, ...]) -> Choosing:
    """What `tool_choice` says of the tools. Raises ApiError."""
    if "tool_choice" not in request:
        return Choosing(tools)
    if not tools:
        invalid(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            "tool_choice",
        )
    if isinstance(request.raw("tool_choice"), str):
        return Choosing(tools, request.one_of("tool_choice", ("none", "auto", "required")) or "auto")
    choice = request.section("tool_choice") or wrong_type("tool_choice", "an object", None)
    choice.required("type")
    kind = choice.one_of("type", ("function", "allowed_tools")) or ""
    choice.required(kind)
    details = choice.section(kind) or wrong_type(choice.path(kind), "an object", None)
    if kind == "function":
        return Choosing(tools, "=" + _known(read_name(details), tools))
    for name in ("mode", "tools"):
        details.required(name)
    names = [_allowed(entry, tools) for entry in details.objects("tools", least=1)]
    allowed = tuple(tool for tool in tools if tool.name in names)
    return Choosing(allowed, details.one_of("mode", ("auto", "required")) or "auto")


def _allowed(entry: Fields, tools: tuple[Tool, ...]) -> str:
    entry.required("function")
    return _known(
        read_name(entry.section("function") or wrong_type(entry.path("function"), "an object", None)), tools
    )


def _known(name: str, tools: tuple[Tool, ...]) -> str:
    if all(tool.name != name for tool in tools):
        invalid(
            f"Invalid value for 'tool_choice': the function '{name}' was not found in the 'tools' parameter.",
            "tool_choice",
        )
    return name


def read_format(request: Fields) -> Format:
    """The answer's form. Raises ApiError."""
    wanted = request.section("response_format")
    if wanted is None:
        return Format()
    wanted.required("type")
    kind = wanted.one_of("type", ("json_object", "json_schema", "text"))
    if kind != "json_schema":
        return Format(as_json=kind == "json_object")
    wanted.required("json_schema")
    details = wanted.section("json_schema") or wrong_type(wanted.path("json_schema"), "an object", None)
    name = read_name(details)
    schema = details.mapping("schema")
    if schema is not None and details.boolean("strict"):
        if schema.get("type") != "object":
            invalid(
                f"Invalid schema for response_format '{name}': schema must be a JSON Schema of 'type: "
                '"object"\'.',
                "response_format",
            )
        check_strict(schema, f"response_format '{name}'", "response_format")
    return Format(schema=schema if schema is not None else {"type": "object"})
