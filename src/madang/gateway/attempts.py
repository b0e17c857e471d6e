"""Asking a route's targets, in order, until one gives a good answer.

An attempt is good once the answer's head is fine and, of a stream, its first event is here:
before that another target may still be asked and the client never knows.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from madang.core.clock import monotonic
from madang.core.errors import BrokenAnswer, CallError, ProviderError, UpstreamError
from madang.core.record import Attempt, Record
from madang.dialects.carry import is_carried
from madang.dialects.every import DIALECTS
from madang.gateway import asked as asking
from madang.gateway.asides import count, embed, embeds
from madang.gateway.asked import Asked
from madang.gateway.beside import beside
from madang.gateway.call import Call, Headers
from madang.gateway.translate import TranslatedReply, own_body, receive, refusal_of, translate
from madang.providers.door import Reply
from madang.routing.routes import Route, Target

_TRY_ANOTHER = frozenset((401, 402, 403, 404, 408, 429, 500, 502, 503, 504, 529))
"""Statuses that say more of the target than of the request."""

_LONGEST_ERROR = 64 * 1024
"""Bytes of a provider's error that are waited for, to see what it says; more of it passes unseen."""

_SEALED_ELSEWHERE = "invalid_encrypted_content"
"""OpenAI's word for reasoning that another organisation's key has encrypted: perhaps that of the route's
next target, which answered the turn before (github.com/BerriAI/litellm/issues/18094, 2025-12)."""

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
    translated: TranslatedReply | None = None
    """The reply again, where it is a translated one."""
    provider_dialect: str | None = None
    """Where it is not the client's."""
    losses: str | None = None
    """What was lost on the way, as the value of `x-madang-losses`."""


async def answer(call: Call, asked: Asked, route: Route, record: Record) -> Answer:
    """The first good answer, or the last bad one. Raises `CallError` where the last gave none."""
    targets: Sequence[Target] = route.targets
    if len(targets) > 1:
        targets = await beside(len(call.body), _expressible, call, route, record)
    last = len(targets) - 1
    for number, target in enumerate(targets):
        begun = monotonic()
        attempt = Attempt(target.provider.name, target.model)
        record.attempts.append(attempt)
        try:
            found = await _ask(call, asked, target, attempt)
            if number == last:
                return found
            if not (_try_another(found, attempt, call.dialect) or await _is_sealed_elsewhere(found, attempt)):
                return found
            found.reply.close()
        except (UpstreamError, ProviderError) as problem:
            attempt.error = problem.code
            if number == last or _is_of_request(problem, call):
                raise
        finally:
            attempt.duration_us = int((monotonic() - begun) * 1e6)
    raise BrokenAnswer(f"The route '{route.name}' has no target.")


def _is_of_request(problem: CallError, call: Call) -> bool:
    """Whether what was asked aside is wrong, and no other target will like it better."""
    aside = call.dialect is None
    return aside and isinstance(problem, ProviderError) and problem.status not in _TRY_ANOTHER


def _expressible(call: Call, route: Route, record: Record) -> Sequence[Target]:
    """Which of several targets can be asked this at all; one alone says so when it is asked.

    Raises `BadRequest`, the first target's, where none can: a route never answers something else.
    """
    targets = route.targets
    if call.wants is not None and call.place.embeds is not None:
        return [target for target in targets if embeds(target)] or targets[:1]
    if call.dialect is None:
        return targets
    if all(call.dialect in one.speaks for one in targets) and not is_carried(call.body):
        return targets
    kept, refusal = [], None
    for target in targets:
        problem = refusal_of(call, target)
        if problem is None:
            kept.append(target)
            continue
        refusal = refusal or problem
        record.attempts.append(Attempt(target.provider.name, target.model, error=problem.code))
    if refusal is not None and not kept:
        raise refusal
    return kept


async def _ask(call: Call, asked: Asked, target: Target, attempt: Attempt) -> Answer:
    place = call.place
    lost = None
    if target.model is None:
        path, body = place.path, call.body
    elif not _passes(call, target):
        return await _ask_otherwise(call, asked, target, attempt)
    else:
        path = place.path if place.verb is None else place.path_for(target.model)
        own = None
        if call.dialect in target.beside:
            own = await beside(len(call.body), own_body, call, target)
        kept = asked if own is None else asking.of_answer(place, own.body)
        lost = own.losses if own is not None else None
        body = kept.for_target(target.model, add_usage=target.provider.include_usage)
    headers = _CHAT_HEADERS if place.dialect == "openai_chat" else _forwarded(call.headers)
    reply = await target.door.send(call.method, path, call.query, headers, body)
    attempt.status = reply.status
    found = Answer(target, reply, losses=lost, streamed=_is_stream(reply.headers))
    try:
        if found.streamed:
            found.first = await reply.next()
        elif reply.status >= 400:
            while len(found.first) < _LONGEST_ERROR and (piece := await reply.next()):
                found.first += piece
    except BaseException:
        reply.close()
        raise
    if reply.status >= 400:
        found.first = target.provider.without_key(found.first)
    return found


def _passes(call: Call, target: Target) -> bool:
    """Whether a target takes a call as it is. Both of OpenAI's dialects have the same embeddings."""
    speaks = target.speaks
    if call.place.counts is not None and is_carried(call.body):
        return False
    return call.wants in speaks or (call.place.embeds == "openai_chat" and "openai_responses" in speaks)


async def _ask_otherwise(call: Call, asked: Asked, target: Target, attempt: Attempt) -> Answer:
    """Ask a target that does not speak the client's dialect."""
    if call.dialect is None:
        try:
            aside = await (count(call, target) if call.place.counts is not None else embed(call, target))
        except ProviderError as problem:
            attempt.status = problem.status
            raise
        attempt.status = aside.status
        return Answer(target, aside, translated=aside, losses=aside.losses)
    size = len(call.body)
    translation = await beside(size, translate, call, target, asks_usage=asked.asks_usage)
    body = await beside(size, translation.body, target)
    endpoint = translation.provider.endpoint(target.model or "", asked.stream)
    reply = await target.door.send("POST", endpoint.path, endpoint.query, _CHAT_HEADERS, body)
    attempt.status = reply.status
    try:
        translated = await receive(reply, translation, target.provider, streamed=_is_stream(reply.headers))
    except BaseException:
        reply.close()
        raise
    return Answer(
        target,
        translated,
        streamed=translated.streamed,
        translated=translated,
        provider_dialect=translation.provider.name,
        losses=translated.losses,
    )


def _try_another(found: Answer, attempt: Attempt, dialect: str | None) -> bool:
    if found.reply.status in _TRY_ANOTHER:
        attempt.error = f"status_{attempt.status}"
        return True
    if not found.streamed or found.translated is not None:
        return False
    if not found.first:
        attempt.error = BrokenAnswer.code
        return True
    if dialect is None:
        return False
    tap = DIALECTS[dialect].tap(False)
    tap.feed(found.first)
    attempt.error = tap.heard.error
    return attempt.error is not None


async def _is_sealed_elsewhere(found: Answer, attempt: Attempt) -> bool:
    if found.reply.status != 400:
        return False
    if found.translated is not None:
        sealed = found.translated.heard.error == _SEALED_ELSEWHERE
    else:
        found.first += await found.reply.read()
        sealed = _SEALED_ELSEWHERE.encode() in found.first
    if sealed:
        attempt.error = _SEALED_ELSEWHERE
    return sealed


def _is_stream(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value[:17].lower() == b"text/event-stream"
    return False


def _forwarded(headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0] in _FORWARDED]
