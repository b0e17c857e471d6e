"""The recorded provider traffic beside the project, by dialect; what of it counts, and which laws it keeps.

`python -m tests.dialects.recorded` prints the table of `docs/dialects.md`. What is left out is in
`EXCLUDED`, each with its reason.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.journey.recorded import FOLDER, recorded_bytes

_KINDS: tuple[tuple[str, str, str], ...] = (
    (r"/chat/completions$", "openai_chat", "answer"),
    (r"/responses$", "openai_responses", "answer"),
    (r"/v1/messages$", "anthropic", "answer"),
    (r"/v1/messages/count_tokens$", "anthropic", "count"),
    (r"/models/[^/]+:(?:streamG|g)enerateContent$", "gemini", "answer"),
    (r"/models/[^/]+:countTokens$", "gemini", "count"),
    (r"/models/[^/]+:(?:batchEmbedContents|embedContent|predict)$", "gemini", "vectors"),
    (r"(?<!/api)/embeddings$", "openai_chat", "vectors"),
)
_GEMINI_MODEL = re.compile(r"/models/([^/:]+):(stream)?")


class Recorded(msgspec.Struct, frozen=True):
    """One interaction of a dialect."""

    id: str
    case: str
    provider: str
    dialect: str
    operation: str
    """`answer`, `count` or `vectors`."""
    path: str
    model: str | None
    """Where the path says it: Gemini's."""
    streamed: bool | None
    """Likewise."""
    request: bytes
    status: int
    stream: bool
    body: bytes


class Exclusion(msgspec.Struct, frozen=True):
    """Recordings that a law is not asked of."""

    law: str
    """A name of `LAWS`, or `all`."""
    ids: tuple[str, ...]
    """Of the recordings; empty where `matches` tells them."""
    reason: str
    matches: Callable[[Recorded], bool] | None = None

    def holds_for(self, law: str, one: Recorded) -> bool:
        """Whether a recording is left out of a law."""
        if self.law not in (law, "all"):
            return False
        return one.id in self.ids or (self.matches is not None and self.matches(one))


EXCLUDED: tuple[Exclusion, ...] = (
    Exclusion(
        "all",
        (),
        "Vertex AI's `:predict` is asked for vectors in a dialect of its own, which is not spoken",
        lambda one: one.path.endswith(":predict"),
    ),
    Exclusion(
        "vectors",
        ("aedd69a5e522",),
        "an image beside a text is embedded where the bytes pass, not in translation, which says so",
    ),
    Exclusion(
        "vectors",
        ("107467d9bfaa", "0669fc4e4dfd"),
        "Perplexity's vectors are whole numbers of a byte each, which pass as bytes and are not translated",
    ),
    Exclusion(
        "answer",
        (),
        "Azure's content filter answers with status 200 and an error, which is told as one",
        lambda one: one.status == 200 and not one.stream and bool(json.loads(one.body).get("error")),
    ),
)


@cache
def recordings() -> tuple[Recorded, ...]:
    """All of the four dialects, in the order of their files; none where the folder is absent."""
    return tuple(_read())


def of(law: str, dialect: str | None = None) -> list[Recorded]:
    """Those a law is asked of; `answer` means whole ones."""
    return [
        one
        for one in recordings()
        if dialect in (None, one.dialect) and _is_of(law, one) and excluded(law, one) is None
    ]


def excluded(law: str, one: Recorded) -> str | None:
    """Why a recording is left out of a law."""
    return next((exclusion.reason for exclusion in EXCLUDED if exclusion.holds_for(law, one)), None)


def _is_of(law: str, one: Recorded) -> bool:
    if one.status >= 400:
        return law == "error"
    match law:
        case "request":
            return one.operation == "answer"
        case "answer":
            return one.operation == "answer" and not one.stream
        case "stream":
            return one.operation == "answer" and one.stream
        case "count" | "vectors":
            return one.operation == law
        case "error":
            return False
    raise ValueError(law)


def _read() -> Iterator[Recorded]:
    for file in sorted(FOLDER.glob("*/*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                found = _kind(urlsplit(said["url"]).path) if said["method"] == "POST" else None
                if found is not None:
                    yield _recorded(file.name.partition(".")[0], said, *found)


def _kind(path: str) -> tuple[str, str] | None:
    for pattern, dialect, operation in _KINDS:
        if re.search(pattern, path):
            return dialect, operation
    return None


def _recorded(provider: str, said: dict[str, Any], dialect: str, operation: str) -> Recorded:
    path = urlsplit(said["url"]).path
    named = _GEMINI_MODEL.search(path) if dialect == "gemini" else None
    return Recorded(
        id=said["id"],
        case=said["case"],
        provider=provider,
        dialect=dialect,
        operation=operation,
        path=path,
        model=named[1] if named else None,
        streamed=bool(named[2]) if named else None,
        request=recorded_bytes(said, "request"),
        status=said["status"],
        stream=bool(said["stream"]),
        body=recorded_bytes(said, "body"),
    )


LAWS = {
    "request": "requests",
    "answer": "answers",
    "stream": "streams",
    "error": "errors",
    "count": "token counts",
    "vectors": "embeddings",
}


@cache
def table() -> str:
    """How many there are of each kind by dialect and provider, and how many keep its law, as Markdown."""
    from tests.dialects.laws import FAULTS

    asked: Counter[tuple[str, str, str]] = Counter()
    kept: Counter[tuple[str, str, str]] = Counter()
    for law in LAWS:
        for one in of(law):
            asked[one.dialect, one.provider, law] += 1
            kept[one.dialect, one.provider, law] += FAULTS[law](one) is None
    rows = []
    for dialect, provider in sorted({place[:2] for place in asked}):
        cells = [_cell(kept[dialect, provider, law], asked[dialect, provider, law]) for law in LAWS]
        rows.append(f"| {dialect} | {provider} | {' | '.join(cells)} |")
    totals = [_total(kept, law) + " of " + _total(asked, law) for law in LAWS]
    head = f"| dialect | provider | {' | '.join(LAWS.values())} |\n|---|---|{'--:|' * len(LAWS)}"
    return "\n".join([head, *rows, f"| **all** | | {' | '.join(f'**{total}**' for total in totals)} |"])


def exclusions() -> str:
    """What is left out and why, as a Markdown list."""
    lines = []
    for exclusion in EXCLUDED:
        count = sum(exclusion.holds_for(exclusion.law, one) for one in recordings())
        lines.append(f"- {count} ({exclusion.law}): {exclusion.reason}")
    return "\n".join(lines)


def _cell(kept: int, asked: int) -> str:
    return "" if not asked else str(asked) if kept == asked else f"{kept} of {asked}"


def _total(counted: Counter[tuple[str, str, str]], law: str) -> str:
    return str(sum(count for place, count in counted.items() if place[2] == law))


if __name__ == "__main__":
    sys.stdout.write(f"{table()}\n\n{exclusions()}\n")
