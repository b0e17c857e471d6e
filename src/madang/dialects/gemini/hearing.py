"""What the meter reads of answers that pass, with as little decoding as that takes."""

from __future__ import annotations

import msgspec

from madang.core.record import Usage
from madang.dialects.tap import Heard


class _WireCount(msgspec.Struct, gc=False, rename="camel"):
    """Tokens of a kind."""

    modality: str | None = None
    token_count: int | None = None


class _WireUsage(msgspec.Struct, gc=False, rename="camel"):
    """`usageMetadata`, as far as the meter reads it."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[_WireCount] | None = None
    candidates_tokens_details: list[_WireCount] | None = None

    def read(self) -> Usage:
        """The same in our own words."""
        said, thought, prompt = (
            self.candidates_token_count,
            self.thoughts_token_count,
            self.prompt_token_count,
        )
        return Usage(
            input_tokens=prompt + (self.tool_use_prompt_token_count or 0) if prompt is not None else None,
            output_tokens=(said or 0) + (thought or 0) if said is not None or thought is not None else None,
            cached_tokens=self.cached_content_token_count,
            reasoning_tokens=thought,
            audio_input_tokens=_heard_audio(self.prompt_tokens_details),
            audio_output_tokens=_heard_audio(self.candidates_tokens_details),
        )


class _WireError(msgspec.Struct, gc=False, rename="camel"):
    """`error`."""

    code: int | str | None = None
    status: str | None = None

    def word(self) -> str:
        """The most telling word of it, for a record."""
        return str(self.status or self.code or "upstream_error")


class _WireCandidate(msgspec.Struct, gc=False, rename="camel"):
    finish_reason: str | None = None


class _WireFeedback(msgspec.Struct, gc=False, rename="camel"):
    block_reason: str | None = None


class _WireAnswer(msgspec.Struct, gc=False, rename="camel"):
    """An answer or a chunk, as far as the meter reads it."""

    candidates: list[_WireCandidate] | None = None
    usage_metadata: _WireUsage | None = None
    prompt_feedback: _WireFeedback | None = None
    error: _WireError | None = None


_answers = msgspec.json.Decoder(_WireAnswer | list[_WireAnswer])
_errors = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def hear(body: bytes) -> Heard:
    """Read an answer for the meter; one that cannot be read is heard as silence."""
    heard = Heard()
    listen(body, heard)
    return heard


def listen(data: bytes, heard: Heard) -> None:
    """Add what an answer, a chunk or a list of chunks says to what was heard."""
    try:
        answers = _answers.decode(data)
    except _errors:
        return
    for answer in answers if isinstance(answers, list) else (answers,):
        if answer.usage_metadata is not None and answer.usage_metadata.prompt_token_count is not None:
            heard.usage = answer.usage_metadata.read()
        if answer.error is not None:
            heard.error = answer.error.word()
        if answer.candidates and answer.candidates[0].finish_reason is not None:
            heard.stop_reason = answer.candidates[0].finish_reason
        elif not answer.candidates and answer.prompt_feedback is not None:
            heard.stop_reason = answer.prompt_feedback.block_reason or heard.stop_reason


def _heard_audio(details: list[_WireCount] | None) -> int | None:
    return next((one.token_count for one in details or () if one.modality == "AUDIO"), None)
