"""The two things a POST can ask of Anthropic's API: a message, or how many tokens one would take."""

from __future__ import annotations

import msgspec

from madang.simulator.answers import last_said
from madang.simulator.anthropic.rendering import message_body, message_events
from madang.simulator.anthropic.replies import compose
from madang.simulator.anthropic.requests import MessagesRequest, read_count_request, read_messages_request
from madang.simulator.dialect import Reply, Wishes
from madang.simulator.prefixes import Prefixes
from madang.simulator.request import Request


class Message(msgspec.Struct, frozen=True):
    """A request for a message."""

    request: MessagesRequest
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
        """What is taken from the token limit: Anthropic limits what goes in, whatever may come out."""
        return self.request.chat.prompt_tokens

    @property
    def streamed(self) -> bool:
        """Whether the answer is to be a stream."""
        return self.request.chat.stream

    def reply(self, wishes: Wishes) -> Reply:
        """The message, whole or as events."""
        composed = compose(self.request, wishes, self.prefixes)
        if self.streamed:
            return Reply(message_events(composed, scripted=bool(wishes.script.stream)))
        return Reply(message_body(composed), sum(block.tokens for block in composed.blocks))


class Count(msgspec.Struct, frozen=True):
    """A request to count tokens."""

    request: MessagesRequest

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
        """Counting costs no tokens."""
        return 0

    @property
    def streamed(self) -> bool:
        """Never."""
        return False

    def reply(self, _: Wishes) -> Reply:
        """The number."""
        return Reply(msgspec.json.encode({"input_tokens": self.request.chat.prompt_tokens}))


def read_message(prefixes: Prefixes, request: Request, _: bool) -> Message:
    """A body as a request for a message. Unknown parameters are always refused. Raises ApiError."""
    return Message(read_messages_request(request), prefixes)


def read_count(request: Request, _: bool) -> Count:
    """A body as a request to count tokens. Raises ApiError."""
    return Count(read_count_request(request))
