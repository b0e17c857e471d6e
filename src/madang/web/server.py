"""Listening: uvicorn's server, with our protocol before the app and our own order of start and stop."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn

from madang.app import App
from madang.core.errors import ConfigError
from madang.transport.deadlines import Deadlines
from madang.web.app import web_app
from madang.web.protocol import ModelProtocol
from madang.web.wire import Wire

_LOOK = 0.1
"""Seconds between two looks at clients' deadlines."""
_BACKLOG = 4096


class Server(uvicorn.Server):
    """Serves an app until told to stop; then every answer is finished and every record written."""

    def __init__(self, app: App, announce: Callable[[], None] = lambda: None) -> None:
        super().__init__(_settings(app))
        self._app = app
        self._announce = announce
        self._watch = Deadlines(cast("set[ModelProtocol]", self.server_state.connections), _LOOK)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the house, then listen."""
        await self._app.start()
        await super().startup(sockets)
        self._watch.start()
        # What start-up made lives as long as the process: no collection needs to look at it again.
        gc.collect()
        gc.freeze()
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Finish what is under way, then end the house."""
        try:
            await super().shutdown(sockets)
        finally:
            self._watch.stop()
            await self._app.stop()


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


def _settings(app: App) -> uvicorn.Config:
    server = app.config.server
    protocol = partial(
        ModelProtocol, answer=Wire(app.gateway).answer, max_body=int(server.max_body_mb * 1_000_000)
    )
    return uvicorn.Config(
        web_app(app),
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
