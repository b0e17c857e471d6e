"""Splitting a growing answer into blocks, and setting them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madang.web.chat.blocks import LONGEST_BLOCK, Blocks, Typesetter, cut, set_answer
from madang.web.chat.render import to_html

ANSWER = """\
A first paragraph
on two lines.

# A heading
- one
- two

  still two
1. other list

> quote
lazy

|a|b|
|:-|-:|
|1|2|

```python
x = 1

# not a heading
```
Setext
---
    code?

***
~~old~~ and **new**, `code`
"""

# Pieces of Markdown that change what stands before them: the hard cases of splitting early.
BITS = st.sampled_from(
    [
        *(
            "a",
            "b c",
            "\n",
            "\n\n",
            "# ",
            "- ",
            "  ",
            "    ",
            "1. ",
            "> ",
            "```",
            "~~~",
            "---",
            "===",
            "|",
            "|-|-|",
        ),
        *("*", "`", "#", "-", "1", "\t", "\\", "**", "[x](https://a.example)", "마당", "\r\n", "\r"),
    ]
)


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def streamed(pieces: list[str]) -> list[str]:
    """What a page shows in the end that puts each change in its place."""
    typesetter, shown = Typesetter(), dict[int, str]()
    for piece in pieces:
        shown.update({block.i: block.html for block in typesetter.add(piece)})
    shown.update({block.i: block.html for block in typesetter.end()})
    return [shown[i] for i in sorted(shown)]


def test_a_streamed_answer_ends_as_the_whole_one_would_be_set() -> None:
    whole = to_html(ANSWER, {})
    assert "".join(set_answer(ANSWER)) == whole
    for size in (1, 2, 3, 7, 50):
        pieces = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]
        assert "".join(streamed(pieces)) == whole, size


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(BITS, max_size=25).map("".join), st.data())
def test_however_it_is_cut_into_pieces_the_blocks_are_the_same(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pieces = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    assert "".join(streamed(pieces)).strip() == to_html(unix(text), {}).strip()


def test_a_finished_block_is_set_once_and_only_the_last_again() -> None:
    typesetter, changes = Typesetter(), list[tuple[int, bool]]()
    for char in "one\n\ntwo\n\nthree\n":
        changes += [(block.i, block.last) for block in typesetter.add(char)]
    assert [i for i, last in changes if not last] == [0, 1]
    # After it was finished, block 0 is never touched again.
    assert all(i > 0 for i, _ in changes[changes.index((0, False)) + 1 :])


def test_half_a_line_does_not_finish_the_block_before_it() -> None:
    blocks = Blocks()
    assert blocks.feed("Issue\n#") == []
    assert blocks.feed("12 is open\n\n") == []
    assert blocks.tail.startswith("Issue\n#12")


def test_a_line_break_cut_in_two_is_one_line_break() -> None:
    assert "".join(streamed(["a\r", "\nb"])) == to_html("a\nb", {})


def test_links_defined_at_the_end_reach_blocks_set_long_before() -> None:
    shown = streamed(list("See [the docs][1].\n\nMore.\n\n[1]: https://example.com/docs\n"))
    assert 'href="https://example.com/docs"' in shown[0]


def test_half_an_address_is_not_taken_for_the_whole() -> None:
    shown = streamed(list("[1]: https://example.com/docs\n\nSee [1]."))
    assert 'href="https://example.com/docs"' in "".join(shown)


def test_a_long_code_block_is_cut_into_code_blocks() -> None:
    text = "```python\n" + "print('마당')\n" * 2000 + "```\n\nafter"
    html = set_answer(text)
    assert len(html) > 3
    assert all(block.startswith("<figure><figcaption>python</figcaption><pre") for block in html[:-1])
    assert html[-1] == "<p>after</p>\n"
    assert "".join(html).count("print(") == 2000


@pytest.mark.parametrize(
    "block",
    [
        "x" * 9000,
        "x " * 9000,
        "x\n" * 9000,
        "```\n" + "y" * 9000,
        "```" + "z" * 9000,
        "\n" * 9000,
        " " * 9000,
    ],
)
def test_cutting_always_makes_progress(block: str) -> None:
    rest, count = block, 0
    while len(rest) > LONGEST_BLOCK:
        head, rest = cut(rest)
        assert head
        count += 1
        assert count < 10


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "![[" * 30_000,
        "](" * 50_000,
        "*a " * 30_000,
        "**a_" * 25_000,
        "> " * 50_000,
        "- " * 50_000,
        "- a\n" * 25_000,
        "".join(" " * i + "- a\n" for i in range(300)),
        "|a" * 3000 + "\n" + "|-" * 3000 + "\n" + "|a" * 30_000,
        "```\n" * 25_000,
        "`" * 100_000,
        "<" * 100_000,
        "&" * 100_000,
        "[a]: x\n" * 10_000,
        "\\" * 100_000,
        "a\n\n" * 30_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_text_made_to_be_slow_is_set_in_bounded_time(text: str) -> None:
    started = time.process_time()
    set_answer(text)
    # Quadratic setting would take minutes; some hundred milliseconds to two seconds are measured.
    assert time.process_time() - started < 10


def test_deep_nesting_is_flattened_rather_than_followed() -> None:
    html = "".join(set_answer("> " * 3000 + "deep"))
    assert html.count("<blockquote>") <= 20


def test_headings_of_an_answer_stand_below_the_pages_own() -> None:
    assert "".join(set_answer("# a\n\n###### b")) == "<h3>a</h3>\n<h6>b</h6>\n"


def test_table_columns_are_aligned_without_a_style() -> None:
    html = "".join(set_answer("|a|b|\n|:-:|-:|\n|1|2|"))
    assert '<th class="align-center">' in html
    assert '<td class="align-right">' in html
    assert "style" not in html
