"""Who calls: from the key a client sends to what it may do.

Every key's hash is in memory; the database is not on the path of a call. Changes made elsewhere
(another process, the command line) are read once a second, and at once when a key is unknown.
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
from collections.abc import Callable

import msgspec

from madang.core.clock import now_us
from madang.core.errors import NotAllowed, NotAuthenticated, StoreError
from madang.gateway.call import Call
from madang.store.keys import Changes, Key

_LOOK_AGAIN = 0.05
"""Seconds between two looks for unknown keys: a flood of bad keys must not become one of queries."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may call."""

    key_id: str | None
    name: str
    owner: str | None = None
    models: tuple[str, ...] | None = None
    """Patterns of models it may use; `None`: all."""
    admin: bool = False

    def allows(self, *names: str) -> bool:
        """Whether it may use a model known by any of these names."""
        if self.models is None:
            return True
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.models for name in names)

    def allows_all(self, provider: str) -> bool:
        """Whether it may use every model of a provider, whatever it is called."""
        if self.models is None:
            return True
        return any(p.endswith("*") and fnmatch.fnmatchcase(f"{provider}/", p) for p in self.models)


class Callers:
    """Every key, by its hash."""

    def __init__(self, changed_since: Callable[[int], Changes]) -> None:
        self._changed_since = changed_since
        self._cursor = 0
        self._keys: dict[str, Key] = {}
        self._by_id: dict[str, Key] = {}
        self._callers: dict[str, Caller] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    async def identify(self, call: Call) -> Caller:
        """The caller of a call. Raises `NotAuthenticated` with a sentence that helps."""
        secret = call.secret()
        if not secret:
            raise NotAuthenticated(
                "No API key was sent. Send one of Madang's keys as 'Authorization: Bearer sk-madang-...'; "
                "the admin key was shown at the first start, and 'madang keys create NAME' makes another.",
                code="missing_api_key",
            )
        digest = _digest(secret)
        caller = self._callers.get(digest)
        if caller is None:
            await self._look_for_unknown()
            caller = self._callers.get(digest)
        key = self._keys.get(digest)
        if key is None or caller is None:
            raise NotAuthenticated(
                "This API key is not known here. Check that it was copied whole, and that it is one of "
                "Madang's keys, not a provider's."
            )
        _check_valid(key)
        return caller

    async def knows(self, call: Call) -> bool:
        """Whether `identify` would find somebody."""
        try:
            await self.identify(call)
        except NotAuthenticated:
            return False
        return True

    def by_secret(self, secret: str) -> Caller | None:
        """The caller with this key, as far as it is known now."""
        return self._valid(self._keys.get(_digest(secret)))

    def by_id(self, key_id: str) -> Caller | None:
        """The caller with the key of this id."""
        return self._valid(self._by_id.get(key_id))

    def _valid(self, key: Key | None) -> Caller | None:
        if key is None:
            return None
        try:
            _check_valid(key)
        except NotAuthenticated:
            return None
        return self._callers[key.hash]

    async def refresh(self) -> None:
        """Read what changed. One look serves all who wait for it."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        await asyncio.shield(self._looking)

    async def watch(self, seconds: float = 1.0) -> None:
        """Read what changed, again and again; a database that is down leaves what is known."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.refresh()
            except StoreError:
                continue

    async def _look_for_unknown(self) -> None:
        """Until a look that began after now is done; one serves all who wait."""
        loop = asyncio.get_running_loop()
        came = loop.time()
        try:
            while self._looked_at <= came:
                await asyncio.sleep(max(0.0, self._looked_at + _LOOK_AGAIN - loop.time()))
                await self.refresh()
            if self._looking is not None:
                await asyncio.shield(self._looking)
        except StoreError:
            return  # unknown as far as can be told; the watch will say when the store is back

    async def _look(self) -> None:
        self._looked_at = asyncio.get_running_loop().time()
        changed, self._cursor = await asyncio.to_thread(self._changed_since, self._cursor)
        for key in changed:
            self._keys[key.hash] = self._by_id[key.id] = key
            self._callers[key.hash] = Caller(
                key_id=key.id, name=key.name, owner=key.owner, models=key.models, admin=key.admin
            )


def _digest(secret: str) -> str:
    # Never cut short, compared whole: CVE-2026-35030 was a cache keyed on a key's beginning.
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _check_valid(key: Key) -> None:
    if key.revoked_at is not None:
        raise NotAuthenticated(f"The API key '{key.name}' was revoked.", code="revoked_api_key")
    if key.expires_at is not None and key.expires_at <= now_us():
        raise NotAuthenticated(f"The API key '{key.name}' has expired.", code="expired_api_key")


def refuse_uncertain(caller: Caller) -> NotAllowed:
    """The error for a request of which a model's name does not tell where it leads."""
    allowed = ", ".join((caller.models or ())[:10])
    return NotAllowed(
        f"The API key '{caller.name}' may use {allowed or 'no model'}, and this request could reach other "
        "models or things of the whole provider; that takes a key for all of it.",
        code="model_not_allowed",
    )


def refuse_model(caller: Caller, model: str) -> NotAllowed:
    """The error for a model the caller's key does not open."""
    allowed = ", ".join((caller.models or ())[:10])
    return NotAllowed(
        f"The API key '{caller.name}' may not use '{model[:200]}'. It may use: {allowed or 'no model'}.",
        code="model_not_allowed",
        param="model",
    )
