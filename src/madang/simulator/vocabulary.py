"""What is asked of the imitated model and what it answers, in no provider's words.

A dialect folder (`openai/`) reads its wire into these and renders its wire from them; everything
between the two edges knows only this module.
"""

from __future__ import annotations

import msgspec

from madang.core.errors import MadangError


class ApiError(MadangError):
    """An answer that is an error, as the imitated API would word it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | int | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        details: tuple[dict[str, object], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind
        self.param, self.code, self.headers = param, code, headers
        self.details = details


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One message of the conversation, as far as an answer depends on it."""

    role: str
    text: str
    attachments: int = 0
    """Parts that are not text: images, audio, files."""
    tool: str | None = None
    """For a tool's result: the name of the function that was called."""
    tokens: int = 0
    """What it costs in a prompt."""
    kinds: tuple[str, ...] = ()
    """What the attachments are, as far as a dialect tells: `image`, `audio`, `file`."""


class Tool(msgspec.Struct, frozen=True):
    """A function the model may call."""

    name: str
    description: str
    schema: dict[str, object]


class ChatRequest(msgspec.Struct, frozen=True):
    """A request for the next turn of a conversation."""

    model: str
    turns: tuple[Turn, ...]
    prompt_tokens: int
    stream: bool = False
    include_usage: bool = False
    obfuscated: bool = True
    """Whether stream events carry padding that hides their length."""
    n: int = 1
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or `=name` for one function."""
    parallel: bool = True
    as_json: bool = False
    schema: dict[str, object] | None = None
    """The JSON schema the answer has to follow."""
    top_logprobs: int | None = None
    """None: no log probabilities; else how many alternatives per token."""
    reasoning_effort: str | None = None
    think: int = 0
    """How many tokens it thinks where effort does not say."""
    seed: int | None = None
    service_tier: str = "default"
    verbosity: str | None = None


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """One call of a tool; `pieces` joined are its arguments, as JSON text."""

    name: str
    pieces: tuple[str, ...]

    @property
    def arguments(self) -> str:
        """The arguments as one JSON text."""
        return "".join(self.pieces)


class Choice(msgspec.Struct, frozen=True):
    """One candidate answer; `pieces` are its tokens, in order."""

    pieces: tuple[str, ...]
    finish: str
    calls: tuple[ToolCall, ...] = ()
    refused: bool = False
    stopped_by: str | None = None
    """The stop sequence that ended it."""

    @property
    def text(self) -> str:
        """The pieces as one text."""
        return "".join(self.pieces)


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """What the answer cost. `completion` includes `reasoning`, `prompt` includes `cached`."""

    prompt: int
    completion: int
    reasoning: int = 0
    cached: int = 0


class Answer(msgspec.Struct, frozen=True):
    """What the model says."""

    choices: tuple[Choice, ...]
    tokens: Tokens


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """What makes one answer distinct from the next: ids and time."""

    token: str
    """29 characters that no other answer of this run has."""
    request_id: str
    created: int
    """Seconds since 1970."""
