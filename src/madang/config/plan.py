"""What would become of a call: its targets, the dialect each is asked in, and what is lost on the way.

Nothing is sent; `madang explain` prints it. For a request the losses are its own. Without one they
are all that a client's dialect can say and the target's cannot, as `dialects/losses.py` declares.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Literal

import msgspec

from madang.core.errors import BadRequest
from madang.core.messages import Json
from madang.core.requests import Request
from madang.dialects.every import DIALECTS
from madang.dialects.losses import ANSWERS, FOREIGN, REQUESTS, Column, Loss, look_up
from madang.dialects.reading import write_json
from madang.gateway.translate import choose
from madang.providers.compatible import url_for
from madang.routing.routes import Route, Routes, Target

# Members and blocks that only Anthropic's requests have. `thinking` and `top_k` at the top are no
# sign: servers of OpenAI's dialect take them too.
_ANTHROPIC_MEMBERS = frozenset(("anthropic_version", "mcp_servers", "stop_sequences", "system"))
_ANTHROPIC_BLOCKS = (
    b'"input_schema":',
    b'"media_type":',
    b'"type":"thinking"',
    b'"type":"tool_result"',
    b'"type":"tool_use"',
)


class Refused(msgspec.Struct, frozen=True):
    """A dialect that the request cannot be put into, and why."""

    dialect: str
    """The client's own, where the request is none of its."""
    message: str
    code: str
    param: str | None


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """One target, and how a call gets there."""

    provider: str
    model: str
    speaks: list[str]
    """The provider's dialects, best first."""
    dialect: str | None
    """In which it is asked; None: in none, the call is refused."""
    url: str | None
    """None: it is refused, or answered here."""
    bytes_pass: bool
    model_spliced: bool
    """Whether the name in the request is replaced: the client's differs from the provider's."""
    refused: list[Refused]
    """The better dialects that were passed over, best first."""
    losses: list[Loss]
    """Of the request."""
    answer_losses: list[Loss]
    """Of its answer, as far as can be said beforehand: all that could be."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model's name leads."""

    model: str
    named: Literal["route", "provider/model", "bare"]
    """As what the name was understood."""
    client: str
    """The dialect of the call."""
    targets: list[Way]
    """In the order they are tried."""

    @property
    def refused(self) -> bool:
        """Whether the call gets nowhere: a target is asked only after the one before it failed."""
        return self.targets[0].dialect is None


def plan(routes: Routes, model: str, client: str, request: Mapping[str, Json] | None = None) -> Plan:
    """What would become of a call in a client's dialect. Raises `NotFound` where no model is called so."""
    route = routes.resolve(model)
    asked = _read(request, model, client) if request is not None and _is_read(route, client) else None
    return Plan(
        model=model,
        named=_named(model, routes, route),
        client=client,
        targets=[_way(target, model, client, asked) for target in route.targets],
    )


def guess_dialect(request: Mapping[str, Json]) -> str | None:
    """The dialect a request is written in, by what it has; None where it is like none of them.

    A request that is one in OpenAI's chat completions as well as in Anthropic's dialect, and means
    the same in both, is taken for the former.
    """
    if "contents" in request:
        return "gemini"
    if "messages" not in request:
        return "openai_responses" if "input" in request else None
    text = write_json(request)
    if not _ANTHROPIC_MEMBERS.isdisjoint(request) or any(block in text for block in _ANTHROPIC_BLOCKS):
        return "anthropic"
    return "openai_chat"


def _is_read(route: Route, client: str) -> bool:
    """Whether some target needs the request translated; one whose bytes pass is sent it unread."""
    return any(client not in target.speaks for target in route.targets)


def _read(members: Mapping[str, Json], model: str, client: str) -> Request | BadRequest:
    google = client == "gemini"
    body = write_json(members if google else {**members, "model": model})
    try:
        return DIALECTS[client].parse_request(body, model if google else None, False if google else None)
    except BadRequest as problem:
        return problem


def _named(model: str, routes: Routes, route: Route) -> Literal["route", "provider/model", "bare"]:
    if model in routes.aliases:
        return "route"
    return "provider/model" if route.targets[0].label == model else "bare"


def _way(target: Target, model: str, client: str, asked: Request | BadRequest | None) -> Way:
    provider = target.provider
    refused: list[Refused] = []
    losses: list[Loss] = []
    chosen: str | None = provider.dialects[0]
    if client in target.speaks:
        chosen = client
    elif isinstance(asked, BadRequest):
        chosen, refused = None, [_refused(client, asked)]
    elif asked is not None:
        choice = choose(asked, provider, target.model)
        chosen, losses = choice.dialect.name if choice.dialect is not None else None, choice.lost
        refused = [_refused(name, why) for name, why in zip(provider.dialects, choice.refused, strict=False)]
    else:
        losses = _unsayable(client, provider.dialects[0])
    translated = chosen is not None and chosen != client
    return Way(
        provider=provider.name,
        model=target.model or "",
        speaks=list(provider.dialects),
        dialect=chosen,
        url=_url(target, chosen, asked) if chosen is not None and provider.base_url else None,
        bytes_pass=target.door.passes and not translated and chosen is not None,
        model_spliced=target.model != model,
        refused=refused,
        losses=losses,
        answer_losses=_untellable(client, chosen) if chosen is not None and translated else [],
    )


def _refused(dialect: str, problem: BadRequest) -> Refused:
    return Refused(dialect, str(problem), problem.code, problem.param)


def _url(target: Target, dialect: str, asked: Request | BadRequest | None) -> str:
    stream = asked.stream if isinstance(asked, Request) else False
    endpoint = DIALECTS[dialect].endpoint(target.model or "", stream)
    query = f"?{endpoint.query.decode()}" if endpoint.query else ""
    return url_for(target.provider, endpoint.path) + query


def _unsayable(client: str, dialect: str) -> list[Loss]:
    """What a client's dialect can say and another one cannot be asked."""
    own = [feature for feature in FOREIGN if feature.startswith(f"field:{client}:")]
    own += [f"server_tool.{client}", f"opaque.{client}"]
    foreign = [loss for feature in own if (loss := look_up(feature, dialect, "asks")) is not None]
    return sorted(_lacking(REQUESTS[client], REQUESTS[dialect]) + foreign, key=_worst_first)


def _untellable(client: str, dialect: str) -> list[Loss]:
    """What a provider's dialect can answer and a client's cannot be told."""
    return sorted(_lacking(ANSWERS[dialect], ANSWERS[client]), key=_worst_first)


def _lacking(here: Column, there: Column) -> list[Loss]:
    """What one dialect lacks and the other has: whoever cannot be told a thing cannot tell it either."""
    return [
        Loss(feature, rule.treatment, rule.how)
        for feature, rule in there.items()
        if not any(fnmatch.fnmatchcase(feature, pattern) for pattern in here)
    ]


def _worst_first(loss: Loss) -> tuple[int, str]:
    return ("refuse", "emulate", "drop").index(loss.treatment), loss.feature
