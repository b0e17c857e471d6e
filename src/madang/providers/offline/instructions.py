"""Reads an instruction: what does this one short sentence ask for, in Korean or English?

Where the instruction stands in a longer text is found in `request.py`; how people ask, in `patterns.py`.
"""

from __future__ import annotations

import re

from madang.providers.offline import patterns
from madang.providers.offline.asks import Ask, Change, Find, Keywords, Plain, Resize, Seeks, Size, Summarise
from madang.providers.offline.language import Language

_SEEKS = (
    (Seeks.WHEN, patterns.WHEN),
    (Seeks.AMOUNT, patterns.AMOUNT),
    (Seeks.WHERE, patterns.WHERE),
    (Seeks.WHO, patterns.WHO),
    (Seeks.WHY, patterns.WHY),
)
_LONGEST_FOLLOW_UP = 60
_LONGEST_SMALL_TALK = 80


def read_instruction(words: str, *, alone: bool = True) -> Ask | None:
    """What a short sentence asks for; None if it reads like a statement.

    `alone`: it stands by itself, so that a form which statements have as well may be taken as asking.
    """
    words = words.strip()
    if not words:
        return None
    if alone and (ask := _small_talk(words) or _follow_up(words)):
        return ask
    return _task(words) or _question(words, alone=alone) or _order(words)


def read_question(words: str) -> Find:
    """A sentence known to be a question."""
    seeks = next((kind for kind, pattern in _SEEKS if pattern.search(words)), Seeks.ANYTHING)
    units = tuple(match.group(1) or match.group(2) for match in patterns.UNIT.finditer(words))
    return Find(words.strip(), seeks, tuple(unit.lower() for unit in units))


def read_size(words: str) -> Size:
    """The length and form asked for."""
    sentences = _number(patterns.SENTENCES.search(words))
    if sentences is None and patterns.BRIEF.search(words):
        sentences = 1
    return Size(
        None if sentences is None else max(1, sentences),
        _number(patterns.WORDS.search(words)),
        _number(patterns.CHARACTERS.search(words)),
        bool(patterns.LISTED.search(words)) and sentences != 1,
    )


def leans_back(question: str) -> bool:
    """Whether a question is about what the one before it was about: `and who built it?`, `그럼 거기는?`"""
    return patterns.LEANS_BACK.search(question) is not None


def _number(match: re.Match[str] | None) -> int | None:
    word = next((group for group in match.groups() if group), "").lower() if match else ""
    if not word:
        return None
    return patterns.NUMBERS[word] if word in patterns.NUMBERS else int(word)


def _small_talk(words: str) -> Ask | None:
    if len(words) > _LONGEST_SMALL_TALK:
        return None
    parts = [part.strip() for part in re.split(r"[^\w\s]+", words) if part.strip()]
    if parts and all(patterns.GREETING.fullmatch(part) for part in parts):
        return Plain.GREET
    if parts and all(patterns.THANKS.fullmatch(part) for part in parts):
        return Plain.THANK
    return Plain.INTRODUCE if patterns.INTRODUCE.search(words) else None


def _follow_up(words: str) -> Ask | None:
    if (
        len(words) > _LONGEST_FOLLOW_UP
        or patterns.SUMMARISE.search(words)
        or patterns.KOREAN_WH.search(words)
    ):
        return None
    size = read_size(words)
    if patterns.SHORTER.search(words):
        return Resize(Change.SHORTER, size)
    if patterns.LONGER.search(words):
        return Resize(Change.LONGER, size)
    return Resize(Change.RESHAPED, size) if size and patterns.ONLY_SIZE.search(words) else None


def _task(words: str) -> Ask | None:
    if patterns.COUNT.search(words):
        return Plain.COUNT
    if match := patterns.KEYWORDS.search(words):
        return Keywords(_number(match) or _number(patterns.KEYWORD_NUMBER.search(words)))
    if _asks_for_summary(words):
        return Summarise(read_size(words), _language_wanted(words))
    return Plain.TRANSLATE if patterns.TRANSLATE.search(words) else None


def _asks_for_summary(words: str) -> bool:
    if patterns.SUMMARISE.search(words):
        return bool(patterns.ORDERS_SUMMARY.search(words)) or not patterns.ASKS_FACT.search(words)
    asked = _marked(words) or patterns.IMPERATIVE.search(words) or words.endswith((":", "："))
    return bool(asked and patterns.SUMMARISE_IF_ASKED.search(words) and not patterns.ASKS_FACT.search(words))


def _language_wanted(words: str) -> Language | None:
    if patterns.TO_KOREAN.search(words):
        return Language.KOREAN
    return Language.ENGLISH if patterns.TO_ENGLISH.search(words) else None


def _marked(words: str) -> bool:
    return words.rstrip(" \t\r\n\"'”’)*_").endswith(("?", "？"))


def _question(words: str, *, alone: bool) -> Ask | None:
    if _marked(words):
        return read_question(words)
    if patterns.KOREAN_WH.search(words):
        asks = patterns.KOREAN_ASKS.search(words) or (alone and patterns.KOREAN_MAY_ASK.search(words))
        return read_question(words) if asks else None
    return read_question(words) if alone and patterns.WH.match(words) and not words.endswith(".") else None


def _order(words: str) -> Ask | None:
    return Plain.UNKNOWN if patterns.IMPERATIVE.search(words) else None
