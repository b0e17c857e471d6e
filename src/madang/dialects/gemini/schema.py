"""Schemas: Gemini's subset of OpenAPI (`"type": "STRING"`, `nullable`) and JSON schema.

Only `parameters` and `responseSchema` are written in the subset; what comes from elsewhere goes
into their siblings `parametersJsonSchema` and `responseJsonSchema` as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from madang.core.errors import BadRequest
from madang.core.messages import Json

_TYPES = frozenset(("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"))
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "defs")
_SINGLE = ("items", "additionalProperties", "not")
_DEEPEST = 200
"""Steps into a schema, counted in slashes; Gemini takes far fewer."""
_NULL = {"type": "null"}
Change = Callable[[Mapping[str, Json], str], dict[str, Json]]
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")


def from_openapi(schema: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """A schema as JSON schema, and what `to_openapi` must know to write it as it came: paths of oddities."""
    odd: dict[str, Json] = {}
    return _from(schema, "", odd), odd


def to_openapi(schema: Mapping[str, Json], odd: Mapping[str, Json]) -> dict[str, Json]:
    """The reverse."""
    return _to(schema, "", odd)


def _from(schema: Mapping[str, Json], path: str, odd: dict[str, Json]) -> dict[str, Json]:
    out = _inner(schema, path, lambda inner, at: _from(inner, at, odd))
    kind = schema.get("type")
    if isinstance(kind, str) and kind.upper() in _TYPES:
        if kind != kind.upper():
            odd[f"{path}/type"] = kind
        out["type"] = kind.lower()
        if schema.get("nullable") is True:
            out["type"] = [kind.lower(), "null"]
            del out["nullable"]
            _with_null(out, "enum", None, path, odd)
    elif schema.get("nullable") is True and isinstance(schema.get("anyOf"), list):
        del out["nullable"]
        _with_null(out, "anyOf", _NULL, path, odd)
    elif isinstance(kind, list):
        odd[f"{path}/type"] = True
    for name in _COUNTS:
        count = schema.get(name)
        # Proto's JSON writes 64-bit integers as strings.
        if isinstance(count, str) and _is_count(count):
            out[name] = int(count)
            odd[f"{path}/{name}"] = count
    return out


def _with_null(out: dict[str, Json], name: str, null: Json, path: str, odd: dict[str, Json]) -> None:
    """Let a list of what there may be hold null too, which `nullable` says of it."""
    values = out.get(name)
    if isinstance(values, list):
        odd[f"{path}/{name}"] = "here" if null in values else "added"
        out[name] = values if null in values else [*values, null]


def _to(schema: Mapping[str, Json], path: str, odd: Mapping[str, Json]) -> dict[str, Json]:
    out = _inner(schema, path, lambda inner, at: _to(inner, at, odd))
    kind = schema.get("type")
    if (
        isinstance(kind, list)
        and len(kind) == 2
        and kind[1] == "null"
        and odd.get(f"{path}/type") is not True
    ):
        out["nullable"] = True
        kind = kind[0]
    if isinstance(kind, str):
        said = odd.get(f"{path}/type")
        out["type"] = said if isinstance(said, str) and said.lower() == kind else _upper(kind)
    for name in ("enum", "anyOf"):
        said = odd.get(f"{path}/{name}")
        if said is not None and isinstance(out.get(name), list):
            out["nullable"] = True
            out[name] = out[name][:-1] if said == "added" else out[name]
    for name in _COUNTS:
        if name in schema and f"{path}/{name}" in odd:
            out[name] = str(schema[name])
    return out


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20 and str(int(text)) == text


def _upper(kind: str) -> str:
    return kind.upper() if kind.upper() in _TYPES else kind


def _inner(schema: Mapping[str, Json], path: str, change: Change) -> dict[str, Json]:
    """A copy of a schema with the schemas inside it changed."""
    if path.count("/") > _DEEPEST:
        raise BadRequest("A schema of the request is nested too deeply.", code="nested_too_deeply")
    out = dict(schema)
    for name in _SINGLE:
        if isinstance(schema.get(name), dict):
            out[name] = change(schema[name], f"{path}/{name}")
    for name in _LISTS:
        if isinstance(schema.get(name), list):
            out[name] = list(_each(schema[name], f"{path}/{name}", change))
    for name in _MAPS:
        if isinstance(schema.get(name), dict):
            out[name] = {
                key: change(value, f"{path}/{name}/{key}") if isinstance(value, dict) else value
                for key, value in schema[name].items()
            }
    return out


def _each(values: list[Json], path: str, change: Change) -> Iterator[Json]:
    for number, value in enumerate(values):
        yield change(value, f"{path}/{number}") if isinstance(value, dict) else value
