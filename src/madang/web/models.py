"""The models there are, in the shape of whoever asks: OpenAI's, Anthropic's or Gemini's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote

import msgspec

from madang.core.errors import BadRequest
from madang.gateway.call import Call
from madang.gateway.models import Model
from madang.gateway.pipeline import Gateway
from madang.web.exchange import Exchange

_PATH = re.compile(r"(?:/v1beta|/v1alpha)?/models(?:/(?P<name>.+))?")
_MOST = 1000
_METHODS = ["generateContent", "streamGenerateContent", "countTokens", "embedContent"]


def asks_models(call: Call) -> bool:
    """Whether a call is about the models there are; Madang knows that itself."""
    return call.method == "GET" and _PATH.fullmatch(call.place.path) is not None


async def answer_models(exchange: Exchange, call: Call, gateway: Gateway) -> None:
    """The list, or one model. Raises `BadRequest`, `NotAuthenticated` or `NotFound`."""
    caller = await gateway.callers.identify(call)
    found = _PATH.fullmatch(call.place.path)
    name = unquote(found["name"] or "") if found is not None else ""
    answer: object
    if name:
        answer = _one(call.edge, await gateway.models.find(name, caller))
    else:
        answer = _list(call, await gateway.models.all(caller))
    headers = [(b"content-type", b"application/json"), (b"x-request-id", call.id.encode())]
    if call.edge == "anthropic":
        headers.append((b"request-id", call.id.encode()))
    exchange.respond(200, headers, msgspec.json.encode(answer))


def _one(edge: str, model: Model) -> object:
    if edge == "anthropic":
        created = datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"type": "model", "id": model.id, "display_name": model.id, "created_at": created}
    if edge == "gemini":
        return {
            "name": f"models/{model.id}",
            "baseModelId": model.id,
            "version": "001",
            "displayName": model.id,
            "supportedGenerationMethods": _METHODS,
        }
    return model


def _list(call: Call, models: Sequence[Model]) -> object:
    query = {name: values[-1] for name, values in parse_qs(call.query.decode("latin-1")).items()}
    if call.edge == "anthropic":
        models, more = _anthropic_page(query, models)
        return {
            "data": [_one("anthropic", model) for model in models],
            "has_more": more,
            "first_id": models[0].id if models else None,
            "last_id": models[-1].id if models else None,
        }
    if call.edge == "gemini":
        start = _whole(query, "pageToken", 0, most=10**9)
        size = _whole(query, "pageSize", 50, most=_MOST)
        page = models[start : start + size]
        listing: dict[str, object] = {"models": [_one("gemini", model) for model in page]}
        if start + size < len(models):
            listing["nextPageToken"] = str(start + size)
        return listing
    return {"object": "list", "data": models}


def _anthropic_page(query: dict[str, str], models: Sequence[Model]) -> tuple[Sequence[Model], bool]:
    limit = _whole(query, "limit", 20, most=_MOST)
    ids = [model.id for model in models]
    if query.get("after_id") in ids:
        models = models[ids.index(query["after_id"]) + 1 :]
    elif query.get("before_id") in ids:
        end = ids.index(query["before_id"])
        return models[max(0, end - limit) : end], end > limit
    return models[:limit], len(models) > limit


def _whole(query: dict[str, str], name: str, default: int, *, most: int) -> int:
    text = query.get(name, "")
    if not text.strip("0"):
        return default
    if not (text.isascii() and text.isdigit()) or not int(text[:12]) <= most:
        raise BadRequest(
            f"'{name}' must be a whole number, {most} at most.", code="invalid_value", param=name
        )
    return int(text)
