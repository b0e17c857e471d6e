"""Which of our two languages somebody writes, by the share of the scripts."""

from __future__ import annotations

import re
from enum import StrEnum

_HANGUL = re.compile("[가-힣ㄱ-ㅣ]")
_LATIN = re.compile("[A-Za-z]")
_LAST_WORD = re.compile(r"([가-힣ㄱ-ㅣ]|[A-Za-z])[^가-힣ㄱ-ㅣA-Za-z]*$")
_ENOUGH = 4000
"""Characters looked at; a longer text does not change its language."""


class Language(StrEnum):
    """A language we can answer in."""

    KOREAN = "ko"
    ENGLISH = "en"


def language_of(plain: str) -> Language | None:
    """Korean or English; None for a text with the letters of neither."""
    sample = plain[:_ENOUGH]
    hangul, latin = len(_HANGUL.findall(sample)), len(_LATIN.findall(sample))
    if not hangul and not latin:
        return None
    if hangul >= latin:
        return Language.KOREAN
    if hangul * 4 < latin:
        return Language.ENGLISH
    # In between, as in "OpenAI API key 설정 방법": Korean ends its sentences with its verbs and nouns.
    last = _LAST_WORD.search(sample)
    return Language.KOREAN if last and _HANGUL.match(last.group(1)) else Language.ENGLISH
