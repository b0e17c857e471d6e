"""What somebody may ask of us, as values. Reading them out of a text is done in `instructions.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from madang.providers.offline.language import Language


@dataclass(frozen=True, slots=True)
class Size:
    """How long a summary is to be; None where nothing was said."""

    sentences: int | None = None
    words: int | None = None
    characters: int | None = None
    listed: bool = False
    """As bullets or lines, one sentence each."""

    def __bool__(self) -> bool:
        return self != Size()


class Seeks(StrEnum):
    """The kind of thing a question wants to know."""

    WHEN = "when"
    WHERE = "where"
    WHO = "who"
    WHY = "why"
    AMOUNT = "amount"
    ANYTHING = "anything"


class Change(Enum):
    """What a follow-up wants of the answer before it."""

    SHORTER = auto()
    LONGER = auto()
    RESHAPED = auto()


@dataclass(frozen=True, slots=True)
class Summarise:
    """The most central sentences. `language` is the one it was asked to be in, if any."""

    size: Size = Size()
    language: Language | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """The sentences that answer a question; `units` are the things counted in it (`books`, `명`)."""

    question: str
    seeks: Seeks = Seeks.ANYTHING
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resize:
    """A follow-up: shorter, longer, or in another shape."""

    change: Change
    size: Size = Size()


@dataclass(frozen=True, slots=True)
class Keywords:
    """The words that matter most."""

    number: int | None = None


class Plain(Enum):
    """What needs no further word."""

    COUNT = auto()
    TRANSLATE = auto()
    GREET = auto()
    THANK = auto()
    INTRODUCE = auto()
    UNKNOWN = auto()
    """An instruction we cannot follow: write, explain, rewrite, code."""
    NOTHING = auto()
    """No instruction at all."""


Ask = Summarise | Find | Resize | Keywords | Plain
