"""Answers that are not streamed: what the meter reads of them. And errors, both ways."""

from __future__ import annotations

import msgspec

from madang.core.errors import CallError
from madang.core.record import Usage

_Count = int | float | None


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: _Count = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: _Count = None


class WireUsage(msgspec.Struct, gc=False):
    """`usage` as OpenAI and its likenesses write it."""

    prompt_tokens: _Count = None
    completion_tokens: _Count = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: _Count = None
    """DeepSeek's word for cached tokens (api-docs.deepseek.com, "Context Caching", recorded 2026-08)."""

    def read(self) -> Usage:
        """The same in our own words."""
        prompt, completion = self.prompt_tokens_details, self.completion_tokens_details
        cached = prompt.cached_tokens if prompt is not None else self.prompt_cache_hit_tokens
        return Usage(
            _whole(self.prompt_tokens),
            _whole(self.completion_tokens),
            _whole(cached),
            _whole(completion.reasoning_tokens) if completion is not None else None,
        )


class WireError(msgspec.Struct, gc=False):
    """`error` as OpenAI writes it; some write the code as a number."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None

    def word(self) -> str:
        """The most telling word of it, for a record."""
        return str(self.code or self.type or "upstream_error")


class _Choice(msgspec.Struct, gc=False):
    finish_reason: str | None = None


class _Answer(msgspec.Struct, gc=False):
    choices: list[_Choice] = []
    usage: WireUsage | None = None
    error: WireError | str | None = None


class Head(msgspec.Struct, frozen=True):
    """What an answer of our own says of itself, and every chunk of it repeats."""

    id: str
    created: int
    """Seconds since 1970-01-01 UTC."""
    model: str


class Heard(msgspec.Struct, gc=False):
    """What the meter learns from an answer. Nothing of it is content."""

    usage: Usage | None = None
    stop_reason: str | None = None
    error: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def hear(body: bytes) -> Heard:
    """Read an answer for the meter; one that cannot be read is heard as silence."""
    try:
        answer = _answer.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Heard()
    return Heard(
        usage=answer.usage.read() if answer.usage is not None else None,
        stop_reason=answer.choices[0].finish_reason if answer.choices else None,
        error=error_word(answer.error) if answer.error is not None else None,
    )


def error_word(error: WireError | str) -> str:
    """An error in a word."""
    return error.word() if isinstance(error, WireError) else "upstream_error"


def render_answer(head: Head, text: str, usage: Usage, finish_reason: str) -> bytes:
    """A whole answer of our own making."""
    message = {"role": "assistant", "content": text, "refusal": None}
    return msgspec.json.encode(
        {
            "id": head.id,
            "object": "chat.completion",
            "created": head.created,
            "model": head.model,
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}],
            "usage": render_usage(usage),
        }
    )


def render_usage(usage: Usage) -> dict[str, int | None]:
    """Usage as OpenAI writes it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": (usage.input_tokens or 0) + (usage.output_tokens or 0),
    }


def render_error(error: CallError) -> bytes:
    """An error of ours as OpenAI's clients know it."""
    return msgspec.json.encode(
        {
            "error": {
                "message": error.message,
                "type": error.kind,
                "param": error.param,
                "code": error.code,
            }
        }
    )


def _whole(count: _Count) -> int | None:
    return None if count is None else int(count)
