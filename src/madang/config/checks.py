"""What a schema cannot say: addresses that lead somewhere, routes to providers that are on.

Pure; runs over what `decode.py` left standing. A value is quoted only through `say`, which
knows what came from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from fnmatch import fnmatchcase
from typing import TypeAlias
from urllib.parse import urlsplit

from madang.config.errors import Fault, Steps, suggestion
from madang.config.schema import Config, Provider, Route
from madang.providers.base import Row
from madang.providers.compatible import ROWS, needs_key
from madang.providers.discover import discover, first_set, route_targets

Say: TypeAlias = Callable[[Steps, str], str]
"""Quotes a value for an error, or says that it is not shown."""

OFFLINE = "offline"
"""Built in, always on, and not a row: `app.py` adds it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
_KEY = re.compile(r"[\x21-\x7e]+")
_OURS = {"authorization": "use api_key", "proxy-authorization": "use HTTPS_PROXY"}
_CONNECTIONS_OWN = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding"}
    | {"proxy-connection", "upgrade"}
)
_STORES = ("sqlite", "sqlite+pysqlite", "postgres", "postgresql", "postgresql+psycopg")


def check(config: Config, environ: Mapping[str, str], say: Say, faulty: Set[str]) -> Iterator[Fault]:
    """Every fault that the schema let through.

    `faulty` are providers whose sections have other faults: whether they are on cannot be told.
    """
    found = discover(config, environ, probe_ollama=lambda _: False)
    on = {provider.name for provider in found} | {OFFLINE} | faulty
    yield from _server(config, say)
    yield from _store(config, say)
    for name, section in config.providers.items():
        yield from _provider(name, section, say)
    for alias, route in config.routes.items():
        yield from _route(alias, route, config, on, say)
    yield from _default_provider(config, on, say)
    yield from _patterns(("keys", "models"), config.keys.models or [])
    yield from _environment(config, environ, on)


def _server(config: Config, say: Say) -> Iterator[Fault]:
    host = config.server.host
    if not host or re.search(r"[\s/]", host):
        steps = ("server", "host")
        yield Fault(steps, got=say(steps, host), want="a host name or address", hint="write host: 127.0.0.1")


def _store(config: Config, say: Say) -> Iterator[Fault]:
    if not config.store.data_dir.strip():
        steps = ("store", "data_dir")
        yield Fault(
            steps, got=say(steps, config.store.data_dir), want="a folder", hint="write data_dir: .madang"
        )
    url = config.store.url
    if url is None:
        return
    scheme, marked, rest = url.partition("://")
    hint = "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"
    if not marked or scheme not in _STORES or not rest.strip("/"):
        # A database URL may hold a password: of it we show the scheme, where that is plainly one.
        got = f"{scheme}://…" if marked and _NAME.fullmatch(scheme.replace("+", "")) else "text (not shown)"
        yield Fault(("store", "url"), got=got, want="a SQLite or PostgreSQL URL", hint=hint)
    elif scheme.startswith("sqlite") and (
        not rest.startswith("/") or rest.startswith(("/:memory:", "/file:"))
    ):
        yield Fault(
            ("store", "url"), got="no path of a file", want="a file that threads can share", hint=hint
        )


def _provider(name: str, section: Provider, say: Say) -> Iterator[Fault]:
    steps: Steps = ("providers", name)
    known = [row.name for row in ROWS]
    if name == OFFLINE:
        hint = "remove the section; routes may name offline/MODEL"
        yield Fault(steps, got="a section for the built-in provider", want="none", hint=hint, at_key=True)
        return
    if not _NAME.fullmatch(name):
        want = "letters, digits, dots, dashes and underscores"
        yield Fault(
            steps, got=say((), name), want=want, hint="the part before the / of a model's name", at_key=True
        )
    if section.base_url is not None:
        yield from _base_url((*steps, "base_url"), section.base_url, say)
    elif name not in known:
        close = suggestion(name, known)
        hint = (
            f"did you mean `{close}`? " if close else ""
        ) + "a provider of your own needs base_url: https://host/v1"
        yield Fault(
            (*steps, "base_url"), got="nothing", want="the address of a provider we do not know", hint=hint
        )
    if section.api_key is not None:
        yield from _key((*steps, "api_key"), section.api_key.reveal().strip())
    yield from _headers((*steps, "headers"), section.headers)
    yield from _patterns((*steps, "models"), section.models)


def _base_url(steps: Steps, url: str, say: Say) -> Iterator[Fault]:
    problem = base_url_problem(url)
    if problem is not None:
        got = say(steps, url) if "@" not in url and "?" not in url else "a URL (not shown)"
        yield Fault(steps, got=f"{got}: {problem}", want="an http or https URL", hint="write https://host/v1")


def base_url_problem(url: str) -> str | None:
    """What is wrong with a provider's base URL, without quoting it."""
    if re.search(r"[\x00-\x20\x7f-\U0010ffff\\]", url):
        return "a space or a character outside ASCII"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "its host or port cannot be read"
    if parts.scheme not in ("http", "https") or "://" not in url:
        return "it does not begin with http:// or https://"
    if not parts.hostname or port == 0:
        return "it has no host" if not parts.hostname else "its port is 0"
    if "@" in parts.netloc:
        return "it has a user or password in it; use api_key"
    return "it has a query or a fragment" if "?" in url or "#" in url else None


def _key(steps: Steps, key: str) -> Iterator[Fault]:
    if key and not _KEY.fullmatch(key):
        yield Fault(
            steps,
            got="a key with a space or a character outside ASCII (not shown)",
            want="a key as the provider gave it",
        )


def _headers(steps: Steps, headers: Mapping[str, str]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name, value in headers.items():
        at, lower = (*steps, name), name.lower()
        if not _HEADER.fullmatch(name):
            yield Fault(at, got="a name no header can have", want="letters, digits and dashes", at_key=True)
        elif lower in _CONNECTIONS_OWN or lower in _OURS:
            hint = _OURS.get(lower, "remove it")
            yield Fault(at, got="a header that Madang sets itself", want="any other", hint=hint, at_key=True)
        elif lower in seen:
            yield Fault(at, got=f"the same header as {seen[lower]}", want="every header once", at_key=True)
        if value and not _HEADER_VALUE.fullmatch(value):
            got = "a value with a line break, a control character or spaces at its ends (not shown)"
            yield Fault(at, got=got, want="one line of text")
        seen[lower] = name


def _patterns(steps: Steps, patterns: Iterable[str]) -> Iterator[Fault]:
    for number, pattern in enumerate(patterns):
        if not pattern.strip() or re.search(r"\s", pattern):
            got = "a name with a space in it" if pattern.strip() else "a blank name"
            yield Fault((*steps, number), got=got, want="a model's name or a pattern", hint="write openai/*")


def _route(alias: str, route: str | Route, config: Config, on: Set[str], say: Say) -> Iterator[Fault]:
    steps: Steps = ("routes", alias)
    if not alias or re.search(r"\s", alias):
        got = "a name with a space in it" if alias.strip() else "a blank name"
        yield Fault(
            steps,
            got=got,
            want="the name that clients call",
            hint="write fast: openai/gpt-4o-mini",
            at_key=True,
        )
    seen: dict[str, int] = {}
    for number, target in enumerate(route_targets(route)):
        at = steps if isinstance(route, str) else (*steps, "targets", number)
        if target in seen:
            hint = "remove one of the two"
            yield Fault(
                at, got=f"the same target as targets[{seen[target]}]", want="every target once", hint=hint
            )
        else:
            yield from _target(at, target, config, on, say)
        seen.setdefault(target, number)


def _target(steps: Steps, target: str, config: Config, on: Set[str], say: Say) -> Iterator[Fault]:
    name, slash, model = target.partition("/")
    known = _known(config)
    if target in config.routes and name not in known:
        hint = "an alias leads to providers, not to another alias: write that one's targets here"
        yield Fault(steps, got=f"{say(steps, target)}, which is an alias", want="provider/model", hint=hint)
    elif not slash or not model.strip() or not name or target != target.strip():
        yield Fault(
            steps,
            got=say(steps, target),
            want="provider/model",
            hint=_with_provider(target, say(steps, target)),
        )
    elif name not in known:
        hint = (
            f"{_meant(name, known)}, or add providers.{name} with a base_url" if _NAME.fullmatch(name) else ""
        )
        yield Fault(
            steps, got=f"{say(steps, target)}, whose provider is not known", want="provider/model", hint=hint
        )
    elif name not in on:
        yield _off(steps, name, config)


def _known(config: Config) -> list[str]:
    return [*dict.fromkeys([*(row.name for row in ROWS), *config.providers, OFFLINE])]


def _meant(name: str, known: list[str]) -> str:
    close = suggestion(name, known)
    return f"did you mean `{close}`?" if close else f"known here: {', '.join(known)}"


def _with_provider(target: str, said: str) -> str:
    """A bare name whose owner we know, written as it should be."""
    bare = target.strip().strip("/")
    owner = next((row.name for row in ROWS for each in row.models if fnmatchcase(bare, each)), None)
    hidden = not said.startswith('"')
    return (
        "write the provider's name and a slash before the model"
        if hidden or not owner
        else f"write {owner}/{bare}"
    )


def _off(steps: Steps, name: str, config: Config) -> Fault:
    """A target whose provider we know and cannot call."""
    section = config.providers.get(name)
    row = next((row for row in ROWS if row.name == name), None)
    if section is not None and not section.enabled:
        hint = f"remove enabled: false from providers.{name}"
    elif row is None:
        hint = f"write providers.{name}.base_url"
    else:
        hint = f"set {_switch(row)} in the environment or in .env, or write providers.{name}.{_field(row)}"
    return Fault(steps, got=f"`{name}`, which is switched off", want="a provider that is on", hint=hint)


def _switch(row: Row) -> str:
    return row.key_env[0] if needs_key(row) else row.base_url_env[0]


def _field(row: Row) -> str:
    return "api_key" if needs_key(row) else "base_url"


def _default_provider(config: Config, on: Set[str], say: Say) -> Iterator[Fault]:
    name, steps = config.default_provider, ("default_provider",)
    if name is None or name in on:
        return
    known = _known(config)
    if name in known:
        yield _off(steps, name, config)
    else:
        yield Fault(steps, got=say(steps, name), want="the name of a provider", hint=_meant(name, known))


def _environment(config: Config, environ: Mapping[str, str], on: Set[str]) -> Iterator[Fault]:
    """Keys and base URLs in the environment, of those providers that use them."""
    for row in ROWS:
        section = config.providers.get(row.name)
        if row.name not in on:
            continue
        moved_by = first_set(row.base_url_env, environ)
        if moved_by and not (section and section.base_url):
            problem = base_url_problem(environ[moved_by].strip())
            if problem is not None:
                yield Fault(
                    (moved_by,),
                    got=f"a URL (not shown): {problem}",
                    want="an http or https URL",
                    hint="write https://host/v1",
                )
        key_env = first_set(row.key_env, environ)
        if key_env and not (section and section.api_key):
            yield from _key((key_env,), environ[key_env].strip())
