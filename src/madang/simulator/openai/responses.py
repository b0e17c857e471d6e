"""POST /v1/responses and its token count: requests that were read, ready to be answered."""

from __future__ import annotations

import msgspec

from madang.simulator.answers import last_said
from madang.simulator.dialect import Reply, StreamParts, Wishes
from madang.simulator.openai.errors import error_for
from madang.simulator.openai.responses_bodies import begun, finished, whole
from madang.simulator.openai.responses_items import output
from madang.simulator.openai.responses_requests import ResponsesRequest, count_input, read_responses_request
from madang.simulator.openai.responses_shelf import Item, Kept, Shelf, pretty
from madang.simulator.openai.responses_streams import response_events
from madang.simulator.openai.sealed import item_id
from madang.simulator.prefixes import Prefixes
from madang.simulator.request import Request
from madang.simulator.vocabulary import Stamp


class Responding(msgspec.Struct, frozen=True):
    """A request for a response."""

    request: ResponsesRequest
    shelf: Shelf
    prefixes: Prefixes

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.request.chat.model

    @property
    def text(self) -> str:
        """The last user message."""
        return last_said(self.request.chat.turns)

    @property
    def cost(self) -> int:
        """What is taken from the token limit beforehand: the prompt, and as much as may be answered."""
        return self.request.chat.prompt_tokens + (self.request.chat.max_tokens or 0)

    @property
    def streamed(self) -> bool:
        """Whether the answer is to be a stream."""
        return self.request.chat.stream

    def reply(self, wishes: Wishes) -> Reply:
        """The response, whole or as events; a background one is only begun."""
        request, stamp, controls = self.request, wishes.stamp, wishes.controls
        answered = output(request, wishes, self.prefixes)
        error = error_for(controls.error or 500, controls, self.model, stamp.request_id)
        first, last = begun(request, stamp), finished(request, answered, stamp, error)
        events = None
        if request.chat.stream:
            scripted = bool(wishes.script.stream)
            events = response_events(
                request, first, last, answered, error, controls.error_after, scripted=scripted
            )
        now = self._kept(last, stamp, events) if request.store else last
        if events is not None:
            return Reply(events)
        return Reply(pretty(whole(now)), 0 if request.background else answered.tokens.completion)

    def _kept(self, last: Item, stamp: Stamp, events: StreamParts | None) -> Item:
        """Remember the response; how it stands now."""
        again = events if self.request.background else None
        return self.shelf.keep(Kept(last, _identified(self.request.items, stamp), again))


class Counting(msgspec.Struct, frozen=True):
    """A request to count the tokens of an input."""

    model: str
    tokens: int
    text: str = ""
    cost: int = 0
    streamed: bool = False

    def reply(self, wishes: Wishes) -> Reply:
        """The count."""
        return Reply(pretty({"object": "response.input_tokens", "input_tokens": self.tokens}))


def read_response(shelf: Shelf, prefixes: Prefixes, request: Request, strict: bool) -> Responding:
    """A body as a request for a response. Raises ApiError."""
    return Responding(read_responses_request(request.body, shelf, strict), shelf, prefixes)


def read_count(shelf: Shelf, request: Request, strict: bool) -> Counting:
    """A body as a request to count. Raises ApiError."""
    return Counting(*count_input(request.body, shelf, strict))


_PREFIXES = {"message": "msg", "function_call": "fc", "reasoning": "rs", "web_search_call": "ws"}


def _identified(items: list[Item], stamp: Stamp) -> list[Item]:
    """The input as it is remembered: every item with an id, texts as parts."""
    return [
        item if "id" in item and "type" in item else _remembered(item, stamp, at)
        for at, item in enumerate(items)
    ]


def _remembered(item: Item, stamp: Stamp, at: int) -> Item:
    kind = str(item.get("type", "message"))
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        item = {**item, "content": [{"type": part, "text": content}]}
    # The input stands behind all the output an answer can have.
    identifier = item_id(_PREFIXES.get(kind, "fc"), stamp, 0, None)
    return {"id": f"{identifier[:-4]}{at:04x}", **item, "type": kind, "status": "completed"}
