"""What somebody else wrote is read member by member: each once, wrong ones named, the rest left over."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest, BrokenAnswer
from madang.dialects.reading import (
    Members,
    bad_value,
    json_text,
    kind,
    missing,
    note,
    put,
    read_json,
    read_object,
    reading_answer,
    write_json,
)

Read = Callable[[Members, str], Any]

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "a string": "글",
    "zero": 0,
    "a whole number": 3,
    "a whole number with a point": 3.0,
    "a fraction": 0.5,
    "a huge number": 1e300,
    "infinity": float("inf"),
    "a list": [{"b": 1}],
    "a list of other things": ["b"],
    "an object": {"b": 1},
}
ACCESSORS: dict[str, tuple[Read, dict[str, Any]]] = {
    "text": (Members.text, {"a string": "글"}),
    "need_text": (Members.need_text, {"a string": "글"}),
    "whole": (
        Members.whole,
        {"zero": 0, "a whole number": 3, "a whole number with a point": 3, "a huge number": int(1e300)},
    ),
    "number": (
        Members.number,
        {
            "zero": 0,
            "a whole number": 3,
            "a whole number with a point": 3.0,
            "a fraction": 0.5,
            "a huge number": 1e300,
            "infinity": float("inf"),
        },
    ),
    "flag": (Members.flag, {"true": True, "false": False}),
    "object": (Members.object, {"an object": {"b": 1}}),
    "items": (Members.items, {"a list": [{"b": 1}], "a list of other things": ["b"]}),
    "members": (lambda members, name: _left(members.members(name)), {"an object": {"b": 1}}),
    "each": (lambda members, name: [one.left for one in members.each(name)], {"a list": [{"b": 1}]}),
    "any": (Members.any, {name: value for name, value in VALUES.items() if value is not None}),
}
WANTS = {
    "text": "a string",
    "need_text": "a string",
    "whole": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "object": "an object",
    "items": "a list",
    "members": "an object",
    "each": "a list",
}


def _left(members: Members | None) -> dict[str, Any] | None:
    return members.left if members is not None else None


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("accessor", ACCESSORS)
def test_an_accessor_takes_what_it_wants_and_names_what_it_does_not(accessor: str, name: str) -> None:
    read, taken = ACCESSORS[accessor]
    members = Members({"a": VALUES[name], "other": 1}, "messages.0")
    if name == "null":
        if accessor == "need_text":
            with pytest.raises(BadRequest, match=r"'messages\.0\.a' is missing"):
                read(members, "a")
        else:
            assert read(members, "a") in (None, [])
        assert members.left == {"a": None, "other": 1}
    elif name in taken:
        found = read(members, "a")
        assert (found, type(found)) == (taken[name], type(taken[name]))
        assert members.left == {"other": 1}
        assert members.any("a") is None
    else:
        with pytest.raises(BadRequest) as caught:
            read(members, "a")
        path = "messages.0.a.0" if accessor == "each" and name == "a list of other things" else "messages.0.a"
        want = "an object" if path.endswith(".0") else WANTS[accessor]
        assert caught.value.param == path
        assert caught.value.code == "invalid_type"
        assert f"'{path}' must be {want}, but is " in caught.value.message


@pytest.mark.parametrize("accessor", ACCESSORS)
def test_what_is_absent_was_not_said(accessor: str) -> None:
    members = Members({})
    if accessor == "need_text":
        with pytest.raises(BadRequest) as caught:
            members.need_text("a")
        assert (caught.value.code, caught.value.param) == ("missing_parameter", "a")
    else:
        assert ACCESSORS[accessor][0](members, "a") in (None, [])
    assert members.left == {}


def test_reading_does_not_change_what_is_read() -> None:
    value = {"a": "b", "c": {"d": "e"}}
    members = Members(value)
    members.text("a")
    inner = members.members("c")
    assert inner is not None
    inner.text("d")
    assert value == {"a": "b", "c": {"d": "e"}}
    assert (inner.path, inner.at("d"), members.at("c")) == ("c", "c.d", "c")


@pytest.mark.parametrize("value", [None, True, 1, 0.5, "a", [], [{}]])
def test_only_an_object_has_members(value: Any) -> None:
    with pytest.raises(BadRequest, match="The request body must be an object"):
        Members(value)
    with pytest.raises(BadRequest, match=r"'tools\.3' must be an object"):
        Members(value, "tools.3")


def test_what_is_left_over_goes_back_and_notes_do_not() -> None:
    members = Members({"model": "m", "logit_bias": {"1": 2}, "user": None})
    model = members.text("model")
    extra = members.extra("openai_chat", form="string", unsaid=None)
    assert extra == {"openai_chat": {"logit_bias": {"1": 2}, "user": None, "$form": "string"}}
    assert note(extra, "openai_chat", "form") == "string"
    assert note(extra, "openai_chat", "unsaid") is None
    assert note(extra, "anthropic", "form") is None
    assert put({"model": model}, extra, "openai_chat") == {"model": "m", "logit_bias": {"1": 2}, "user": None}
    assert put({"model": model}, extra, "anthropic") == {"model": "m"}
    assert Members({}).extra("openai_chat") == {}


def test_what_was_rendered_wins_over_what_was_left_over() -> None:
    assert put({"user": "mina"}, {"gemini": {"user": None, "x": 1}}, "gemini") == {"user": "mina", "x": 1}


BODIES: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "invalid_json", "is empty"),
    "blanks": (b" \n", "invalid_json", "is empty"),
    "a word": (b"hello", "invalid_json", "not valid JSON"),
    "half": (b'{"a": [1, ', "invalid_json", "ends too early"),
    "two": (b"{}{}", "invalid_json", "not valid JSON"),
    "a list": (b"[]", "invalid_type", "must be a JSON object, but is a list"),
    "a string": (b'"a"', "invalid_type", "must be a JSON object, but is a string"),
    "no UTF-8": (b'{"a": "\xff"}', "invalid_encoding", "not valid UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "invalid_json", "byte order mark"),
    "NaN": (b'{"a": NaN}', "invalid_json", "not valid JSON"),
    "too large a number": (b'{"a": 1e999}', "invalid_json", "a number that is too large"),
    "too long a number": (b'{"a": 1' + b"0" * 5000 + b"}", "invalid_json", "a number that is too large"),
    "too deep": (b'{"a": ' + b"[" * 9999 + b"]" * 9999 + b"}", "nested_too_deeply", "too deeply"),
    "half a surrogate pair": (b'{"a": "\\ud83d"}', "invalid_encoding", "surrogate"),
    "half a pair as a name": (b'{"\\ude00": 1}', "invalid_encoding", "surrogate"),
}


@pytest.mark.parametrize(("body", "code", "said"), BODIES.values(), ids=list(BODIES))
def test_a_body_that_cannot_be_read_is_told_why(body: bytes, code: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        read_object(body)
    assert (caught.value.code, caught.value.param) == (code, None)


@given(st.binary())
def test_bytes_are_an_object_or_a_bad_request(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert isinstance(read_object(body), dict)


@pytest.mark.parametrize("text", ["", "{", "[1,", "nul", '"\\ud800"', b'"\xff"', "[" * 9999, "1e999", "NaN"])
def test_broken_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
        ),
        max_leaves=8,
    )
)
def test_json_that_is_written_reads_the_same(value: Any) -> None:
    assert read_json(write_json(value)) == value
    assert read_json(json_text(value)) == value


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        ("", "a string"),
        (0, "a number"),
        (0.5, "a number"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_every_kind_of_json_has_a_name(value: Any, name: str) -> None:
    assert kind(value) == name


@pytest.mark.parametrize(
    "problem",
    [
        BadRequest("'choices' must be a list, but is a string."),
        ValueError("no JSON"),
        KeyError("choices"),
        IndexError("0"),
        TypeError("None"),
        RecursionError("too deep"),
        OverflowError("too large"),
    ],
    ids=repr,
)
def test_what_is_wrong_in_an_answer_is_nobodys_bad_request(problem: Exception) -> None:
    def read(body: bytes) -> bytes:
        raise problem

    with pytest.raises(BrokenAnswer) as caught:
        reading_answer(read)(b"")
    assert caught.value.status == 502
    assert str(problem) in caught.value.message


def test_a_sound_answer_is_read_as_it_is() -> None:
    assert reading_answer(read_object)(b'{"a": 1}') == {"a": 1}


def test_errors_of_value_and_absence_name_the_place() -> None:
    wrong = bad_value("messages.0.role", "x" * 500, "'user' or 'assistant'")
    assert (wrong.code, wrong.param) == ("invalid_value", "messages.0.role")
    assert len(wrong.message) < 200
    absent = missing("model", "a string")
    assert (absent.code, absent.param) == ("missing_parameter", "model")
    assert absent.message == "'model' is missing; it must be a string."
