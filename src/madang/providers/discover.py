"""Which providers are on, and why: keys in the environment, what the file names, a running Ollama.

Decisions only. The environment, the configuration and the answer of the Ollama probe come in as
values; the probe itself is `transport/probe.py`. The shapes below are what we need of the
configuration, said structurally because `config` is a layer above this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from madang.core.secret import Secret
from madang.providers.base import Provider, Row, Timeouts
from madang.providers.compatible import OLLAMA, ROWS, clean_base_url, needs_key
from madang.providers.ollama import read_host

NAMED = "madang.yaml names it"

_MAKERS = {row.name: row for row in ROWS if row.name in row.dialects}
"""Who made a dialect, by its name (`anthropic`, `gemini`)."""


class TimeoutSettings(Protocol):
    """`timeouts` in the file."""

    @property
    def connect(self) -> float: ...
    @property
    def first_byte(self) -> float: ...
    @property
    def between_bytes(self) -> float: ...
    @property
    def whole(self) -> float: ...


class ProviderSettings(Protocol):
    """A section of `providers` in the file."""

    @property
    def base_url(self) -> str | None: ...
    @property
    def api_key(self) -> Secret | None: ...
    @property
    def models(self) -> Sequence[str]: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def include_usage(self) -> bool | None: ...
    @property
    def dialects(self) -> Sequence[str] | None: ...
    @property
    def timeouts(self) -> TimeoutSettings | None: ...
    @property
    def enabled(self) -> bool: ...


class RouteSettings(Protocol):
    """A section of `routes` in the file."""

    @property
    def targets(self) -> Sequence[str]: ...


class Settings(Protocol):
    """The parts of the configuration that say which providers there are."""

    @property
    def providers(self) -> Mapping[str, ProviderSettings]: ...
    @property
    def routes(self) -> Mapping[str, str | RouteSettings]: ...
    @property
    def default_provider(self) -> str | None: ...
    @property
    def timeouts(self) -> TimeoutSettings: ...


class Off(msgspec.Struct, frozen=True):
    """A provider that is not on, and the one thing that would switch it on."""

    name: str
    title: str
    switch: str
    """An environment variable's name, or a few words."""


def discover(
    config: Settings, environ: Mapping[str, str], *, probe_ollama: Callable[[str], bool]
) -> list[Provider]:
    """Every provider that is on: the known ones in the order of their rows, then the file's own.

    `probe_ollama` gets a base URL and says whether an Ollama answers there; it is asked only
    when nothing else decides. The built-in `offline` is not ours to find: `app.py` adds it.
    """
    known = [_known(row, config, environ, probe_ollama) for row in ROWS]
    names = {row.name for row in ROWS}
    own = [
        _own(name, section, config.timeouts)
        for name, section in config.providers.items()
        if name not in names and section.enabled
    ]
    return [provider for provider in known if provider is not None] + own


def switched_off(config: Settings, on: Iterable[Provider]) -> list[Off]:
    """The known providers that are not on, with what would switch each on; for the start's banner."""
    names = {provider.name for provider in on}
    return [
        Off(name=row.name, title=row.title, switch=_switch(row, config.providers.get(row.name)))
        for row in ROWS
        if row.name not in names
    ]


def route_targets(route: str | RouteSettings) -> list[str]:
    """A route's targets, in order, whichever way it was written."""
    return [route] if isinstance(route, str) else list(route.targets)


def first_set(names: Iterable[str], environ: Mapping[str, str]) -> str | None:
    """The first of these variables that holds more than blanks."""
    return next((name for name in names if environ.get(name, "").strip()), None)


def _switch(row: Row, section: ProviderSettings | None) -> str:
    if section is not None and not section.enabled:
        return f"providers.{row.name}.enabled: true"
    if row.name == OLLAMA:
        return "a running Ollama"
    return row.key_env[0] if needs_key(row) else row.base_url_env[0]


def _known(
    row: Row, config: Settings, environ: Mapping[str, str], probe_ollama: Callable[[str], bool]
) -> Provider | None:
    section = config.providers.get(row.name)
    base_url = _base_url(row, section, environ)
    reason = _reason(row, config, environ)
    if reason is None and row.name == OLLAMA and not _switched_off(section) and probe_ollama(base_url):
        reason = f"Ollama answers at {base_url.partition('://')[2]}"
    if reason is None:
        return None
    return _provider(row, section, config.timeouts, base_url, _key(row, section, environ), reason)


def _reason(row: Row, config: Settings, environ: Mapping[str, str]) -> str | None:
    """Why a known provider is on, as far as can be told without asking the network."""
    section = config.providers.get(row.name)
    if _switched_off(section):
        return None
    if section is not None and section.base_url:
        return NAMED
    moved_by = first_set(row.base_url_env, environ)
    if needs_key(row):
        key_env = first_set(row.key_env, environ)
        return NAMED if _written_key(section) else key_env and f"{key_env} is set"
    if moved_by is not None:
        return f"{moved_by} is set"
    return NAMED if row.base_url and (section is not None or row.name in _named(config)) else None


def _switched_off(section: ProviderSettings | None) -> bool:
    return section is not None and not section.enabled


def _named(config: Settings) -> set[str]:
    """The providers that routes and `default_provider` count on."""
    targets = [target for route in config.routes.values() for target in route_targets(route)]
    return {target.partition("/")[0] for target in targets} | {config.default_provider or ""}


def _base_url(row: Row, section: ProviderSettings | None, environ: Mapping[str, str]) -> str:
    if section is not None and section.base_url:
        return clean_base_url(row, section.base_url)
    moved_by = first_set(row.base_url_env, environ)
    if moved_by is not None:
        return clean_base_url(row, environ[moved_by])
    if row.name == OLLAMA and first_set(("OLLAMA_HOST",), environ):
        return clean_base_url(row, read_host(environ["OLLAMA_HOST"]))
    return row.base_url


def _key(row: Row, section: ProviderSettings | None, environ: Mapping[str, str]) -> Secret | None:
    variable = first_set(row.key_env, environ)
    found = _written_key(section) or (environ[variable].strip() if variable else "")
    return Secret(found) if found else None


def _written_key(section: ProviderSettings | None) -> str:
    """The key in the file; a blank one counts as none."""
    return section.api_key.reveal().strip() if section is not None and section.api_key else ""


def _own(name: str, section: ProviderSettings, timeouts: TimeoutSettings) -> Provider:
    row = _own_row(name, section.base_url or "", tuple(section.dialects or ("openai_chat",)))
    return _provider(row, section, timeouts, clean_base_url(row, row.base_url), _key(row, section, {}), NAMED)


def _own_row(name: str, base_url: str, dialects: tuple[str, ...]) -> Row:
    """A row for a provider that has none, with what is so of everybody who speaks its dialects.

    The first dialect decides how the base URL is written and which header carries the key.
    """
    makers = [_MAKERS[dialect] for dialect in dialects if dialect in _MAKERS]
    plain = Row(name=name, title=name, base_url=base_url)
    first = _MAKERS.get(dialects[0], plain)
    root = first.root
    if "gemini" in dialects and len(dialects) > 1:
        # Google's paths stand below the host, beside the `/v1` of the others.
        root = "/v1" if first is not plain or base_url.rstrip("/").endswith("/v1") else ""
    return Row(
        name=name,
        title=name,
        base_url=base_url,
        root=root,
        key_header=first.key_header,
        chat_key_header=first.chat_key_header,
        native_key_header=next((row.native_key_header for row in makers if row.native_key_header), None),
        headers={header: value for row in makers for header, value in row.headers.items()},
        dialects=dialects,
    )


def _provider(
    row: Row,
    section: ProviderSettings | None,
    timeouts: TimeoutSettings,
    base_url: str,
    key: Secret | None,
    reason: str,
) -> Provider:
    if section is None:
        return Provider(
            row=row, base_url=base_url, key=key, headers=row.headers, include_usage=row.include_usage,
            dialects=row.dialects, timeouts=_timeouts(timeouts), reason=reason,
        )  # fmt: skip
    asked = section.include_usage
    return Provider(
        row=row,
        base_url=base_url,
        key=key,
        models=tuple(section.models),
        headers=row.headers | {name.lower(): value for name, value in section.headers.items()},
        include_usage=row.include_usage if asked is None else asked,
        dialects=tuple(section.dialects or row.dialects),
        timeouts=_timeouts(section.timeouts or timeouts),
        reason=reason,
    )


def _timeouts(given: TimeoutSettings) -> Timeouts:
    return Timeouts(given.connect, given.first_byte, given.between_bytes, given.whole)
