"""The laws of each dialect, over everything that was ever recorded of it.

What they say is in `laws.py`, what they are not asked of in `recorded.EXCLUDED`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.dialects.hub import DIALECTS
from tests.dialects.laws import FAULTS, cuttings, difference
from tests.dialects.recorded import EXCLUDED, LAWS, excluded, exclusions, of, recordings, table

PAGE = Path(__file__).parents[2] / "docs" / "dialects.md"
pytestmark = pytest.mark.skipif(not recordings(), reason="the recordings are not there")

AT_LEAST = {
    ("openai_chat", "request"): 500,
    ("openai_chat", "vectors"): 45,
    ("openai_chat", "answer"): 400,
    ("openai_chat", "stream"): 115,
    ("openai_chat", "error"): 8,
    ("openai_responses", "request"): 190,
    ("openai_responses", "answer"): 150,
    ("openai_responses", "stream"): 40,
    ("openai_responses", "error"): 5,
    ("anthropic", "request"): 125,
    ("anthropic", "count"): 5,
    ("anthropic", "answer"): 100,
    ("anthropic", "stream"): 28,
    ("anthropic", "error"): 2,
    ("gemini", "request"): 150,
    ("gemini", "count"): 4,
    ("gemini", "vectors"): 6,
    ("gemini", "answer"): 130,
    ("gemini", "stream"): 23,
    ("gemini", "error"): 3,
}
"""How many recordings there are to hold each law to: what is counted cannot vanish unseen."""


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_recording_keeps_the_laws_of_its_dialect(dialect: str, law: str) -> None:
    asked = of(law, dialect)
    assert len(asked) >= AT_LEAST.get((dialect, law), 0)
    faults = {f"{one.id} {one.provider} {one.case}": fault for one in asked if (fault := FAULTS[law](one))}
    told = "\n".join(f"{name}\n    {fault[:1500]}" for name, fault in list(faults.items())[:8])
    assert not faults, f"{len(faults)} of {len(asked)} do not:\n{told}"


def test_every_exclusion_leaves_out_something_and_says_why() -> None:
    for exclusion in EXCLUDED:
        left_out = [one for one in recordings() if exclusion.holds_for(exclusion.law, one)]
        assert left_out, exclusion.reason
        assert len(exclusion.reason) > 20
        assert set(exclusion.ids) <= {one.id for one in recordings()}


def test_every_recording_falls_under_a_law_or_is_left_out_with_a_reason() -> None:
    held = Counter(one.id for law in LAWS if law != "request" for one in of(law))
    left_out = {one.id for law in LAWS for one in recordings() if excluded(law, one)}
    assert [one.id for one in recordings() if held[one.id] + (one.id in left_out) != 1] == []


def test_the_table_counts_every_recording() -> None:
    last = table().splitlines()[-1]
    for law in LAWS:
        assert f"**{len(of(law))} of {len(of(law))}**" in last


def test_the_page_prints_the_coverage_as_it_is() -> None:
    page = PAGE.read_text(encoding="utf-8")
    said = "print docs/dialects.md anew: python -m tests.dialects.recorded"
    assert table() in page, said
    assert exclusions() in page, said


def test_a_difference_is_found_wherever_it_is() -> None:
    assert difference(b'{"a": 1, "b": [true, null]}', b'{"b": [true, null], "a": 1.0}') is None
    for after, place in (
        (b'{"a": 2, "b": [true, null]}', "a was 1"),
        (b'{"a": true, "b": [true, null]}', "a was 1"),
        (b'{"a": 1}', "b is missing"),
        (b'{"a": 1, "b": [true, null], "c": 0}', "c was added"),
        (b'{"a": 1, "b": [true]}', "b was"),
        (b'{"a": 1, "b": [1, null]}', "b.0 was"),
        (b'{"a": 1, "b": [true, 0]}', "b.1 was"),
    ):
        assert str(difference(b'{"a": 1, "b": [true, null]}', after)).startswith(place)


def test_a_cut_stream_is_the_same_stream() -> None:
    stream = b"data: 1\n\ndata: 2\n\n"
    cut = cuttings(stream, "seed")
    assert all(b"".join(pieces) == stream for pieces in cut)
    assert [len(pieces) for pieces in cut][-1] == len(stream)
    assert cut == cuttings(stream, "seed")
    assert len(cuttings(stream * 1000, "seed")) == 5
