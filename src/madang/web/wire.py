"""One handler for every dialect: a request becomes a call, its reply goes back as it came.

Dialects differ in the errors they render; the order of things is the same for all.
"""

from __future__ import annotations

import asyncio
import logging
import math

from madang.core.clock import Ids, now_us
from madang.core.errors import (
    CallError,
    MethodNotAllowed,
    NotAuthenticated,
    ProviderError,
    Unavailable,
    UpstreamError,
)
from madang.dialects.every import DIALECTS
from madang.gateway.call import Call
from madang.gateway.meter import MeteredReply
from madang.gateway.paths import edge_of, place_of
from madang.gateway.pipeline import Gateway, serve
from madang.web.exchange import Exchange
from madang.web.models import answer_models, asks_models

_log = logging.getLogger("madang.web")

_METHODS = frozenset((b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"))
_JSON = (b"content-type", b"application/json")

_KEPT_BACK = frozenset(
    (
        b"alt-svc",
        b"connection",
        b"content-length",
        b"date",
        b"keep-alive",
        b"nel",
        b"openai-organization",
        b"openai-project",
        b"proxy-authenticate",
        b"report-to",
        b"request-id",
        b"server",
        b"set-cookie",
        b"strict-transport-security",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"via",
        b"x-request-id",
    )
)
"""A provider's headers that speak of its connection, its site or our account there, not of the answer."""


class Wire:
    """Answers exchanges with the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ids = Ids("call")

    async def answer(self, exchange: Exchange) -> None:
        """Answer a request to a model endpoint, whatever becomes of it."""
        call_id = self._ids()
        try:
            await self._answer(exchange, call_id)
        except CallError as problem:
            _send_error(exchange, problem, call_id)
        except asyncio.CancelledError:
            _send_error(exchange, Unavailable("The server is shutting down."), call_id)
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an error and the log the reason
            _log.exception("call %s failed in a way nobody foresaw", call_id)
            _send_error(exchange, CallError("This server failed. The call's id says where to look."), call_id)
        finally:
            exchange.forget_task()

    async def _answer(self, exchange: Exchange, call_id: str) -> None:
        call = _read_call(exchange, call_id)
        if exchange.complete:
            call.body = await exchange.body()
        elif await self._gateway.callers.knows(call):
            # A body that is still to come is only waited for from somebody we know.
            call.body = await exchange.body()
        else:
            # Should its key be made in this moment: without its body it must not go on.
            call.refusal = NotAuthenticated(
                "This API key was not known when the request began; send the request again."
            )
        call.refusal = exchange.refusal or call.refusal
        if asks_models(call):
            await answer_models(exchange, call, self._gateway)
            return
        async with serve(call, self._gateway) as reply:
            await _send(exchange, reply, call)


def _read_call(exchange: Exchange, call_id: str) -> Call:
    if exchange.method not in _METHODS:
        raise MethodNotAllowed(
            f"{exchange.method.decode('latin-1')[:20]} is not offered here; model endpoints take GET, POST, "
            "PUT, PATCH and DELETE."
        )
    path, _, query = exchange.url.partition(b"?")
    return Call(
        id=call_id,
        arrived=exchange.arrived,
        arrived_at=now_us(),
        method=exchange.method.decode("ascii"),
        place=place_of(path),
        query=query,
        headers=exchange.headers,
        body=b"",
    )


async def _send(exchange: Exchange, reply: MeteredReply, call: Call) -> None:
    headers = _headers(reply, call)
    if reply.whole and not reply.streamed:
        exchange.respond(reply.status, headers, await reply.read())
        return
    exchange.streamed = reply.streamed
    exchange.last_words = reply.last_words
    exchange.start(reply.status, headers, None if reply.streamed else _length(reply))
    while not await reply.pour(exchange.write):
        await exchange.drain()
    exchange.end()


def _headers(reply: MeteredReply, call: Call) -> list[tuple[bytes, bytes]]:
    headers = [(b"x-request-id", call.id.encode()), (b"x-madang-target", reply.target.header)]
    if call.dialect != "openai_chat" and call.edge == "anthropic":
        headers.append((b"request-id", call.id.encode()))  # where Anthropic's SDK looks for it
    if reply.losses is not None:
        headers.append((b"x-madang-losses", reply.losses.encode("ascii", "replace")))
    for name, value in reply.headers:
        if name not in _KEPT_BACK:
            headers.append((name, value))
        elif name in (b"x-request-id", b"request-id"):
            headers.append((b"llm_provider-x-request-id", value))
    return headers


def _length(reply: MeteredReply) -> int | None:
    for name, value in reply.headers:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


def _send_error(exchange: Exchange, problem: CallError, call_id: str) -> None:
    """Say what went wrong, in the caller's dialect and in the way that the answer's state still allows."""
    if exchange.disconnected or exchange.response_complete:
        return
    dialect = DIALECTS[edge_of(exchange.url, exchange.headers)]
    if not exchange.response_started:
        # Anthropic's SDK looks for the id under the shorter name.
        headers = [_JSON, (b"x-request-id", call_id.encode()), (b"request-id", call_id.encode())]
        if isinstance(problem, ProviderError) and problem.retry_after is not None:
            headers.append((b"retry-after", str(math.ceil(problem.retry_after)).encode()))
        exchange.respond(dialect.error_status(problem), headers, dialect.render_error(problem, call_id))
    elif exchange.streamed and isinstance(problem, UpstreamError):
        told = exchange.last_words
        last = told(problem) if told is not None else dialect.render_stream_error(problem, call_id)
        if last:
            exchange.write(last)
        exchange.end()
    else:
        exchange.abort()
