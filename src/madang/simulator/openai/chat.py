"""POST /v1/chat/completions: a request that was read, ready to be answered."""

from __future__ import annotations

import msgspec

from madang.simulator.answers import last_said
from madang.simulator.dialect import Reply, Wishes
from madang.simulator.openai.chat_requests import read_chat_request
from madang.simulator.openai.chat_responses import chat_body
from madang.simulator.openai.chat_streams import chat_events
from madang.simulator.openai.prompt_cache import cached_tokens
from madang.simulator.prefixes import Prefixes
from madang.simulator.request import Request
from madang.simulator.scripted import answer_by_script
from madang.simulator.vocabulary import Answer, ChatRequest


class Chat(msgspec.Struct, frozen=True):
    """A chat request."""

    request: ChatRequest
    prefixes: Prefixes

    @property
    def model(self) -> str:
        """The model asked for."""
        return self.request.model

    @property
    def text(self) -> str:
        """The last user message."""
        return last_said(self.request.turns)

    @property
    def cost(self) -> int:
        """What OpenAI takes from the token limit beforehand: the prompt, and as much as may be answered."""
        return self.request.prompt_tokens + (self.request.max_tokens or 0)

    @property
    def streamed(self) -> bool:
        """Whether the answer is to be a stream."""
        return self.request.stream

    def reply(self, wishes: Wishes) -> Reply:
        """The completion, whole or as events."""
        answer = answer_by_script(self.request, wishes.script, wishes.controls, wishes.seed)
        if not answer.tokens.cached:
            answer = _read_faster(answer, cached_tokens(self.request, self.prefixes))
        if self.request.stream:
            return Reply(chat_events(self.request, answer, wishes.stamp, wishes.seed))
        return Reply(chat_body(self.request, answer, wishes.stamp, wishes.seed), answer.tokens.completion)


def read_chat(prefixes: Prefixes, request: Request, strict: bool) -> Chat:
    """A body as a chat request. Raises ApiError."""
    return Chat(read_chat_request(request.body, strict), prefixes)


def _read_faster(answer: Answer, cached: int) -> Answer:
    """The answer to a prompt whose beginning was cached."""
    if not cached:
        return answer
    replace = msgspec.structs.replace
    return replace(answer, tokens=replace(answer.tokens, cached=min(cached, answer.tokens.prompt)))
