"""Where the time of a call goes in Python: each stage measured by what the call costs up to and with it.

    python benchmarks/parts.py [--seconds 2]

Processor time as in `path.py`, which it uses; the difference between two rows is a stage.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Coroutine

import path
import uvloop

from madang.core.record import Record
from madang.gateway import asked as asking
from madang.gateway.attempts import answer as attempt
from madang.observe.ledger import Ledger
from madang.web import wire
from madang.web.exchange import Exchange
from madang.web.wire import Wire

JSON = [(b"content-type", b"application/json")]
Handler = Callable[[Wire, Exchange], Coroutine[None, None, None]]


async def protocol(self: Wire, exchange: Exchange) -> None:
    exchange.respond(200, JSON, path.ANSWER)
    exchange.forget_task()


async def caller(self: Wire, exchange: Exchange) -> None:
    call = wire._read_call(exchange, self._ids())
    call.body = await exchange.body()
    await self._gateway.callers.identify(call)
    await protocol(self, exchange)


async def body(self: Wire, exchange: Exchange) -> None:
    call = wire._read_call(exchange, self._ids())
    call.body = await exchange.body()
    await self._gateway.callers.identify(call)
    asked = asking.read(call)
    route = self._gateway.routes.resolve(asked.model or "")
    asked.for_target(route.targets[0].model or "", add_usage=True)
    await protocol(self, exchange)


async def provider(self: Wire, exchange: Exchange) -> None:
    call = wire._read_call(exchange, self._ids())
    call.body = await exchange.body()
    await self._gateway.callers.identify(call)
    asked = asking.read(call)
    route = self._gateway.routes.resolve(asked.model or "")
    record = Record(call.id, call.arrived_at, call.operation, attempts=[])
    found = await attempt(call, asked, route, record)
    await found.reply.read()
    found.reply.close()
    await protocol(self, exchange)


STAGES: list[tuple[str, Handler | None, bool]] = [
    ("protocol, task, one write", protocol, False),
    ("who calls", caller, False),
    ("body read, model spliced", body, False),
    ("asking the provider", provider, False),
    ("journey, meter, headers back", None, False),
    ("record written (all of it)", None, True),
]


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=2.0)
    seconds = options.parse_args().seconds
    whole, put = Wire.answer, Ledger.put
    for name, handler, records in STAGES:
        Wire.answer = handler or whole  # type: ignore[method-assign]  # a shorter way
        Ledger.put = put if records else lambda self, record: None  # type: ignore[method-assign]  # no record
        print(f"{name:<32}", end="", flush=True)
        uvloop.run(path.run(seconds, profile=False, stream=False))


if __name__ == "__main__":
    main()
