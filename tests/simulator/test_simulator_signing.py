"""Signatures tell what was touched, and cached prompts are found by their longest beginning."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.simulator.prefixes import Prefixes
from madang.simulator.signing import Verdict, sign, verify


@given(st.text(), st.text())
@settings(derandomize=True, deadline=None)
def test_a_signature_is_good_for_its_words_and_no_others(words: str, others: str) -> None:
    signature = sign(words, "seed")
    assert verify(signature, words) is Verdict.GOOD
    assert (verify(signature, others) is Verdict.GOOD) is (words == others)


@given(st.text(), st.integers(0, 59))
@settings(derandomize=True, deadline=None)
def test_a_signature_with_one_letter_changed_is_not_good(words: str, at: int) -> None:
    signature = sign(words)
    other = "A" if signature[at] != "A" else "B"
    assert verify(signature[:at] + other + signature[at + 1 :], words) is not Verdict.GOOD


@pytest.mark.parametrize("signature", ["", "no base64!", "c2hvcnQ=", "한글"])
def test_what_was_never_a_signature_is_foreign(signature: str) -> None:
    assert verify(signature, "") is Verdict.FOREIGN


def test_seeds_make_signatures_distinct_and_do_not_decide() -> None:
    one, two = sign("words", 1), sign("words", 2)
    assert one != two
    assert one == sign("words", 1)
    assert verify(two, "words") is Verdict.GOOD


def test_the_longest_known_beginning_is_found() -> None:
    prefixes = Prefixes()
    assert prefixes.longest(["a", "b"]) == 0
    assert prefixes.longest(["a", "b", "c"]) == 2
    assert prefixes.longest(["a", "b", "c"]) == 3
    assert prefixes.longest(["x"]) == 0
    assert Prefixes(forgetful=True).longest(["a"]) == 0


def test_what_is_remembered_is_bounded() -> None:
    prefixes = Prefixes()
    for number in range(20_001):
        prefixes.longest([str(number)])
    assert prefixes.longest(["20000"]) == 1
    assert prefixes.longest(["0"]) == 0
