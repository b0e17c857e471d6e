"""Where sentences end: one case for each full stop that has fooled somebody."""

from __future__ import annotations

import unicodedata

import pytest

from madang.providers.offline.sentences import LONGEST, sentences
from madang.providers.offline.text import Text


def split(original: str) -> list[str]:
    text = Text(original)
    return [text.quote(each.start, each.end) for each in sentences(text.plain)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained. We stayed.", ["It rained.", "We stayed."]),
        (
            "Dr. Kim paid 3.14 won, e.g. for tea. He left.",
            ["Dr. Kim paid 3.14 won, e.g. for tea.", "He left."],
        ),
        ("J. R. Moon wrote it. Nobody read it.", ["J. R. Moon wrote it.", "Nobody read it."]),
        ("See https://a.example/b.c?d=e now. Then go.", ["See https://a.example/b.c?d=e now.", "Then go."]),
        ('"Why?" she asked. Nobody knew.', ['"Why?" she asked.', "Nobody knew."]),
        ("“It is late. Go home.” He went.", ["“It is late. Go home.”", "He went."]),
        ("Well... maybe not. Fine... Then stop.", ["Well... maybe not.", "Fine...", "Then stop."]),
        ("비가 왔다. 우산이 없었다.", ["비가 왔다.", "우산이 없었다."]),
        ("비가 왔다.우산이 없었다.", ["비가 왔다.", "우산이 없었다."]),
        ("정말요?네, 정말이에요!좋네요.", ["정말요?", "네, 정말이에요!", "좋네요."]),
        ('그는 "가자. 늦었다."라고 말했다. 갔다.', ['그는 "가자. 늦었다."라고 말했다.', "갔다."]),
        ("개관일은 2024. 3. 15. 금요일이다. 온다.", ["개관일은 2024. 3. 15. 금요일이다.", "온다."]),
        ("음… 그래서 갔다. 끝.", ["음… 그래서 갔다.", "끝."]),
        ("全部読んだ。次へ！本当？", ["全部読んだ。", "次へ！", "本当？"]),
        ("좋아요😀. 네!", ["좋아요😀.", "네!"]),
    ],
)
def test_a_full_stop_ends_a_sentence_only_where_it_does(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# 제목\n\n본문이다.", ["본문이다."]),
        ("- first item\n- second item", ["first item", "second item"]),
        ("1. 하나\n2. 둘", ["하나", "둘"]),
        ("> 인용이다.\n\n글이다.", ["인용이다.", "글이다."]),
        ("Before.\n```py\nx = 1. y\n```\nAfter.", ["Before.", "After."]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["a | b", "1 | 2"]),
        ("Name: Kim\nCity: Busan", ["Name: Kim", "City: Busan"]),
        ("---\n***\n...\n!!!", []),
        ("", []),
    ],
)
def test_marks_of_markdown_are_no_sentences(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_a_wrapped_line_goes_on_in_the_next() -> None:
    wrapped = "The ferry to the island leaves the harbour every\nmorning but Sunday. It is small."
    assert split(wrapped) == [
        "The ferry to the island leaves the harbour every\nmorning but Sunday.",
        "It is small.",
    ]


def test_prose_in_a_fence_counts_where_there_is_no_other_and_code_never_does() -> None:
    assert split("```\nIt rained. We stayed.\n```") == ["It rained.", "We stayed."]
    assert split("```python\nprint(1)\n```") == []


def test_a_sentence_without_end_is_cut_at_white_space() -> None:
    parts = split("word " * 500)
    assert all(len(part) <= LONGEST for part in parts)
    assert set(" ".join(parts).split()) == {"word"}


def test_decomposed_text_is_quoted_as_it_came() -> None:
    decomposed = unicodedata.normalize("NFD", "비가 왔다.우산이 없었다.")
    assert "".join(split(decomposed)) == decomposed
    assert len(split(decomposed)) == 2


@pytest.mark.parametrize("unquotable", ["\x00", "\x1b", "\x07", "\ud800", "\u2028", "\x85"])
def test_nothing_unsendable_is_inside_a_sentence(unquotable: str) -> None:
    assert split(f"Rain fell{unquotable}all day.") == ["Rain fell", "all day."]


def test_zero_width_characters_do_not_hide_a_word_and_are_quoted() -> None:
    text = Text("The li\u200bbrary opened.")
    assert text.plain == "The library opened."
    assert split("The li\u200bbrary opened.") == ["The li\u200bbrary opened."]


def test_a_joiner_after_a_surrogate_does_not_carry_it_into_a_quotation() -> None:
    assert split("One.\n\ud800\u200d0") == ["One.", "\u200d0"]
