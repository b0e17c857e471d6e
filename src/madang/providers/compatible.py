"""The providers we know, a row each, and where calls to them go. Adding one is adding a row, and recordings.

`base_url` is what the provider's own SDK calls its base URL, so that `<PROVIDER>_BASE_URL` means
the same to Madang as to the SDK; what the SDK appends is in `root`. The table in
`docs/providers.md` is printed from here: `python -m madang.providers.compatible`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from madang.providers.base import Provider, Row

CHAT = "/chat/completions"
OLLAMA = "ollama"
"""The one row that is switched on by answering; see `discover.py`."""

ROWS: tuple[Row, ...] = (
    Row(
        name="openai",
        title="OpenAI",
        base_url="https://api.openai.com/v1",
        # Responses first: reasoning comes back signed, and results of tools may hold images.
        dialects=("openai_responses", "openai_chat"),
        key_env=("OPENAI_API_KEY",),
        base_url_env=("OPENAI_BASE_URL",),
        # Not `gpt-*`: the open-weight gpt-oss models are served by everybody but OpenAI's API.
        models=(
            "gpt-[!o]*",
            "chatgpt-*",
            "o1*",
            "o3*",
            "o4*",
            "codex-*",
            "computer-use-*",
            "text-embedding-*",
            "dall-e-*",
            "whisper-1",
            "tts-*",
            "sora-*",
            "omni-moderation-*",
            "text-moderation-*",
            "davinci-*",
            "babbage-*",
            "ft:gpt-*",
            "ft:o[0-9]*",
        ),
        source="github.com/openai/openai-python src/openai/_client.py; release 3.51.0, read 2026-11-20",
    ),
    Row(
        name="anthropic",
        title="Anthropic",
        base_url="https://api.anthropic.com",
        key_env=("ANTHROPIC_API_KEY",),
        base_url_env=("ANTHROPIC_BASE_URL",),
        root="/v1",
        dialects=("anthropic",),
        # The OpenAI-compatible chat endpoint, for whom sets `dialects` so, takes a Bearer token.
        key_header="x-api-key",
        chat_key_header="authorization",
        models=("claude-*",),
        # 400 "Invalid `signature` in `thinking` block" (github.com/BerriAI/litellm/pull/31654, 2026-06).
        only_signed=True,
        headers={"anthropic-version": "2023-06-01"},
        source="docs.anthropic.com/en/api/openai-sdk; github.com/anthropics/anthropic-sdk-python"
        " src/anthropic/_client.py; stored copies read 2026-11-20",
    ),
    Row(
        name="gemini",
        title="Google Gemini",
        base_url="https://generativelanguage.googleapis.com",
        key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        base_url_env=("GEMINI_BASE_URL", "GOOGLE_GEMINI_BASE_URL"),
        root="/v1beta/openai",
        dialects=("gemini",),
        native_key_header="x-goog-api-key",
        models=("gemini-*", "gemma-*", "imagen-*", "veo-*", "learnlm-*"),
        source="ai.google.dev/gemini-api/docs/openai; github.com/googleapis/python-genai"
        " google/genai/_base_url.py; stored copies read 2026-11-20",
    ),
    Row(
        name="groq",
        title="Groq",
        base_url="https://api.groq.com",
        key_env=("GROQ_API_KEY",),
        base_url_env=("GROQ_BASE_URL",),
        root="/openai/v1",
        models=("llama-*-versatile", "llama-*-instant", "whisper-large-v3*"),
        source="github.com/groq/groq-python src/groq/_client.py; stored copy read 2026-11-20",
    ),
    Row(
        name="mistral",
        title="Mistral",
        base_url="https://api.mistral.ai",
        key_env=("MISTRAL_API_KEY",),
        base_url_env=("MISTRAL_BASE_URL",),
        root="/v1",
        models=(
            "mistral-*",
            "ministral-*",
            "magistral-*",
            "open-mistral-*",
            "open-mixtral-*",
            "codestral-*",
            "devstral-*",
            "pixtral-*",
            "voxtral-*",
        ),
        # 422 extra_forbidden on stream_options (github.com/avante-corp/avante.nvim/issues/2347,
        # 2025-06); its streams end with their usage unasked (recorded 2026-08).
        include_usage=False,
        source="github.com/mistralai/client-python src/mistralai/sdkconfiguration.py;"
        " stored copy read 2026-11-20",
    ),
    Row(
        name="deepseek",
        title="DeepSeek",
        base_url="https://api.deepseek.com",
        key_env=("DEEPSEEK_API_KEY",),
        base_url_env=("DEEPSEEK_BASE_URL",),
        models=("deepseek-chat", "deepseek-reasoner", "deepseek-v[0-9]-*"),
        source="api.deepseek.com as recorded 2026-08; it has no SDK of its own",
    ),
    Row(
        name="xai",
        title="xAI",
        base_url="https://api.x.ai/v1",
        dialects=("openai_responses", "openai_chat"),
        key_env=("XAI_API_KEY",),
        base_url_env=("XAI_BASE_URL",),
        models=("grok-*",),
        source="docs.x.ai/api; its SDK speaks gRPC to a host name; stored copy read 2026-11-20",
    ),
    Row(
        name="openrouter",
        title="OpenRouter",
        base_url="https://openrouter.ai/api/v1",
        key_env=("OPENROUTER_API_KEY",),
        base_url_env=("OPENROUTER_BASE_URL",),
        source="openrouter.ai/docs/community/openai-sdk; stored copy read 2026-11-20",
    ),
    Row(
        name="together",
        title="Together AI",
        # api.together.xyz until 2026; the SDK's default has moved.
        base_url="https://api.together.ai/v1",
        key_env=("TOGETHER_API_KEY",),
        base_url_env=("TOGETHER_BASE_URL",),
        source="github.com/togethercomputer/together-py src/together/_client.py; stored copy read 2026-11-20",
    ),
    Row(
        name="fireworks",
        title="Fireworks AI",
        # The SDK appends `/v1` to a base URL it is given, and `/inference/v1` to its own.
        base_url="https://api.fireworks.ai/inference",
        key_env=("FIREWORKS_API_KEY",),
        base_url_env=("FIREWORKS_BASE_URL",),
        root="/v1",
        models=("accounts/fireworks/*",),
        # Usage is in the last chunk unasked, and the SDK has no stream_options.
        include_usage=False,
        source="docs.fireworks.ai/tools-sdks/openai-compatibility; github.com/fw-ai-external/python-sdk"
        " of 2026-07-21, read 2026-11-20",
    ),
    Row(
        name="perplexity",
        title="Perplexity",
        base_url="https://api.perplexity.ai",
        key_env=("PERPLEXITY_API_KEY",),
        base_url_env=("PERPLEXITY_BASE_URL",),
        root="/v1",
        chat_root="",
        models=("sonar", "sonar-*", "pplx-*"),
        source="github.com/perplexityai/perplexity-py src/perplexity/_client.py;"
        " stored copy read 2026-11-20, recorded 2026-08",
    ),
    Row(
        name="cerebras",
        title="Cerebras",
        base_url="https://api.cerebras.ai",
        key_env=("CEREBRAS_API_KEY",),
        base_url_env=("CEREBRAS_BASE_URL",),
        root="/v1",
        source="github.com/Cerebras/cerebras-cloud-sdk-python src/cerebras/cloud/sdk/_client.py;"
        " stored copy read 2026-11-20",
    ),
    Row(
        name="cohere",
        title="Cohere",
        base_url="https://api.cohere.com",
        key_env=("COHERE_API_KEY", "CO_API_KEY"),
        base_url_env=("COHERE_BASE_URL", "CO_API_URL"),
        root="/compatibility/v1",
        models=("command", "command-*", "c4ai-*", "embed-*", "rerank-*"),
        # stream_options since 2025-08-14: github.com/cohere-ai/cohere-developer-experience/pull/606
        source="docs.cohere.com/docs/compatibility-api; github.com/cohere-ai/cohere-python"
        " src/cohere/client.py; stored copies read 2026-11-20",
    ),
    Row(
        name=OLLAMA,
        title="Ollama",
        base_url="http://127.0.0.1:11434",
        base_url_env=("OLLAMA_BASE_URL",),
        root="/v1",
        source="github.com/ollama/ollama-python ollama/_client.py; stored copy read 2026-11-20",
    ),
    Row(
        name="vllm",
        title="vLLM",
        base_url="",
        key_env=("VLLM_API_KEY",),
        base_url_env=("VLLM_BASE_URL",),
        source="github.com/vllm-project/vllm docs/serving/openai_compatible_server.md: http://localhost:8000/v1;"
        " stored copy read 2026-11-20",
    ),
    Row(
        name="lmstudio",
        title="LM Studio",
        base_url="",
        key_env=("LMSTUDIO_API_KEY",),
        base_url_env=("LMSTUDIO_BASE_URL",),
        source="lmstudio.ai/docs/api/openai-api: http://localhost:1234/v1; stored copy read 2026-11-20",
    ),
    Row(
        name="llamacpp",
        title="llama.cpp server",
        base_url="",
        key_env=("LLAMACPP_API_KEY",),
        base_url_env=("LLAMACPP_BASE_URL",),
        source="github.com/ggml-org/llama.cpp tools/server/README.md: http://localhost:8080/v1;"
        " stored copies read 2026-11-20",
    ),
)


def url_for(provider: Provider, operation_path: str) -> str:
    """The URL of an operation; `operation_path` is what stands below `/v1`, e.g. `/files/file-1`.

    Google's paths (`/v1beta/models/…`) bring their version along and stand below the host.
    """
    row = provider.row
    if is_google(operation_path):
        return f"{provider.base_url.rstrip('/')}{operation_path}"
    root = row.chat_root if _is_chat(operation_path) and row.chat_root is not None else row.root
    return f"{provider.base_url.rstrip('/')}{root}{operation_path}"


def key_header_for(provider: Provider, operation_path: str) -> tuple[bytes, bytes] | None:
    """The header, name in lower case, that carries the provider's key; None where there is no key."""
    if not provider.key:
        return None
    row = provider.row
    name = row.key_header
    if is_google(operation_path):
        name = row.native_key_header or name
    elif _is_chat(operation_path):
        name = row.chat_key_header or name
    secret = provider.key.reveal().encode("ascii")
    return name.encode("ascii"), b"Bearer " + secret if name == "authorization" else secret


def clean_base_url(row: Row, base_url: str) -> str:
    """A base URL as `url_for` wants it: no trailing slash, and without the root `url_for` adds.

    Many write `https://api.groq.com/openai/v1` where the SDK's own base URL ends at the host;
    both mean the same place, so the root is taken off rather than said twice.
    """
    trimmed = base_url.strip().rstrip("/").removesuffix(row.root)
    return trimmed.removesuffix("/v1beta") if row.native_key_header else trimmed


def _is_chat(operation_path: str) -> bool:
    return operation_path == CHAT or operation_path.startswith(CHAT + "?")


def is_google(operation_path: str) -> bool:
    """Whether a path is one of Gemini's own API."""
    return operation_path.startswith(("/v1beta/", "/v1alpha/", "/upload/v1beta/"))


def needs_key(row: Row) -> bool:
    """Whether it can only be called with a key; a server of one's own may have one, or none."""
    return bool(row.key_env and row.base_url)


def providers_table(rows: Iterable[Row] = ROWS) -> str:
    """The rows as a Markdown table, one line each."""
    head = ("name", "provider", "switched on by", "speaks", "base URL", "moved by", "bare names")
    lines = [head, ("---",) * len(head), *(_cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    moved_by = (*row.base_url_env, "OLLAMA_HOST") if row.name == OLLAMA else row.base_url_env
    return (
        f"`{row.name}`",
        row.title,
        _switch(row),
        _code(row.dialects),
        f"`{row.base_url}`" if row.base_url else "none; you name it",
        _code(moved_by),
        _code(row.models) or "none",
    )


def _switch(row: Row) -> str:
    if row.name == OLLAMA:
        return "a running Ollama"
    return _code(row.key_env if needs_key(row) else row.base_url_env)


def _code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.stdout.write(providers_table())
