"""Server-sent events: what the page hears, when, and what happens when it hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable

import msgspec
import pytest

from madang.core import errors
from madang.web.chat.backend import Piece
from madang.web.chat.conversation import MOST_ANSWER
from madang.web.chat.stream import QUIET, AnswerStream, Progress, Trouble, trouble, while_listening
from madang.web.chat.words import LANGUAGES


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Provider:
    """Pieces on demand; remembers whether it was told to stop."""

    def __init__(self, *pieces: str | Exception, then_wait: bool = False) -> None:
        self._pieces = pieces
        self._then_wait = then_wait
        self.stopped = asyncio.Event()
        self.waiting = asyncio.Event()

    async def stream(self) -> AsyncGenerator[Piece, None]:
        try:
            for piece in self._pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield Piece(piece)
            if self._then_wait:
                self.waiting.set()
                await asyncio.Event().wait()
        finally:
            self.stopped.set()


class Browser:
    """The other end of the ASGI connection."""

    def __init__(self, *, fails_after: int | None = None) -> None:
        self.heard: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self._left = asyncio.Event()
        self._fails_after = fails_after

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> dict[str, object]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: object) -> None:
        match message:
            case {"type": "http.response.start", "headers": headers}:
                self.headers = dict(headers)
            case {"type": "http.response.body", "body": body}:
                if self._fails_after is not None and len(self.heard) >= self._fails_after:
                    raise OSError("the socket is closed")
                self.heard.append(body)

    def events(self) -> list[tuple[str, dict[str, object]]]:
        frames = b"".join(self.heard).split(b"\n\n")
        lines = [frame.split(b"\n") for frame in frames if frame.startswith(b"event: ")]
        return [(name[7:].decode(), msgspec.json.decode(data[6:])) for name, data in lines]


def answer(
    provider: Provider, *, goodbye: Callable[[], Trouble | None] = lambda: None, clock: Clock | None = None
) -> AnswerStream:
    return AnswerStream(
        provider.stream(),
        say_trouble=lambda error: trouble(error, "en", "m"),
        goodbye=goodbye,
        headers=[(b"set-cookie", b"a=b")],
        clock=clock or Clock(),
        pace=0.0,
    )


async def run(provider: Provider) -> Browser:
    browser = Browser()
    await answer(provider)({}, browser.receive, browser.send)
    return browser


async def test_an_answer_is_events_in_order_with_done_last() -> None:
    browser = await run(Provider("A *gr", "eat* one.\n\nTwo."))
    names = [name for name, _ in browser.events()]
    assert names[0] == "start"
    assert names[-1] == "done"
    text = "".join(str(data["text"]) for name, data in browser.events() if name == "text")
    assert text == "A *great* one.\n\nTwo."
    final = {data["i"]: data["html"] for name, data in browser.events() if name == "block"}
    assert final == {0: "<p>A <em>great</em> one.</p>\n", 1: "<p>Two.</p>\n"}


async def test_no_proxy_may_hold_the_events_back_or_keep_them() -> None:
    browser = await run(Provider("x"))
    assert browser.headers[b"content-type"].startswith(b"text/event-stream")
    assert browser.headers[b"cache-control"] == b"no-store, no-transform"
    assert browser.headers[b"x-accel-buffering"] == b"no"
    assert browser.headers[b"set-cookie"] == b"a=b"


async def test_client_leaving_mid_stream_stops_the_backend() -> None:
    provider, browser = Provider("Half", then_wait=True), Browser()
    running = asyncio.ensure_future(answer(provider)({}, browser.receive, browser.send))
    await provider.waiting.wait()
    assert not provider.stopped.is_set()
    browser.leave()
    await asyncio.wait_for(running, 5)
    assert provider.stopped.is_set()


async def test_a_closed_socket_stops_the_backend_too() -> None:
    provider, browser = Provider("Half", then_wait=True), Browser(fails_after=1)
    await asyncio.wait_for(answer(provider)({}, browser.receive, browser.send), 5)
    assert provider.stopped.is_set()


async def test_a_server_shutting_down_stops_the_backend() -> None:
    provider, browser = Provider("Half", then_wait=True), Browser()
    running = asyncio.ensure_future(answer(provider)({}, browser.receive, browser.send))
    await provider.waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert provider.stopped.is_set()


async def test_the_reader_who_stops_listening_stops_the_backend() -> None:
    provider, browser = Provider("a", "b", "c"), Browser()
    # Held here, or collecting the garbage would close it as well.
    pieces = provider.stream()
    heard = while_listening(pieces, browser.receive, 1.0)
    assert await anext(heard) == Piece("a")
    # One piece is fetched ahead; the provider now waits for somebody to take it.
    for _ in range(5):
        await asyncio.sleep(0)
    await heard.aclose()
    assert provider.stopped.is_set()
    assert await anext(pieces, None) is None


async def test_an_error_in_the_middle_keeps_what_was_said_and_ends_the_stream() -> None:
    browser = await run(Provider("Half an ans", errors.BrokenAnswer("It hung up.")))
    names = [name for name, _ in browser.events()]
    assert "done" not in names
    assert browser.events()[-1] == (
        "error",
        {"message": "The provider's answer broke off.", "detail": "It hung up."},
    )
    assert ("text", {"text": "Half an ans"}) in browser.events()


async def test_an_unforeseen_error_tells_the_page_and_the_log_no_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        browser = await run(Provider(ValueError("the user's secret question")))
    assert browser.events()[-1] == ("error", {"message": "No answer came.", "detail": ""})
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
    assert b"secret" not in b"".join(browser.heard)


async def test_an_answer_without_end_is_ended() -> None:
    provider = Provider(*["word " * 1000] * 100)
    browser = await run(provider)
    assert browser.events()[-1] == ("done", {"stop_reason": "length"})
    assert sum(len(str(data.get("text", ""))) for _, data in browser.events()) <= MOST_ANSWER + 5000
    assert provider.stopped.is_set()


async def test_a_visitor_whose_key_is_revoked_hears_no_more() -> None:
    clock = Clock()

    def goodbye() -> Trouble | None:
        return Trouble("Your login has ended.")

    class Slow(Provider):
        async def stream(self) -> AsyncGenerator[Piece, None]:
            async for piece in super().stream():
                clock.now += 0.6
                yield piece

    provider, browser = Slow(*"abcdefgh"), Browser()
    await answer(provider, goodbye=goodbye, clock=clock)({}, browser.receive, browser.send)
    assert browser.events()[-1] == ("error", {"message": "Your login has ended.", "detail": ""})
    assert provider.stopped.is_set()
    assert ("text", {"text": "h"}) not in browser.events()


def test_pieces_that_come_fast_are_told_together() -> None:
    clock = Clock()
    progress = Progress(clock, 0.06)
    told = []
    for _ in range(100):
        progress.hear(Piece("x"))
        told.append(bool(progress.due()))
        clock.now += 0.01
    # One second: at most one in 60 ms, the first at once.
    assert told[0]
    assert 10 <= sum(told) <= 17


def test_a_long_silence_is_filled_with_a_comment() -> None:
    clock = Clock()
    progress = Progress(clock, 0.06)
    clock.now += QUIET
    assert progress.due().startswith(b":")
    assert progress.due() == b""


@pytest.mark.parametrize(
    "error",
    [
        errors.ConnectFailed("x"),
        errors.UpstreamTimeout("x"),
        errors.BrokenAnswer("x"),
        errors.Unavailable("x"),
        errors.UpstreamError("x"),
        errors.NotAllowed("x"),
        errors.NotFound("x"),
        errors.TooLarge("x"),
        errors.BadRequest("x"),
        errors.CallError("x"),
    ],
)
def test_every_kind_of_error_has_a_sentence_in_both_languages(error: errors.CallError) -> None:
    said = {trouble(error, language, "m").message for language in LANGUAGES}
    assert len(said) == len(LANGUAGES)
    assert trouble(error, "ko", "m").detail == "x"
