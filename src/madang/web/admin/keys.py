"""Keys over HTTP: `POST`, `GET` and `DELETE` on `/admin/keys`, with the admin key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from madang.app import App
from madang.core.clock import now_us
from madang.core.errors import BadRequest, CallError, NotAllowed, NotFound, StoreError, TooLarge, Unavailable
from madang.dialects.openai_chat.errors import render_error
from madang.gateway.call import Call
from madang.gateway.paths import Place
from madang.store.keys import Key, KeyRefused, NoSuchKey

_DAY_US = 24 * 3600 * 1_000_000
_MOST_BYTES = 64 * 1024

Handler = Callable[[Request], Awaitable[Response]]


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    owner: str | None = None
    models: list[str] | None = None
    expires_days: int | None = None
    expires_at: datetime | None = None


class _Shown(msgspec.Struct, omit_defaults=True, kw_only=True):
    id: str
    name: str
    hint: str
    owner: str | None = None
    models: tuple[str, ...] | None = None
    admin: bool = False
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    key: str | None = None


_wanted = msgspec.json.Decoder(_Wanted)


def key_routes(app: App) -> list[Route]:
    """The routes of `/admin/keys`."""
    keys = app.store.keys

    async def create(request: Request) -> Response:
        wanted = _read(await _body(request))
        defaults = app.config.keys
        made = await asyncio.to_thread(
            keys.create,
            wanted.name,
            owner=wanted.owner,
            models=wanted.models if wanted.models is not None else defaults.models,
            expires_at=_expiry(wanted, defaults.expires_days),
        )
        await app.callers.refresh()
        return _json(201, _show(made.key, made.secret.reveal()))

    async def list_all(request: Request) -> Response:
        revoked = request.query_params.get("all", "") in ("1", "true")
        found = await asyncio.to_thread(keys.list, revoked)
        return _json(200, {"data": [_show(key) for key in found]})

    async def revoke(request: Request) -> Response:
        key = await asyncio.to_thread(keys.revoke, request.path_params["key"])
        await app.callers.refresh()
        return _json(200, _show(key))

    return [
        Route("/admin/keys", _guarded(app, create), methods=["POST"]),
        Route("/admin/keys", _guarded(app, list_all), methods=["GET"]),
        Route("/admin/keys/{key}", _guarded(app, revoke), methods=["DELETE"]),
    ]


def _guarded(app: App, handler: Handler) -> Handler:
    """Only for the admin key; every error in the shape API clients know."""

    async def guarded(request: Request) -> Response:
        try:
            await _admit(app, request)
            return await handler(request)
        except NoSuchKey as problem:
            return _error(NotFound(str(problem), code="key_not_found"))
        except KeyRefused as problem:
            return _error(BadRequest(str(problem), code="invalid_key_fields"))
        except StoreError:
            return _error(Unavailable("The store cannot be used just now; nothing was changed."))
        except CallError as problem:
            return _error(problem)

    return guarded


async def _admit(app: App, request: Request) -> None:
    call = Call(
        id="",
        arrived=0.0,
        arrived_at=0,
        method=request.method,
        place=Place(path="/admin/keys", operation="admin.keys"),
        query=b"",
        headers=request.headers.raw,
        body=b"",
    )
    caller = await app.callers.identify(call)
    if not caller.admin:
        raise NotAllowed(f"The API key '{caller.name}' is not the admin key.", code="admin_key_needed")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BYTES:
            raise TooLarge("This request is larger than any key needs.")
        parts.append(part)
    return b"".join(parts)


def _read(body: bytes) -> _Wanted:
    try:
        return _wanted.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadRequest(f"The key's fields cannot be read: {problem}.", code="invalid_json") from None


def _expiry(wanted: _Wanted, default_days: int | None) -> int | None:
    if wanted.expires_at is not None:
        if wanted.expires_at.tzinfo is None:
            raise BadRequest("'expires_at' needs a time zone: 2027-01-31T00:00:00Z.", param="expires_at")
        return int(wanted.expires_at.timestamp() * 1_000_000)
    days = wanted.expires_days if wanted.expires_days is not None else default_days
    if days is None:
        return None
    if not 1 <= days <= 36_500:
        raise BadRequest("'expires_days' must be between 1 and 36500.", param="expires_days")
    return now_us() + days * _DAY_US


def _show(key: Key, secret: str | None = None) -> _Shown:
    return _Shown(
        id=key.id,
        name=key.name,
        hint=key.hint,
        owner=key.owner,
        models=key.models,
        admin=key.admin,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        key=secret,
    )


def _error(problem: CallError) -> Response:
    return Response(render_error(problem), problem.status, media_type="application/json")


def _json(status: int, said: object) -> Response:
    return Response(msgspec.json.encode(said), status, media_type="application/json")
