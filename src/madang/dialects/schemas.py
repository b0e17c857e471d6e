"""JSON schemas, as providers insist on them.

Some hold a model to them word by word, while it writes. Then Anthropic refuses a schema whose objects are
open, and what its grammar cannot enforce (`minimum`, `pattern`, …). Here objects are closed, and what is left
over is told to the model in the description, as Anthropic's own SDK does (anthropic-sdk-python 0.121,
`lib/_parse/_transform.py`; "Structured outputs", read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from madang.core.messages import Json
from madang.dialects.reading import json_text

_KEPT = frozenset(
    ("$defs", "$ref", "const", "default", "definitions", "description", "enum", "title", "type")
)
_FORMATS = frozenset(
    ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
)
_DEEP = 64
"""Levels below which nothing is changed: no grammar takes a schema so deep."""


def closed(schema: Mapping[str, Json], depth: int = 0) -> dict[str, Json]:
    """The schema with closed objects and nothing that the grammar does not know."""
    if depth > _DEEP:
        return dict(schema)
    out: dict[str, Json] = {}
    told: dict[str, Json] = {}
    for name, value in schema.items():
        if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
            out[name] = {key: _inner(inner, depth) for key, inner in value.items()}
        elif name in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
            out["allOf" if name == "allOf" else "anyOf"] = [_inner(inner, depth) for inner in value]
        elif name == "items":
            out[name] = _inner(value, depth)
        elif _is_known(name, value):
            out[name] = value
        elif name != "additionalProperties":
            told[name] = value
    if _is_object(schema):
        out.setdefault("properties", {})
        out["additionalProperties"] = False
    if told:
        told_text = json_text(told)
        description = schema.get("description")
        out["description"] = f"{description}\n\n{told_text}" if isinstance(description, str) else told_text
    return out


def _inner(schema: Json, depth: int) -> Json:
    return closed(schema, depth + 1) if isinstance(schema, dict) else schema


def _is_known(name: str, value: Json) -> bool:
    match name:
        case "required":
            return True
        case "format":
            return isinstance(value, str) and value in _FORMATS
        case "minItems":
            return value in (0, 1)
        case _:
            return name in _KEPT


def _is_object(schema: Mapping[str, Json]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def is_closed(schema: Mapping[str, Json] | None) -> bool:
    """Whether a model can be held to the schema as it is."""
    return schema is not None and closed(schema) == schema


_UNKNOWN = frozenset(
    (
        "allOf",
        "default",
        "dependentRequired",
        "dependentSchemas",
        "else",
        "if",
        "not",
        "oneOf",
        "patternProperties",
    )
)
"""What OpenAI cannot hold a model to."""


def lacking(schema: Json, depth: int = 0) -> Literal["", "open", "optional"]:
    """Why OpenAI cannot hold a model to it: objects must be closed, and each of their members required.

    Source: platform.openai.com, "Structured Outputs", "Supported schemas" (read 2026-11).
    """
    if not isinstance(schema, dict):
        return ""
    if depth > _DEEP or not _UNKNOWN.isdisjoint(schema):
        return "optional"
    found: set[str] = set()
    if _is_object(schema):
        required = _list(schema.get("required"))
        closed_by = schema.get("additionalProperties")
        if closed_by not in (False, None) or any(
            name not in required for name in _map(schema.get("properties"))
        ):
            return "optional"
        found.add("" if closed_by is False else "open")
    inner = [one for name in _MAPS for one in _map(schema.get(name)).values()]
    inner += [one for name in _LISTS for one in _list(schema.get(name))]
    found.update([lacking(one, depth + 1) for one in (*inner, schema.get("items"))])
    return "optional" if "optional" in found else "open" if "open" in found else ""


def _map(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


_MAPS = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONES = ("items", "additionalProperties")
EMPTY: Mapping[str, Json] = {"type": "object", "properties": {}}
"""Of a function without arguments."""


def of_object(schema: Mapping[str, Json] | None) -> Mapping[str, Json]:
    """A function's schema as OpenAI insists on it: "object schema missing properties" is an error there."""
    if schema is None:
        return EMPTY
    return schema if "type" in schema and "properties" in schema else {**EMPTY, **schema}


def with_items(schema: Mapping[str, Json], item: Mapping[str, Json], depth: int = 0) -> Mapping[str, Json]:
    """The schema, its lists holding `item` where it does not say what: "array schema missing items" (OpenAI),
    "items: missing field" (Google, for whom nothing at all is not enough).
    """
    changed: dict[str, Json] = {}
    for name, value in schema.items() if depth <= _DEEP else ():
        new = _with_items_inside(name, value, item, depth + 1)
        if new is not value:
            changed[name] = new
    if _is_list(schema) and not schema.get("prefixItems"):
        held = schema.get("items")
        if held is None or (item and held in ({}, True)):
            changed["items"] = item
    return {**schema, **changed} if changed else schema


def _with_items_inside(name: str, value: Json, item: Mapping[str, Json], depth: int) -> Json:
    if isinstance(value, dict):
        if name in _ONES:
            return with_items(value, item, depth)
        if name in _MAPS:
            inner = {
                key: with_items(one, item, depth) if isinstance(one, dict) else one
                for key, one in value.items()
            }
            return inner if any(inner[key] is not one for key, one in value.items()) else value
    elif name in _LISTS and isinstance(value, list):
        each = [with_items(one, item, depth) if isinstance(one, dict) else one for one in value]
        return each if any(new is not one for new, one in zip(each, value, strict=True)) else value
    return value


def _is_list(schema: Mapping[str, Json]) -> bool:
    kind = schema.get("type")
    return kind == "array" or (isinstance(kind, list) and "array" in kind)


def is_bare(schema: Mapping[str, Json] | None) -> bool:
    """Whether it has a list of which it does not say what it holds."""
    return schema is not None and with_items(schema, _ANYTHING) is not schema


_ANYTHING: Mapping[str, Json] = {"type": "string"}
