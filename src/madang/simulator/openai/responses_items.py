"""The output of a response: thoughts, searches, messages and calls, as items."""

from __future__ import annotations

from typing import Final

import msgspec

from madang.simulator.answers import last_said, thoughts
from madang.simulator.controls import Controls
from madang.simulator.dialect import Wishes
from madang.simulator.openai.chat_parts import call_id, logprob
from madang.simulator.openai.prompt_cache import cached_tokens
from madang.simulator.openai.responses_requests import ResponsesRequest
from madang.simulator.openai.responses_shelf import Item
from madang.simulator.openai.sealed import item_id, seal
from madang.simulator.phrases import phrases_for, topic_words
from madang.simulator.prefixes import Prefixes
from madang.simulator.scenario import Scripted
from madang.simulator.scripted import answer_by_script
from madang.simulator.tokens import split
from madang.simulator.vocabulary import Choice, Stamp, Tokens, ToolCall

_SUMMARY_SIZES: Final = {"concise": (12,), "auto": (24,), "detailed": (24, 24)}
"""How many tokens each part of a summary has."""
_SITE: Final = "example.com"
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""What a response is incomplete for, by what ended the answer."""


class Thought(msgspec.Struct, frozen=True):
    """A reasoning item."""

    id: str
    summary: tuple[tuple[str, ...], ...]
    """Parts, in pieces."""
    envelope: str | None

    def item(self, *, done: bool = True) -> Item:
        """The item, with its summary or before it."""
        parts = ["".join(part) for part in self.summary] if done else []
        shown = [{"type": "summary_text", "text": part} for part in parts]
        if self.envelope is None:
            return {"id": self.id, "type": "reasoning", "summary": shown}
        sealed = {"content": [], "encrypted_content": self.envelope}
        return {"id": self.id, "type": "reasoning", **sealed, "summary": shown}


class Search(msgspec.Struct, frozen=True):
    """A web search that was done."""

    id: str
    query: str
    url: str
    sources: bool

    def item(self, status: str = "completed") -> Item:
        """The item."""
        action: Item = {"type": "search", "queries": [self.query], "query": self.query}
        if self.sources:
            action["sources"] = [{"type": "url", "url": self.url}]
        return {"id": self.id, "type": "web_search_call", "status": status, "action": action}


class Message(msgspec.Struct, frozen=True):
    """What was said, or refused."""

    id: str
    pieces: tuple[str, ...]
    refused: bool
    status: str
    phase: str | None
    logprobs: tuple[Item, ...] = ()
    citations: tuple[Item, ...] = ()

    @property
    def text(self) -> str:
        """The pieces as one text."""
        return "".join(self.pieces)

    def part(self, *, done: bool = True) -> Item:
        """Its one content part, in full or before it was said."""
        text = self.text if done else ""
        if self.refused:
            return {"type": "refusal", "refusal": text}
        annotations = list(self.citations) if done else []
        logprobs = list(self.logprobs) if done else []
        return {"type": "output_text", "annotations": annotations, "logprobs": logprobs, "text": text}

    def item(self, *, done: bool = True) -> Item:
        """The item."""
        status = self.status if done else "in_progress"
        phase = {} if self.phase is None else {"phase": self.phase}
        content = [self.part()] if done else []
        head = {"id": self.id, "type": "message", "status": status, "content": content}
        return {**head, **phase, "role": "assistant"}


class Call(msgspec.Struct, frozen=True):
    """A function call."""

    id: str
    call_id: str
    call: ToolCall
    status: str

    def item(self, *, done: bool = True) -> Item:
        """The item."""
        return {
            "id": self.id,
            "type": "function_call",
            "status": self.status if done else "in_progress",
            "arguments": self.call.arguments if done else "",
            "call_id": self.call_id,
            "name": self.call.name,
        }


Part = Thought | Search | Message | Call


class Output(msgspec.Struct, frozen=True):
    """What the model answers."""

    parts: tuple[Part, ...]
    tokens: Tokens
    status: str
    reason: str | None
    """Why it is incomplete."""

    @property
    def items(self) -> list[Item]:
        """All items, in full."""
        return [part.item() for part in self.parts]

    @property
    def searches(self) -> int:
        """How many web searches were done."""
        return sum(isinstance(part, Search) for part in self.parts)


def output(request: ResponsesRequest, wishes: Wishes, prefixes: Prefixes) -> Output:
    """The answer as items: thoughts first, then a search, then what is said or called."""
    searching = _searches(request)
    chat = msgspec.structs.replace(request.chat, tools=()) if searching else request.chat
    answer = answer_by_script(chat, wishes.script, wishes.controls, wishes.seed)
    choice, tokens = answer.choices[0], answer.tokens
    if not tokens.cached:
        tokens = msgspec.structs.replace(tokens, cached=cached_tokens(chat, prefixes))
    parts: list[Part] = []
    if tokens.reasoning:
        parts.append(_thought(request, wishes, tokens.reasoning))
    mind = 0 if parts else None
    search = None
    if searching:
        search = _search(request, wishes.stamp, len(parts), mind)
        parts.append(search)
        if _is_prose(request, choice, wishes.controls, wishes.script):
            cited = split(f" {_mark(search.url)}")
            tokens = msgspec.structs.replace(tokens, completion=tokens.completion + len(cited))
            choice = msgspec.structs.replace(choice, pieces=(*choice.pieces, *cited))
        else:
            search = None
    parts += _said(request, choice, wishes.stamp, len(parts), mind, search)
    reason = _INCOMPLETE.get(choice.finish)
    status = "failed" if choice.finish == "failed" else "completed" if reason is None else "incomplete"
    return Output(tuple(parts), tokens, status, reason)


def _said(
    request: ResponsesRequest,
    choice: Choice,
    stamp: Stamp,
    at: int,
    mind: int | None,
    search: Search | None,
) -> list[Part]:
    """The message and the calls; the last of them is what was cut off, if anything was."""
    parts: list[Part] = []
    status = "incomplete" if choice.finish in _INCOMPLETE else "completed"
    if choice.pieces or not (choice.calls or choice.finish == "length"):
        parts.append(_message(request, choice, stamp, at, mind, status if not choice.calls else "completed"))
        if search is not None and isinstance(parts[0], Message):
            parts[0] = _cited(parts[0], search)
    for index, call in enumerate(choice.calls):
        last = index == len(choice.calls) - 1
        identifier = item_id("fc", stamp, at + len(parts), mind)
        parts.append(
            Call(identifier, call_id(stamp, 0, index), call, status if last else "completed"),
        )
    return parts


def _message(
    request: ResponsesRequest, choice: Choice, stamp: Stamp, at: int, mind: int | None, status: str
) -> Message:
    phase = None
    if request.traits.phased:
        phase = "commentary" if choice.calls else "final_answer"
    logprobs: tuple[Item, ...] = ()
    if "message.output_text.logprobs" in request.include and not choice.refused:
        logprobs = tuple(logprob(request.chat, piece, index) for index, piece in enumerate(choice.pieces))
    return Message(item_id("msg", stamp, at, mind), choice.pieces, choice.refused, status, phase, logprobs)


def _thought(request: ResponsesRequest, wishes: Wishes, size: int) -> Thought:
    identifier = item_id("rs", wishes.stamp, 0, None)
    envelope = None
    if "reasoning.encrypted_content" in request.include:
        envelope = seal(identifier, wishes.stamp.created, size)
    summary: list[tuple[str, ...]] = []
    for index, length in enumerate(_SUMMARY_SIZES.get(request.thinking.summary or "", ())):
        title = f"**{'Considering' if index == 0 else 'Settling'} {_topic(request)}**\n\n"
        summary.append((*split(title), *thoughts(request.chat, length, wishes.seed + index)))
    return Thought(identifier, tuple(summary), envelope)


def _topic(request: ResponsesRequest) -> str:
    asked = last_said(request.chat.turns)
    return max(topic_words(asked), key=len, default="") or phrases_for(asked).topic


# Searching the web.


def _searches(request: ResponsesRequest) -> bool:
    """Whether it looks things up: if it must, or if there is a question and nothing else to call."""
    box = request.toolbox
    if box.search is None or box.choice == "none":
        return False
    return box.must_search or (not box.tools and request.chat.turns[-1].role == "user")


def _search(request: ResponsesRequest, stamp: Stamp, at: int, mind: int | None) -> Search:
    query = last_said(request.chat.turns)[:200]
    url = f"https://{_SITE}/{'-'.join(topic_words(query)[:3]).lower() or 'search'}?utm_source=openai"
    sources = "web_search_call.action.sources" in request.include
    return Search(item_id("ws", stamp, at, mind), query, url, sources)


def _is_prose(request: ResponsesRequest, choice: Choice, controls: Controls, script: Scripted) -> bool:
    """Whether the answer is the model's own text, to which a source may be added."""
    scripted = script.text is not None or script.stream or script.tool_calls
    shaped = request.chat.schema is not None or request.chat.as_json
    told = controls.tokens is not None or controls.echo
    return choice.finish == "stop" and not (choice.refused or scripted or shaped or told)


def _mark(url: str) -> str:
    return f"([{_SITE}]({url}))"


def _cited(message: Message, search: Search) -> Message:
    """The message with the place where it names its source."""
    end = len(message.text)
    citation: Item = {
        "type": "url_citation",
        "end_index": end,
        "start_index": end - len(_mark(search.url)),
        "title": f"Simulated: {search.query[:60]}",
        "url": search.url,
    }
    return msgspec.structs.replace(message, citations=(citation,))
