"""`madang explain`: where a call would go, and what would be lost on the way, before anything is sent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from madang.cli.check import load_or_exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from madang.config.load import Loaded
    from madang.config.plan import Plan, Way
    from madang.core.errors import CallError
    from madang.core.messages import Json
    from madang.dialects.losses import Loss
    from madang.routing.routes import Routes

_DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
_NAMED = {
    "route": "a route of the configuration",
    "provider/model": "a provider and its model",
    "bare": "a bare name that a provider is known to have",
}


@click.command(short_help="Say where a call would go, and what would be lost.")
@click.argument("model")
@click.argument("request_file", metavar="[REQUEST]", required=False, type=click.File("rb"))
@click.option(
    "--dialect",
    type=click.Choice(_DIALECTS),
    help="The dialect of the call. Default: guessed from REQUEST, else openai_chat.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration. Default: as for `madang serve`.",
)
def explain(
    model: str, request_file: BinaryIO | None, dialect: str | None, as_json: bool, config: Path | None
) -> None:
    """Say where a call to MODEL would go, and what would be lost on the way.

    MODEL is what a client would write: a route's name, provider/model, or a model's own name.
    REQUEST is a file with the JSON body of a call, or - for standard input; its own "model" is
    not looked at. Without it, everything is listed that such calls could lose.

    Nothing is sent, and no provider is asked which models it has. Exits with 1 where the call
    would be refused.

    \b
    Examples:
      madang explain quick
      madang explain anthropic/claude-sonnet-4-5 --dialect openai_responses
      madang explain quick request.json --json
    """
    from madang.core.errors import CallError

    routes = _routes(load_or_exit(config, as_json=as_json))
    try:
        request = _read(request_file)
        client = dialect or _guess(request)
        found = _plan(routes, model, client, request)
    except CallError as problem:
        _print_problem(problem, as_json=as_json)
        sys.exit(1)
    if as_json:
        _print_json(found, guessed=dialect is None)
    else:
        click.echo(f"{model} is {_NAMED[found.named]}.")
        click.echo(_asked(client, given=request is not None, guessed=dialect is None))
        for line in _targets(found, exact=request is not None):
            click.echo(line)
    if found.refused:
        sys.exit(1)


def _read(file: BinaryIO | None) -> Mapping[str, Json] | None:
    if file is None:
        return None
    from madang.dialects.reading import read_object

    return read_object(file.read())


def _guess(request: Mapping[str, Json] | None) -> str:
    if request is None:
        return "openai_chat"
    from madang.config.plan import guess_dialect

    guessed = guess_dialect(request)
    if guessed is None:
        raise click.UsageError("REQUEST has no 'messages', 'input' or 'contents': name its --dialect.")
    return guessed


def _plan(routes: Routes, model: str, client: str, request: Mapping[str, Json] | None) -> Plan:
    from madang.config.plan import plan

    return plan(routes, model, client, request)


def _routes(loaded: Loaded) -> Routes:
    """The routes as `madang serve` would have them."""
    from madang.providers.discover import discover, route_targets
    from madang.providers.door import HttpDoor
    from madang.providers.offline.door import PROVIDER, OfflineDoor
    from madang.routing.routes import Routes
    from madang.transport.pool import Http
    from madang.transport.probe import probe_ollama

    http = Http(loaded.environ)
    found = discover(loaded.config, loaded.environ, probe_ollama=probe_ollama)
    doors = [(provider, HttpDoor(provider, http)) for provider in found]
    aliases = {name: route_targets(route) for name, route in loaded.config.routes.items()}
    return Routes([*doors, (PROVIDER, OfflineDoor())], aliases)


def _asked(client: str, *, given: bool, guessed: bool) -> str:
    match given, guessed:
        case True, True:
            return f"The request is taken for one in {client}, by its shape; --dialect says otherwise."
        case False, True:
            return f"The call is taken for one in {client}; --dialect says otherwise."
        case _:
            return f"The call is in {client}."


def _targets(found: Plan, *, exact: bool) -> Iterator[str]:
    for number, way in enumerate(found.targets, start=1):
        yield f"\n{number}. {way.provider}/{way.model}" + (f" -> {way.url}" if way.url else "")
        yield f"   {_how(way, found.client, exact=exact)}"
        for each in way.refused:
            yield f"     {each.dialect}: {each.message}"
        if way.dialect is None or way.dialect == found.client:
            continue
        if exact:
            yield from _losses("this request has", way.losses)
        else:
            yield from _losses("such requests can have", way.losses)
            yield from _losses("their answers can have", way.answer_losses)


def _how(way: Way, client: str, *, exact: bool) -> str:
    """A target's way in a line."""
    if way.dialect is None:
        return "refused"
    words = ["answered here, nothing leaves"] if way.url is None else []
    if way.dialect != client:
        words.append(f"translated into {way.dialect}, {_why(way, exact=exact)}")
    elif way.bytes_pass:
        words.append(f"bytes pass: {client} is spoken there")
        words += ["model name is spliced"] if way.model_spliced else []
    return ", ".join(words)


def _why(way: Way, *, exact: bool) -> str:
    """Why it is put into that dialect and no other."""
    if len(way.speaks) == 1:
        return "the one dialect spoken there"
    if exact:
        return f"the first of {' and '.join(way.speaks)} that can express it"
    return f"the first spoken there; what it refuses is tried in {' and '.join(way.speaks[1:])}"


def _losses(whose: str, losses: list[Loss]) -> Iterator[str]:
    if not losses:
        yield f"   {whose} no losses"
        return
    yield f"   {whose} losses:"
    for loss in losses:
        yield f"     {loss.treatment:<7}  {loss.feature}: {loss.how}"


def _print_problem(problem: CallError, *, as_json: bool) -> None:
    if as_json:
        _echo_json({"ok": False, "error": _error(problem)})
    click.echo(f"Error: {problem}", err=True)


def _error(problem: CallError) -> dict[str, object]:
    return {"message": str(problem), "code": problem.code, "param": problem.param}


def _print_json(found: Plan, *, guessed: bool) -> None:
    import msgspec

    _echo_json({"ok": not found.refused, "guessed": guessed, **msgspec.to_builtins(found)})


def _echo_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
