"""The chat page's way to the models: the same journey as every call, with a person at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec

from madang.core.clock import Ids, monotonic, now_us
from madang.core.errors import CallError, NotFound, TooLarge, Unavailable, UpstreamError, UpstreamTimeout
from madang.dialects.openai_chat.streams import read_delta
from madang.dialects.sse import Splitter, data_of
from madang.gateway.call import Call
from madang.gateway.callers import Caller, Callers
from madang.gateway.meter import MeteredReply
from madang.gateway.paths import place_of
from madang.gateway.pipeline import Gateway, serve
from madang.web.auth import KeyHolder, Visitor
from madang.web.chat.backend import Message, ModelChoice, Piece

_HERE = Caller(key_id=None, name="chat page, this machine")


class PageKeys:
    """What pages ask of the keys, answered from memory."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def check(self, secret: str) -> KeyHolder | None:
        """The holder of a key typed into the login page."""
        return _holder(self._callers.by_secret(secret))

    def holder(self, fingerprint: str) -> KeyHolder | None:
        """The holder of the key a session began with, while it is good."""
        return _holder(self._callers.by_id(fingerprint))


class GatewayBackend:
    """Answers for the chat page, from the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ids = Ids("call")

    async def models(self, visitor: Visitor) -> list[ModelChoice]:
        """What the visitor may choose: aliases first, then provider by provider."""
        found = await self._gateway.models.all(self._caller(visitor))
        return [
            ModelChoice(model.id, model.id.partition("/")[2] or model.id, model.owned_by) for model in found
        ]

    async def stream(
        self, model: str, messages: Sequence[Message], visitor: Visitor
    ) -> AsyncGenerator[Piece, None]:
        """The answer, piece by piece. Raises `CallError`."""
        call = self._call(model, messages)
        async with serve(call, self._gateway, self._caller(visitor)) as reply:
            if reply.status >= 400 or not reply.streamed:
                raise await _as_error(reply)
            splitter = Splitter()
            while data := await reply.next():
                for event in splitter.feed(data):
                    delta = read_delta(data_of(event))
                    if delta is not None:
                        yield Piece(delta.text, delta.stop_reason)

    def _call(self, model: str, messages: Sequence[Message]) -> Call:
        turns = [{"role": message.role, "content": message.text} for message in messages]
        return Call(
            id=self._ids(),
            arrived=monotonic(),
            arrived_at=now_us(),
            method="POST",
            place=place_of(b"/v1/chat/completions"),
            query=b"",
            headers=[],
            body=msgspec.json.encode({"model": model, "messages": turns, "stream": True}),
        )

    def _caller(self, visitor: Visitor) -> Caller:
        if visitor.key is None:
            return _HERE
        return self._gateway.callers.by_id(visitor.key.fingerprint) or Caller(
            key_id=visitor.key.fingerprint, name=visitor.key.name, models=()
        )


_STATUS_ERRORS: dict[int, type[CallError]] = {
    429: Unavailable,
    503: Unavailable,
    529: Unavailable,
    404: NotFound,
    413: TooLarge,
    408: UpstreamTimeout,
    504: UpstreamTimeout,
}


async def _as_error(reply: MeteredReply) -> CallError:
    """A provider's refusal, as the page can say it; a refused key there is ours and not the visitor's."""
    await reply.read()
    label = reply.target.label
    if reply.status < 400:
        return UpstreamError(f"{label} did not answer with a stream.", code="no_stream")
    kind = _STATUS_ERRORS.get(reply.status, UpstreamError)
    return kind(f"{label} answered with status {reply.status}.", code=f"status_{reply.status}")


def _holder(caller: Caller | None) -> KeyHolder | None:
    if caller is None or caller.key_id is None:
        return None
    return KeyHolder(caller.key_id, caller.name)
