"""The journey of a call, whole. Start here.

`serve` is a context, like an HTTP client's `stream()`: the upstream's socket and the record live
exactly as long as the answer is being sent, and a client that hangs up is an exception at `yield`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from madang.core.clock import monotonic
from madang.core.errors import CallError, ClientError, NotFound, ProviderError, Unavailable
from madang.core.record import Outcome, Record
from madang.gateway import asked as asking
from madang.gateway.asked import Asked
from madang.gateway.attempts import answer
from madang.gateway.call import Call
from madang.gateway.callers import Caller, Callers, refuse_model, refuse_uncertain
from madang.gateway.held import Held
from madang.gateway.meter import MeteredReply
from madang.gateway.models import Models
from madang.routing.routes import Route, Routes

_LONGEST_NAME = 200
"""Characters of a model's name that a record keeps: the client chose it."""


class Gateway:
    """What the journey needs, wired in `app.py`."""

    __slots__ = ("callers", "held", "keep", "models", "routes")

    def __init__(
        self, callers: Callers, routes: Routes, models: Models, keep: Callable[[Record], None]
    ) -> None:
        self.callers = callers
        self.routes = routes
        self.models = models
        self.held = Held()
        self.keep = keep
        """Takes a finished record; never waits."""


@asynccontextmanager
async def serve(call: Call, gw: Gateway, caller: Caller | None = None) -> AsyncIterator[MeteredReply]:
    """Answer a call. Raises `CallError` before the first byte, `UpstreamError` at the reply after it.

    `caller` is who calls where that is known already (the chat page); else the call's key says it.
    """
    record = Record(call.id, call.arrived_at, call.place.operation, request_bytes=len(call.body), attempts=[])
    reply: MeteredReply | None = None
    try:
        caller = caller or await gw.callers.identify(call)
        _note_caller(record, caller)
        asked = asking.read(call)
        record.route = asked.model and asked.model[:_LONGEST_NAME]
        route = await _find_route(call, asked, gw)
        _check_allowed(caller, call, asked, route)
        reply = MeteredReply(await answer(call, asked, route, record), call, asked, record)
        yield reply
    except CallError as problem:
        _note_problem(record, problem, begun=reply is not None)
        raise
    except (asyncio.CancelledError, GeneratorExit) as end:
        _note_end(record, end, begun=reply is not None)
        raise
    except Exception:
        _note_problem(
            record, CallError(""), begun=reply is not None
        )  # nobody foresaw it; `web/wire.py` logs it
        raise
    finally:
        if reply is not None:
            reply.close()
            reply.settle()
            _note_held(call, reply, gw.held)
        record.duration_us = int((monotonic() - call.arrived) * 1e6)
        gw.keep(record)


async def _find_route(call: Call, asked: Asked, gw: Gateway) -> Route:
    if asked.model is None:
        wanted = call.header(b"x-madang-provider")
        name = wanted.decode("latin-1") if wanted else gw.held.provider(call.place.answer_id)
        route = gw.routes.without_model(name, call.edge)
        _check_spoken(call, route)
        return route
    try:
        route = gw.routes.resolve(asked.model)
    except NotFound:
        # A bare name that no pattern knows: perhaps a provider says that it has it.
        if "/" in asked.model or not await gw.models.look():
            raise
        route = gw.routes.resolve(asked.model)
    return route if asked.goes_on_from is None else gw.held.narrow(route, asked.goes_on_from)


def _check_spoken(call: Call, route: Route) -> None:
    """An operation that only one dialect has makes no sense to a provider that does not speak it."""
    edge, target = call.place.edge, route.targets[0]
    if edge != "openai_chat" and edge not in target.speaks:
        raise NotFound(
            f"{call.method} {call.place.path[:100]} is for providers that speak {edge}, and "
            f"'{target.provider.name}' does not. Name one that does in the header x-madang-provider.",
            code="not_offered",
        )


def _check_allowed(caller: Caller, call: Call, asked: Asked, route: Route) -> None:
    if caller.models is None:
        return
    labels = [target.label for target in route.targets]
    named = asked.model is not None
    if named and not (caller.allows(route.name) or all(caller.allows(label) for label in labels)):
        raise refuse_model(caller, route.name)
    if named and call.names_model and asked.certain:
        return
    if not all(caller.allows_all(target.provider.name) for target in route.targets):
        raise refuse_uncertain(caller)


def _note_held(call: Call, reply: MeteredReply, held: Held) -> None:
    if call.place.edge != "openai_responses" or reply.status != 200:
        return
    if call.dialect is not None and reply.answer_id is not None:
        held.note(reply.answer_id, reply.target.provider.name)
    elif call.method == "DELETE" and call.place.answer_id is not None:
        held.forget(call.place.answer_id)


def _note_caller(record: Record, caller: Caller) -> None:
    record.key_id, record.key_name, record.owner = caller.key_id, caller.name, caller.owner


def _note_end(record: Record, end: BaseException, *, begun: bool) -> None:
    """A client that hung up cancels without a word; the server, at the end of its patience, says so."""
    if not end.args:
        record.outcome = Outcome.LEFT
        return
    record.error = "shutdown"
    record.outcome = Outcome.CUT if begun else Outcome.FAILED
    record.status = record.status or Unavailable.status


def _note_problem(record: Record, problem: CallError, *, begun: bool) -> None:
    record.error = problem.code
    if begun:
        record.outcome = Outcome.CUT
    else:
        record.status = problem.status
        theirs = isinstance(problem, ClientError) or (
            isinstance(problem, ProviderError) and problem.status < 500 and problem.status != 429
        )
        record.outcome = Outcome.REFUSED if theirs else Outcome.FAILED
