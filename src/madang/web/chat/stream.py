"""An answer on its way to the page: pieces from the backend, server-sent events to the browser.

Here is what ends with the visitor: when the browser leaves, the backend is told to stop.
What the events look like on the screen is `static/chat.js`; the HTML in them is `blocks.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import traceback
from collections.abc import AsyncGenerator, Callable
from typing import Final

import msgspec
from starlette.types import Receive, Scope, Send

from madang.core import errors
from madang.web.chat.backend import Piece
from madang.web.chat.blocks import SetBlock, Typesetter
from madang.web.chat.conversation import MOST_ANSWER
from madang.web.chat.words import Language, say

log = logging.getLogger("madang.web.chat")

PACE: Final = 0.06
"""Seconds between two settings of the block under way; a finer one cannot be seen."""
SHARE: Final = 10
"""The pause is at least this many times what the last setting took: one long answer is no load."""
QUIET: Final = 15.0
"""Seconds of silence after which a comment keeps proxies from closing the connection."""
RECHECK: Final = 1.0
"""Seconds between two looks at whether the visitor may still be here."""

_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class Trouble(msgspec.Struct, frozen=True):
    """Why an answer is not whole: for people, and in the provider's or gateway's own words."""

    message: str
    detail: str = ""


def trouble(error: Exception, language: Language, model: str) -> Trouble:
    """What to say about an error. Of one we did not expect, nothing is told and no content is logged."""
    if not isinstance(error, errors.CallError):
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("the chat backend raised %s\n%s", type(error).__name__, where)
        return Trouble(say(language, "error_generic"))
    return Trouble(say(language, _sentence(error), model=model), error.message)


def _sentence(error: errors.CallError) -> str:
    match error:
        case errors.ConnectFailed():
            return "error_connect"
        case errors.UpstreamTimeout():
            return "error_timeout"
        case errors.BrokenAnswer():
            return "error_broken"
        case errors.Unavailable():
            return "error_unavailable"
        case errors.NotAllowed():
            return "error_not_allowed"
        case errors.NotFound():
            return "error_not_found"
        case errors.TooLarge():
            return "error_too_large"
        case errors.ClientError():
            return "error_request"
        case _:
            return "error_generic"


async def while_listening(
    pieces: AsyncGenerator[Piece, None], receive: Receive, tick: float
) -> AsyncGenerator[Piece | None, None]:
    """The pieces, and None after each `tick` without one; ends, and closes them, if the client leaves."""
    leaving = asyncio.ensure_future(_left(receive))
    coming = asyncio.ensure_future(anext(pieces, None))
    try:
        while not leaving.done():
            await asyncio.wait({leaving, coming}, timeout=tick, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield None
                continue
            piece = coming.result()
            if piece is None:
                return
            coming = asyncio.ensure_future(anext(pieces, None))
            yield piece
    finally:
        await _close(pieces, leaving, coming)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _close(
    pieces: AsyncGenerator[Piece, None], *tasks: asyncio.Future[None] | asyncio.Future[Piece | None]
) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    with contextlib.suppress(Exception):
        await pieces.aclose()


class AnswerStream:
    """ASGI response: one answer as server-sent events."""

    def __init__(
        self,
        pieces: AsyncGenerator[Piece, None],
        *,
        say_trouble: Callable[[Exception], Trouble],
        goodbye: Callable[[], Trouble | None],
        headers: list[tuple[bytes, bytes]],
        clock: Callable[[], float] = time.monotonic,
        pace: float = PACE,
    ) -> None:
        self._pieces = pieces
        self._say_trouble = say_trouble
        self._goodbye = goodbye
        """Asked now and then: why the visitor has to leave, if he has to."""
        self._headers = headers
        self._clock = clock
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        heard = while_listening(self._pieces, receive, self._pace)
        # Starlette's and uvicorn's ways to say that the client is gone: OSError from `send`.
        with contextlib.suppress(OSError):
            async with contextlib.aclosing(heard), contextlib.aclosing(self.frames(heard)) as frames:
                headers = [*_HEADERS, *self._headers]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                async for frame in frames:
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def frames(self, heard: AsyncGenerator[Piece | None, None]) -> AsyncGenerator[bytes, None]:
        """The events of the answer, `done` or `error` last."""
        yield event("start", {})
        progress = Progress(self._clock, self._pace)
        ending: bytes | None = None
        try:
            async for piece in heard:
                progress.hear(piece)
                if frame := progress.due():
                    yield frame
                if progress.recheck_due() and (farewell := self._goodbye()):
                    ending = event("error", farewell)
                    break
                if progress.is_too_long():
                    progress.stop_reason = "length"
                    break
        except Exception as error:  # noqa: BLE001 (whatever it is, the page must hear of it)
            ending = event("error", self._say_trouble(error))
        yield progress.end() + (ending or event("done", {"stop_reason": progress.stop_reason}))


class Progress:
    """How far an answer is: what the page was told, and what it is to be told next."""

    def __init__(self, clock: Callable[[], float], pace: float) -> None:
        self.stop_reason: str | None = None
        self._clock = clock
        self._pace = self._pause = pace
        self._typesetter = Typesetter()
        self._untold = ""
        self._length = 0
        self._told_at = self._checked_at = clock() - pace

    def hear(self, piece: Piece | None) -> None:
        if piece is None:
            return
        self._untold += piece.text
        self._length += len(piece.text)
        self.stop_reason = piece.stop_reason or self.stop_reason

    def is_too_long(self) -> bool:
        return self._length > MOST_ANSWER

    def due(self) -> bytes:
        """What the page should hear now; mostly nothing."""
        silence = self._clock() - self._told_at
        if not self._untold:
            return self._keep_alive() if silence >= QUIET else b""
        return self._tell() if silence >= self._pause else b""

    def recheck_due(self) -> bool:
        due = self._clock() - self._checked_at >= RECHECK
        if due:
            self._checked_at = self._clock()
        return due

    def end(self) -> bytes:
        last = self._tell() if self._untold else b""
        return last + b"".join(map(_block, self._typesetter.end()))

    def _tell(self) -> bytes:
        started = self._clock()
        changed = self._typesetter.add(self._untold)
        frame = event("text", {"text": self._untold}) + b"".join(map(_block, changed))
        self._untold = ""
        self._told_at = self._clock()
        self._pause = max(self._pace, SHARE * (self._told_at - started))
        return frame

    def _keep_alive(self) -> bytes:
        self._told_at = self._clock()
        return b": still here\n\n"


def event(name: str, data: object) -> bytes:
    """One server-sent event; JSON has no bare line break, so one `data` line is enough."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


def _block(block: SetBlock) -> bytes:
    return event("tail" if block.last else "block", {"i": block.i, "html": block.html})
