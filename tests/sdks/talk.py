"""What is asked of every SDK and what comes of it, in nobody's dialect.

Each SDK has an adapter of the same shape beside this file (`chat.py`, `responses.py`, `claude.py`,
`genai.py`): it asks as the SDK's users do and says what came. A conversation (`Talk`) is a list in
the SDK's own form, and what was said goes back into it as the SDK's documentation shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel

Talk = list[Any]
"""A conversation, in the SDK's own form."""
Shape = TypeVar("Shape", bound=BaseModel)
Errors = Mapping[int, type[Exception]]
Stops = Mapping[str, str]


@dataclass(frozen=True)
class Function:
    """A function that the model may call."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Wishes:
    """What is asked for besides an answer to the conversation."""

    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Function, ...] = ()
    choice: str | None = None
    """`auto`, `none`, `required`, or a function's name."""
    one_at_a_time: bool = False
    think: bool = False
    """Think a little, and show it as far as the dialect can."""
    own: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the SDK's method itself."""


NOTHING = Wishes()


@dataclass(frozen=True)
class Call:
    """The model calls a function."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Usage:
    """What an answer cost, as the dialect counts it: for Anthropic, `input` is without what was cached."""

    input: int
    output: int
    reasoning: int | None = None


@dataclass(frozen=True)
class Said:
    """What came back."""

    text: str
    stop: str
    """Why it ended, in the dialect's own word."""
    usage: Usage
    turn: Talk
    """What goes into the conversation, as the SDK's users put it there."""
    calls: tuple[Call, ...] = ()
    choices: int = 1
    """How many answers there are; all else is about the first."""
    thoughts: str = ""
    model: str = ""
    call_id: str | None = None
    """Madang's id of the call, where the SDK shows it."""
    pieces: int = 0
    """How many pieces a stream's words came in."""


@dataclass(frozen=True)
class Picture:
    """An image, as bytes."""

    data: bytes
    media_type: str = "image/png"


@dataclass(frozen=True)
class Document:
    """A PDF, as bytes."""

    data: bytes
    name: str = "lease.pdf"


class Client(Protocol):
    """An SDK's adapter."""

    dialect: ClassVar[str]
    errors: ClassVar[Errors]
    """The SDK's class for a status that its caller is told."""
    broken: ClassVar[type[Exception]]
    """The SDK's class for a stream that breaks after it has begun."""
    stops: ClassVar[Stops]
    """The dialect's words for `end`, `length`, `tool` and `sequence`."""

    def ask(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        """An answer, at once."""

    async def ask_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        """An answer, at once, by the SDK's asynchronous client."""

    def stream(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        """An answer by the SDK's streaming helper; its pieces are held against its final snapshot."""

    async def stream_async(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> Said:
        """The same, by the asynchronous client."""

    def parse(self, model: str, talk: Talk, shape: type[Shape]) -> Shape | None:
        """An answer in the shape of a Pydantic model, by the SDK's own way."""

    def losses(self, model: str, talk: Talk, wishes: Wishes = NOTHING) -> str | None:
        """The header `x-madang-losses` of an answer, as the SDK shows headers."""

    def user(self, *parts: str | Picture | Document) -> Talk:
        """What the user says."""

    def results(self, *told: tuple[Call, str]) -> Talk:
        """What came of the model's calls."""

    def models(self) -> list[str]:
        """The ids of the models there are."""

    def close(self) -> None:
        """Done with it."""


Make = Callable[[str, str], Client]
"""An adapter for a root URL and a key."""

WEATHER = Function(
    "weather",
    "Tells the weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Its name."}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
CLOCK = Function(
    "clock",
    "Tells the time of a zone.",
    {
        "type": "object",
        "properties": {"zone": {"type": "string", "enum": ["Asia/Seoul", "UTC"]}},
        "required": ["zone"],
        "additionalProperties": False,
    },
)
