"""Routes: from the model a client names to the targets that are tried, in order.

Three ways to name one: an alias of the configuration, `provider/model`, and a bare model name,
which goes to the provider that is known to have it. Compiled once; a look-up is a dictionary's.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from madang.core.errors import NotFound
from madang.providers.base import Provider
from madang.providers.door import Door

_LONGEST = 1000
"""Characters beyond which a name is no model's: names are remembered, recorded and told in headers."""
_CACHED = 10_000
"""Names that are remembered; the ten-thousand-and-first empties the memory."""


class Target:
    """One model at one provider."""

    __slots__ = ("beside", "door", "header", "label", "model", "provider", "speaks")

    def __init__(self, provider: Provider, door: Door, model: str | None, beside: frozenset[str]) -> None:
        self.provider = provider
        self.door = door
        self.model = model
        """As the provider is asked for it; `None` where the operation names no model."""
        self.label = f"{provider.name}/{model}" if model else provider.name
        """`provider/model`, for people."""
        self.header = quote(self.label, safe="/:@.-_~+ ").encode("ascii")
        """The same, fit for a response header."""
        self.speaks: frozenset[str | None] = frozenset((*provider.dialects, None))
        """The dialects that pass to it as they are; `None` is whatever nobody reads."""
        self.beside = beside
        """The dialects whose clients may have been answered by a provider of another one, and hold what
        that has signed."""


class Route(msgspec.Struct, frozen=True, eq=False):
    """What a client calls a model."""

    name: str
    targets: tuple[Target, ...]


class Routes:
    """Every route there is."""

    def __init__(
        self,
        providers: Sequence[tuple[Provider, Door]],
        aliases: Mapping[str, Sequence[str]],
        default_provider: str | None = None,
    ) -> None:
        self._providers = {provider.name: (provider, door) for provider, door in providers}
        self._default = default_provider
        self._mixed = _mixed([provider for provider, _ in providers])
        self._found: dict[str, Route] = {}
        self._discovered: dict[str, str] = {}
        self.aliases = {
            name: Route(name, tuple(self._target(target) for target in targets))
            for name, targets in aliases.items()
        }

    def resolve(self, model: str) -> Route:
        """The route of a model. Raises `NotFound`."""
        found = self._found.get(model)
        if found is None:
            found = self.aliases.get(model) or Route(model, (self._target(model),))
            if len(self._found) >= _CACHED:
                self._found.clear()
            self._found[model] = found
        return found

    def without_model(self, wanted: str | None, edge: str = "openai_chat") -> Route:
        """Where an operation goes that names no model: the provider asked for, or the default one.

        `edge` is the dialect it was asked in: where the default provider does not speak it, the first
        that does is meant.
        """
        name = wanted or self._default_for(edge)
        if name is None:
            raise NotFound(
                "This path names no model, and no provider is on that could take it. "
                "Switch one on, or name it in the header x-madang-provider.",
                code="no_provider",
            )
        if name not in self._providers:
            raise NotFound(
                f"There is no provider named '{name[:100]}'.{_nearest(name, self._providers)}",
                code="unknown_provider",
            )
        provider, door = self._providers[name]
        return Route(name, (Target(provider, door, None, self._mixed),))

    def _default_for(self, edge: str) -> str | None:
        wanted = {"openai_chat", "openai_responses"} if edge == "openai_chat" else {edge}
        names = [self._default, *self._providers] if self._default is not None else list(self._providers)
        for name in names:
            if name in self._providers and wanted & set(self._providers[name][0].dialects):
                return name
        return self._default

    def learn(self, models: Mapping[str, str]) -> None:
        """Remember models that providers said they have: model to provider's name."""
        self._discovered = dict(models)

    def doors(self) -> list[tuple[Provider, Door]]:
        """Every provider that is on, in order."""
        return list(self._providers.values())

    def _target(self, model: str) -> Target:
        prefix, slash, rest = model.partition("/")
        if len(model) > _LONGEST or (".." in model and ".." in model.split("/")):
            raise self._unknown(model, None)  # some providers have it in a path
        if slash and rest and prefix in self._providers:
            return Target(*self._providers[prefix], rest, self._mixed)
        for provider, door in self._providers.values():
            if provider.owns(model):
                return Target(provider, door, model, self._mixed)
        if model in self._discovered:
            return Target(*self._providers[self._discovered[model]], model, self._mixed)
        raise self._unknown(model, prefix if slash else None)

    def _unknown(self, model: str, prefix: str | None) -> NotFound:
        names = [*self.aliases, *(f"{p}/" for p in self._providers)]
        if prefix is not None and prefix not in self._providers:
            hint = f" No provider named '{prefix[:100]}' is on; these are: {', '.join(self._providers)}."
        else:
            hint = _nearest(model, names) or " Write provider/model, such as openai/gpt-4o."
        return NotFound(
            f"The model '{model[:200]}' does not exist or no provider that is on has it.{hint}",
            code="model_not_found",
            param="model",
        )


def _mixed(providers: Sequence[Provider]) -> frozenset[str]:
    spoken = {dialect for provider in providers for dialect in provider.dialects}
    return frozenset(
        dialect
        for dialect in spoken
        if any(dialect not in provider.dialects for provider in providers if provider.row.signs)
    )


def _nearest(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    close = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
