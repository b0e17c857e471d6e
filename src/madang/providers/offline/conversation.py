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
"""Characters read: of a longer turn nine tenths of that from its beginning and one from its end; of a
longer conversation the nearest turns."""


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
    readable, cut = _readable(turns[: asking + 1])
    request = read_request(readable[asking] if turns else "")
    before = turns[:asking]
    read = {index: read_request(readable[index]) for index in range(asking)}
    earlier = tuple(read[index] for index, turn in enumerate(before) if turn.role == "user")
    return Conversation(
        request=request,
        language=_language(request, earlier),
        sources=tuple(sources(before, read, request)),
        earlier=earlier,
        cut=cut or any(each.cut for each in (request, *read.values())),
    )


def _asking(turns: Sequence[Turn]) -> int:
    """The last turn of the user's, or simply the last."""
    users = [index for index, turn in enumerate(turns) if turn.role == "user"]
    return users[-1] if users else max(0, len(turns) - 1)


def _readable(turns: Sequence[Turn]) -> tuple[list[str], bool]:
    """What is read of each turn, and whether that leaves something out."""
    texts: list[str] = []
    room = MOST_READ
    for turn in reversed(turns):
        text = turn.text if texts else _ends(turn.text)
        texts.append(text if len(text) <= room else "")
        room -= len(texts[-1])
    texts.reverse()
    return texts, any(len(text) < len(turn.text) for text, turn in zip(texts, turns, strict=True))


def _ends(text: str) -> str:
    """Of a text that is too long, its beginning and, since the instruction may stand there, its end."""
    if len(text) <= MOST_READ:
        return text
    tail = MOST_READ // 10
    return text[: MOST_READ - tail - 1] + BREAK + text[-tail:]


def _language(request: Request, earlier: Sequence[Request]) -> Language:
    """That of the instruction; without one, of its text; failing letters, of what was said before."""
    said = [text for each in (request, *reversed(earlier)) for text in (each.words, each.text.plain)]
    return next((language for text in said if (language := language_of(text))), Language.ENGLISH)
