"""`GET /v1/models`, in OpenAI's shape."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec

from madang.gateway.call import Call
from madang.gateway.pipeline import Gateway
from madang.web.exchange import Exchange


def asks_models(call: Call) -> bool:
    """Whether a call is about the models there are; Madang knows that itself."""
    return call.method == "GET" and (call.path == "/models" or call.path.startswith("/models/"))


async def answer_models(exchange: Exchange, call: Call, gateway: Gateway) -> None:
    """The list, or one model. Raises `NotAuthenticated` or `NotFound`."""
    caller = await gateway.callers.identify(call)
    name = unquote(call.path.removeprefix("/models").removeprefix("/"))
    found: object
    if name:
        found = await gateway.models.find(name, caller)
    else:
        found = {"object": "list", "data": await gateway.models.all(caller)}
    headers = [(b"content-type", b"application/json"), (b"x-request-id", call.id.encode())]
    exchange.respond(200, headers, msgspec.json.encode(found))
