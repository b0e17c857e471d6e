"""One choice of a stream being rendered: each event of it as a chunk.

Head and tail of a chunk are encoded once, so that a piece of text costs two joins. A thought is shown
as `reasoning_content` while it comes. Once it is whole, and signed or one of several, it follows again
as an entry of `reasoning_details`, which shows where it ends.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from madang.core.events import PartDelta, PartEnd, PartStart, StopEvent
from madang.core.messages import (
    Citation,
    Json,
    Media,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.core.responses import Stop
from madang.dialects.openai_chat.content import moved, write_block, write_citation
from madang.dialects.openai_chat.form import NAME, leftovers, noted, restore
from madang.dialects.openai_chat.logprobs import write_logprobs
from madang.dialects.openai_chat.messages import write_spoken
from madang.dialects.openai_chat.reasoning import DETAILS, STRINGS, write_detail
from madang.dialects.openai_chat.responses import MESSAGE, write_stop
from madang.dialects.openai_chat.tools import CALLS, client_id, write_call
from madang.dialects.reading import write_json

_TAIL = b',"logprobs":null,"finish_reason":null}]}\n\n'
_BORDER = "\x00"
"""Stands for the words in a pattern; JSON never holds it unescaped."""
_replace = msgspec.structs.replace


class Lane:
    """A choice that is being rendered."""

    __slots__ = (
        "_after",
        "_before",
        "_calls",
        "_citations",
        "_entries",
        "_from",
        "_functions",
        "_length",
        "_lists",
        "_number",
        "_part",
        "_refused",
        "_signature",
        "_silent",
        "_start",
        "_thoughts",
        "_unshown",
        "_words",
    )

    def __init__(self, number: int, start: bytes, *, functions: bool) -> None:
        self._number = number
        self._functions = functions
        """Whether the client knows `function_call` alone."""
        self._start = start + b'{"index":%d,"delta":' % number
        self._before = self._after = b""
        """Of a chunk with more words of the open part; empty where words are not just put between."""
        self._part: Part | None = None
        self._words: list[str] = []
        """Of the open thought."""
        self._signature: tuple[str | None, str | None] = (None, None)
        """Of the open thought, and its signer."""
        self._silent = True
        """Whether the open call has no arguments yet."""
        self._from = self._length = 0
        """Where the open text begins, and characters of text so far."""
        self._citations: list[Citation] = []
        self._calls = self._entries = 0
        self._lists: dict[str, int] = {}
        """How many entries of a list there were."""
        self._thoughts: list[Reasoning] = []
        """Thoughts since the last call, whose id carries their signatures."""
        self._unshown: list[Reasoning] = []
        """Thoughts that are an entry only if another follows."""
        self._refused = False

    def chunk(self, delta: Mapping[str, Json]) -> bytes:
        """A chunk with one delta."""
        return self._start + write_json(delta) + _TAIL

    def take(self, event: PartDelta | PartStart | PartEnd | StopEvent) -> bytes:
        """The next event of this choice, as chunks."""
        match event:
            case PartDelta():
                return self._go_on(event)
            case PartStart():
                return self._open(event.part)
            case PartEnd():
                return self._close()
            case StopEvent():
                return self._stop(event)

    def _open(self, part: Part) -> bytes:
        self._part = part
        match part:
            case Text():
                self._from = self._length
                self._citations = list(part.citations)
                transcript = noted(part.extra, "form") == "transcript"
                self._pattern({"audio": {"transcript": _BORDER}} if transcript else {"content": _BORDER})
                return self._say(part.text)
            case Reasoning():
                return self._open_thought(part)
            case ToolCall():
                return self._open_call(part)
            case Refusal():
                self._refused = True
                self._pattern({"refusal": _BORDER})
                return self._say(part.text)
            case Media():
                self._before = b""
                return self._show(part)
            case Opaque():
                self._before = b""
                return self._pass_on(part)
            case ToolResult():
                self._before = b""
                return b""

    def _go_on(self, event: PartDelta) -> bytes:
        if event.citations:
            self._citations.extend(event.citations)
        if event.signature is not None:
            self._signature = (event.signature, event.signer)
        if event.logprobs:
            return self._likely(event)
        return self._say(event.text)

    def _close(self) -> bytes:
        part, self._part = self._part, None
        match part:
            case Text() if self._citations:
                written = [write_citation(moved(citation, self._from)) for citation in self._citations]
                return self._grown("annotations", written)
            case Reasoning():
                return self._close_thought(part)
            case ToolCall() if self._silent and self._before and noted(part.extra, "form") != "custom":
                return self._before + b'"{}"' + self._after
            case _:
                return b""

    def _stop(self, event: StopEvent) -> bytes:
        if event.stop is None:
            return b""
        reason = write_stop(
            event.stop, noted(event.extra, "stop"), refused=self._refused, functions=self._functions
        )
        delta: dict[str, Json] = {}
        if event.stop is Stop.REFUSAL and not self._refused:
            delta["refusal"] = ""
        choice: dict[str, Json] = {"logprobs": None, "finish_reason": reason}
        for name, value in leftovers(event.extra).items():
            if name.startswith(MESSAGE):
                if value is not None:
                    delta[name.removeprefix(MESSAGE)] = value
            else:
                choice.setdefault(name, value)
        return self._start + write_json(delta) + b"," + write_json(choice)[1:] + b"]}\n\n"

    def _pattern(self, delta: Mapping[str, Json]) -> None:
        """Words that come are put where the border stands."""
        before, _, after = write_json(delta).partition(b'"\\u0000"')
        self._before, self._after = self._start + before, after + _TAIL

    def _say(self, text: str) -> bytes:
        if not text:
            return b""
        part = self._part
        if type(part) is Text:
            self._length += len(text)
        elif type(part) is Reasoning:
            self._words.append(text)
            if not self._before:
                return self._say_entry(part, text)
        elif type(part) is ToolCall:
            self._silent = False
        return self._before + write_json(text) + self._after if self._before else b""

    def _likely(self, event: PartDelta) -> bytes:
        said = self._say(event.text) or self.chunk({})
        logprobs = write_json({"content": write_logprobs(event.logprobs)})
        return said.removesuffix(_TAIL) + b',"logprobs":' + logprobs + b',"finish_reason":null}]}\n\n'

    def _open_thought(self, thought: Reasoning) -> bytes:
        self._words.clear()
        self._signature = (thought.signature, thought.signer)
        out = b""
        match noted(thought.extra, "form"):
            case "reasoning" | "reasoning_content" as member:
                self._pattern({member: _BORDER})
            case "thinking":
                inner = [{"type": "text", "text": _BORDER}]
                block = restore({"type": "thinking", "thinking": inner}, thought.extra)
                self._pattern({"content": [block]})
            case None:
                out = self._show_entries()
                self._pattern({"reasoning_content": _BORDER})
            case form:
                self._before = b""
                if form == "encrypted":
                    out = self.chunk({DETAILS: [write_detail(thought, self._entries)]})
                    self._signature = (None, None)
        return out + self._say(thought.text)

    def _say_entry(self, thought: Reasoning, text: str) -> bytes:
        if noted(thought.extra, "form") == "both":
            return self.chunk(dict.fromkeys(STRINGS, text))
        entry = write_detail(_replace(thought, text=text, signature=None), self._entries)
        return self.chunk({"reasoning": text, DETAILS: [entry]})

    def _close_thought(self, thought: Reasoning) -> bytes:
        signature, signer = self._signature
        whole = _replace(thought, text="".join(self._words), signature=signature, signer=signer)
        form = noted(thought.extra, "form")
        if signature is not None:
            self._thoughts.append(whole)
        if form is None:
            self._unshown.append(whole)
            return self._show_entries() if signature is not None or self._entries else b""
        if self._before or form == "both":
            return b""
        self._entries += 1
        if signature is None:
            return b""
        entry = write_detail(_replace(whole, text=""), self._entries - 1)
        entry.pop(form, None)
        return self.chunk({DETAILS: [entry]})

    def _show_entries(self) -> bytes:
        if not self._unshown:
            return b""
        entries = [write_detail(one, number) for number, one in enumerate(self._unshown, self._entries)]
        self._entries += len(entries)
        self._unshown.clear()
        return self.chunk({DETAILS: entries})

    def _open_call(self, call: ToolCall) -> bytes:
        position = self._calls
        self._calls += 1
        self._silent = True
        if self._functions or noted(call.extra, "form") == "function_call":
            if position:
                self._before = b""  # it has no place for a second one
                return b""
            self._pattern({"function_call": {"arguments": _BORDER}})
            begun = self.chunk({"function_call": {"name": call.name, "arguments": ""}})
            return begun + self._say(call.arguments)
        written = write_call(call, client_id(call, self._thoughts), position)
        self._thoughts.clear()
        kind, member = ("custom", "input") if "custom" in written else ("function", "arguments")
        written[kind] = {**written[kind], member: ""}
        self._pattern({CALLS: [{"index": position, kind: {member: _BORDER}}]})
        return self.chunk({CALLS: [{"index": position, **written}]}) + self._say(call.arguments)

    def _show(self, media: Media) -> bytes:
        if media.kind == "audio" and media.data:
            return self.chunk({"audio": write_spoken(media)})
        picture = write_block(media) if media.kind == "image" else None
        return self._grown("images", [picture]) if picture is not None else b""

    def _grown(self, name: str, entries: list[Json]) -> bytes:
        """More of a list. Its entries say their places: OpenAI's SDK breaks at the second chunk without."""
        place = self._lists.get(name, 0)
        self._lists[name] = place + len(entries)
        return self.chunk({name: [{**one, "index": at} for at, one in enumerate(entries, place)]})

    def _pass_on(self, opaque: Opaque) -> bytes:
        if opaque.dialect != NAME:
            return b""
        for name in (DETAILS, "images"):
            if name in opaque.data:
                return self.chunk({name: [opaque.data[name]]})
        if CALLS in opaque.data:
            self._calls += 1
            return self.chunk({CALLS: [{"index": self._calls - 1, **opaque.data[CALLS]}]})
        return self.chunk({"content": [dict(opaque.data)]})
