"""Values for JSON schemas, held against a checker of our own that shares no code with the filler."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.simulator.dice import Dice
from madang.simulator.schema_fill import SchemaTooDeep, fill


def follows(value: object, schema: object, root: object = None) -> bool:
    """A small JSON schema validator."""
    root = schema if root is None else root
    if not isinstance(schema, dict):
        return True
    if "$ref" in schema:
        found = root
        for step in schema["$ref"].split("/")[1:]:
            assert isinstance(found, dict)
            found = found[step]
        return follows(value, found, root)
    if "anyOf" in schema:
        return any(follows(value, branch, root) for branch in schema["anyOf"])
    if "allOf" in schema and not all(follows(value, part, root) for part in schema["allOf"]):
        return False
    if "const" in schema:
        return bool(value == schema["const"])
    if "enum" in schema:
        return value in schema["enum"]
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return (not kinds or any(_is(value, kind) for kind in kinds)) and _fits(value, schema, root)


def _is(value: object, kind: str) -> bool:
    types: dict[str, tuple[type, ...]] = {
        "object": (dict,), "array": (list,), "string": (str,), "boolean": (bool,), "null": (type(None),),
        "integer": (int,), "number": (int, float),
    }  # fmt: skip
    return isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _fits(value: object, schema: dict[str, object], root: object) -> bool:
    limits: dict[str, float] = {name: v for name, v in schema.items() if isinstance(v, int | float)}
    match value:
        case bool() | None:
            return True
        case str():
            pattern = schema.get("pattern", "")
            assert isinstance(pattern, str)
            low, high = limits.get("minLength", 0), limits.get("maxLength", 10**9)
            return low <= len(value) <= high and re.search(pattern, value) is not None
        case int() | float():
            step = limits.get("multipleOf")
            return (
                limits.get("minimum", value) <= value <= limits.get("maximum", value)
                and value > limits.get("exclusiveMinimum", value - 1)
                and value < limits.get("exclusiveMaximum", value + 1)
                and (step is None or abs(value / step - round(value / step)) < 1e-6)
            )
        case list():
            low, high = limits.get("minItems", 0), limits.get("maxItems", 10**9)
            return low <= len(value) <= high and all(
                follows(item, schema.get("items"), root) for item in value
            )
        case dict():
            properties, required = schema.get("properties", {}), schema.get("required", [])
            assert isinstance(properties, dict)
            assert isinstance(required, list)
            closed = schema.get("additionalProperties") is False
            return (
                all(name in value for name in required)
                and (not closed or value.keys() <= properties.keys())
                and all(follows(item, properties.get(name), root) for name, item in value.items())
            )
        case _:
            return False


_LEAVES = st.one_of(
    st.builds(lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more},
              st.integers(-500, 500), st.integers(0, 300)),
    st.builds(lambda low, more: {"type": "number", "minimum": low, "maximum": low + more},
              st.integers(-50, 50), st.sampled_from([0, 0.5, 1, 20])),
    st.builds(lambda low: {"type": "integer", "exclusiveMinimum": low}, st.integers(-50, 50)),
    st.builds(lambda high: {"type": "number", "exclusiveMaximum": high}, st.integers(-50, 50)),
    st.builds(lambda step: {"type": "integer", "multipleOf": step}, st.integers(1, 5000)),
    st.builds(lambda low, more: {"type": "string", "minLength": low, "maxLength": low + more},
              st.integers(0, 40), st.integers(0, 5)),
    st.sampled_from([
        {"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"enum": ["a", 3, None]},
        {"const": {"x": 1}}, {"type": "string", "pattern": "^[A-Z]{2}-\\d{3,5}$"},
        {"type": "string", "pattern": "^(cat|dog)s?$"}, {"type": "string", "format": "date-time"},
        {"type": "number"}, {"type": "integer", "maximum": -3},
    ]),
)  # fmt: skip


def _nested(inner: st.SearchStrategy[dict[str, object]]) -> st.SearchStrategy[dict[str, object]]:
    properties = st.dictionaries(st.sampled_from(["a", "b", "c d", "도시"]), inner, max_size=3)
    return st.one_of(
        properties.map(lambda p: {"type": "object", "properties": p, "required": list(p),
                                  "additionalProperties": False}),
        st.builds(lambda i, low: {"type": "array", "items": i, "minItems": low, "maxItems": low + 1},
                  inner, st.integers(0, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
    )  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.recursive(_LEAVES, _nested, max_leaves=12), st.integers(0, 1000))
def test_every_value_follows_its_schema(schema: dict[str, object], seed: int) -> None:
    assert follows(fill(schema, Dice(seed)), schema)


_TREE: dict[str, object] = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node"}},
    "required": ["root"],
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "left": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["name", "left", "children"],
            "additionalProperties": False,
        }
    },
}


@pytest.mark.parametrize("seed", range(20))
def test_a_recursive_schema_gets_a_value_that_ends(seed: int) -> None:
    assert follows(fill(_TREE, Dice(seed)), _TREE)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]},
        {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
    ],
)
def test_a_schema_without_a_finite_value_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(SchemaTooDeep):
        fill(schema, Dice(1))


def test_all_parts_of_allof_hold_at_once() -> None:
    schema: dict[str, object] = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"const": "x"}}, "required": ["b"]},
        ]
    }
    value = fill(schema, Dice(4))
    assert isinstance(value, dict)
    assert follows(value, schema)
    assert value.keys() == {"a", "b"}


def test_strings_are_taken_from_the_words_given() -> None:
    assert fill({"type": "string"}, Dice(0), ["Seoul"]) == "Seoul"


def test_unique_items_are_unique() -> None:
    schema = {
        "type": "array",
        "minItems": 3,
        "maxItems": 3,
        "uniqueItems": True,
        "items": {"enum": [1, 2, 3]},
    }
    value = fill(schema, Dice(2))
    assert isinstance(value, list)
    assert sorted(value) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(200))
def test_rounding_does_not_reach_a_bound_that_is_shut_out(seed: int) -> None:
    schema = {"type": "number", "exclusiveMinimum": 2, "exclusiveMaximum": 3}
    assert follows(fill(schema, Dice(seed)), schema)
