"""Which models there are: aliases, what the configuration names, and what providers say they have.

Providers are asked when somebody wants to know, not at the start, and not again for a while.
"""

from __future__ import annotations

import asyncio
import re

import msgspec

from madang.core.errors import CallError, NotFound
from madang.gateway.callers import Caller
from madang.providers.base import Provider
from madang.providers.door import Door
from madang.routing.routes import Routes

_FRESH = 300.0
"""Seconds for which a provider's answer is taken as still true."""
_PATIENCE = 3.0
"""Seconds a provider is given to say what it has."""


_PATTERN = re.compile(r"[*?\[]")


class _Listed(msgspec.Struct):
    id: str
    created: int | float | None = None
    owned_by: str | None = None


class _Named(msgspec.Struct):
    name: str


class _Listing(msgspec.Struct):
    data: list[_Listed] = []
    models: list[_Named] = []
    """Google's."""


class Model(msgspec.Struct, frozen=True):
    """One model as `/v1/models` shows it."""

    id: str
    created: int
    owned_by: str
    object: str = "model"


_listing = msgspec.json.Decoder(_Listing)
_LISTS = {"gemini": ("/v1beta/models", b"pageSize=1000"), "anthropic": ("/models", b"limit=1000")}
"""Where a provider that speaks first of all a dialect lists its models, on one page; OpenAI has but one."""


class Models:
    """The models of every provider that is on."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._listed: dict[str, list[_Listed]] = {}
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def look(self) -> bool:
        """Ask the providers, unless that was done lately. Whether they were asked now."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < _FRESH and (self._looking is None or self._looking.done()):
            return False
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        await asyncio.shield(self._looking)
        return True

    async def all(self, caller: Caller) -> list[Model]:
        """What a caller may use, aliases first."""
        await self.look()
        found = [Model(name, 0, "madang") for name in self._routes.aliases]
        for provider, _ in self._routes.doors():
            listed = {one.id: one for one in self._listed.get(provider.name, [])}
            named = (m for m in provider.models if m not in listed and not _PATTERN.search(m))
            for name in (*listed, *named):
                created = listed[name].created if name in listed else None
                found.append(Model(f"{provider.name}/{name}", int(created or 0), provider.name))
        return [model for model in found if caller.allows(model.id)]

    async def find(self, name: str, caller: Caller) -> Model:
        """One model by name. Raises `NotFound`."""
        known = {model.id: model for model in await self.all(caller)}
        route = self._routes.resolve(name)
        if not caller.allows(name, *(target.label for target in route.targets)):
            raise NotFound(f"The model '{name[:200]}' is not open to this key.", code="model_not_found")
        target = route.targets[0]
        label = target.label if name not in self._routes.aliases else name
        return known.get(label) or Model(name, 0, target.provider.name)

    async def _look(self) -> None:
        self._looked_at = asyncio.get_running_loop().time()
        doors = self._routes.doors()
        answers = await asyncio.gather(*(_ask(provider, door) for provider, door in doors))
        for (provider, _), answer in zip(doors, answers, strict=True):
            if answer is not None:
                self._listed[provider.name] = answer
        self._routes.learn(
            {one.id: name for name, listed in reversed(self._listed.items()) for one in listed}
        )


async def _ask(provider: Provider, door: Door) -> list[_Listed] | None:
    path, query = _LISTS.get("".join(provider.dialects[:1]), ("/models", b""))
    try:
        async with asyncio.timeout(_PATIENCE):
            reply = await door.send("GET", path, query, [(b"accept", b"application/json")], b"")
            try:
                body = await reply.read()
            finally:
                reply.close()
        listing = _listing.decode(body) if reply.status == 200 else None
    except (CallError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if listing is None:
        return None
    return [*listing.data, *[_Listed(one.name.removeprefix("models/")) for one in listing.models]]
