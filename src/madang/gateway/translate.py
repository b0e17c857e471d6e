"""A call between two dialects: the request rendered for its target, the answer for its client.

What cannot be said in the other dialect is found before anything is sent (`dialects/losses.py`).
A whole answer is translated at once, so that one that cannot be read still lets another target be
asked; a stream event by event, as it comes.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Callable
from contextlib import suppress

import msgspec

from madang.core.clock import now_us
from madang.core.errors import BadRequest, BrokenAnswer, CallError, ProviderError, UpstreamError
from madang.core.events import End, Event, Failure, PartStart, StopEvent, UsageEvent, collect, explode
from madang.core.messages import Extra
from madang.core.requests import Request
from madang.core.responses import Response
from madang.dialects import losses
from madang.dialects.base import Answering, Dialect
from madang.dialects.carry import is_carried
from madang.dialects.every import DIALECTS
from madang.dialects.losses import Loss
from madang.dialects.tap import Heard
from madang.gateway.beside import beside
from madang.gateway.call import Call, Headers
from madang.providers.base import Provider
from madang.providers.door import Reply
from madang.routing.routes import Target

_log = logging.getLogger("madang.gateway")

_JSON: Headers = [(b"content-type", b"application/json")]
_EVENTS: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
_UNSIGNED = re.compile(rb'"signature"\s*:\s*""')
"""In a request of Anthropic's dialect: a thought of a model that signs none."""
_NO_USAGE: Extra = {"openai_chat": {"$include_usage": False}}
_TOLD = frozenset((b"retry-after", b"retry-after-ms"))
"""A provider's headers that mean the same in every dialect."""
_MOST = 128 * 1024 * 1024
"""Bytes of an answer that is held whole, and of one event of a stream."""
_NOTHING = Heard()
_EMPTY = "The provider's answer is empty."
_MOST_BEGUN = 64 * 1024
"""Bytes of a stream that are held back until the answer itself begins: pings have no end."""
_FAREWELL = 0.25
"""Seconds in which a provider that has ended its answer may end the message too; then its connection is
kept for the next call."""


class Translation(msgspec.Struct, frozen=True):
    """How one call goes to one target in another dialect than its own."""

    client: Dialect
    provider: Dialect
    request: Request
    lost: list[Loss]
    answering: Answering

    def body(self, target: Target) -> bytes:
        """The request as the target's provider reads it."""
        request = self.request
        if self.provider.name == "openai_chat" and not target.provider.include_usage:
            # A note on the form (core/messages.py), for a provider that refuses to be asked.
            request = msgspec.structs.replace(request, extra={**request.extra, **_NO_USAGE})
        return _render(self.provider, request, target)

    def lost_in(self, response: Response | None = None) -> str | None:
        """What is lost of the request and of its answer, as a header's value."""
        of_answer = losses.find_in_answer(response, self.client.name) if response is not None else []
        return losses.header(self.lost, of_answer) or None


def translate(call: Call, target: Target, *, asks_usage: bool) -> Translation:
    """How a call goes to a target. Raises `BadRequest` where no dialect of the target's can express it."""
    client = DIALECTS[call.dialect or ""]
    request = request_of(call)
    choice = choose(request, target.provider, target.model)
    if choice.dialect is None:
        raise choice.refused[0]
    answering = Answering(
        request=request,
        id=call.id,
        created=now_us() // 1_000_000,
        asks_usage=asks_usage,
        as_list=client.name == "gemini" and b"alt=sse" not in call.query,
    )
    return Translation(client, choice.dialect, request, choice.lost, answering)


def request_of(call: Call) -> Request:
    """All of a call's request in our own form, read once. Raises `BadRequest`."""
    if call.request is None:
        client = DIALECTS[call.dialect or ""]
        call.request = client.parse_request(call.body, call.place.model, call.place.stream)
    return call.request


def _render(dialect: Dialect, request: Request, target: Target) -> bytes:
    try:
        return dialect.render_request(request, target.model or request.model)
    except RecursionError:
        raise BadRequest(
            "The request is nested too deeply to be translated.", code="nested_too_deeply"
        ) from None


class OwnBody(msgspec.Struct, frozen=True):
    """A request for a target of its own dialect, without what other dialects' providers have thought."""

    body: bytes
    losses: str | None
    """As the value of `x-madang-losses`."""


def own_body(call: Call, target: Target) -> OwnBody | None:
    """The body for a target of the call's own dialect, if it cannot have it as it came.

    `None` where nothing of another dialect's is in it, and it passes. Raises `BadRequest`.
    """
    if call.dialect is None or call.dialect not in target.beside:
        return None
    if not (is_carried(call.body) or _is_unsigned(call, target)):
        return None
    request = request_of(call)
    if (problem := losses.unportable(request, call.dialect)) is not None:
        raise problem
    foreign = losses.foreign_signatures(request, call.dialect)
    body = _render(DIALECTS[call.dialect], request, target)
    return OwnBody(body, losses.header(foreign) or None)


def _is_unsigned(call: Call, target: Target) -> bool:
    """Whether a thought is in a call that its target refuses, because nobody has signed it."""
    if call.dialect != "anthropic" or not target.provider.row.only_signed:
        return False
    return _UNSIGNED.search(call.body) is not None


def refusal_of(call: Call, target: Target) -> BadRequest | None:
    """Why a target cannot be asked this in any of its dialects, if it cannot."""
    if call.dialect is not None and call.dialect in target.speaks:
        return losses.unportable(request_of(call), call.dialect) if is_carried(call.body) else None
    choice = choose(request_of(call), target.provider, target.model)
    return choice.refused[0] if choice.dialect is None else None


class Choice(msgspec.Struct, frozen=True):
    """Which of a provider's dialects a request is put into."""

    dialect: Dialect | None
    """The first that can express it; `None`: none can."""
    lost: list[Loss]
    refused: list[BadRequest]
    """Why each of those before it cannot, in their order."""


def choose(request: Request, provider: Provider, model: str | None = None) -> Choice:
    """The first of a provider's dialects that can express a request to its model, and what is lost in it."""
    refused: list[BadRequest] = []
    for name in provider.dialects:
        try:
            return Choice(DIALECTS[name], losses.find(request, name, model), refused)
        except BadRequest as problem:
            refused.append(problem)
    return Choice(None, [], refused)


class WholeReply:
    """A translated answer that is all here."""

    __slots__ = ("_body", "headers", "heard", "losses", "status", "streamed")
    whole = True

    def __init__(self, status: int, headers: Headers, body: bytes, heard: Heard, lost: str | None) -> None:
        self.status = status
        self.headers = headers
        self.heard = heard
        self.losses = lost
        self.streamed = headers[0] in _EVENTS
        self._body = body

    async def next(self) -> bytes:
        """All of it, and then nothing."""
        body, self._body = self._body, b""
        return body

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        """All of it."""
        body = await self.next()
        return sink(body) if body else True

    async def read(self) -> bytes:
        """All of it."""
        return await self.next()

    def last_words(self, problem: CallError) -> bytes:
        """Nothing: all that there was has been said."""
        return b""

    def close(self) -> None:
        """There is nothing left to close."""


class StreamedReply:
    """A provider's stream on its way into the client's dialect."""

    __slots__ = (
        "_begun",
        "_ended",
        "_failure",
        "_over",
        "_parser",
        "_renderer",
        "_reply",
        "_silent",
        "_speaks",
        "_translation",
        "headers",
        "heard",
        "losses",
        "status",
    )
    whole = False
    streamed = True

    def __init__(self, reply: Reply, translation: Translation) -> None:
        self._reply = reply
        self._translation = translation
        self._parser = translation.provider.stream_parser()
        self._renderer = translation.client.stream_renderer(translation.answering)
        self._failure: CallError | None = None
        self._over = False
        """Whether there is nothing more to come for the client."""
        self._ended = False
        """Whether that is because the answer is whole."""
        self._speaks = False
        self._silent = 0
        """Bytes since the last event."""
        self._begun = b""
        self.status = 200
        self.headers = _JSON if translation.answering.as_list else _EVENTS
        self.losses = translation.lost_in()
        self.heard = Heard()

    async def begin(self) -> None:
        """Wait for the first of the answer itself. Raises `CallError` where a failure comes before it."""
        while not self._speaks and not self._over and len(self._begun) < _MOST_BEGUN:
            data = await self._reply.next()
            self._begun += self._take(data) if data else self._end()
        if self._failure is not None and not self._speaks:
            raise self._failure
        if self._ended and not self._speaks and self.heard == _NOTHING:
            raise BrokenAnswer(_EMPTY)

    async def next(self) -> bytes:
        """The next piece for the client; `b""` at the end. What breaks is told in the stream itself."""
        out, self._begun = self._begun, b""
        while not out and not self._over:
            try:
                data = await self._reply.next()
            except UpstreamError as problem:
                return self._break(problem)
            out = self._take(data) if data else self._end()
        if not out:
            await self._let_end()
        return out

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        """Give pieces to `sink` until the end (true) or until it gives false."""
        if self._begun and not sink(await self.next()):
            return False
        full = False

        def take(data: bytes) -> bool:
            nonlocal full
            out = self._take(data)
            if out and not sink(out):
                full = True
            return not full and not self._over

        if not self._over:
            try:
                if await self._reply.pour(take):
                    sink(self._end())
            except UpstreamError as problem:
                sink(self._break(problem))
        if self._over and not full:
            await self._let_end()
        return self._over and not full

    async def read(self) -> bytes:
        """All of it."""
        parts = []
        while data := await self.next():
            parts.append(data)
        return b"".join(parts)

    def close(self) -> None:
        """Done with it; a provider that is still speaking is told to stop."""
        self._reply.close()

    def last_words(self, problem: CallError) -> bytes:
        """What tells the client, in the state its stream is in, that we break it off."""
        return b"" if self._over else self._render([Failure(problem)])

    async def _let_end(self) -> None:
        if self._ended and not self._reply.whole:
            with suppress(UpstreamError, TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    while await self._reply.next():
                        pass

    def _take(self, data: bytes) -> bytes:
        events = self._parse(data)
        self._silent = 0 if events else self._silent + len(data)
        if self._silent > _MOST:
            events = [Failure(BrokenAnswer("The provider's stream holds an event without end."))]
        return self._render(events)

    def _end(self) -> bytes:
        return self._render(self._parse(None))

    def _break(self, problem: UpstreamError) -> bytes:
        """The connection broke: of an answer that was whole by then, nobody need know."""
        events = self._parse(None)
        if isinstance(events[-1], Failure) and isinstance(events[-1].error, UpstreamError):
            events[-1] = Failure(problem)
        return self._render(events)

    def _parse(self, data: bytes | None) -> list[Event]:
        """The events that `data` completes; `None`: the end."""
        try:
            if data is not None:
                return self._parser.feed(data)
            events = self._parser.end()
            if not events or not isinstance(events[-1], End | Failure):
                cut = BrokenAnswer("The provider's stream ended too early.", code="stream_cut")
                events = [*events, Failure(cut)]
            return events
        except Exception as problem:  # noqa: BLE001 - see `_unforeseen`
            return [Failure(_unforeseen(problem, self._translation))]

    def _render(self, events: list[Event]) -> bytes:
        render, heard = self._renderer.render, self.heard
        out: list[bytes] = []
        try:
            for event in events:
                if isinstance(event, UsageEvent):
                    heard.usage = event.usage
                elif isinstance(event, StopEvent):
                    heard.stop_reason = heard.stop_reason or (event.stop and event.stop.value)
                elif isinstance(event, PartStart):
                    self._speaks = True
                elif isinstance(event, Failure):
                    self._fail(event.error)
                elif isinstance(event, End):
                    self._over = self._ended = True
                out.append(render(event))
        except Exception as problem:  # noqa: BLE001 - see `_unforeseen`
            failure = _unforeseen(problem, self._translation)
            self._fail(failure)
            out.append(self._told_apart(failure))
        return b"".join(out)

    def _told_apart(self, problem: CallError) -> bytes:
        """An error that the renderer, whose state nobody knows, cannot tell; a JSON list stays open."""
        answering = self._translation.answering
        if answering.as_list:
            return b""
        return self._translation.client.render_stream_error(problem, answering.id)

    def _fail(self, problem: CallError) -> None:
        self.heard.error = problem.code
        self._failure = problem
        self._over = True


TranslatedReply = WholeReply | StreamedReply


async def receive(
    reply: Reply, translation: Translation, provider: Provider, *, streamed: bool
) -> TranslatedReply:
    """A provider's answer, translated. Raises `CallError` where it is none that can be told on."""
    if reply.status >= 400:
        problem = await read_error(reply, translation.provider, provider)
        client = translation.client
        headers = _JSON + [pair for pair in reply.headers if pair[0] in _TOLD]
        if problem.retry_after is not None and len(headers) == len(_JSON):
            headers.append((b"retry-after", str(math.ceil(problem.retry_after)).encode()))
        body = client.render_error(problem, translation.answering.id)
        heard = Heard(error=problem.code)
        return WholeReply(client.error_status(problem), headers, body, heard, translation.lost_in())
    if reply.status != 200:
        raise BrokenAnswer(f"The provider answered with status {reply.status}, which cannot be translated.")
    if streamed and translation.request.stream:
        stream = StreamedReply(reply, translation)
        await stream.begin()
        return stream
    body = await read_whole(reply)
    return await beside(len(body), _at_once, body, translation, streamed=streamed)


async def read_error(reply: Reply, dialect: Dialect, provider: Provider) -> ProviderError:
    """What a provider says is wrong, as a client may hear it."""
    status = reply.status if reply.status < 600 else 502
    problem = dialect.parse_error(status, provider.without_key(await read_whole(reply)))
    if problem.status == 401:
        # Or the client would think that its own key is wrong.
        problem.message = f"'{provider.name}' does not take the key that Madang has for it: {problem.message}"
    if problem.retry_after is None:
        problem.retry_after = _told_delay(reply.headers)
    return problem


def _told_delay(headers: Headers) -> float | None:
    told = next((value for name, value in headers if name == b"retry-after"), b"")
    return float(told) if told.isdigit() and len(told) < 10 else None


async def read_whole(reply: Reply) -> bytes:
    """All of an answer that is to be held. Raises `BrokenAnswer` where it has no end."""
    parts, size = [], 0
    while data := await reply.next():
        parts.append(data)
        size += len(data)
        if size > _MOST:
            raise BrokenAnswer(f"The provider's answer is larger than {_MOST // 2**20} MB.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _at_once(body: bytes, translation: Translation, *, streamed: bool) -> WholeReply:
    try:
        return _whole(_read_answer(body, translation.provider, streamed=streamed), translation)
    except CallError:
        raise
    except Exception as problem:
        raise _unforeseen(problem, translation) from problem


def _read_answer(body: bytes, provider: Dialect, *, streamed: bool) -> Response:
    if not streamed:
        return provider.parse_response(body)
    # A provider that was asked for an answer at once and gave a stream.
    parser = provider.stream_parser()
    return collect([*parser.feed(body), *parser.end()])


def _unforeseen(problem: Exception, translation: Translation) -> BrokenAnswer:
    """The error for an answer at which a codec stumbled. Whatever a provider writes, it is no failure of
    this server's to the client, and another target may still be asked; the log says where."""
    between = f"{translation.provider.name} to {translation.client.name}"
    _log.error(
        "call %s: an answer could not be translated from %s",
        translation.answering.id,
        between,
        exc_info=problem,
    )
    return BrokenAnswer("The provider's answer cannot be read.")


def _says_something(response: Response) -> bool:
    """Whether it is an answer: `{}`, or an error in nobody's words, is none."""
    if any(one.parts for one in response.candidates):
        return True
    return bool(response.id) and any(one.stop is not None for one in response.candidates)


def _whole(response: Response, translation: Translation) -> WholeReply:
    if response.usage is None and not _says_something(response):
        raise BrokenAnswer(_EMPTY)
    stop = response.candidates[0].stop if response.candidates else None
    heard = Heard(usage=response.usage, stop_reason=stop.value if stop is not None else None)
    lost = translation.lost_in(response)
    if not translation.request.stream:
        body = translation.client.render_response(response, translation.answering)
        return WholeReply(200, _JSON, body, heard, lost)
    # A provider that was asked for a stream and answered at once.
    render = translation.client.stream_renderer(translation.answering).render
    body = b"".join([render(event) for event in explode(response)])
    headers = _JSON if translation.answering.as_list else _EVENTS
    return WholeReply(200, headers, body, heard, lost)
