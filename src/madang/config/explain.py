"""What a configuration means: for each route and provider where calls go, and whether bytes pass.

Pure; `madang check` prints it. In this version both ends of every target speak OpenAI's dialect
and no policy reads the content, so bytes always pass; `offline` answers here and calls nobody.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from madang.config.schema import Config
from madang.providers.base import Provider
from madang.providers.compatible import CHAT, url_for
from madang.providers.discover import route_targets


class TargetView(msgspec.Struct, frozen=True):
    """One target of a route."""

    provider: str
    model: str
    url: str | None
    """Where a chat call goes; None: it is answered here."""
    bytes_pass: bool
    model_spliced: bool
    """Whether the name in the request is replaced: the client's differs from the provider's."""
    usage_asked: bool
    """Whether a stream that did not ask for its usage is asked to end with it."""


class RouteView(msgspec.Struct, frozen=True):
    """A route and its targets, in the order they are tried."""

    name: str
    targets: list[TargetView]


class ProviderView(msgspec.Struct, frozen=True):
    """A provider that is on."""

    name: str
    title: str
    reason: str
    url: str
    """Where a chat call goes."""
    models: list[str]
    """Names and patterns that find it without its name in front."""
    bytes_pass: bool
    usage_asked: bool


def explain(config: Config, providers: Iterable[Provider]) -> list[RouteView]:
    """The configured routes, in the file's order."""
    on = {provider.name: provider for provider in providers if provider.base_url}
    return [
        RouteView(name=alias, targets=[_target(alias, target, on) for target in route_targets(route)])
        for alias, route in config.routes.items()
    ]


def explain_providers(providers: Iterable[Provider]) -> list[ProviderView]:
    """The providers that are on and somewhere else than here, in the order they were found."""
    return [
        ProviderView(
            name=provider.name,
            title=provider.row.title,
            reason=provider.reason,
            url=url_for(provider, CHAT),
            models=[*provider.models, *provider.row.models],
            bytes_pass=True,
            usage_asked=provider.include_usage,
        )
        for provider in providers
        if provider.base_url
    ]


def in_words(target: TargetView) -> str:
    """A target's line for people."""
    if target.url is None:
        return "answered here, nothing leaves"
    words = ["bytes pass" if target.bytes_pass else "translated"]
    words += ["model name is spliced"] if target.model_spliced else []
    words += ["usage is asked for in streams" if target.usage_asked else "usage is not asked for"]
    return ", ".join(words)


def _target(alias: str, target: str, on: dict[str, Provider]) -> TargetView:
    name, _, model = target.partition("/")
    provider = on.get(name)
    return TargetView(
        provider=name,
        model=model,
        url=url_for(provider, CHAT) if provider is not None else None,
        bytes_pass=provider is not None,
        model_spliced=provider is not None and alias != model,
        usage_asked=provider is not None and provider.include_usage,
    )
