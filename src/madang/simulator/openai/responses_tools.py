"""`tools`, `tool_choice` and `text` of the Responses API: flat where chat completions nest.

A function is strict unless it says otherwise: its schema is closed for it, as far as that goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from madang.simulator.openai.chat_tools import Format, read_name
from madang.simulator.openai.fields import Fields, invalid, wrong_type
from madang.simulator.openai.strict_schema import check_strict
from madang.simulator.vocabulary import Tool

_SEARCHES: Final = (
    *("web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"),
)
_KINDS: Final = (
    *("function", "file_search", "computer", "computer_use_preview", "code_interpreter"),
    *("image_generation", "mcp", "local_shell", "shell", "custom", "apply_patch", "namespace"),
    *("tool_search", "programmatic_tool_calling"),
    *_SEARCHES,
)
_MEMBERS: Final = frozenset(
    (
        *("type", "name", "description", "parameters", "strict", "output_schema", "defer_loading"),
        *("allowed_callers", "async"),
    )
)
_OF_A_SCHEMA: Final = frozenset(("$ref", "type", "anyOf", "enum", "const"))
_CHOICES: Final = ("none", "auto", "required")


class Toolbox(msgspec.Struct, frozen=True):
    """The tools of a request, and what it says about their use."""

    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    """As in `ChatRequest.tool_choice`."""
    search: str | None = None
    """The kind of web search on offer."""
    must_search: bool = False
    shown: Sequence[object] = ()
    """The tools as the response repeats them."""
    shown_choice: object = "auto"


class Form(msgspec.Struct, frozen=True):
    """What `text` says."""

    format: Format = Format()
    verbosity: str | None = None
    shown: Mapping[str, object] = {}


def read_toolbox(request: Fields, *, strict: bool) -> Toolbox:
    """`tools` and `tool_choice`. Raises ApiError."""
    functions: list[Tool] = []
    shown: list[object] = []
    search = None
    for entry in request.objects("tools", "an array of tools", most=128):
        entry.required("type")
        kind = entry.one_of("type", _KINDS) or wrong_type(entry.path("type"), "a string", None)
        if kind == "function":
            if strict:
                entry.refuse_unknown(_MEMBERS)
            tool, repeated = _function(entry)
            functions.append(tool)
            shown.append(repeated)
        elif kind in _SEARCHES:
            search = kind
            shown.append(_search(entry, kind))
        else:
            invalid(f"The simulator does not imitate tools of type '{kind}'.", entry.path("type"))
    return _chosen(request, Toolbox(tuple(functions), search=search, shown=shown))


def _function(entry: Fields) -> tuple[Tool, dict[str, object]]:
    name = read_name(entry)
    schema = entry.mapping("parameters") or {"type": "object", "properties": {}}
    where = entry.path("parameters")
    if schema.get("type") != "object":
        kind = schema.get("type")
        invalid(
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: \"{'None' if kind is None else kind}\"'.",
            where,
            "invalid_function_parameters",
        )
    strict = entry.boolean("strict")
    if strict is None:
        closed = _closed(schema)
        strict, schema = closed is not None, schema if closed is None else closed
    elif strict:
        check_strict(schema, f"function '{name}'", where, "invalid_function_parameters")
    description = entry.text("description")
    shown: dict[str, object] = {
        "type": "function",
        "description": description,
        "name": name,
        "output_schema": None,
        "parameters": schema,
        "strict": strict,
    }
    return Tool(name, description or "", schema), shown


def _closed(schema: dict[str, object]) -> dict[str, object] | None:
    """The schema with every object closed and every property required; None if one wants to be open."""
    closed = dict(schema)
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        if schema.get("additionalProperties") not in (None, False):
            return None
        named = properties if isinstance(properties, dict) else {}
        below = {key: _closed_below(part) for key, part in named.items()}
        if any(part is None for part in below.values()):
            return None
        closed |= {"properties": below, "required": list(below), "additionalProperties": False}
    for name in ("items", "$defs", "anyOf"):
        if name in schema:
            if (part := _closed_below(schema[name])) is None:
                return None
            closed[name] = part
    return closed


def _closed_below(part: object) -> object | None:
    """The same for a schema, a list of them or a mapping of them."""
    match part:
        case dict() if not _OF_A_SCHEMA.isdisjoint(part):
            return _closed(part)
        case dict():
            closed = {key: _closed_below(value) for key, value in part.items()}
            return None if any(value is None for value in closed.values()) else closed
        case list():
            parts = [_closed_below(value) for value in part]
            return None if any(value is None for value in parts) else parts
        case _:
            return part


def _search(entry: Fields, kind: str) -> dict[str, object]:
    """A web search, with what the response adds to it."""
    size = entry.one_of("search_context_size", ("low", "medium", "high")) or "medium"
    place = entry.mapping("user_location") or {}
    unknown = {"city": None, "country": "US", "region": None, "timezone": None}
    location = {"type": "approximate", **{name: place.get(name, unknown[name]) for name in unknown}}
    if "preview" in kind:
        return {"type": kind, "search_context_size": size, "user_location": location}
    return {
        "type": kind,
        **({"filters": entry.mapping("filters")} if "filters" in entry else {}),
        "return_token_budget": "default",
        "search_content_types": ["text"],
        "search_context_size": size,
        "user_location": location,
    }


# Which of them may be used.


def _chosen(request: Fields, box: Toolbox) -> Toolbox:
    wanted = request.raw("tool_choice")
    replace = msgspec.structs.replace
    if wanted is None:
        return box
    if isinstance(wanted, str):
        choice = request.one_of("tool_choice", _CHOICES) or "auto"
        if choice == "required" and not box.shown:
            invalid("Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice")
        must_search = choice == "required" and not box.tools
        return replace(box, choice=choice, must_search=must_search, shown_choice=choice)
    if not isinstance(wanted, dict):
        wrong_type("tool_choice", "one of an object or 'none', 'auto', or 'required'", wanted)
    choice_fields = Fields(wanted, "tool_choice")
    choice_fields.required("type")
    kind = choice_fields.one_of("type", ("allowed_tools", *_KINDS)) or ""
    box = replace(box, shown_choice=wanted)
    match kind:
        case "function":
            return replace(box, choice="=" + _named(choice_fields, box))
        case "allowed_tools":
            return _allowed(choice_fields, box)
        case _:
            if box.search is None or kind not in _SEARCHES:
                invalid(f"Tool choice '{kind}' not found in 'tools' parameter.", "tool_choice")
            return replace(box, must_search=True)


def _named(choice: Fields, box: Toolbox) -> str:
    choice.required("name")
    name = read_name(choice)
    if all(tool.name != name for tool in box.tools):
        invalid("Tool choice 'function' not found in 'tools' parameter.", "tool_choice")
    return name


def _allowed(choice: Fields, box: Toolbox) -> Toolbox:
    """Only some of the tools, the others stay in the prompt."""
    for name in ("mode", "tools"):
        choice.required(name)
    mode = choice.one_of("mode", ("auto", "required")) or "auto"
    entries = list(choice.objects("tools", least=1))
    names = [_named(entry, box) for entry in entries if entry.raw("type") == "function"]
    searches = any(entry.raw("type") in _SEARCHES for entry in entries)
    return msgspec.structs.replace(
        box,
        tools=tuple(tool for tool in box.tools if tool.name in names),
        choice=mode,
        search=box.search if searches else None,
        must_search=mode == "required" and not names,
    )


# The form of the answer's text.


def read_form(request: Fields, *, strict: bool) -> Form:
    """`text`. Raises ApiError."""
    text = request.section("text")
    if text is None:
        return Form(shown=_shown({"type": "text"}, None))
    if strict:
        text.refuse_unknown(("format", "verbosity"))
    verbosity = text.one_of("verbosity", ("low", "medium", "high"))
    wanted = text.section("format")
    if wanted is None:
        return Form(verbosity=verbosity, shown=_shown({"type": "text"}, verbosity))
    wanted.required("type")
    kind = wanted.one_of("type", ("json_object", "text", "json_schema"))
    if kind != "json_schema":
        return Form(Format(as_json=kind == "json_object"), verbosity, _shown({"type": kind}, verbosity))
    return _schema_form(wanted, verbosity)


def _schema_form(wanted: Fields, verbosity: str | None) -> Form:
    for name in ("name", "schema"):
        wanted.required(name)
    name, schema = read_name(wanted), wanted.mapping("schema") or {}
    where = wanted.path("schema")
    strict = wanted.boolean("strict") or False
    if strict:
        if schema.get("type") != "object":
            kind = schema.get("type")
            invalid(
                f"Invalid schema for response_format '{name}': schema must be a JSON Schema of 'type: "
                f'"object"\', got \'type: "{"None" if kind is None else kind}"\'.',
                where,
                "invalid_json_schema",
            )
        check_strict(schema, f"response_format '{name}'", where, "invalid_json_schema")
    shown: dict[str, object] = {
        "type": "json_schema",
        "description": wanted.text("description"),
        "name": name,
        "schema": schema,
        "strict": strict,
    }
    return Form(Format(schema=schema), verbosity, _shown(shown, verbosity))


def _shown(form: dict[str, object], verbosity: str | None) -> dict[str, object]:
    return {"format": form, "verbosity": verbosity or "medium"}


def expect_the_word_json(texts: Sequence[str]) -> None:
    """Raises ApiError if nobody has said what `json_object` will be. In OpenAI's words."""
    if not any("json" in text.lower() for text in texts):
        invalid(
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            "input",
        )
