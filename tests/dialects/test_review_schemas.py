"""Schemas of tools are told in the way in which each provider insists on them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.messages import Json, Message, Text
from madang.core.requests import OutputFormat, Request, Tool
from madang.dialects.every import DIALECTS as CODECS
from madang.dialects.gemini.schema import from_openapi, to_openapi
from madang.dialects.losses import find
from madang.dialects.schemas import is_bare, lacking, of_object, with_items
from tests.dialects.kinds import DIALECTS

ASKED = (Message("user", (Text("hi"),)),)
NESTED: dict[str, Json] = {
    "type": "object",
    "properties": {
        "plain": {"type": "array"},
        "held": {"type": "array", "items": {"type": "integer"}},
        "deep": {"type": "array", "items": {"type": "array"}},
        "either": {"anyOf": [{"type": "string"}, {"type": ["array", "null"]}]},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}]},
        "anything": {"type": "array", "items": {}},
        "items": {"type": "string"},
    },
    "$defs": {"list": {"type": "array", "items": None}},
}


def sent(dialect: str, schema: Json) -> Any:
    request = Request(model="m", messages=ASKED, tools=(Tool(name="f", schema=schema),))
    [tool] = json.loads(CODECS[dialect].render_request(request, "m"))["tools"]
    match dialect:
        case "openai_chat":
            return tool["function"]["parameters"]
        case "gemini":
            return tool["functionDeclarations"][0]["parametersJsonSchema"]
        case _:
            return tool["parameters"]


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses"])
def test_a_list_says_what_it_holds_for_openai_be_it_anything(dialect: str) -> None:
    found = sent(dialect, NESTED)["properties"]
    assert found["plain"]["items"] == found["deep"]["items"]["items"] == {}
    assert found["either"]["anyOf"][1]["items"] == {}
    assert sent(dialect, NESTED)["$defs"]["list"]["items"] == {}
    for name in ("held", "pair", "anything", "items"):
        assert found[name] == NESTED["properties"][name]


def test_a_list_of_anything_is_one_of_strings_for_google_who_wants_a_type() -> None:
    found = sent("gemini", NESTED)["properties"]
    text = {"type": "string"}
    assert found["plain"]["items"] == found["deep"]["items"]["items"] == found["anything"]["items"] == text
    assert found["pair"] == NESTED["properties"]["pair"]
    request = Request(model="m", messages=ASKED, tools=(Tool(name="f", schema=NESTED),), max_tokens=9)
    assert [(loss.feature, loss.treatment) for loss in find(request, "gemini")] == [("tool.bare", "emulate")]


def test_a_list_of_geminis_own_client_stays_as_it_came() -> None:
    tool = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": NESTED}]}
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "tools": [tool]}
    request = CODECS["gemini"].parse_request(json.dumps(body).encode(), "m", False)
    assert json.loads(CODECS["gemini"].render_request(request, "m")) == body


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"$defs": {}, "type": "object"}, {"type": "object", "properties": {}, "$defs": {}}),
    ],
)
def test_a_functions_schema_is_that_of_an_object_with_members(schema: Json, told: Json) -> None:
    assert of_object(schema) == told


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, ""),
        ({"type": "object", "properties": {}}, "open"),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, "optional"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "optional"),
        ({"type": "array", "items": {"type": "object"}}, "open"),
        ({"anyOf": [{"type": "object", "properties": {"a": {}}}]}, "optional"),
        ({"$defs": {"a": {"type": "object"}}}, "open"),
        ({"type": "string", "default": "a"}, "optional"),
        ({"allOf": []}, "optional"),
        (None, ""),
    ],
)
def test_why_openai_could_not_be_strict_is_known(schema: Json, why: str) -> None:
    assert lacking(schema) == why


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(("array", "object", "a"))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                (
                    "type",
                    "properties",
                    "items",
                    "required",
                    "anyOf",
                    "$defs",
                    "enum",
                    "nullable",
                    "prefixItems",
                )
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
_schemas = st.dictionaries(st.sampled_from(("type", "properties", "items", "anyOf", "$defs", "x")), _json)


@given(_schemas, st.booleans())
def test_any_object_is_told_as_a_schema_or_let_pass_and_never_breaks(schema: Any, strict: bool) -> None:
    tools = (Tool(name="f", schema=schema, strict=strict),)
    output = OutputFormat(kind="schema", schema=schema, strict=strict)
    request = Request(model="m", messages=ASKED, tools=tools, output=output)
    for dialect in DIALECTS:
        find(request, dialect, "gpt-5")
        CODECS[dialect].render_request(request, "gpt-5")
    told = with_items(schema, {"type": "string"})
    assert is_bare(schema) is (told is not schema)
    assert not is_bare(told)


@given(_schemas)
def test_a_schema_of_googles_comes_out_as_it_went_in(schema: Any) -> None:
    assert to_openapi(*from_openapi(schema)) == schema


def test_what_may_be_null_may_be_null_though_it_is_one_of_a_list() -> None:
    one, _ = from_openapi({"type": "STRING", "nullable": True, "enum": ["a"]})
    assert one == {"type": ["string", "null"], "enum": ["a", None]}
    either, _ = from_openapi({"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}], "nullable": True})
    assert either == {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}
