"""The chat's pages and what they post to: read the request, ask, answer in HTML or in events.

Who may come in is `web/auth.py`; what an answer looks like is `blocks.py` and the templates.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote, unquote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from madang.core.errors import CallError
from madang.web.auth import Pages, Visit, Visitor, Wait
from madang.web.chat import conversation, words
from madang.web.chat.assets import Assets
from madang.web.chat.backend import Backend, ModelChoice
from madang.web.chat.blocks import set_answer
from madang.web.chat.conversation import Posted, Question, Turn, Unusable
from madang.web.chat.stream import PACE, AnswerStream, Trouble, trouble, while_listening
from madang.web.chat.words import Language, say
from madang.web.security import SecurityHeaders, is_cross_origin

MODEL_COOKIE = "madang_model"
YEAR = 365 * 24 * 3600
# What chat.js says; handed to it as an attribute, since there is no inline script.
SCRIPT_WORDS = (
    *("answer", "copy", "copied", "again", "stopped", "cut_length", "error_connection", "error_generic"),
    *("status_thinking", "status_done", "status_new"),
)

Handler = Callable[["ChatPages", Request], Awaitable[ASGIApp]]


def chat_routes(backend: Backend, pages: Pages) -> list[BaseRoute]:
    """Everything a browser needs to chat; every answer with the headers of `web/security.py`."""
    chat = ChatPages(backend, pages)
    secured = [Middleware(SecurityHeaders)]

    def route(path: str, endpoint: Callable[[Request], Awaitable[ASGIApp]], method: str = "GET") -> Route:
        return Route(path, endpoint, methods=[method], middleware=secured)

    return [
        route("/", chat.home),
        route("/chat", chat.home_again),
        route("/chat", chat.chat, "POST"),
        route("/chat/stream", chat.stream, "POST"),
        route("/chat/render", chat.render, "POST"),
        route("/login", chat.login),
        route("/login", chat.log_in, "POST"),
        route("/logout", chat.log_out, "POST"),
        route("/static/{version}/{name}", chat.assets.serve),
    ]


def as_page(handler: Handler) -> Handler:
    """What cannot be used is refused with a page."""

    @functools.wraps(handler)
    async def handle(self: ChatPages, request: Request) -> ASGIApp:
        try:
            return await handler(self, request)
        except Unusable as problem:
            if problem.status == 401:
                return RedirectResponse("/login", status_code=303)
            return self.refusal(request, problem)

    return handle


def as_data(handler: Handler) -> Handler:
    """What cannot be used is refused with a sentence that the script shows."""

    @functools.wraps(handler)
    async def handle(self: ChatPages, request: Request) -> ASGIApp:
        try:
            return await handler(self, request)
        except Unusable as problem:
            message = say(words.language_of(request), problem.key, **problem.values)
            return _json({"message": message}, problem.status)

    return handle


class ShownTurn(msgspec.Struct, frozen=True):
    """A turn as the template shows it; a user's text stays text, an answer is set HTML."""

    turn: Turn
    blocks: list[Markup]
    note: str = ""
    detail: str = ""
    again: bool = False


class ChatPages:
    def __init__(self, backend: Backend, pages: Pages) -> None:
        self._backend = backend
        self._pages = pages
        self.assets = Assets()
        self._templates = Environment(
            loader=PackageLoader("madang.web.chat"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    # --- the chat ---

    @as_page
    async def home(self, request: Request) -> ASGIApp:
        if switched := _switch_language(request):
            return switched
        visit = self._pages.visit(request)
        visitor = _welcome(visit)
        return await self._chat_page(request, visit, visitor, [], model=_remembered_model(request))

    async def home_again(self, request: Request) -> ASGIApp:
        """`/chat` typed or bookmarked: there is nothing to show but the page itself."""
        return RedirectResponse("/", status_code=303)

    @as_page
    async def chat(self, request: Request) -> ASGIApp:
        """A question without JavaScript: wait for the whole answer, give back the whole page."""
        visit, form = await self._own_form(request)
        visitor = _welcome(visit)
        question = conversation.question_of(form)
        if language := words.as_language(form.lang):
            conversation.check_size(question.turns)
            response = await self._shown(request, visit, visitor, question, language=language)
            return _remember(response, words.COOKIE, language)
        try:
            conversation.check(question)
        except Unusable as problem:
            turns = question.turns if form.again else question.turns[:-1]
            kept = Question(turns, question.model)
            return await self._shown(request, visit, visitor, kept, problem=problem, draft=form.message)
        answer = await self._whole_answer(request, visitor, question)
        if not self._pages.still_welcome(visitor):
            raise Unusable(401, "login_needed")
        shown = [*await _show(question.turns), answer]
        response = await self._chat_page(request, visit, visitor, shown, model=question.model)
        return _remember(response, MODEL_COOKIE, quote(question.model, safe=""))

    @as_data
    async def stream(self, request: Request) -> ASGIApp:
        """A question with JavaScript: the answer as events."""
        visit = self._own_data(request)
        visitor = _welcome(visit)
        question = await conversation.read_question(request)
        conversation.check(question)
        language = words.language_of(request)
        cookies = Response()
        self._pages.set_cookie(request, cookies, visit)
        _remember(cookies, MODEL_COOKIE, quote(question.model, safe=""))
        farewell = Trouble(say(language, "login_needed"))
        return AnswerStream(
            self._backend.stream(question.model, conversation.messages(question.turns), visitor),
            say_trouble=lambda error: trouble(error, language, question.model),
            goodbye=lambda: None if self._pages.still_welcome(visitor) else farewell,
            headers=[header for header in cookies.raw_headers if header[0] == b"set-cookie"],
        )

    @as_data
    async def render(self, request: Request) -> ASGIApp:
        """A conversation that the browser kept over a reload, set again: the browser keeps text only."""
        _welcome(self._own_data(request))
        question = await conversation.read_question(request)
        conversation.check_size(question.turns)
        shown = await _show(question.turns)
        return _json({"html": ["".join(turn.blocks) for turn in shown]}, 200)

    # --- the door ---

    @as_page
    async def login(self, request: Request) -> ASGIApp:
        if switched := _switch_language(request):
            return switched
        visit = self._pages.visit(request)
        if visit.visitor is not None:
            return RedirectResponse("/", status_code=303)
        return self._page(request, "login.html", visit, problem="")

    @as_page
    async def log_in(self, request: Request) -> ASGIApp:
        visit, form = await self._own_form(request)
        entered = self._pages.log_in(request, form.key.strip())
        language = words.language_of(request)
        match entered:
            case Visit():
                inside = RedirectResponse("/", status_code=303)
                self._pages.set_cookie(request, inside, entered)
                return inside
            case Wait(seconds=seconds):
                problem = say(language, "login_wait", seconds=seconds)
                response = self._page(request, "login.html", visit, status=429, problem=problem)
                response.headers["retry-after"] = str(seconds)
                return response
            case None:
                problem = say(language, "login_wrong")
                return self._page(request, "login.html", visit, status=401, problem=problem)

    @as_page
    async def log_out(self, request: Request) -> ASGIApp:
        visit, _ = await self._own_form(request)
        response = RedirectResponse("/login", status_code=303)
        self._pages.log_out(request, response, visit)
        return response

    def refusal(self, request: Request, problem: Unusable) -> Response:
        """A page in both languages: whoever meets it may not have chosen one yet."""
        first = words.language_of(request)
        ordered = sorted(words.LANGUAGES, key=lambda language: language != first)
        reasons = [(language, say(language, problem.key, **problem.values)) for language in ordered]
        visit = self._pages.visit(request)
        return self._page(request, "refused.html", visit, status=problem.status, reasons=reasons)

    # --- what they share ---

    async def _own_form(self, request: Request) -> tuple[Visit, Posted]:
        if is_cross_origin(request.method, request.headers):
            raise Unusable(403, "refused_origin")
        visit = self._pages.visit(request)
        form = await conversation.read_form(request)
        if not self._pages.is_ours(request, visit, form.token):
            raise Unusable(403, "refused_origin")
        return visit, form

    def _own_data(self, request: Request) -> Visit:
        if is_cross_origin(request.method, request.headers):
            raise Unusable(403, "refused_origin")
        visit = self._pages.visit(request)
        _welcome(visit)  # first: whose login has ended has lost the token with it, and should hear why
        if not self._pages.is_ours(request, visit, request.headers.get("x-madang-token", "")):
            raise Unusable(403, "refused_origin")
        return visit

    async def _whole_answer(self, request: Request, visitor: Visitor, question: Question) -> ShownTurn:
        language = words.language_of(request)
        said: list[str] = []
        length = 0
        reason, note = "", Trouble("")
        pieces = self._backend.stream(question.model, conversation.messages(question.turns), visitor)
        try:
            async with contextlib.aclosing(while_listening(pieces, request.receive, PACE)) as heard:
                async for piece in heard:
                    if piece is not None:
                        said.append(piece.text)
                        length += len(piece.text)
                        reason = piece.stop_reason or reason
                    if length > conversation.MOST_ANSWER:
                        reason = "length"
                        break
        except Exception as error:  # noqa: BLE001 (whatever it is, the page must say it)
            note = trouble(error, language, question.model)
        if reason == "length":
            note = Trouble(say(language, "cut_length"))
        title = await self._title(visitor, question.model)
        turn = Turn("assistant", "".join(said), title, cut=bool(note.message))
        blocks = await asyncio.to_thread(set_answer, turn.text)
        return ShownTurn(turn, list(map(Markup, blocks)), note.message, note.detail, turn.cut)

    async def _title(self, visitor: Visitor, model: str) -> str:
        choices = await self._models(visitor)
        return next((choice.title for choice in choices if choice.id == model), model)

    async def _models(self, visitor: Visitor) -> list[ModelChoice]:
        try:
            return await self._backend.models(visitor)
        except CallError:
            return []

    async def _shown(
        self,
        request: Request,
        visit: Visit,
        visitor: Visitor,
        question: Question,
        *,
        problem: Unusable | None = None,
        draft: str = "",
        language: Language | None = None,
    ) -> Response:
        """The page with a conversation that nothing was added to."""
        try:
            conversation.check_size(question.turns)
        except Unusable as too_much:
            return self.refusal(request, too_much)
        shown = await _show(question.turns)
        return await self._chat_page(
            request,
            visit,
            visitor,
            shown,
            model=question.model,
            problem=problem,
            draft=draft,
            language=language,
        )

    async def _chat_page(
        self,
        request: Request,
        visit: Visit,
        visitor: Visitor,
        shown: list[ShownTurn],
        *,
        model: str,
        problem: Unusable | None = None,
        draft: str = "",
        language: Language | None = None,
    ) -> Response:
        language = language or words.language_of(request)
        groups: dict[str, list[ModelChoice]] = {}
        for choice in await self._models(visitor):
            groups.setdefault(choice.provider, []).append(choice)
        return self._page(
            request,
            "chat.html",
            visit,
            status=problem.status if problem else 200,
            language=language,
            shown=shown,
            transcript=conversation.transcript([item.turn for item in shown]),
            groups=groups,
            model=model,
            problem=say(language, problem.key, **problem.values) if problem else "",
            draft=draft,
            script_words=msgspec.json.encode({k: words.WORDS[language][k] for k in SCRIPT_WORDS}).decode(),
        )

    def _page(
        self,
        request: Request,
        template: str,
        visit: Visit,
        *,
        status: int = 200,
        language: Language | None = None,
        **values: object,
    ) -> Response:
        language = language or words.language_of(request)
        html = self._templates.get_template(template).render(
            lang=language,
            w=words.WORDS[language],
            say=functools.partial(say, language),
            languages=words.LANGUAGE_NAMES,
            token=self._pages.token(visit),
            visitor=visit.visitor,
            asset=self.assets.url,
            **values,
        )
        headers = {"content-language": language, "vary": "accept-language, cookie"}
        response = HTMLResponse(html, status_code=status, headers=headers)
        self._pages.set_cookie(request, response, visit)
        return response


async def _show(turns: Sequence[Turn]) -> list[ShownTurn]:
    """Off the event loop: a conversation at its largest takes long enough to hold up a stream."""
    return await asyncio.to_thread(lambda: [_show_turn(turn) for turn in turns])


def _show_turn(turn: Turn) -> ShownTurn:
    blocks = set_answer(turn.text) if turn.role == "assistant" else []
    return ShownTurn(turn, list(map(Markup, blocks)))


def _welcome(visit: Visit) -> Visitor:
    if visit.visitor is None:
        raise Unusable(401, "login_needed")
    return visit.visitor


def _switch_language(request: Request) -> Response | None:
    """`?lang=ko` chooses a language, for good, and goes away again."""
    language = words.as_language(request.query_params.get("lang", ""))
    if language is None:
        return None
    return _remember(RedirectResponse(request.url.path, status_code=303), words.COOKIE, language)


def _remembered_model(request: Request) -> str:
    return unquote(request.cookies.get(MODEL_COOKIE, ""))[:200]


def _remember(response: Response, name: str, value: str) -> Response:
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", path="/")
    return response


def _json(data: object, status: int) -> Response:
    return Response(msgspec.json.encode(data), status_code=status, media_type="application/json")
