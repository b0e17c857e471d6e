"""The seam: what a dialect gives the simulator, so that a further one is a folder and a line.

The server, the plan and the faults know these types and no provider's words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from madang.simulator.controls import Controls
from madang.simulator.head import EVENT_STREAM
from madang.simulator.ratelimit import Allowance, Exhausted
from madang.simulator.request import Request
from madang.simulator.scenario import Scripted
from madang.simulator.vocabulary import ApiError, Stamp


class StreamParts(msgspec.Struct, frozen=True):
    """A stream, event by event; lines end with a newline, the blank line between events is left out."""

    opening: list[bytes]
    """Sent as soon as the model speaks."""
    deltas: list[bytes]
    """One per token: the pace lies between them."""
    closing: list[bytes]
    done: bytes | None = None
    """What says that the stream is over, where a dialect has such a thing."""
    broken: list[bytes] | None = None
    """How `error-after` ends it, where that depends on the stream; else the dialect's `error_event`."""
    kind: str = EVENT_STREAM
    """The content type."""
    verbatim: bool = False
    """No events, but pieces that are sent as they are: Gemini's JSON array."""


class Wishes(msgspec.Struct, frozen=True):
    """What a reply is made by, besides the request."""

    controls: Controls
    script: Scripted
    seed: int
    stamp: Stamp


class Asked(Protocol):
    """A request that was read and found good, ready to be answered."""

    @property
    def model(self) -> str:
        """The model asked for."""

    @property
    def text(self) -> str:
        """What rules look for with `contains`."""

    @property
    def cost(self) -> int:
        """Tokens taken from the limit."""

    @property
    def streamed(self) -> bool:
        """Whether the answer is to be a stream."""

    def reply(self, wishes: Wishes) -> Reply:
        """The answer, rendered."""


class Reply(msgspec.Struct, frozen=True):
    """A rendered answer: a whole body, or a stream."""

    body: bytes | StreamParts
    tokens: int = 0
    """How many tokens it took to say: a whole answer waits as long as its stream would have."""


Reader = Callable[[Request, bool], Asked]
"""Reads a request; the flag says whether to refuse parameters nobody knows. Raises ApiError."""
Page = Callable[[tuple[str, ...]], bytes]
"""Shows a page, given the models on offer. Raises ApiError."""
Visit = Callable[[Request], Reply]
"""Shows, deletes or cancels something an earlier request left behind. Raises ApiError."""


def nothing_kept(request: Request) -> Mapping[str, Visit]:
    """What a dialect says that keeps nothing."""
    return {}


class Dialect(msgspec.Struct, frozen=True):
    """One provider's API, as functions."""

    marks: Callable[[Request], bool]
    """Whether headers or query say that a request is in this dialect: decides where two share a path."""
    operation: Callable[[Request], Reader | None]
    """What a POST to a path asks for, if the path is one of this dialect's."""
    page: Callable[[Request], Page | None]
    """What a GET of a path shows, if the path is one of this dialect's."""
    authenticate: Callable[[Request, str | None], str]
    """The request and the one good key, if there is one: the key presented. Raises ApiError."""
    find_model: Callable[[str, tuple[str, ...]], None]
    """Raises ApiError if the model is not among those on offer."""
    error_for: Callable[[int, Controls, str, str], ApiError]
    """The error for a status, the model and the request id, in the API's own words."""
    no_such: Callable[[str, str, bool], ApiError]
    """The error for a method and path; the flag says whether the path has other methods."""
    exhausted: Callable[[Exhausted, str], ApiError]
    error_body: Callable[[ApiError, str], bytes]
    """The error and the request's id, as a body."""
    error_event: Callable[[ApiError, str], bytes]
    """The same in the middle of a stream."""
    event: Callable[[dict[str, object]], bytes]
    """A scripted event."""
    headers: Callable[[Stamp, float], list[tuple[str, str]]]
    """The response headers of every answer; the float is the processing time in seconds."""
    limit_headers: Callable[[Allowance, Stamp], list[tuple[str, str]]]
    ping: bytes
    """What keeps a silent stream alive."""
    broken_json: bytes
    """An event whose JSON breaks off."""
    kept: Callable[[Request], Mapping[str, Visit]] = nothing_kept
    """The methods by which a path reaches what earlier requests left behind, if it is such a path."""
