"""Which provider keeps which answer: a conversation that goes on from a stored answer must go there.

Remembered in memory for the latest answers. For one that is not (another process, a restart), the
header `x-madang-provider` says where to ask, else the first provider is asked that speaks the dialect.
"""

from __future__ import annotations

from madang.routing.routes import Route

_MOST = 20_000
_LONGEST = 200


class Held:
    """Ids of answers and the names of the providers that keep them."""

    def __init__(self) -> None:
        self._at: dict[str, str] = {}

    def note(self, id: str, provider: str) -> None:
        """An answer is kept there."""
        if len(id) > _LONGEST:
            return  # the provider chose it, and it is kept in memory
        if len(self._at) >= _MOST:
            del self._at[next(iter(self._at))]
        self._at[id] = provider

    def forget(self, id: str) -> None:
        """It was deleted."""
        self._at.pop(id, None)

    def provider(self, id: str | None) -> str | None:
        """Who keeps an answer, if that is known."""
        return self._at.get(id) if id is not None else None

    def narrow(self, route: Route, id: str) -> Route:
        """A route with the targets alone at which an answer can be gone on from.

        Where nobody knows the answer, that is the first one that keeps answers at all: falling back to
        another would forget the conversation.
        """
        at = self._at.get(id)
        keeping = [target for target in route.targets if "openai_responses" in target.provider.dialects]
        if at is not None:
            keeping = [target for target in keeping if target.provider.name == at]
        if not keeping:
            return route
        return Route(route.name, (keeping[0],))
