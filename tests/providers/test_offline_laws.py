"""Laws of the offline provider that hold for any text at all."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.providers.offline import Answer, Turn, answer, count_tokens, pieces
from madang.providers.offline.sentences import sentences
from madang.providers.offline.text import Text

_ASKS = (
    "Summarise this: ",
    "summarise in 3 bullets:\n",
    "요약해줘: ",
    "키워드 3개: ",
    "How many words: ",
    "더 짧게\n",
    "",
)
_QUESTIONS = ("", "\n\nWhen did it open?", "\n질문: 왜 그랬나요?", "\n\n세 줄로 요약해줘", " tl;dr")
_SPECKS = st.sampled_from(
    [
        *("The mill burned down in 1902. ", "도서관은 1994년에 문을 열었다. ", "요약", "질문: ", "Text:"),
        *("?", ".", "```", "\n", "# ", "- ", '"""', "<text>", "。", "\r\n", "\u2028", "{", "%s", "|"),
        *("\u200d", "\u1100", "\u1161", "\u11a8", "\U0001f468", "\U0001f1f0", "e\u0301", "\ufeff"),
        *("\ud800", "\udc00", "\x00", "\x1b"),
    ]
)
# Any code point there is, lone surrogates included, beside what our patterns look for.
_ANY = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80), st.lists(_SPECKS, max_size=14).map("".join)
)
_TURNS = st.lists(
    st.builds(Turn, st.sampled_from(["system", "user", "assistant", "tool", "odd"]), _ANY), max_size=4
)


@given(_TURNS, st.sampled_from(_ASKS), _ANY, st.sampled_from(_QUESTIONS))
def test_any_conversation_gets_an_answer_that_can_be_sent(
    before: list[Turn], ask: str, text: str, question: str
) -> None:
    turns = [*before, Turn("user", ask + text + question)]
    given_answer = answer(turns)
    assert given_answer.text.encode()
    assert given_answer == answer(turns)
    assert given_answer.text.endswith("*")
    assert "offline:" in given_answer.text.splitlines()[-1]


@given(st.sampled_from(_ASKS), _ANY, st.sampled_from(_QUESTIONS))
def test_every_quoted_line_stands_in_the_input_as_it_is(ask: str, text: str, question: str) -> None:
    original = ask + text + question
    for line in answer([Turn("user", original)]).text.split("\n"):
        if line.startswith("> "):
            assert line[2:] in original


@given(_ANY)
def test_sentences_stand_in_the_text_in_order_and_do_not_overlap(original: str) -> None:
    text = Text(original)
    found = sentences(text.plain)
    assert all(text.quote(each.start, each.end) in original for each in found)
    edges = [edge for each in found for edge in (each.start, each.end)]
    assert edges == sorted(edges)


@given(_ANY)
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert "" not in pieces(text)
    assert count_tokens(text) == len(pieces(text))


@given(_ANY)
def test_no_piece_begins_inside_a_character(text: str) -> None:
    for cut in list(accumulate(len(piece) for piece in pieces(text)))[:-1]:
        left, right = text[cut - 1], text[cut]
        assert not unicodedata.combining(right)
        assert "\u200d" not in (left, right)
        assert (left, right) != ("\r", "\n")
        assert not ("\ud800" <= left <= "\udbff" and "\udc00" <= right <= "\udfff")
        assert not ("\u1100" <= left <= "\u115f" and "\u1161" <= right <= "\u11a7")


@given(st.text(st.sampled_from("가나다 ab,.\n"), max_size=60), st.integers(0, 30))
def test_the_first_pieces_of_a_text_are_the_pieces_of_its_beginning(text: str, number: int) -> None:
    beginning = pieces(text)[:number]
    assert pieces("".join(beginning)) == beginning


@given(_ANY, st.one_of(st.none(), st.integers(-1, 40)), st.lists(st.text(max_size=3), max_size=2))
def test_an_answer_counts_its_own_pieces_and_obeys_its_bounds(
    text: str, most: int | None, stop: list[str]
) -> None:
    whole = answer([Turn("user", text)])
    bounded = answer([Turn("user", text)], max_tokens=most, stop=stop)
    assert whole.text.startswith(bounded.text)
    assert bounded.output_tokens == len(pieces(bounded.text))
    assert bounded.input_tokens == count_tokens(text)
    assert most is None or bounded.output_tokens <= max(0, most)
    assert not any(sequence in bounded.text for sequence in stop if sequence)
    if bounded.stop_reason == "length":
        assert most is not None
        assert bounded.output_tokens == max(0, most)


@given(
    st.lists(st.sampled_from("도서관은 책이 열었다. 항구 Harbour opened. ".split()), max_size=30).map(
        " ".join
    )
)
def test_decomposed_hangul_finds_the_same_sentences(text: str) -> None:
    composed, decomposed = Text(text), Text(unicodedata.normalize("NFD", text))
    assert [each.words for each in sentences(composed.plain)] == [
        each.words for each in sentences(decomposed.plain)
    ]


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from(["Rain fell.", "비가 왔다.", "The roof leaked.", "지붕이 샜다."]), max_size=12)
)
def test_a_summary_has_as_many_sentences_as_asked_for_or_all_there_are(parts: list[str]) -> None:
    text = "summarise as 3 bullets:\n\n" + " ".join(parts)
    bullets = [line for line in answer([Turn("user", text)]).text.split("\n") if line.startswith("- ")]
    assert len(bullets) == min(3, len(parts))


def test_the_answer_does_not_depend_on_the_process() -> None:
    text = "The mill burned. The mill stood by the river. The river flooded the mill. Fish came back."
    program = (
        "from madang.providers.offline import Turn, answer;"
        f"print(answer([Turn('user', 'summarise in 2 sentences: {text}')]).text)"
        f";print(answer([Turn('user', 'keywords: {text}')]).text)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("turns", [[], [Turn("user", "")], [Turn("user", " \n\t")], [Turn("system", "")]])
def test_nothing_at_all_gets_an_introduction(turns: list[Turn]) -> None:
    assert "no language model" in answer(turns).text


def test_an_answer_is_a_value() -> None:
    assert answer([Turn("user", "hi")], max_tokens=0) == Answer("", 1, 0, "length")
