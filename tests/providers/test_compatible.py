"""The rows: disjoint, sourced, and leading where the providers are."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from madang.core.secret import Secret
from madang.providers.base import Provider, Row
from madang.providers.compatible import (
    ROWS,
    clean_base_url,
    key_header_for,
    providers_table,
    url_for,
)

ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = Path(os.environ.get("MADANG_RECORDINGS") or ROOT.parent / "shared" / "recordings")
BY_NAME = {row.name: row for row in ROWS}


def provider(name: str, base_url: str | None = None, key: str | None = "k") -> Provider:
    row = BY_NAME[name]
    url = clean_base_url(row, row.base_url if base_url is None else base_url)
    return Provider(row=row, base_url=url, key=Secret(key) if key else None)


def test_every_row_has_a_name_of_its_own_a_title_and_a_source() -> None:
    assert len(BY_NAME) == len(ROWS)
    assert [row.name for row in ROWS if not (row.title and "20" in row.source)] == []
    assert [row.name for row in ROWS if row.name != row.name.lower() or "/" in row.name] == []


def test_every_row_can_be_moved_by_its_name_and_base_url() -> None:
    assert [row.name for row in ROWS if row.base_url_env[0] != f"{row.name.upper()}_BASE_URL"] == []


def test_no_variable_belongs_to_two_rows() -> None:
    names = [name for row in ROWS for name in (*row.key_env, *row.base_url_env)]
    assert len(names) == len(set(names))


def test_no_pattern_of_one_row_can_match_what_another_owns() -> None:
    """Two can overlap only where the fixed beginning of one begins the other's."""
    fixed = [(row.name, each, re.split(r"[*?\[]", each)[0]) for row in ROWS for each in row.models]
    overlapping = [
        (one, other)
        for (row, one, start), (other_row, other, other_start) in combinations(fixed, 2)
        if row != other_row and (start.startswith(other_start) or other_start.startswith(start))
    ]
    assert overlapping == []


# Bare names as they were recorded or documented, and whose they are.
OWNED = {
    "openai": "gpt-4o gpt-4.1-nano gpt-5.4 gpt-3.5-turbo-instruct gpt-image-1.5 gpt-audio-mini"
    " gpt-4o-mini-tts chatgpt-4o-latest o1 o1-mini o3 o3-mini o4-mini codex-mini-latest"
    " computer-use-preview sora-2 dall-e-2"
    " whisper-1 tts-1-hd text-embedding-3-large text-embedding-ada-002 omni-moderation-latest"
    " text-moderation-latest davinci-002 babbage-002 ft:gpt-4o-mini:team::id ft:o4-mini:team::id",
    "anthropic": "claude-2.1 claude-haiku-4-5 claude-sonnet-5 claude-instant-1.2",
    "gemini": "gemini-2.5-flash gemini-3-flash-preview gemini-embedding-001 gemma-3-27b-it",
    "groq": "llama-3.3-70b-versatile llama-3.1-8b-instant whisper-large-v3-turbo",
    "mistral": "mistral-small-latest mistral-embed mistral-ocr-latest voxtral-mini-tts-latest pixtral-12b"
    " codestral-latest open-mistral-nemo magistral-medium-latest devstral-small-latest",
    "deepseek": "deepseek-chat deepseek-reasoner deepseek-v4-flash",
    "xai": "grok-4.3 grok-imagine-image",
    "perplexity": "sonar sonar-pro sonar-reasoning-pro pplx-embed-v1-0.6b",
    "cohere": "command command-r-plus command-a-03-2025 embed-v4.0 rerank-v3.5",
}


@pytest.mark.parametrize(
    ("model", "owner"), [(model, owner) for owner, models in OWNED.items() for model in models.split()]
)
def test_a_bare_name_has_one_owner(model: str, owner: str) -> None:
    assert [row.name for row in ROWS if Provider(row=row, base_url="").owns(model)] == [owner]


@pytest.mark.parametrize(
    "model", ["gpt-oss-20b", "qwen3", "llama3.2", "mixtral", "offline", "", "GPT-4o", "my-gpt-4o"]
)
def test_a_name_that_many_serve_or_nobody_has_is_no_ones(model: str) -> None:
    assert [row.name for row in ROWS if Provider(row=row, base_url="").owns(model)] == []


# How each SDK's own base URL, and what people write instead, must come out.
URLS = [
    ("openai", "https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
    ("openai", "http://h:1/v1/", "http://h:1/v1/chat/completions"),
    ("openai", "http://h:1", "http://h:1/chat/completions"),
    ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1/chat/completions"),
    ("anthropic", "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/chat/completions"),
    ("gemini", "http://h/", "http://h/v1beta/openai/chat/completions"),
    ("gemini", "http://h/v1beta/openai/", "http://h/v1beta/openai/chat/completions"),
    ("gemini", "http://h/v1beta/", "http://h/v1beta/openai/chat/completions"),
    ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1/chat/completions"),
    ("groq", "https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1/chat/completions"),
    ("mistral", "https://api.mistral.ai/v1", "https://api.mistral.ai/v1/chat/completions"),
    ("cerebras", "http://h/p//", "http://h/p/v1/chat/completions"),
    (
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "https://api.fireworks.ai/inference/v1/chat/completions",
    ),
    ("cohere", "https://api.cohere.com", "https://api.cohere.com/compatibility/v1/chat/completions"),
    ("perplexity", "https://api.perplexity.ai/v1", "https://api.perplexity.ai/chat/completions"),
    ("vllm", "http://h:8000/v1", "http://h:8000/v1/chat/completions"),
    ("ollama", "http://h:11434", "http://h:11434/v1/chat/completions"),
]


@pytest.mark.parametrize(("name", "base_url", "url"), URLS)
def test_a_base_url_is_read_as_the_providers_own_sdk_reads_it(name: str, base_url: str, url: str) -> None:
    assert url_for(provider(name, base_url), "/chat/completions") == url


@pytest.mark.parametrize(
    ("name", "path", "url"),
    [
        ("openai", "/files/file-1", "https://api.openai.com/v1/files/file-1"),
        ("anthropic", "/messages", "https://api.anthropic.com/v1/messages"),
        (
            "gemini",
            "/v1beta/models/m:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
        ),
        ("gemini", "/embeddings", "https://generativelanguage.googleapis.com/v1beta/openai/embeddings"),
        ("perplexity", "/embeddings", "https://api.perplexity.ai/v1/embeddings"),
        ("perplexity", "/chat/completions?a=b", "https://api.perplexity.ai/chat/completions?a=b"),
        ("perplexity", "/chat/completions/id", "https://api.perplexity.ai/v1/chat/completions/id"),
        ("groq", "/audio/transcriptions", "https://api.groq.com/openai/v1/audio/transcriptions"),
    ],
)
def test_an_operation_stands_below_the_root(name: str, path: str, url: str) -> None:
    assert url_for(provider(name), path) == url


def test_the_key_goes_in_the_header_the_provider_reads() -> None:
    assert key_header_for(provider("openai"), "/embeddings") == (b"authorization", b"Bearer k")
    assert key_header_for(provider("anthropic"), "/messages") == (b"x-api-key", b"k")
    assert key_header_for(provider("anthropic"), "/chat/completions") == (b"authorization", b"Bearer k")
    assert key_header_for(provider("gemini"), "/v1beta/models/m:generateContent") == (b"x-goog-api-key", b"k")
    assert key_header_for(provider("gemini"), "/embeddings") == (b"authorization", b"Bearer k")
    assert key_header_for(provider("ollama", key=None), "/chat/completions") is None
    assert key_header_for(provider("ollama", key=""), "/chat/completions") is None


def test_every_row_carries_its_chat_key_as_bearer() -> None:
    headers = {key_header_for(provider(row.name, base_url="http://h"), "/chat/completions") for row in ROWS}
    assert headers == {(b"authorization", b"Bearer k")}


def test_the_page_shows_the_table_as_the_rows_have_it() -> None:
    page = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert providers_table() in page, (
        "paste what `python -m madang.providers.compatible` prints into docs/providers.md"
    )


def test_a_new_row_is_a_new_line_of_the_table() -> None:
    row = Row(
        name="new",
        title="New",
        base_url="https://new.example/v1",
        key_env=("NEW_API_KEY",),
        base_url_env=("NEW_BASE_URL",),
    )
    line = (
        "| `new` | New | `NEW_API_KEY` | `openai_chat` | `https://new.example/v1` | `NEW_BASE_URL` | none |"
    )
    assert providers_table([row]).splitlines()[2:] == [line]


# The SDK's default moved between the recording (2024) and now.
MOVED = {"api.together.xyz": "api.together.ai"}
DIALECT = (
    "/chat/completions",
    "/embeddings",
    "/responses",
    "/moderations",
    "/images/generations",
    "/audio/speech",
)


def recorded() -> Iterator[tuple[str, str]]:
    """Provider and URL of every recorded OpenAI-dialect call to a provider of the table."""
    for path in sorted(RECORDINGS.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                call = json.loads(line)
                if call["provider"] in BY_NAME and call["url"].endswith(DIALECT):
                    yield call["provider"], call["url"]


@pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings are not beside the project (MADANG_RECORDINGS)"
)
def test_every_recorded_call_goes_where_the_row_would_send_it() -> None:
    chats = set()
    wrong = []
    for name, url in set(recorded()):
        host = urlsplit(url).netloc
        meant = url.replace(host, MOVED.get(host, host)) if host else url
        operation = next(each for each in DIALECT if url.endswith(each))
        ours = url_for(provider(name), operation)
        if name == "ollama" and "/api/" in url:
            continue  # Ollama's own API, not OpenAI's
        if url.startswith("<"):  # the recorder replaced the base URL, `/v1` and all
            meant = "http://127.0.0.1:11434/v1" + url.partition(">")[2]
        if ours != meant:
            wrong.append((url, ours))
        if operation == "/chat/completions":
            chats.add(name)
    assert wrong == []
    assert chats == {
        "openai",
        "groq",
        "mistral",
        "deepseek",
        "openrouter",
        "together",
        "perplexity",
        "ollama",
    }


@pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings are not beside the project (MADANG_RECORDINGS)"
)
def test_no_provider_that_took_stream_options_is_said_to_refuse_them() -> None:
    took: set[str] = set()
    for path in sorted(RECORDINGS.glob("*/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                call = json.loads(line)
                asked = '"stream_options"' in (call.get("request") or "") and call["status"] == 200
                took |= {call["provider"]} if asked and call["url"].endswith("/chat/completions") else set()
    assert {"openai", "deepseek", "openrouter", "ollama", "perplexity"} <= took
    assert [name for name in took if name in BY_NAME and not BY_NAME[name].include_usage] == []
