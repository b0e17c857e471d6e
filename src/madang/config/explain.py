"""What a configuration means: for each route and provider where calls go, and whose bytes pass.

Pure; `madang check` prints it. What becomes of one call is in `plan.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from madang.config.schema import Config
from madang.dialects.every import DIALECTS
from madang.providers.base import Provider
from madang.providers.compatible import url_for
from madang.providers.discover import route_targets


class TargetView(msgspec.Struct, frozen=True):
    """One target of a route."""

    provider: str
    model: str
    base_url: str | None
    """What stands before a call's own path; None: it is answered here."""
    dialects: list[str]
    """Whose bytes pass, best first; calls in others are translated."""
    model_spliced: bool
    """Whether the name in the request is replaced: the client's differs from the provider's."""
    usage_asked: bool
    """Whether a stream of chat completions that did not ask for its usage is asked to end with it."""


class RouteView(msgspec.Struct, frozen=True):
    """A route and its targets, in the order they are tried."""

    name: str
    targets: list[TargetView]


class ProviderView(msgspec.Struct, frozen=True):
    """A provider that is on."""

    name: str
    title: str
    reason: str
    base_url: str
    models: list[str]
    """Names and patterns that find it without its name in front."""
    dialects: list[str]
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
            base_url=_base_url(provider),
            models=[*provider.models, *provider.row.models],
            dialects=list(provider.dialects),
            usage_asked=_usage_asked(provider),
        )
        for provider in providers
        if provider.base_url
    ]


def in_words(target: TargetView) -> list[str]:
    """A target's lines for people."""
    if target.base_url is None:
        return ["answered here, nothing leaves"]
    notes = ["model name is spliced"] if target.model_spliced else []
    notes += how_usage_comes(target.dialects, asked=target.usage_asked)
    return [whose_bytes_pass(target.dialects), *([", ".join(notes)] if notes else [])]


def whose_bytes_pass(dialects: Sequence[str]) -> str:
    """A provider's dialects in words."""
    return f"bytes pass in {' and '.join(dialects)}, others are translated"


def how_usage_comes(dialects: Sequence[str], *, asked: bool) -> list[str]:
    """Whether usage is asked for, where that is a question at all: in chat completions."""
    if "openai_chat" not in dialects:
        return []
    return ["usage is asked for in streams" if asked else "usage is not asked for"]


def _target(alias: str, target: str, on: dict[str, Provider]) -> TargetView:
    name, _, model = target.partition("/")
    provider = on.get(name)
    if provider is None:
        return TargetView(name, model, None, [], model_spliced=False, usage_asked=False)
    return TargetView(
        provider=name,
        model=model,
        base_url=_base_url(provider),
        dialects=list(provider.dialects),
        model_spliced=alias != model,
        usage_asked=_usage_asked(provider),
    )


def _base_url(provider: Provider) -> str:
    """What stands before the path of a call in the provider's first dialect."""
    path = DIALECTS[provider.dialects[0]].endpoint("MODEL", False).path
    return url_for(provider, path).removesuffix(path)


def _usage_asked(provider: Provider) -> bool:
    return provider.include_usage and "openai_chat" in provider.dialects
