"""A JSON body read by its outermost members, and written again with nothing else changed."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.errors import BadRequest
from madang.dialects.json_body import JsonBody

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text(max_size=8) | st.sampled_from(["model", "messages", "stream_options", 'a"model":', "mod"])
BODIES = st.dictionaries(NAMES.filter(lambda name: name not in ("model", "stream")), VALUES, max_size=6)
LAYOUTS = st.sampled_from(
    [
        {"separators": (",", ":")},
        {},
        {"indent": 2},
        {"separators": (" , ", " : ")},
        {"ensure_ascii": False},
        {"ensure_ascii": False, "separators": (",", ":")},
    ]
)


def written(members: dict[str, Any], model: str, layout: dict[str, Any]) -> bytes:
    text = json.dumps({**members, "model": model, **members}, **layout)
    return text.encode("utf-8", "surrogatepass")


@given(BODIES, st.text(min_size=1), LAYOUTS, st.integers(0, 3))
def test_whatever_the_layout_only_the_model_changes(
    members: dict[str, Any], model: str, layout: dict[str, Any], pad: int
) -> None:
    body = written({**members, "pad": "x" * 4000 * pad}, model, layout)
    spliced = JsonBody(body).rewritten({"model": b'"other/name"'})
    assert json.loads(spliced) == {**json.loads(body), "model": "other/name"}


@given(BODIES, st.text(min_size=1), LAYOUTS, st.integers(0, 3))
def test_an_unambiguous_body_with_nothing_to_change_is_itself(
    members: dict[str, Any], model: str, layout: dict[str, Any], pad: int
) -> None:
    body = written({**members, "pad": "x" * 4000 * pad}, model, layout)
    if re.search(rb"\\u00[4-7]", body):
        return  # letters may be hidden in it: it may be written anew
    assert JsonBody(body).rewritten({}) == body


@given(BODIES, LAYOUTS)
def test_a_member_is_added_where_there_was_none(members: dict[str, Any], layout: dict[str, Any]) -> None:
    members.pop("stream_options", None)
    body = written(members, "m", layout)
    added = JsonBody(body).rewritten({"stream_options": b'{"include_usage":true}'})
    assert json.loads(added) == {**json.loads(body), "stream_options": {"include_usage": True}}


@given(BODIES, st.text(min_size=1), st.text(min_size=1), st.integers(0, 2))
def test_of_a_model_named_twice_the_provider_sees_the_one_we_saw(
    members: dict[str, Any], first: str, second: str, pad: int
) -> None:
    rest = json.dumps({**members, "pad": "x" * 4000 * pad})[1:]
    names = ['"model"', '"mod\\u0065l"']
    for one in names:
        for other in names:
            body = f"{{{one}: {json.dumps(first)}, {other}: {json.dumps(second)}, {rest}".encode()
            read = JsonBody(body)
            assert read.model == second
            sent = json.loads(read.rewritten({}), object_pairs_hook=list)
            assert [value for name, value in sent if name == "model"] == [second]


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read = JsonBody(body)
    except BadRequest:
        return  # what it says is in the table of tests/journey/test_bad_requests.py
    assert isinstance(json.loads(body), dict)
    assert read.rewritten({"model": b'"x"'})


def test_a_lone_surrogate_in_a_value_is_json_and_passes() -> None:
    body = b'{"model": "a", "x": "\\ud83d"}'
    assert JsonBody(body).rewritten({}) == body
    assert JsonBody(body).rewritten({"model": b'"b"'}) == b'{"model": "b", "x": "\\ud83d"}'


def test_a_model_further_in_is_not_the_model() -> None:
    body = b'{"tools": [{"model": "x"}], "model": "a"}'
    assert JsonBody(body).rewritten({}) == body
    assert json.loads(JsonBody(body).rewritten({"model": b'"b"'})) == {
        "tools": [{"model": "x"}],
        "model": "b",
    }


@pytest.mark.parametrize("body", [b"{}", b" { } ", b'{"x":1}'])
def test_a_body_without_a_model_can_be_given_one(body: bytes) -> None:
    assert json.loads(JsonBody(body).rewritten({"model": b'"b"'})) == {**json.loads(body), "model": "b"}


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"m","x":"畜\\ud800"}'.encode("utf-16-le"),
        b'\xef\xbb\xbf{"model":"m","x":"\\ud800"}',
        b'{"model":"m","x":"\\ud800 \xed\xa0\x80"}',
    ],
    ids=["UTF-16", "a byte order mark", "a surrogate in UTF-8"],
)
def test_a_lone_surrogate_is_no_excuse_for_another_encoding(body: bytes) -> None:
    with pytest.raises(BadRequest):
        JsonBody(body)


@pytest.mark.parametrize("other", ["Model", "MODEL", "models", "model\u017f", "fallbacks"])
def test_a_member_that_some_reader_takes_for_the_model_makes_it_uncertain(other: str) -> None:
    assert not JsonBody(json.dumps({"model": "a", other: "b"}).encode()).certain
    assert JsonBody(b'{"model":"a","modell":1,"x":{"Model":2}}').certain
