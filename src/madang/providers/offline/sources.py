"""The texts of a conversation that may be quoted, and which of them a request is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from madang.providers.offline.asks import Plain
from madang.providers.offline.instructions import read_instruction
from madang.providers.offline.language import Language, language_of
from madang.providers.offline.phrases import SIGNATURES
from madang.providers.offline.request import Request
from madang.providers.offline.sentences import Sentence
from madang.providers.offline.text import Text
from madang.providers.offline.turns import Turn

_ENOUGH_TO_SUMMARISE = 2
_LONGEST_RULE = 200
_RULES = (
    "you are ",
    "you're ",
    "you must",
    "you should",
    "you will",
    "never ",
    "always ",
    "do not ",
    "don't ",
    "be ",
    "if the answer",
    "당신은 ",
    "너는 ",
    "넌 ",
)


class Origin(StrEnum):
    """Where in the conversation a text stands."""

    MESSAGE = "message"
    """In the turn that is being answered."""
    EARLIER = "earlier"
    """In an earlier turn of the user's."""
    SYSTEM = "system"
    TOOL = "tool"
    ANSWER = "answer"
    """In an answer of somebody else's: our own quote what is there already."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text that may be quoted."""

    origin: Origin
    text: Text
    start: int
    end: int
    """All of the text is `text.plain[start:end]`, with what is no sentence as well."""
    sentences: tuple[Sentence, ...]

    @property
    def words(self) -> list[str]:
        """Each sentence's words, plain."""
        return [sentence.words for sentence in self.sentences]

    @property
    def language(self) -> Language | None:
        return language_of(" ".join(self.words[:40]))

    def quote(self, index: int) -> str:
        """A sentence as it came."""
        sentence = self.sentences[index]
        return self.text.quote(sentence.start, sentence.end)


def sources(turns: Sequence[Turn], read: Mapping[int, Request], request: Request) -> Iterator[Source]:
    """Nearest first; other assistants' answers last, for a text goes before what was made of it."""
    if request.sentences:
        yield _source(Origin.MESSAGE, request, request.sentences)
    for answers in (False, True):
        for index in reversed(range(len(turns))):
            if (turns[index].role == "assistant") is answers and not _ours(turns[index]):
                kept = _kept(_origin(turns[index].role), read[index])
                if kept.sentences:
                    yield kept


def to_summarise(found: Sequence[Source]) -> Source | None:
    """The text of this turn, else the nearest of several sentences, else the nearest."""
    whole = [source for source in found if len(source.sentences) >= _ENOUGH_TO_SUMMARISE]
    given = [source for source in found if source.origin is Origin.MESSAGE]
    return next(iter((*given, *whole, *found)), None)


def _ours(turn: Turn) -> bool:
    return turn.role == "assistant" and any(signature in turn.text for signature in SIGNATURES)


def _origin(role: str) -> Origin:
    match role:
        case "user":
            return Origin.EARLIER
        case "tool" | "function":
            return Origin.TOOL
        case "assistant":
            return Origin.ANSWER
        case _:
            return Origin.SYSTEM


def _kept(origin: Origin, read: Request) -> Source:
    if origin is not Origin.SYSTEM:
        return _source(origin, read, read.sentences)
    return _source(origin, read, tuple(each for each in read.sentences if not _is_rule(each.words)))


def _source(origin: Origin, read: Request, kept: tuple[Sentence, ...]) -> Source:
    return Source(origin, read.text, read.start, read.end, kept)


def _is_rule(words: str) -> bool:
    """Whether a sentence of a system prompt tells the assistant what to be or do."""
    if words.casefold().startswith(_RULES):
        return True
    ask = read_instruction(words, alone=False) if len(words) < _LONGEST_RULE else None
    return ask is not None and (ask is Plain.UNKNOWN or not words.rstrip().endswith("?"))
