"""Is it alive, is it ready, how is it: for orchestrators and people. No secrets, no names of keys."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from madang import __version__
from madang.app import App
from madang.core.errors import StoreError


def health_routes(app: App) -> list[Route]:
    """`/livez`, `/readyz` and `/health`."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        trouble = await _store_trouble(app)
        return PlainTextResponse(
            "ok" if trouble is None else "the store cannot be read", 200 if trouble is None else 503
        )

    async def health(_: Request) -> Response:
        trouble = await _store_trouble(app)
        stats = app.ledger.stats()
        said = {
            "status": "ok" if trouble is None else "degraded",
            "version": __version__,
            "providers": [provider.name for provider in app.providers],
            "store": "ok" if trouble is None else "unreachable",
            "records": {"written": stats.written, "pending": stats.pending, "dropped": stats.dropped},
        }
        body = msgspec.json.encode(said)
        return Response(body, 200 if trouble is None else 503, media_type="application/json")

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/health", health)]


async def _store_trouble(app: App) -> StoreError | None:
    try:
        await asyncio.to_thread(app.store.keys.admin)
    except StoreError as problem:
        return problem
    return None
