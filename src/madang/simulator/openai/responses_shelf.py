"""What the Responses API remembers: responses by id, their items, and background ones under way.

`GET`, `DELETE` and `cancel` act on it, and `previous_response_id` reads from it. A background
response takes a step at every look, so that a client that polls sees all of its states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec

from madang.simulator.dialect import Reply, StreamParts, Visit
from madang.simulator.openai.fields import invalid
from madang.simulator.request import Request
from madang.simulator.vocabulary import ApiError

Item = dict[str, object]

_MOST: Final = 1000
_STEPS: Final = ("in_progress", "queued")
"""The states before the last, by how many looks there are to go."""
_LOOKS = len(_STEPS)


class Kept(msgspec.Struct):
    """One response, and what it was made from."""

    response: Item
    """As it is in the end."""
    inputs: list[Item]
    """Everything it was made from, the items of earlier responses included."""
    events: StreamParts | None = None
    """A background response that is streamed can be streamed again."""
    looks: int = 0
    """Looks to go until a background response is done."""
    cancelled: bool = False

    @property
    def context(self) -> list[Item]:
        """What a response that follows this one starts from."""
        output = self.response["output"]
        return [*self.inputs, *(output if isinstance(output, list) else [])]

    def view(self) -> Item:
        """The response as it is now."""
        if self.cancelled:
            return {**self.response, **_UNFINISHED, "status": "cancelled"}
        if self.looks:
            return {**self.response, **_UNFINISHED, "status": _STEPS[self.looks - 1]}
        return self.response


_UNFINISHED: Final[Item] = {"completed_at": None, "incomplete_details": None, "output": [], "usage": None}


class Shelf:
    """The last thousand responses."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._items: dict[str, Item] = {}

    def keep(self, kept: Kept) -> Item:
        """Remember a response, and forget the oldest beyond the bound; how it stands now."""
        if len(self._kept) >= _MOST:
            self.drop(next(iter(self._kept)))
        self._kept[str(kept.response["id"])] = kept
        self._items.update({str(item["id"]): item for item in kept.context if "id" in item})
        if kept.response["background"]:
            kept.looks = _LOOKS
        return kept.view()

    def get(self, identifier: str) -> Kept | None:
        """A response, if it is remembered."""
        return self._kept.get(identifier)

    def item(self, identifier: str) -> Item | None:
        """An item of a response that is remembered."""
        return self._items.get(identifier)

    def drop(self, identifier: str) -> None:
        """Forget a response; what later ones took over from it stays theirs."""
        kept = self._kept.pop(identifier)
        for item in kept.context:
            self._items.pop(str(item.get("id")), None)

    def visits(self, request: Request) -> Mapping[str, Visit]:
        """What can be done at a path below `/responses/`, by method."""
        _, found, rest = request.path.removeprefix("/v1").partition("/responses/")
        identifier, _, more = rest.partition("/")
        if not found or not identifier or request.path.removeprefix("/v1").find("/responses/") != 0:
            return {}
        visits: dict[str, dict[str, Callable[[str, Request], Reply]]] = {
            "": {"GET": self._show, "DELETE": self._delete},
            "input_items": {"GET": self._list},
            "cancel": {"POST": self._cancel},
        }
        known = visits.get(more, {})
        return {method: _bound(visit, identifier) for method, visit in known.items()}

    def _found(self, identifier: str) -> Kept:
        kept = self._kept.get(identifier)
        if kept is None:
            raise ApiError(404, f"Response with id '{identifier}' not found.")
        return kept

    def _show(self, identifier: str, request: Request) -> Reply:
        kept, query = self._found(identifier), parse_qs(request.query)
        if query.get("stream") == ["true"]:
            return Reply(_rest(kept, query.get("starting_after", ["-1"])[0]))
        kept.looks = max(0, kept.looks - 1)
        return Reply(pretty(kept.view()))

    def _delete(self, identifier: str, request: Request) -> Reply:
        self._found(identifier)
        self.drop(identifier)
        return Reply(pretty({"id": identifier, "object": "response", "deleted": True}))

    def _cancel(self, identifier: str, request: Request) -> Reply:
        kept = self._found(identifier)
        if not kept.response["background"]:
            invalid("Cannot cancel a synchronous response.", None)
        kept.cancelled = kept.cancelled or kept.looks > 0
        return Reply(pretty(kept.view()))

    def _list(self, identifier: str, request: Request) -> Reply:
        query = parse_qs(request.query)
        items = self._found(identifier).inputs
        if query.get("order") != ["asc"]:
            items = items[::-1]
        after = query.get("after", [""])[0]
        start = next((at + 1 for at, item in enumerate(items) if item.get("id") == after), 0)
        shown = items[start : start + _limit(query.get("limit", ["20"])[0])]
        page = {
            "object": "list",
            "data": shown,
            "first_id": shown[0].get("id") if shown else None,
            "has_more": start + len(shown) < len(items),
            "last_id": shown[-1].get("id") if shown else None,
        }
        return Reply(pretty(page))


def pretty(value: object) -> bytes:
    """JSON, indented as OpenAI's bodies are."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _bound(visit: Callable[[str, Request], Reply], identifier: str) -> Visit:
    return lambda request: visit(identifier, request)


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100:
        invalid(f"Invalid 'limit': expected a whole number from 1 to 100, but got '{text}'.", "limit")
    return int(text)


def _rest(kept: Kept, after: str) -> StreamParts:
    """The stream again, without the events up to a sequence number."""
    if kept.events is None:
        invalid("This response was not created as a background stream: it cannot be streamed.", "stream")
    if not after.removeprefix("-").isascii() or not after.removeprefix("-").isdigit():
        invalid(f"Invalid 'starting_after': expected an integer, but got '{after}'.", "starting_after")
    kept.looks = 0
    events = [*kept.events.opening, *kept.events.deltas, *kept.events.closing]
    return StreamParts(events[int(after[:9]) + 1 :], [], [])
