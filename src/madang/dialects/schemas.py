"""JSON schemas that a model can be held to word by word, while it writes.

Anthropic refuses a schema whose objects are open, and what its grammar cannot enforce (`minimum`,
`pattern`, …). Here objects are closed, and what is left over is told to the model in the description, as
Anthropic's own SDK does (anthropic-sdk-python 0.121, `lib/_parse/_transform.py`; "Structured outputs",
read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping

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
