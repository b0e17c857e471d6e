"""Gemini's `Schema`, a subset of OpenAPI's, read as a JSON schema."""

from __future__ import annotations

from typing import Final

from madang.simulator.gemini.errors import invalid
from madang.simulator.gemini.fields import Fields

_TYPES: Final = frozenset(
    ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
)
_PLAIN: Final = ("description", "title", "pattern", "format", "example", "default", "minimum", "maximum")
_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_KNOWN: Final = (
    *_PLAIN,
    *_COUNTS,
    *("type", "nullable", "enum", "required", "properties", "items", "anyOf", "propertyOrdering"),
    *("additionalProperties", "defs", "ref"),
)
_DEEPEST = 60


def read_schema(schema: Fields, depth: int = 0) -> dict[str, object]:
    """The schema as a JSON schema. Raises ApiError."""
    schema.refuse_unknown(_KNOWN)
    if depth > _DEEPEST:
        invalid("The specified schema produces a constraint that has too much nesting.")
    kind = schema.one_of("type", _TYPES)
    read: dict[str, object] = {name: schema.raw(name) for name in _PLAIN if name in schema}
    read |= {name: schema.integer(name) for name in _COUNTS if name in schema}
    for name in ("enum", "required"):
        if name in schema:
            read[name] = list(schema.texts(name))
    if kind not in (None, "TYPE_UNSPECIFIED"):
        plain = str(kind).lower()
        read["type"] = [plain, "null"] if schema.boolean("nullable") else plain
    if kind == "ARRAY" and "items" not in schema:
        invalid(f"* GenerateContentRequest.{schema.where}.items: missing field.\n")
    if (items := schema.section("items")) is not None:
        read["items"] = read_schema(items, depth + 1)
    if "anyOf" in schema:
        read["anyOf"] = [read_schema(branch, depth + 1) for branch in schema.objects("anyOf")]
    properties = _properties(schema, depth)
    for at, name in enumerate(schema.texts("required")):
        if name not in properties:
            invalid(f"* GenerateContentRequest.{schema.where}.required[{at}]: property is not defined\n")
    return {**read, "properties": properties} if "properties" in schema else read


def _properties(schema: Fields, depth: int) -> dict[str, object]:
    properties = schema.mapping("properties") or {}
    read: dict[str, object] = {}
    for name, part in properties.items():
        where = f"{schema.where}.properties[{name}]"
        read[name] = read_schema(Fields(part if isinstance(part, dict) else {}, where), depth + 1)
    return read
