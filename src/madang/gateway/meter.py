"""The meter: counts what passes and listens for usage, without touching it.

Of an answer it hears usage and stop reason; of an opaque operation it counts bytes. What is
translated has been read already, and is only counted.
The one thing it may hold back is the usage chunk that only Madang asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from madang.core.clock import monotonic
from madang.core.errors import CallError
from madang.core.record import Outcome, Record
from madang.dialects.base import Dialect
from madang.dialects.every import DIALECTS
from madang.dialects.tap import Heard, Tap
from madang.gateway.asked import Asked
from madang.gateway.attempts import Answer
from madang.gateway.call import Call, Headers

_MOST_HEARD = 4 * 1024 * 1024
"""Bytes of an answer that is not streamed beyond which its usage is not looked for."""
_LONGEST_WORD = 100
"""Characters of a stop reason or an error's code that a record keeps: the provider chose them."""


class MeteredReply:
    """An answer on its way to the client."""

    __slots__ = (
        "_answer",
        "_arrived",
        "_dialect",
        "_first",
        "_heard",
        "_record",
        "_size",
        "_tap",
        "answer_id",
        "losses",
        "status",
        "target",
    )

    def __init__(self, answer: Answer, call: Call, asked: Asked, record: Record) -> None:
        self._answer = answer
        self._record = record
        self._arrived = call.arrived
        self._first = answer.first
        self._heard: list[bytes] | None = None
        self._tap: Tap | None = None
        self._size = 0
        self._dialect: Dialect | None = None
        self.status = answer.reply.status
        self.target = answer.target
        self.answer_id: str | None = None
        """Under which the provider keeps the answer, if it does."""
        self.losses = answer.losses
        """What was lost in translation, as the value of `x-madang-losses`."""
        dialect = call.dialect
        if dialect is not None and answer.translated is None:
            self._dialect = DIALECTS[dialect]
            if answer.streamed:
                withhold = asked.stream and not asked.asks_usage and answer.target.provider.include_usage
                self._tap = self._dialect.tap(withhold)
            else:
                self._heard = []
        record.status = self.status
        record.streamed = answer.streamed
        record.passed = answer.translated is None and answer.target.door.passes
        record.dialect = dialect
        record.provider_dialect = answer.provider_dialect
        record.losses = self.losses
        record.upstream_id = _upstream_id(answer.reply.headers)
        record.provider = answer.target.provider.name
        record.model = answer.target.model

    @property
    def headers(self) -> Headers:
        return self._answer.reply.headers

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream of events."""
        return self._answer.streamed

    @property
    def last_words(self) -> Callable[[CallError], bytes] | None:
        """What breaks off a translated stream, in the state that it is in."""
        translated = self._answer.translated
        return translated.last_words if translated is not None else None

    @property
    def whole(self) -> bool:
        """Whether everything has arrived, so that `read` will not wait."""
        return self._answer.reply.whole

    async def next(self) -> bytes:
        """The next piece for the client; `b""` at the end. Raises `UpstreamError`."""
        while True:
            data = self._first or await self._answer.reply.next()
            self._first = b""
            if not data:
                return self._end()
            if data := self._meter(data):
                return data

    async def pour(self, write: Callable[[bytes], bool]) -> bool:
        """Give pieces to `write` until the end (true) or until it gives false. Raises `UpstreamError`."""

        def sink(data: bytes) -> bool:
            data = self._meter(data)
            return write(data) if data else True

        first, self._first = self._first, b""
        if first and not sink(first):
            return False
        if not await self._answer.reply.pour(sink):
            return False
        if rest := self._end():
            write(rest)
        return True

    def _meter(self, data: bytes) -> bytes:
        """Hear and count a piece; what of it goes on."""
        if self._record.first_byte_us is None:
            self._record.first_byte_us = int((monotonic() - self._arrived) * 1e6)
        if self._tap is not None:
            data = self._tap.feed(data)
        elif self._heard is not None:
            self._listen(data)
        self._size += len(data)
        return data

    async def read(self) -> bytes:
        """All of it."""
        parts = []
        while data := await self.next():
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _listen(self, data: bytes) -> None:
        if self._heard is not None:
            self._heard.append(data)
            if self._size + len(data) > _MOST_HEARD:
                self._heard = None

    def _end(self) -> bytes:
        rest = self._tap.rest() if self._tap is not None else b""
        self._size += len(rest)
        return rest

    def settle(self) -> None:
        """Write what was heard into the record, however the answer ended."""
        record = self._record
        record.response_bytes = self._size
        heard: Heard | None = None
        if self._answer.translated is not None:
            heard = self._answer.translated.heard
        elif self._tap is not None:
            heard = self._tap.heard
            self.answer_id = heard.id
        elif self._heard and self._dialect is not None:
            heard = self._dialect.hear(b"".join(self._heard))
            self.answer_id = heard.id
        if heard is not None:
            record.usage = heard.usage
            record.stop_reason = heard.stop_reason and heard.stop_reason[:_LONGEST_WORD]
            record.error = record.error or (heard.error and heard.error[:_LONGEST_WORD])
        if record.outcome is Outcome.OK:
            record.outcome = self._outcome(record.error)
            if self.status >= 400 and record.error is None:
                record.error = f"status_{self.status}"

    def _outcome(self, error: str | None) -> Outcome:
        if self.status >= 500 or self.status == 429:
            return Outcome.FAILED
        if self.status >= 400:
            return Outcome.REFUSED
        return Outcome.CUT if error is not None and self.streamed else Outcome.OK

    def close(self) -> None:
        """Done with it."""
        self._answer.reply.close()


def _upstream_id(headers: Headers) -> str | None:
    for name, value in headers:
        if name in (b"x-request-id", b"request-id"):
            return value[:200].decode("latin-1")
    return None
