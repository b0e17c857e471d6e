"""POST …:generateContent, the request: checked as Google checks it, read as a `GenerateRequest`."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import msgspec

from madang.simulator.answers import as_json
from madang.simulator.gemini.contents import Part, read_contents, read_system, turns_of
from madang.simulator.gemini.errors import invalid
from madang.simulator.gemini.families import Family, family_of
from madang.simulator.gemini.fields import Fields
from madang.simulator.gemini.settings import Thinking, read_settings
from madang.simulator.gemini.steps import check_calls, check_signatures
from madang.simulator.gemini.tools import read_choice, read_tools
from madang.simulator.tokens import estimate
from madang.simulator.vocabulary import ApiError, ChatRequest

_KNOWN: Final = frozenset(
    (
        *("contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig"),
        *("cachedContent", "model", "labels", "serviceTier", "store"),
    )
)
_WINDOW = 1_048_576
_TARGET = re.compile(
    r"/(?:v1beta1|v1beta|v1alpha|v1)/(projects/[^/]+/locations/[^/]+/publishers/google/)?models/(.+):([a-zA-Z]+)"
)


class Target(msgspec.Struct, frozen=True):
    """What a path asks of which model."""

    model: str
    method: str
    vertex: bool
    """Whether it is Vertex AI that is asked: its answers differ in small ways."""


class GenerateRequest(msgspec.Struct, frozen=True):
    """A request for content."""

    chat: ChatRequest
    target: Target
    family: Family
    thinking: Thinking
    as_word: bool
    served: frozenset[str]
    """Tools that Google would run."""
    details: dict[str, int]
    """Tokens of the prompt by modality."""

    def runs(self) -> frozenset[str]:
        """Google's tools that are used: those on offer, unless there are functions to call."""
        free = not self.chat.tools and self.chat.tool_choice != "none"
        return self.served if free else frozenset()


def read_target(path: str) -> Target | None:
    """Model and method of a path, if it has them."""
    found = _TARGET.fullmatch(path)
    return None if found is None else Target(found[2], found[3], found[1] is not None)


def read_generate_request(fields: Fields, target: Target) -> GenerateRequest:
    """A body as a request for content. Raises ApiError."""
    fields.refuse_unknown(_KNOWN)
    family = family_of(target.model)
    contents, system = read_contents(fields), read_system(fields)
    check_calls(contents)
    if family.wants_signatures:
        check_signatures(contents)
    offer = read_tools(fields, family)
    choice, tools = read_choice(fields, offer)
    settings = read_settings(fields, family)
    if tools and settings.as_json and not family.mixes_tools:
        invalid("Function calling with a response mime type: 'application/json' is unsupported")
    if "cachedContent" in fields:
        message = "CachedContent not found (or permission denied)"
        raise ApiError(403, message, kind="PERMISSION_DENIED")
    parts = [*system, *(part for content in contents for part in content.parts)]
    details = _details(parts, estimate(as_json(fields.raw("tools"))) if "tools" in fields else 0)
    size = sum(details.values())
    if size > _WINDOW:
        invalid(f"The input token count ({size}) exceeds the maximum number of tokens allowed ({_WINDOW}).")
    chat = ChatRequest(
        model=target.model,
        turns=turns_of(contents, system),
        prompt_tokens=size,
        stream=target.method == "streamGenerateContent",
        tools=tools,
        tool_choice=choice,
        n=settings.candidates,
        max_tokens=settings.max_tokens,
        stop=settings.stop,
        as_json=settings.as_json,
        schema=settings.schema,
        top_logprobs=settings.top_logprobs,
        seed=settings.seed,
        think=settings.thinking.tokens,
    )
    return GenerateRequest(chat, target, family, settings.thinking, settings.as_word, offer.served, details)


def _details(parts: list[Part], tools: int) -> dict[str, int]:
    counted = Counter({"TEXT": tools})
    for part in parts:
        counted[part.modality] += part.tokens
    return {modality: count for modality, count in counted.items() if count or modality == "TEXT"}
