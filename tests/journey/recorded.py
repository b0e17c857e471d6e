"""The recorded provider traffic beside the project, as far as it speaks a dialect of ours.

`python -m tests.journey.recorded` prints the table of `docs/gateway.md`: how many interactions there
are by provider and operation, each of which passes in `test_recordings.py`.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from madang.gateway.paths import place_of

FOLDER = Path(os.environ.get("MADANG_RECORDINGS") or Path(__file__).parents[3] / "shared" / "recordings")

PROVIDERS = (
    "anthropic",
    "azure",
    "bedrock",
    "deepseek",
    "gemini",
    "groq",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together",
    "vertex",
    "xai",
)
"""Those with an API in a dialect that is spoken here."""

_BASE = re.compile(
    r"^(?:<OLLAMA_API_BASE>|/openai/deployments/[^/]+|/openai/v1|/api/v1|/models(?=/chat)|/v1)?(?=/)"
)
_VERTEX = re.compile(
    r"^/v1beta1/projects/.*/publishers/google(?=/models/)|^/v1beta1/projects/[^/]+/locations/[^/]+"
)
"""What stands before Google's own paths where its cloud serves them."""
_OF_ANOTHER_DIALECT = re.compile(r"^/(?:api/(?!v1/)|model/)")
"""Ollama's own API and Bedrock's."""


class Recorded(msgspec.Struct, frozen=True):
    """One interaction."""

    id: str
    provider: str
    method: str
    target: str
    """Path below `/v1`, or with Google's version; with its query."""
    request: bytes
    request_type: str | None
    status: int
    response_type: str | None
    body: bytes
    stream: bool

    @property
    def operation(self) -> str:
        path = self.target.partition("?")[0]
        return place_of(path.encode() if self.is_google else b"/v1" + path.encode()).operation

    @property
    def is_google(self) -> bool:
        """Whether its path has Google's version in it."""
        return "/v1beta/" in self.target

    @property
    def url(self) -> str:
        """Where a client of Madang's asks for it."""
        return self.target if self.is_google else f"/v1{self.target}"

    @property
    def asks_usage(self) -> bool:
        return b"include_usage" in self.request


@cache
def recordings() -> tuple[Recorded, ...]:
    """All of them, in the order of their files; none where the folder is absent."""
    return tuple(_read())


def _read() -> Iterator[Recorded]:
    for file in sorted(FOLDER.glob("*/*.jsonl.gz")):
        provider = file.name.partition(".")[0]
        if provider not in PROVIDERS:
            continue
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                said = json.loads(line)
                url = urlsplit(said["url"])
                if _OF_ANOTHER_DIALECT.match(url.path):
                    continue
                path = _VERTEX.sub("/v1beta", _BASE.sub("", url.path))
                if path == "/models":
                    continue  # Madang answers that itself: tests/web/test_models.py
                yield Recorded(
                    id=said["id"],
                    provider=provider,
                    method=said["method"],
                    target=path + (f"?{url.query}" if url.query else ""),
                    request=recorded_bytes(said, "request"),
                    request_type=_header(said["request_headers"], "content-type"),
                    status=said["status"],
                    response_type=_header(said["response_headers"], "content-type"),
                    body=recorded_bytes(said, "body"),
                    stream=bool(said["stream"]),
                )


def recorded_bytes(said: dict[str, str], name: str) -> bytes:
    if said.get(f"{name}_base64") is not None:
        return base64.b64decode(said[f"{name}_base64"])
    return (said.get(name) or "").encode()


def _header(headers: dict[str, str | list[str]], name: str) -> str | None:
    for key, value in headers.items():
        if key.lower() == name:
            return value[0] if isinstance(value, list) else value
    return None


def table() -> str:
    """How many there are, as Markdown."""
    counted = Counter((one.provider, one.operation) for one in recordings())
    streamed = Counter((one.provider, one.operation) for one in recordings() if one.stream)
    rows = [
        f"| {provider} | {operation} | {count} | {streamed[provider, operation] or ''} |"
        for (provider, operation), count in sorted(counted.items())
    ]
    total = f"| **all** | | **{sum(counted.values())}** | **{sum(streamed.values())}** |"
    return "\n".join(
        ["| provider | operation | interactions | of them streams |", "|---|---|--:|--:|", *rows, total]
    )


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
