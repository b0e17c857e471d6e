"""Listening: uvicorn's server, with our protocol before the app and our own order of start and stop."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn

from madang.app import App
from madang.core.errors import ConfigError
from madang.transport.deadlines import Deadlines
from madang.web.protocol import ModelProtocol
from madang.web.wire import Wire

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_LOOK = 0.1
"""Seconds between two looks at clients' deadlines."""
_BACKLOG = 4096
_COLLECT_AFTER = 50_000
"""New objects after which garbage is looked for. Records wait for their batch and make no cycles; at
Python's 700 the looking cost a fifth of a call (benchmarks/path.py, 2026-11-20: 47 µs and 37)."""


class Server(uvicorn.Server):
    """Serves an app until told to stop; then every answer is finished and every record written."""

    def __init__(self, app: App, announce: Callable[[], None] = lambda: None) -> None:
        self._pages = Pages(app)
        super().__init__(_settings(app, self._pages))
        self._app = app
        self._announce = announce
        self._watch = Deadlines(cast("set[ModelProtocol]", self.server_state.connections), _LOOK)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the house, then listen."""
        await self._app.start()
        await super().startup(sockets)
        self._watch.start()
        gc.set_threshold(_COLLECT_AFTER)
        self._announce()
        self._pages.prepare()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way, then end the house."""
        try:
            await super().shutdown(sockets)
        finally:
            await self._pages.prepared()
            self._watch.stop()
            await self._app.stop()


class Pages:
    """The ordinary web app, made once the model endpoints answer already.

    Importing what pages need takes as long as half of everything else; who waits for a first
    answer need not wait for that.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._secret = app.session_secret()  # what may go wrong at the start goes wrong at the start
        self._making: asyncio.Task[ASGIApp] | None = None

    def prepare(self) -> None:
        """Begin to make it, in a thread."""
        self._making = asyncio.create_task(self._make(), name="madang-pages")

    async def prepared(self) -> None:
        """Wait until it is made, if it was begun."""
        if self._making is not None:
            await asyncio.wait({self._making})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._making is None:
            self.prepare()
        app = await asyncio.shield(cast("asyncio.Task[ASGIApp]", self._making))
        await app(scope, receive, send)

    async def _make(self) -> ASGIApp:
        app = await asyncio.to_thread(_web_app, self._app, self._secret)
        # What start-up made lives as long as the process: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        return app


def _web_app(app: App, secret: bytes) -> ASGIApp:
    from madang.web.app import web_app

    return web_app(app, secret)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `ConfigError` where the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise ConfigError(
            "server",
            got=f"{host}:{port}, which cannot be listened on ({(problem.strerror or str(problem)).lower()})",
            want="an address of this machine that is free",
            hint="choose another with --port or --host",
        ) from None
    sock.set_inheritable(True)
    return sock


def _settings(app: App, pages: Pages) -> uvicorn.Config:
    server = app.config.server
    protocol = partial(
        ModelProtocol, answer=Wire(app.gateway).answer, max_body=int(server.max_body_mb * 1_000_000)
    )
    return uvicorn.Config(
        pages,
        http=cast(Any, protocol),  # uvicorn names a class; it only ever calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # web/auth.py wants the headers as they came
        timeout_graceful_shutdown=cast(int, server.shutdown_seconds),
        backlog=_BACKLOG,
    )
