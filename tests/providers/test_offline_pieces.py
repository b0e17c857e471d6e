"""Pieces of a stream: a word and its space, small groups of syllables, whole characters."""

from __future__ import annotations

import pytest

from madang.providers.offline import count_tokens, pieces
from madang.providers.offline.graphemes import count_clusters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ", [" "]),
        ("Hello there, world.", ["Hello ", "there, ", "world."]),
        ("  two  spaces", ["  ", "two  ", "spaces"]),
        ("안녕하세요 반갑습니다.", ["안녕하", "세요 ", "반갑습", "니다."]),
        ("책은 API로 온다", ["책은 ", "API로 ", "온다"]),
        ("internationalisation", ["internationalisa", "tion"]),
        ("line\nnext", ["line\n", "next"]),
    ],
)
def test_words_keep_the_space_after_them(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected
    assert count_tokens(text) == len(expected)


@pytest.mark.parametrize(
    "character",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",  # a family joined by ZWJ
        "\U0001f1f0\U0001f1f7",  # a flag of two halves
        "\U0001f44d\U0001f3fd",  # a thumb with a skin tone
        "\u2764\ufe0f",  # a heart and a variation selector
        "\u1112\u1161\u11ab",  # 한 in three jamo
        "e\u0301\u0323",
        "\ud83d\ude00",  # a pair of surrogates that was never joined
        "\u0915\u094d\u0937",  # a Devanagari conjunct
        "\r\n",
        "1\ufe0f\u20e3",  # a keycap
    ],
)
def test_a_character_of_several_code_points_is_never_cut(character: str) -> None:
    parts = pieces(character * 40)
    assert "".join(parts) == character * 40
    assert len(parts) > 1
    assert all(len(part) % len(character) == 0 for part in parts)
    assert count_clusters(character * 40) == 40


def test_three_flags_in_a_row_are_three_characters() -> None:
    flags = "\U0001f1f0\U0001f1f7\U0001f1ef\U0001f1f5\U0001f1eb\U0001f1f7"
    assert count_clusters(flags) == 3


@pytest.mark.parametrize("unbroken", ["a" * 5000, "가" * 5000, " " * 5000, "." * 5000, "漢" * 5000])
def test_a_text_without_words_still_streams_in_small_pieces(unbroken: str) -> None:
    assert max(map(len, pieces(unbroken))) <= 17
