"""What a follow-up such as `shorter` changes: the last answer, worked out again from the requests."""

from __future__ import annotations

from collections.abc import Sequence

from madang.providers.offline.asks import Find, Plain, Resize, Size, Summarise
from madang.providers.offline.request import Request
from madang.providers.offline.sentences import Sentence
from madang.providers.offline.summary import resized, summarise

_ENOUGH_UNASKED = 3
"""Sentences from which a text without a request is summarised; less is somebody talking to us."""


def standing(earlier: Sequence[Request], sentences: Sequence[Sentence]) -> Size | Find | None:
    """The size of the summary that was given last, or the question answered last; None if neither was."""
    last: Size | Find | None = None
    for request in earlier:
        match request.asks[0]:
            case Summarise(size):
                last = size
            case Find() as question:
                last = question
            case Resize() as change if not isinstance(last, Find):
                shown = len(summarise(sentences, last or Size()).indices)
                last = resized(shown, change)
            case Plain.UNKNOWN:
                last = Size()
            case Plain.NOTHING if summarised_unasked(request):
                last = Size()
            case _:
                pass
    return last


def summarised_unasked(request: Request) -> bool:
    """Whether a turn without a request is a text long enough to be summarised all the same."""
    return len(request.sentences) >= _ENOUGH_UNASKED
