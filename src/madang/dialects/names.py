"""Names of functions that a provider refuses, told to it in another way and to the client as it knows them.

Claude Code's reach 70 characters (`mcp__plugin_…`) where OpenAI takes 64; Google takes dots and colons, which
nobody else does. The other name is made of the first alone, so that whoever has the request knows it again.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from madang.core.events import Event, PartStart
from madang.core.messages import Message, Opaque, Part, ToolCall, ToolResult
from madang.core.requests import Request, Tool
from madang.core.responses import Response
from madang.dialects.base import Answering, StreamRenderer

_MOST = 64
_RULES = {
    "openai_chat": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "openai_responses": re.compile(r"[A-Za-z0-9_-]{1,64}"),
    "anthropic": re.compile(r"[A-Za-z0-9_-]{1,128}"),
    "gemini": re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}"),
}
_EVERYWHERE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_ODD = re.compile(r"[^A-Za-z0-9_-]")
_replace = msgspec.structs.replace


def other(name: str) -> str:
    """A name that everybody takes, the same for the same and another for another."""
    mark = f"_{zlib.crc32(name.encode()):08x}"
    plain = _ODD.sub("_", name)
    plain = plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}"
    return plain[: _MOST - len(mark)] + mark


def odd(request: Request, dialect: str) -> frozenset[str]:
    """The names in a request that a dialect's providers refuse."""
    fits = _RULES[dialect].fullmatch
    return frozenset([name for name in _names(request) if not fits(name)])


def _names(request: Request) -> Iterable[str]:
    for tool in request.tools:
        if isinstance(tool, Tool):
            yield tool.name
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield part.name


def fitted(request: Request, dialect: str) -> Request:
    """A request from another dialect with names that this one's providers take."""
    found = {name: other(name) for name in odd(request, dialect)}
    if not found:
        return request
    choice = request.tool_choice
    if choice is not None:
        choice = _replace(choice, names=tuple([found.get(name, name) for name in choice.names]))
    return _replace(
        request,
        tools=tuple([_renamed_tool(tool, found) for tool in request.tools]),
        tool_choice=choice,
        messages=tuple([_renamed_message(message, found) for message in request.messages]),
    )


def _renamed_tool(tool: Tool | Opaque, found: Mapping[str, str]) -> Tool | Opaque:
    return _replace(tool, name=found[tool.name]) if isinstance(tool, Tool) and tool.name in found else tool


def _renamed_message(message: Message, found: Mapping[str, str]) -> Message:
    if not any(isinstance(part, ToolCall | ToolResult) for part in message.parts):
        return message
    return _replace(message, parts=tuple([_renamed(part, found) for part in message.parts]))


def _renamed(part: Part, found: Mapping[str, str]) -> Part:
    if isinstance(part, ToolCall | ToolResult) and part.name is not None and part.name in found:
        return _replace(part, name=found[part.name])
    return part


# For the client


def _originals(tools: Sequence[Tool | Opaque]) -> dict[str, str]:
    names = [tool.name for tool in tools if isinstance(tool, Tool) and not _EVERYWHERE.fullmatch(tool.name)]
    return {other(name): name for name in names}


def told_whole(render: Callable[[Response, Answering], bytes]) -> Callable[[Response, Answering], bytes]:
    """A renderer of answers that calls functions as the client does."""

    def rendered(response: Response, answering: Answering) -> bytes:
        found = _originals(answering.request.tools)
        if found:
            candidates = [
                _replace(one, parts=tuple([_renamed(part, found) for part in one.parts]))
                for one in response.candidates
            ]
            response = _replace(response, candidates=tuple(candidates))
        return render(response, answering)

    return rendered


def told_streamed(
    make: Callable[[Answering], StreamRenderer],
) -> Callable[[Answering], StreamRenderer]:
    """The same for streams."""

    def made(answering: Answering) -> StreamRenderer:
        found = _originals(answering.request.tools)
        return _Renaming(make(answering), found) if found else make(answering)

    return made


class _Renaming:
    __slots__ = ("_found", "_renderer")

    def __init__(self, renderer: StreamRenderer, found: Mapping[str, str]) -> None:
        self._renderer = renderer
        self._found = found

    def render(self, event: Event) -> bytes:
        """The event on the wire."""
        if isinstance(event, PartStart):
            event = _replace(event, part=_renamed(event.part, self._found))
        return self._renderer.render(event)
