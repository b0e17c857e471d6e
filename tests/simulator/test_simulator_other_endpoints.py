"""Embeddings and moderations: plausible, and the same every time."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import pytest

from tests.simulator.desk import Desk, answer_of


def _vectors(desk: Desk, *texts: str, **fields: object) -> list[list[float]]:
    plan = desk.plan({"model": "text-embedding-3-small", "input": list(texts), **fields}, "/v1/embeddings")
    return [entry["embedding"] for entry in answer_of(plan)["data"]]


def _likeness(left: list[float], right: list[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def test_vectors_have_length_one_and_the_size_asked_for(desk: Desk) -> None:
    [vector] = _vectors(desk, "hello")
    assert len(vector) == 1536
    assert math.sqrt(_likeness(vector, vector)) == pytest.approx(1.0)
    assert len(_vectors(desk, "hello", dimensions=64)[0]) == 64


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [("How do I reset my password?", "I forgot my password, how to reset it?", "Today's soup is tomato"),
     ("비밀번호를 재설정하려면?", "비밀번호 재설정 방법", "오늘의 수프는 토마토입니다")],
)  # fmt: skip
def test_texts_with_more_in_common_are_nearer(desk: Desk, text: str, near: str, far: str) -> None:
    vectors = _vectors(desk, text, near, far)
    assert _likeness(vectors[0], vectors[1]) > _likeness(vectors[0], vectors[2]) + 0.2


def test_base64_is_the_same_vector(desk: Desk) -> None:
    body = {"model": "text-embedding-3-small", "input": "hello", "encoding_format": "base64"}
    encoded = answer_of(desk.plan(body, "/v1/embeddings"))["data"][0]["embedding"]
    assert struct.unpack("<1536f", base64.b64decode(encoded)) == pytest.approx(
        _vectors(desk, "hello")[0], abs=1e-6
    )


def test_tokens_are_taken_and_counted(desk: Desk) -> None:
    for value, count, tokens in (([1, 2, 3], 1, 3), ([[1, 2], [3]], 2, 3), ("x" * 9, 1, 3)):
        body = answer_of(desk.plan({"model": "m", "input": value}, "/v1/embeddings"))
        assert len(body["data"]) == count
        assert body["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


def _results(desk: Desk, value: object) -> list[dict[str, Any]]:
    results = answer_of(desk.plan({"input": value}, "/v1/moderations"))["results"]
    assert isinstance(results, list)
    return results


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("I will kill you", "violence"),
        ("널 죽이겠다", "violence"),
        ("you idiot", "harassment"),
        ("자살", "self-harm"),
    ],
)
def test_listed_words_are_flagged_in_their_category(desk: Desk, text: str, category: str) -> None:
    [result] = _results(desk, text)
    assert result["flagged"] is True
    assert [name for name, found in result["categories"].items() if found] == [category]
    assert result["category_scores"][category] >= 0.8


def test_harmless_text_scores_next_to_nothing(desk: Desk) -> None:
    [result] = _results(desk, "This is a safe message")
    assert result["flagged"] is False
    assert max(result["category_scores"].values()) < 0.001
    assert len(result["categories"]) == 13


def test_texts_are_judged_apart_and_parts_together(desk: Desk) -> None:
    assert [result["flagged"] for result in _results(desk, ["hello", "idiot"])] == [False, True]
    parts = [
        {"type": "text", "text": "idiot"},
        {"type": "image_url", "image_url": {"url": "data:image/png;x"}},
    ]
    [result] = _results(desk, parts)
    assert result["category_applied_input_types"]["violence"] == ["text", "image"]
    assert result["category_applied_input_types"]["hate"] == ["text"]
