"""The ordinary web app: pages, admin and health. The model endpoints stand before it, not in it."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from madang.app import App
from madang.core.errors import CallError, MethodNotAllowed, NotFound
from madang.dialects.openai_chat.errors import render_error
from madang.web.admin.keys import key_routes
from madang.web.auth import Pages
from madang.web.backend import GatewayBackend, PageKeys
from madang.web.chat.pages import chat_routes
from madang.web.health import health_routes
from madang.web.security import SecurityHeaders


def web_app(app: App, secret: bytes) -> Starlette:
    """Everything that is not a model endpoint; `secret` signs cookies and forms."""
    pages = Pages(secret, PageKeys(app.callers), login=app.config.server.chat_login)
    routes = [*health_routes(app), *key_routes(app), *chat_routes(GatewayBackend(app.gateway), pages)]
    return Starlette(
        routes=routes,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={HTTPException: _http_error, 500: _server_error},
    )


async def _http_error(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    if status == 405:
        return _error(MethodNotAllowed(f"{request.method} is not offered at {request.url.path[:200]}."))
    if status == 404:
        hint = "The API is below /v1, the chat page at /."
        return _error(NotFound(f"There is nothing at {request.url.path[:200]}. {hint}", code="unknown_path"))
    return _error(CallError("The request could not be answered."), status)


async def _server_error(_: Request, __: Exception) -> Response:
    return _error(CallError("This server failed; its log says why."))


def _error(problem: CallError, status: int | None = None) -> Response:
    return Response(render_error(problem), status or problem.status, media_type="application/json")
