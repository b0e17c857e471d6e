"""Reads a whole conversation: what its last turn asks, in which language, and of which texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from madang.providers.offline.language import Language, language_of
from madang.providers.offline.request import Request, read_request
from madang.providers.offline.sources import Source, sources
from madang.providers.offline.text import BREAK
from madang.providers.offline.turns import Turn

MOST_READ = 1_000_000
"""Characters read of one turn; of a longer one the first nine tenths of that and the last tenth."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The last request, the language to answer in, and the sources, nearest first."""

    request: Request
    language: Language
    sources: tuple[Source, ...]
    earlier: tuple[Request, ...]
    """The user's requests before, oldest first."""
    cut: bool
    """Whether something was too long to be read whole."""


def read_conversation(turns: Sequence[Turn]) -> Conversation:
    """Everything there is to know before answering."""
    asking = _asking(turns)
    request = read_request(_readable(turns[asking].text) if turns else "")
    before = turns[:asking]
    read = {index: read_request(_readable(turn.text)) for index, turn in enumerate(before)}
    earlier = tuple(read[index] for index, turn in enumerate(before) if turn.role == "user")
    return Conversation(
        request=request,
        language=_language(request, earlier),
        sources=tuple(sources(before, read, request)),
        earlier=earlier,
        cut=any(len(turn.text) > MOST_READ for turn in turns[: asking + 1]),
    )


def _asking(turns: Sequence[Turn]) -> int:
    """The last turn of the user's, or simply the last."""
    users = [index for index, turn in enumerate(turns) if turn.role == "user"]
    return users[-1] if users else max(0, len(turns) - 1)


def _readable(text: str) -> str:
    if len(text) <= MOST_READ:
        return text
    tail = MOST_READ // 10
    return text[: MOST_READ - tail] + BREAK + text[-tail:]


def _language(request: Request, earlier: Sequence[Request]) -> Language:
    """That of the instruction; without one, of its text; failing letters, of what was said before."""
    said = [text for each in (request, *reversed(earlier)) for text in (each.words, each.text.plain)]
    return next((language for text in said if (language := language_of(text))), Language.ENGLISH)
