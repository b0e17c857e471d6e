"""The examples of `docs/offline.md` are what the offline provider answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from madang.providers.offline import Turn, answer
from madang.providers.offline.conversation import MOST_READ
from madang.providers.offline.keywords import MOST
from madang.providers.offline.rank import MOST_RANKED
from madang.providers.offline.request import MOST_SENTENCES
from madang.providers.offline.sentences import LONGEST
from madang.providers.offline.summary import MOST_QUOTED

PAGE = (Path(__file__).parents[2] / "docs" / "offline.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"~~~~you\n(.*?)\n~~~~\n\n~~~~offline\n(.*?)\n~~~~\n", PAGE, re.DOTALL)


def test_every_fence_of_the_page_is_part_of_an_example() -> None:
    assert len(EXAMPLES) == PAGE.count("~~~~you") == PAGE.count("~~~~offline") >= 5


@pytest.mark.parametrize(("asked", "expected"), EXAMPLES)
def test_an_example_is_answered_as_the_page_says(asked: str, expected: str) -> None:
    assert answer([Turn("user", asked)]).text == expected


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ("characters read", MOST_READ),
        ("sentences of one text", MOST_SENTENCES),
        ("sentences compared pair by pair", MOST_RANKED),
        ("sentences in one summary", MOST_QUOTED),
        ("keywords", MOST),
    ],
)
def test_the_limits_on_the_page_are_those_of_the_code(row: str, limit: int) -> None:
    assert re.search(rf"^\| {row} \| {limit:,}( in all)? \|", PAGE, re.MULTILINE)


def test_the_longest_sentence_on_the_page_is_that_of_the_code() -> None:
    assert f"A sentence over {LONGEST} characters is cut" in PAGE
