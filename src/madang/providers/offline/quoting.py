"""Quotations as Markdown: each line as it was, after `> ` or as an item of a list."""

from __future__ import annotations

from madang.providers.offline.phrases import Phrases
from madang.providers.offline.sources import Source
from madang.providers.offline.summary import Summary


def quoted(source: Source, summary: Summary, *, listed: bool = False) -> str:
    """The sentences of a summary, in a block or as a list."""
    first, rest = ("- ", "  ") if listed else ("> ", "> ")
    return "\n".join(_block(source.quote(index), first, rest) for index in summary.indices)


def summary_lead(source: Source, summary: Summary, phrases: Phrases) -> str:
    """What a summary is introduced with: how much of the text it is."""
    shown, total = len(summary.indices), len(source.sentences)
    if shown == total:
        form = phrases.summary_all_one if total == 1 else phrases.summary_all
    else:
        form = phrases.summary_one if shown == 1 else phrases.summary
    return form.format(place=phrases.places[source.origin], shown=shown, total=total)


def _block(quote: str, first: str, rest: str) -> str:
    lines = [line.strip() for line in quote.splitlines() if line.strip()]
    return "\n".join((rest if at else first) + line for at, line in enumerate(lines))
