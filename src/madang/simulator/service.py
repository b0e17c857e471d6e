"""From a request to the plan of its answer. Knows no sockets, and no dialect's words.

The order is the real API's: key, body, model, limits, and only then an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from madang.core.clock import now_us
from madang.simulator.anthropic import open_anthropic
from madang.simulator.controls import HEADER, NONE, Controls, UnknownControl, read_header, read_model
from madang.simulator.dialect import Asked, Dialect, Reader, Reply, Wishes
from madang.simulator.dice import Dice
from madang.simulator.gemini import open_gemini, open_gemini_array
from madang.simulator.openai import open_openai
from madang.simulator.options import Options, by_chance
from madang.simulator.plan import Plan
from madang.simulator.ratelimit import Allowance, allowance
from madang.simulator.rendering import Rendered, Rendering
from madang.simulator.request import Request
from madang.simulator.scenario import UNSCRIPTED, Rule, Scenario, Script, Scripted, ScriptedError
from madang.simulator.stamps import Stamps
from madang.simulator.vocabulary import ApiError, Stamp

DIALECTS: Final[Sequence[Callable[[Options], Dialect]]] = (
    open_openai,
    open_anthropic,
    open_gemini,
    open_gemini_array,
)
"""All dialects spoken, opened anew for every simulator, for some of them remember what was said.
A further one is a folder beside `openai/` and a name here."""

_MOST_KEYS = 10_000


class _Turn(msgspec.Struct):
    """What is known of a request while its answer is being made."""

    request: Request
    dialect: Dialect
    stamp: Stamp
    controls: Controls = NONE
    script: Scripted = UNSCRIPTED
    limits: list[tuple[str, str]] = []
    wait: float = 0.0
    """Seconds before the head."""


class Service:
    """Answers requests with plans. `now` is any steady clock in seconds, `wall` microseconds since 1970."""

    def __init__(
        self,
        options: Options,
        scenario: Scenario,
        seed: int,
        pages: Mapping[str, Callable[[], bytes]],
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = now_us,
    ) -> None:
        self._options, self._seed, self._pages, self._now = options, seed, pages, now
        self._script = Script(scenario) if scenario.rules else None
        self._stamps = Stamps(seed, wall, frozen=options.frozen_time)
        self._rendering = Rendering(self._stamps.second)
        self._allowances: dict[str, Allowance] = {}
        self._asked = 0
        self._key = options.key.reveal() if options.key is not None else None
        self._defaults = Controls(pace=options.pace or None, shred=options.shred or None)
        self._dialects = [opened(options) for opened in DIALECTS]

    def plan(self, request: Request) -> Plan:
        """The answer to a request, whatever it is."""
        dialect, reader = self._spoken(request)
        turn = _Turn(request, dialect, self._stamps.next(request.path, request.body))
        try:
            rendered = self._answered(turn, reader)
        except ApiError as error:
            body = dialect.error_body(error, turn.stamp.request_id)
            rendered = Rendered(error.status, body, [*turn.limits, *error.headers])
        return self._rendering.plan(
            request, dialect, turn.stamp, rendered, turn.controls, turn.script, turn.wait
        )

    def malformed(self, status: int, message: str) -> bytes:
        """Last words to a client that does not speak HTTP as we take it."""
        return self._rendering.last_words(status, self._dialects[0].error_body(ApiError(status, message), ""))

    def _spoken(self, request: Request) -> tuple[Dialect, Reader | None]:
        """The dialect of a request, and what reads it; the first dialect says so where nothing does."""
        for dialect in self._dialects:
            if (reader := dialect.operation(request)) is not None:
                return dialect, reader
        able = [dialect for dialect in self._dialects if _has(dialect, request)] or self._dialects
        return next((dialect for dialect in able if dialect.marks(request)), able[0]), None

    def _answered(self, turn: _Turn, reader: Reader | None) -> Rendered:
        request = turn.request
        if reader is not None and request.method == "POST":
            key = turn.dialect.authenticate(request, self._key)
            return self._operated(turn, reader(request, self._options.strict), key)
        own, page = self._pages.get(request.path), turn.dialect.page(request)
        if request.method in ("GET", "HEAD"):
            if own is not None:
                return Rendered(200, own())
            if page is not None:
                turn.dialect.authenticate(request, self._key)
                return Rendered(200, page(self._options.models))
        kept = turn.dialect.kept(request)
        if (visit := kept.get(request.method)) is not None:
            turn.dialect.authenticate(request, self._key)
            return Rendered(200, visit(request).body)
        known = reader is not None or bool(own or page or kept)
        raise turn.dialect.no_such(request.method, request.path, known)

    def _operated(self, turn: _Turn, asked: Asked, key: str) -> Rendered:
        turn.dialect.find_model(asked.model, self._options.models)
        if self._script is not None:
            self._follow(turn, self._script.find(turn.request, asked.model, asked.text))
        turn.controls = self._wanted(turn, asked.model).over(turn.controls).over(self._defaults)
        self._throw(turn)
        self._admit(turn, asked, key)
        self._fail_if_asked(turn, asked)
        reply = asked.reply(Wishes(turn.controls, turn.script, self._seed, turn.stamp))
        return self._rendered(turn, reply)

    def _rendered(self, turn: _Turn, reply: Reply) -> Rendered:
        body, script = reply.body, turn.script
        if script.body is not None:
            body = script.body.encode() if isinstance(script.body, str) else msgspec.json.encode(script.body)
        if isinstance(body, bytes) and turn.controls.pace:
            turn.wait += turn.controls.pace * reply.tokens
        headers = [*turn.limits, *((name.lower(), value) for name, value in script.headers.items())]
        return Rendered(script.status or 200, body, headers)

    def _follow(self, turn: _Turn, rule: Rule | None) -> None:
        if rule is not None:
            turn.script, turn.controls = rule.answer, rule.controls

    def _wanted(self, turn: _Turn, model: str) -> Controls:
        """What the request itself asks for: its header, then its model's name."""
        header = turn.request.headers.get(HEADER)
        try:
            wanted = read_header(header) if header else NONE
        except UnknownControl as error:
            raise ApiError(400, str(error), param=HEADER, code="unknown_control") from None
        if model in self._options.models:
            return wanted
        try:
            return wanted.over(read_model(model))
        except UnknownControl as error:
            raise ApiError(400, str(error), param="model", code="unknown_control") from None

    def _throw(self, turn: _Turn) -> None:
        """What chance decides: the wait, and whether something goes wrong. Repeats with the seed."""
        self._asked += 1
        dice = Dice(self._seed, self._asked)
        wait = turn.controls.delay
        turn.wait = self._options.latency.sample(dice) if wait is None else wait
        if (struck := by_chance(self._options, dice)) is not None:
            turn.controls = turn.controls.over(struck)

    def _admit(self, turn: _Turn, asked: Asked, key: str) -> None:
        now = self._now()
        allowed = self._allowances.get(key)
        if allowed is None:
            if len(self._allowances) >= _MOST_KEYS:
                self._allowances.clear()
            allowed = self._allowances[key] = allowance(self._options.rpm, self._options.tpm, now)
        refused = allowed.admit(now, asked.cost)
        turn.limits = turn.dialect.limit_headers(allowed, turn.stamp)
        if refused is not None:
            raise turn.dialect.exhausted(refused, asked.model)

    def _fail_if_asked(self, turn: _Turn, asked: Asked) -> None:
        controls, script = turn.controls, turn.script
        status = controls.error
        if script.error is not None or ((script.status or 0) >= 400 and script.body is None):
            status = script.status or controls.error or 500
        if status is None and controls.error_after is not None and not asked.streamed:
            status = 500
        if status is None or (controls.error_after is not None and asked.streamed and not script.status):
            return
        error = turn.dialect.error_for(status, controls, asked.model, turn.stamp.request_id)
        raise _reworded(error, script.error or ScriptedError(), tuple(script.headers.items()))


def _has(dialect: Dialect, request: Request) -> bool:
    """Whether there is something to see of a dialect's at a path."""
    return bool(dialect.page(request) or dialect.kept(request))


def _reworded(error: ApiError, script: ScriptedError, headers: tuple[tuple[str, str], ...]) -> ApiError:
    """The error with what a scenario says in place of what the API says."""
    return ApiError(
        error.status,
        error.message if script.message is None else script.message,
        kind=error.kind if script.type is None else script.type,
        param=error.param if script.param is None else script.param,
        code=error.code if script.code is None else script.code,
        headers=(*error.headers, *((name.lower(), value) for name, value in headers)),
        details=error.details,
    )
