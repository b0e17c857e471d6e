"""Asking a route's targets, in order, until one gives a good answer.

An attempt is good once the answer's head is fine and, of a stream, its first event is here:
before that another target may still be asked and the client never knows.
"""

from __future__ import annotations

import msgspec

from madang.core.clock import monotonic
from madang.core.errors import BrokenAnswer, UpstreamError
from madang.core.record import Attempt, Record
from madang.dialects.openai_chat.streams import Tap
from madang.gateway.asked import Asked
from madang.gateway.call import Call, Headers
from madang.providers.door import Reply
from madang.routing.routes import Route, Target

_TRY_ANOTHER = frozenset((401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529))
"""Statuses that say more of the target than of the request."""

_FORWARDED = frozenset(
    (b"accept", b"anthropic-beta", b"anthropic-version", b"content-type", b"idempotency-key", b"openai-beta")
)
_CHAT_HEADERS: Headers = [(b"content-type", b"application/json")]


class Answer(msgspec.Struct, eq=False):
    """A target's answer; `first` is what of its body has been read already."""

    target: Target
    reply: Reply
    first: bytes = b""
    streamed: bool = False


async def answer(call: Call, asked: Asked, route: Route, record: Record) -> Answer:
    """The first good answer, or the last bad one. Raises `UpstreamError` where the last gave none."""
    targets = route.targets
    last = len(targets) - 1
    for number, target in enumerate(targets):
        begun = monotonic()
        attempt = Attempt(target.provider.name, target.model)
        record.attempts.append(attempt)
        try:
            found = await _ask(call, asked, target)
            attempt.status = found.reply.status
            if number == last or not _try_another(found, attempt):
                return found
            found.reply.close()
        except UpstreamError as problem:
            attempt.error = problem.code
            if number == last:
                raise
        finally:
            attempt.duration_us = int((monotonic() - begun) * 1e6)
    raise BrokenAnswer(f"The route '{route.name}' has no target.")


async def _ask(call: Call, asked: Asked, target: Target) -> Answer:
    body = call.body
    if target.model is not None:
        body = asked.for_target(target.model, add_usage=target.provider.include_usage)
    headers = _CHAT_HEADERS if call.is_chat else _forwarded(call.headers)
    reply = await target.door.send(call.method, call.path, call.query, headers, body)
    found = Answer(target, reply)
    if _is_stream(reply.headers):
        found.streamed = True
        try:
            found.first = await reply.next()
        except BaseException:
            reply.close()
            raise
    return found


def _try_another(found: Answer, attempt: Attempt) -> bool:
    if found.reply.status in _TRY_ANOTHER:
        attempt.error = f"status_{found.reply.status}"
        return True
    if not found.streamed:
        return False
    if not found.first:
        attempt.error = BrokenAnswer.code
        return True
    tap = Tap(withhold=False)
    tap.feed(found.first)
    attempt.error = tap.heard.error
    return attempt.error is not None


def _is_stream(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value[:17].lower() == b"text/event-stream"
    return False


def _forwarded(headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0] in _FORWARDED]
