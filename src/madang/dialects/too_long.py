"""A prompt that is longer than its model takes: agents cut a conversation short where they are told so.

Codex goes by the code, Claude Code by words in the sentence (Floway #166, read from version 2.1.207); who
tells it otherwise leaves them asking the same again.
"""

from __future__ import annotations

CODE = "context_length_exceeded"
_CODES = frozenset(
    (CODE, "exceed_context_size_error", "model_max_prompt_tokens_exceeded", "too_many_prompt_tokens")
)
_SIGNS = (
    "maximum context length",
    "maximum prompt length",
    "context window",
    "context length",
    "context limit",
    "context size",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input token count",
    "total length of all messages is too long",
)
"""In sentences of OpenAI, vLLM, llama.cpp, Ollama, DeepSeek, Mistral, xAI, Anthropic, Amazon and Google."""
_STATUSES = (400, 413, 422)


def is_too_long(status: int, message: str, *words: str | None) -> bool:
    """Whether an error of a provider says so, in its sentence or in one of its words."""
    if status not in _STATUSES:
        return False
    if not _CODES.isdisjoint(words):
        return True
    said = message[:1000].lower()
    return any(sign in said for sign in _SIGNS)
