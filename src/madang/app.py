"""The composition root: from a configuration to a gateway that runs. Wired by hand, here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from madang.config.schema import Config
from madang.core.errors import ConfigError, StoreError
from madang.core.secret import Secret
from madang.gateway.callers import Callers
from madang.gateway.models import Models
from madang.gateway.pipeline import Gateway
from madang.observe.ledger import Ledger
from madang.providers.base import Provider
from madang.providers.discover import discover, route_targets
from madang.providers.door import Door, HttpDoor
from madang.providers.offline.door import PROVIDER as OFFLINE
from madang.providers.offline.door import OfflineDoor
from madang.routing.routes import Routes
from madang.store.address import default_url
from madang.store.admin_secret import check_admin_secret
from madang.store.keys import hash_secret, new_secret
from madang.store.store import Store
from madang.transport.deadlines import Deadlines
from madang.transport.pool import Http
from madang.transport.probe import probe_ollama

ADMIN_KEY = "MADANG_ADMIN_KEY"


class App:
    """The house without its web front: a gateway, its store and what runs beside them."""

    def __init__(self, config: Config, environ: Mapping[str, str]) -> None:
        self.config = config
        self.environ = environ
        self.data_dir = Path(config.store.data_dir)
        self.store = Store.open(config.store.url or default_url(self.data_dir))
        self.fresh_admin_key = self._settle_admin_key()
        """The admin key, where this start made it: shown once and kept nowhere."""
        self.providers = [*discover(config, environ, probe_ollama=probe_ollama), OFFLINE]
        self.http = Http(environ)
        self.ledger = Ledger(self.store.calls.write, flush_seconds=config.store.flush_seconds)
        self.callers = Callers(self.store.keys.changed_since)
        routes = self._routes()
        self.gateway = Gateway(self.callers, routes, Models(routes), self.ledger.put)
        self._deadlines = Deadlines(self.http)
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; needs a running loop. Raises `StoreError` where keys cannot be read."""
        await self.callers.refresh()
        await self.ledger.start()
        self._deadlines.start()
        self._watch = asyncio.create_task(self.callers.watch())

    async def stop(self) -> None:
        """End, with every record written and every connection closed."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        self._deadlines.stop()
        self.http.close()
        await self.ledger.stop()
        self.store.close()

    def session_secret(self) -> bytes:
        """The key that signs this server's cookies and forms; made once and kept in the data folder."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.data_dir / "session.key"
        try:
            with contextlib.suppress(FileExistsError):
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write(secrets.token_bytes(32))
            return path.read_bytes()
        except OSError as problem:
            raise StoreError(f"The session key {path} cannot be read or made: {problem.strerror}.") from None

    def _settle_admin_key(self) -> Secret | None:
        given = self.environ.get(ADMIN_KEY)
        if given is not None:
            reason = check_admin_secret(given)
            if reason is not None:
                raise ConfigError(
                    ADMIN_KEY,
                    got="a key that will not do",
                    want="a key of your own that nobody can guess",
                    hint=f"{reason}; or leave it out, and a good one is made",
                )
            self.store.keys.set_admin(Secret(given))
            return None
        made = new_secret()
        kept = self.store.keys.set_admin(made, unless_set=True)
        return made if kept.hash == hash_secret(made) else None

    def _routes(self) -> Routes:
        doors = [(provider, self._door(provider)) for provider in self.providers]
        aliases = {name: route_targets(route) for name, route in self.config.routes.items()}
        default = self.config.default_provider or self.providers[0].name
        return Routes(doors, aliases, default)

    def _door(self, provider: Provider) -> Door:
        return OfflineDoor() if provider is OFFLINE else HttpDoor(provider, self.http)
