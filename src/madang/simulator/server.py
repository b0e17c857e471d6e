"""The simulator as a server: sockets, start and stop. What it answers is `service.py`'s."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

from madang.simulator.connection import Connection, Exchange, Floor
from madang.simulator.journal import Journal, Stats
from madang.simulator.options import DEFAULTS, Options
from madang.simulator.request import Request
from madang.simulator.scenario import NO_RULES, Scenario
from madang.simulator.service import Service
from madang.simulator.ticker import Ticker

_BACKLOG = 4096
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared, not bound
"""Where a client on this machine reaches a server that listens everywhere."""


class Simulator:
    """OpenAI's, Anthropic's and Google's APIs as a server on this machine; an async context manager.

    `seed` decides everything that looks like chance. Raises OSError on start if the port is taken.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        scenario: Scenario = NO_RULES,
        seed: int = 0,
        options: Options = DEFAULTS,
        log: Callable[[Exchange], None] | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._journal, self._stats = Journal(), Stats()
        pages = {
            "/health": _health,
            "/simulator/stats": self._show_stats,
            "/simulator/requests": self._journal.as_json,
        }
        self._service = Service(options, scenario, seed, pages)
        self._log = log
        self._floor: Floor | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where an OpenAI client is to be pointed: ends in `/v1`."""
        host = _REACHED_BY.get(self._host, self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/v1"

    @property
    def root(self) -> str:
        """Where clients of Anthropic and Google are to be pointed: without a version."""
        return self.url.removesuffix("/v1")

    @property
    def port(self) -> int:
        """The port, once started."""
        return self._port

    @property
    def requests(self) -> list[Request]:
        """The last requests received (at most 1,000), oldest first."""
        return self._journal.all()

    @property
    def stats(self) -> Stats:
        """Counts, as they are now and go on changing."""
        return self._stats

    async def start(self) -> None:
        """Listen."""
        loop = asyncio.get_running_loop()
        floor = Floor(self._service, self._journal, self._stats, loop, Ticker(loop), set(), self._log)
        self._server = await loop.create_server(
            lambda: Connection(floor), self._host, self._port, backlog=_BACKLOG
        )
        self._floor = floor
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection. Stopping twice is stopping once."""
        server, floor = self._server, self._floor
        self._server = self._floor = None
        if server is None or floor is None:
            return
        server.close()
        for connection in list(floor.connections):
            connection.drop()
        floor.ticker.stop()
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _show_stats(self) -> bytes:
        return msgspec.json.encode(self._stats)


def _health() -> bytes:
    return b'{"status":"ok"}'
