"""Small things that laws are tried with: words, names, numbers."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

_SAID = (
    "What is the weather in Seoul?",
    "서울 날씨 어때? 우산이 필요할까요?",
    "👩‍👩‍👧‍👦 🇰🇷 ☂️",
    "a\r\nb\n\ndata: [DONE]\n\n",
    '{"not": "meant as JSON"}',
    'quote " backslash \\ slash / nul \x00 end',
    "line\u2028separator\u2029and\u0085more",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 Ωμέγα עברית",
    " leading and trailing ",
)

words = st.one_of(
    st.sampled_from(_SAID),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
)
"""Text that is not empty: any Unicode but lone surrogates, which no JSON of ours can hold."""
names = st.sampled_from(("weather", "get_time", "search-web", "f"))
numbers = st.integers(1, 100_000)


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """It, or not said."""
    return st.one_of(st.none(), strategy)
