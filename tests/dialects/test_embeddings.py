"""Embeddings in OpenAI's dialect and Gemini's: each in itself, and from one to the other.

That every recording keeps its form is a law of `laws.py`.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madang.core.embeddings import EmbedRequest, EmbedResponse
from madang.core.errors import BadRequest, BrokenAnswer
from madang.core.record import Usage
from madang.dialects.gemini import embeddings as gemini
from madang.dialects.openai_chat import embeddings as openai
from tests.dialects.recorded import of, recordings

recorded = pytest.mark.skipif(not recordings(), reason="the recordings are not there")
ASKED = EmbedRequest(model="e", inputs=("a",))


def raw(value: object) -> bytes:
    return json.dumps(value).encode()


def text(*pieces: str, **more: object) -> dict[str, object]:
    return {"content": {"parts": [{"text": piece} for piece in pieces]}, **more}


@recorded
def test_every_recording_can_be_told_in_the_other_dialect() -> None:
    assert len(of("vectors", "gemini")) >= 6
    assert len(of("vectors", "openai_chat")) >= 40
    for one in of("vectors", "gemini"):
        response = gemini.parse_response(one.body)
        again = openai.parse_response(openai.render_response(response, ASKED))
        assert list(again.vectors) == list(response.vectors)
    for one in of("vectors", "openai_chat"):
        request = openai.parse_request(one.request)
        there = gemini.parse_request(gemini.render_request(request, "e"), "e")
        assert (there.inputs, there.dimensions) == (request.inputs, request.dimensions)


OPENAI: list[dict[str, Any]] = [
    {"model": "e", "input": "a"},
    {"model": "e", "input": ["a"]},
    {"model": "e", "input": ["a", "b"], "dimensions": 3, "user": "u", "encoding_format": "base64"},
    {"model": "e", "input": "a", "encoding_format": "float", "new": {"x": None}, "dimensions": None},
]


@pytest.mark.parametrize("body", OPENAI)
def test_a_request_of_openai_comes_out_as_it_went_in(body: dict[str, Any]) -> None:
    assert json.loads(openai.render_request(openai.parse_request(raw(body)), "e")) == body


GEMINI: list[dict[str, Any]] = [
    text("a"),
    text("a", "b", taskType="RETRIEVAL_QUERY", outputDimensionality=3, model="models/e"),
    {"content": {"role": "user", "parts": {"text": "a"}}, "task_type": "X", "output_dimensionality": 2},
    {"requests": [text("a", model="models/e"), text("b", "", model="models/e")]},
    {"requests": [text("a", title="t", model="models/e"), text("b", title="u", model="models/e", new=1)]},
    {"requests": [text("a", taskType="X", outputDimensionality=3, title="t")], "new": None},
]


@pytest.mark.parametrize("body", GEMINI)
def test_a_request_of_gemini_comes_out_as_it_went_in(body: dict[str, Any]) -> None:
    assert json.loads(gemini.render_request(gemini.parse_request(raw(body), "e"), "e")) == body


def test_what_is_wanted_of_all_inputs_is_a_setting() -> None:
    wants = {"taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 3, "title": "t"}
    found = gemini.parse_request(raw({"requests": [text("a", **wants), text("b", "c", **wants)]}), "models/e")
    assert (found.model, found.inputs) == ("e", ("a", "bc"))
    assert (found.dimensions, found.task, found.title) == (3, "RETRIEVAL_DOCUMENT", "t")
    mixed = gemini.parse_request(raw({"requests": [text("a", title="t"), text("b")]}), "e")
    assert mixed.title is None


def test_a_request_goes_from_gemini_to_openai() -> None:
    body = {"requests": [text("a", outputDimensionality=3, taskType="X"), text("b", outputDimensionality=3)]}
    found = json.loads(openai.render_request(gemini.parse_request(raw(body), "e"), "f"))
    assert found == {"model": "f", "input": ["a", "b"], "dimensions": 3, "encoding_format": "float"}


def test_a_request_goes_from_openai_to_gemini() -> None:
    body = {"model": "e", "input": ["a", "b"], "dimensions": 3, "user": "u", "encoding_format": "base64"}
    found = json.loads(gemini.render_request(openai.parse_request(raw(body)), "models/f"))
    assert found == {
        "requests": [
            text("a", model="models/f", outputDimensionality=3),
            text("b", model="models/f", outputDimensionality=3),
        ]
    }


def test_vectors_are_told_as_the_client_asked() -> None:
    response = gemini.parse_response(raw({"embeddings": [{"values": [0.5, -1.25]}, {"values": [1, 0]}]}))
    assert [list(vector) for vector in response.vectors] == [[0.5, -1.25], [1, 0]]
    plain = json.loads(openai.render_response(response, openai.parse_request(raw(OPENAI[0]))))
    assert plain == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.25]},
            {"object": "embedding", "index": 1, "embedding": [1, 0]},
        ],
        "model": "e",
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
    }
    packed = json.loads(openai.render_response(response, openai.parse_request(raw(OPENAI[2]))))
    first = base64.b64decode(packed["data"][0]["embedding"])
    assert struct.unpack("<2f", first) == (0.5, -1.25)


def test_packed_vectors_are_read_and_put_in_order() -> None:
    def entry(number: int, value: float) -> dict[str, object]:
        packed = base64.b64encode(struct.pack("<2f", value, 0.0)).decode()
        return {"object": "embedding", "index": number, "embedding": packed}

    body = {
        "object": "list",
        "data": [entry(1, 0.5), entry(0, 0.25)],
        "model": "e",
        "usage": {"prompt_tokens": 4},
    }
    response = openai.parse_response(raw(body))
    assert [list(vector) for vector in response.vectors] == [[0.25, 0.0], [0.5, 0.0]]
    assert response.usage is not None
    assert response.usage.input_tokens == 4
    told = json.loads(gemini.render_response(response, batch=True))
    assert told["embeddings"] == [{"values": [0.25, 0.0]}, {"values": [0.5, 0.0]}]
    assert told["usageMetadata"]["promptTokenCount"] == 4
    single = json.loads(gemini.render_response(response, batch=False))
    assert single["embedding"] == {"values": [0.25, 0.0]}


def test_a_single_answer_of_gemini_keeps_its_form() -> None:
    body = {
        "embedding": {"values": [0.5], "new": 1},
        "usageMetadata": {"promptTokenCount": 2, "totalTokenCount": 2},
    }
    response = gemini.parse_response(raw(body))
    assert response.usage == Usage(input_tokens=2)
    assert json.loads(gemini.render_response(response, batch=False)) == body
    assert json.loads(gemini.render_response(EmbedResponse(vectors=()), batch=False)) == {"embedding": {}}


BAD_OPENAI: list[tuple[object, str, str | None]] = [
    ([], "invalid_type", None),
    ({"input": "a"}, "missing_parameter", "model"),
    ({"model": 1, "input": "a"}, "invalid_type", "model"),
    ({"model": "e"}, "missing_parameter", "input"),
    ({"model": "e", "input": None}, "missing_parameter", "input"),
    ({"model": "e", "input": []}, "missing_parameter", "input"),
    ({"model": "e", "input": {}}, "invalid_type", "input"),
    ({"model": "e", "input": ["a", None]}, "invalid_type", "input.1"),
    ({"model": "e", "input": [True]}, "invalid_type", "input.0"),
    ({"model": "e", "input": [1, 2]}, "not_expressible", "input"),
    ({"model": "e", "input": [[1, 2], [3]]}, "not_expressible", "input"),
    ({"model": "e", "input": "a", "dimensions": "3"}, "invalid_type", "dimensions"),
    ({"model": "e", "input": "a", "user": 3}, "invalid_type", "user"),
    ({"model": "e", "input": "a", "encoding_format": 1}, "invalid_type", "encoding_format"),
    ({"model": "e", "input": "a", "encoding_format": "hex"}, "invalid_value", "encoding_format"),
]
IMAGE = {"content": {"parts": [{"inline_data": {"mime_type": "image/png", "data": "aGk="}}]}}
BAD_GEMINI: list[tuple[object, str, str | None]] = [
    ([], "invalid_type", None),
    ({}, "missing_parameter", "content"),
    ({"requests": None}, "missing_parameter", "requests"),
    ({"requests": []}, "missing_parameter", "requests"),
    ({"requests": {}}, "invalid_type", "requests"),
    ({"requests": ["a"]}, "invalid_type", "requests.0"),
    ({"requests": [{}]}, "missing_parameter", "requests.0.content"),
    ({"requests": [{"content": "a"}]}, "invalid_type", "requests.0.content"),
    ({"requests": [{"content": {}}]}, "missing_parameter", "requests.0.content.parts"),
    ({"content": {"parts": [1]}}, "invalid_type", "content.parts.0"),
    ({"content": {"parts": [{"text": 1}]}}, "invalid_type", "content.parts.0.text"),
    (IMAGE, "not_expressible", "content.parts.0"),
    (text("a", taskType=1), "invalid_type", "taskType"),
    (text("a", output_dimensionality="3"), "invalid_type", "output_dimensionality"),
    ({"requests": [text("a"), text("b", title=1)]}, "invalid_type", "requests.1.title"),
]


@pytest.mark.parametrize(("body", "code", "param"), BAD_OPENAI)
def test_a_bad_request_of_openai_is_told_where_it_is_wrong(
    body: object, code: str, param: str | None
) -> None:
    with pytest.raises(BadRequest) as found:
        openai.parse_request(raw(body))
    assert (found.value.code, found.value.param) == (code, param)


@pytest.mark.parametrize(("body", "code", "param"), BAD_GEMINI)
def test_a_bad_request_of_gemini_is_told_where_it_is_wrong(
    body: object, code: str, param: str | None
) -> None:
    with pytest.raises(BadRequest) as found:
        gemini.parse_request(raw(body), "e")
    assert (found.value.code, found.value.param) == (code, param)


def test_a_model_must_be_named_by_somebody() -> None:
    with pytest.raises(BadRequest) as found:
        gemini.parse_request(raw({"requests": [text("a")]}), None)
    assert found.value.param == "requests.0.model"


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.just(0.5), st.sampled_from(("a", "AAAA", ""))),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(
                (
                    "requests",
                    "content",
                    "parts",
                    "text",
                    "model",
                    "input",
                    "data",
                    "embedding",
                    "embeddings",
                    "values",
                    "index",
                    "usage",
                    "usageMetadata",
                    "dimensions",
                    "title",
                )
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_a_request_or_a_bad_one_and_an_answer_or_a_broken_one(value: object) -> None:
    body = raw(value)
    for parse in (openai.parse_request, lambda body: gemini.parse_request(body, "e")):
        try:
            found = parse(body)
        except BadRequest:
            continue
        assert openai.render_request(found, "e")
        assert gemini.render_request(found, "e")
    for read in (openai.parse_response, gemini.parse_response):
        try:
            response = read(body)
        except BrokenAnswer:
            continue
        assert openai.render_response(response, ASKED)
        assert gemini.render_response(response, batch=True)


_texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=3)
_floats = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=4)


@given(_texts, st.one_of(st.none(), st.integers(1, 3072)))
def test_any_texts_go_to_either_dialect_and_back(inputs: list[str], dimensions: int | None) -> None:
    asked = EmbedRequest(model="e", inputs=tuple(inputs), dimensions=dimensions)
    for found in (
        openai.parse_request(openai.render_request(asked, "e")),
        gemini.parse_request(gemini.render_request(asked, "e"), None),
    ):
        assert (found.model, found.inputs, found.dimensions) == ("e", asked.inputs, dimensions)


@given(st.lists(_floats, max_size=3), st.sampled_from(("float", "base64")))
def test_any_vectors_come_from_either_dialect_as_they_were(vectors: list[list[float]], form: str) -> None:
    response = EmbedResponse(vectors=tuple(vectors), usage=Usage(input_tokens=3), model="e")
    asked = openai.parse_request(raw({"model": "e", "input": "a", "encoding_format": form}))
    for found in (
        openai.parse_response(openai.render_response(response, asked)),
        gemini.parse_response(gemini.render_response(response, batch=True)),
    ):
        assert [list(vector) for vector in found.vectors] == vectors
        assert found.usage == response.usage


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"data": 1}',
        b'{"data": [{"embedding": "AAA"}]}',
        b'{"data": [{"embedding": "AAAAAAA="}]}',
    ],
)
def test_vectors_that_cannot_be_read_are_a_broken_answer(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        openai.parse_response(body)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"embeddings": 1}', b'{"embedding": {"values": ["a"]}}'])
def test_values_that_are_no_numbers_are_a_broken_answer(body: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        gemini.parse_response(body)
