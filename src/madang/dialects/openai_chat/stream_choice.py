"""One choice of a stream being read: what kind each piece is, which part it goes on with or begins.

Tool calls come one after the other; Gemini and older Ollamas number them all 0, so that a new id
begins a new call as well. Where the pieces of several come mixed (seen by bifrost, #1829, 2026-02), the
later calls wait until the open one is whole. Thoughts come as strings, as entries of `reasoning_details`,
or first as the one and then, once more and signed, as the other: so do ours (`stream_lane.py`).
"""

from __future__ import annotations

import msgspec

from madang.core.errors import BrokenAnswer
from madang.core.events import Event, PartDelta, PartEnd, PartStart, StopEvent
from madang.core.messages import Json, Media, Opaque, Part, Reasoning, Refusal, Text, ToolCall
from madang.core.responses import Stop
from madang.dialects.openai_chat.content import moved, read_block, read_citations
from madang.dialects.openai_chat.form import NAME, noted
from madang.dialects.openai_chat.logprobs import read_logprobs
from madang.dialects.openai_chat.messages import read_image
from madang.dialects.openai_chat.reasoning import DETAILS, FORMS, STRINGS, read_detail
from madang.dialects.openai_chat.responses import read_stop
from madang.dialects.openai_chat.tools import CALLS, read_call, take_out
from madang.dialects.reading import json_text, read_json

_TEXT, _REFUSAL = Text(""), Refusal("")
_TRANSCRIPT = Text("", extra={NAME: {"$form": "transcript"}})
_THOUGHTS = {form: Reasoning(extra=extra) for form, extra in FORMS.items()}
_OF_CHOICE = frozenset(("index", "delta", "finish_reason", "logprobs", "message"))
"""Perplexity puts the whole message so far beside each delta."""
_SELDOM = frozenset(("annotations", "audio", "images", "refusal"))
_OF_DELTA = _SELDOM | frozenset(("role", "content", *STRINGS, DETAILS, CALLS, "function_call"))
_SPOKEN = frozenset(("data", "transcript"))


class Choice:
    """One choice: its open part, and what is known of it so far."""

    __slots__ = (
        "_arguments",
        "_audio",
        "_call",
        "_called",
        "_entries",
        "_extra",
        "_from",
        "_index",
        "_kind",
        "_length",
        "_nameless",
        "_number",
        "_refusal",
        "_sealed",
        "_signed",
        "_thought",
        "_told",
        "_waiting",
        "stopped",
    )

    def __init__(self, number: int, nameless: str) -> None:
        self._number = number
        self._nameless = nameless
        """What ids begin with that the provider left out."""
        self._index = -1
        """Of the last part."""
        self._kind: str | None = None
        """Of the open part; `None` where none is open."""
        self._call: tuple[Json, str] = (None, "")
        """Index and id of the open call, as on the wire."""
        self._arguments: list[str] | None = []
        """Those of the open call; `None` where they are no JSON."""
        self._waiting: list[dict[str, Json]] = []
        """Pieces of later calls that came before the open one was whole."""
        self._called: set[Json] = set()
        """Indices of the calls there were."""
        self._thought: list[str] = []
        """The words of the open thought, where they came as a string."""
        self._told: str | None = None
        """Those of the last one that is whole, unless they came as an entry too."""
        self._entries = 0
        """How many entries of `reasoning_details` there were."""
        self._from = self._length = 0
        """Where the open text begins, and characters of text so far."""
        self._sealed = False
        """Whether the open entry is signed."""
        self._signed: set[str | None] = set()
        self._refusal: str | None = None
        """Its first words; empty if it was said to be one and nothing more."""
        self._audio: dict[str, Json] = {}
        self._extra: dict[str, Json] = {}
        """For the candidate's `extra`."""
        self.stopped = False

    def read(self, written: dict[str, Json], out: list[Event]) -> None:
        """A chunk's piece for this choice."""
        if self.stopped:
            return
        if not _OF_CHOICE.issuperset(written):
            for name in written.keys() - _OF_CHOICE:
                self._keep(name, written[name])
        delta = written.get("delta")
        if delta:
            self._read_delta(delta, out)
        logprobs = written.get("logprobs")
        if logprobs and logprobs.get("content"):
            found = read_logprobs(logprobs["content"])
            out.append(PartDelta(self._number, max(self._index, 0), logprobs=found))
        reason = written.get("finish_reason")
        if reason:
            self._stop(reason, out)

    def finish(self, out: list[Event]) -> None:
        """The stream is whole, whether or not it said why the choice ended."""
        if not self.stopped:
            self._stop(None, out)

    def _stop(self, reason: str | None, out: list[Event]) -> None:
        while self._waiting:
            self._release(out)
        self._close(out)
        self.stopped = True
        if self._audio:
            extra = {"$form": "audio", **self._audio}
            self._put(Media(kind="audio", data=extra.pop("data", ""), extra={NAME: extra}), out)
        read = read_stop(reason, self._refusal, called=bool(self._called))
        if read.stop is Stop.OTHER:
            self._extra["finish_reason"] = read.word
        if read.word is not None:
            self._extra["$stop"] = read.word
        out.append(StopEvent(self._number, read.stop, None, {NAME: self._extra} if self._extra else {}))

    def _keep(self, name: str, value: Json) -> None:
        if value is not None and (value or name not in self._extra):
            self._extra[name] = value

    def _open(self, kind: str, part: Part, out: list[Event]) -> None:
        while self._waiting:
            self._release(out)
        if self._kind is not None:
            self._close(out)
        self._index += 1
        self._kind = kind
        out.append(PartStart(self._number, self._index, part))

    def _close(self, out: list[Event]) -> None:
        if self._kind is None:
            return
        out.append(PartEnd(self._number, self._index))
        self._kind = None
        self._sealed = False
        if self._thought:
            self._told = "".join(self._thought)
            self._thought.clear()

    def _put(self, part: Part, out: list[Event]) -> None:
        """A part that is whole at once."""
        self._open("whole", part, out)
        self._close(out)

    def _say(self, kind: str, part: Part, text: str, out: list[Event]) -> None:
        """Words of a kind; `part` is what they begin, if they do not go on."""
        if type(text) is not str:
            raise TypeError(f"{kind} that is no string")
        if self._kind != kind:
            self._open(kind, part, out)
            self._from = self._length
        if kind == "text":
            self._length += len(text)
        out.append(PartDelta(self._number, self._index, text))

    def _read_delta(self, delta: dict[str, Json], out: list[Event]) -> None:
        content = delta.get("content")
        if len(delta) == 1 and type(content) is str:
            if content:
                self._say("text", _TEXT, content, out)
            return
        if not _OF_DELTA.issuperset(delta):
            for name in delta.keys() - _OF_DELTA:
                self._keep(f"message.{name}", delta[name])
        if delta.get("reasoning_content") or delta.get("reasoning") or delta.get(DETAILS):
            self._read_thoughts(delta, out)
        if content:
            if type(content) is list:
                self._read_blocks(content, out)
            else:
                self._say("text", _TEXT, content, out)
        if not _SELDOM.isdisjoint(delta):
            self._read_seldom(delta, out)
        for call in delta.get(CALLS) or ():
            self._read_call(call, out)
        if delta.get("function_call"):
            self._read_function(delta["function_call"], out)

    def _read_blocks(self, blocks: list[Json], out: list[Event]) -> None:
        self._extra["$content"] = "list"
        for block in blocks:
            part = read_block(block, "content")
            if isinstance(part, Text):
                self._say("text", msgspec.structs.replace(part, text=""), part.text, out)
            elif isinstance(part, Reasoning):
                self._say("thinking", msgspec.structs.replace(part, text=""), part.text, out)
            else:
                self._put(part, out)

    def _read_thoughts(self, delta: dict[str, Json], out: list[Event]) -> None:
        strings = [name for name in STRINGS if delta.get(name)]
        entries = delta.get(DETAILS)
        if entries:
            for entry in entries:
                self._read_entry(entry, bool(strings), out)
            if strings:
                self._extra["$repeats"] = strings
            return
        if len(strings) == 2 and delta[strings[0]] == delta[strings[1]]:
            strings = ["both"]
        for form in strings:
            text = delta["reasoning" if form == "both" else form]
            self._say(form, _THOUGHTS[form], text, out)
            self._thought.append(text)

    def _read_entry(self, entry: dict[str, Json], repeated: bool, out: list[Event]) -> None:
        part = read_detail(entry, self._entries)
        if isinstance(part, Opaque):
            self._put(part, out)
            return
        if part.signature is not None:
            self._signed.add(part.signature)
        kind = f"{entry['type']}#{entry.get('index')}"
        if self._thought and not repeated and part.text == "".join(self._thought):
            # The words came before, as a string; here they are once more, signed.
            self._sign(part, out)
            self._close(out)
            self._told = None
            self._extra["$repeats"] = ["reasoning_content"]
            self._entries += 1
        elif part.signature is None and part.text == self._told and not repeated:
            self._told = None  # the same, unsigned, and said so because another one follows
            self._entries += 1
        elif self._kind == kind and not part.redacted and not (self._sealed and part.text):
            if part.text:
                out.append(PartDelta(self._number, self._index, part.text))
            self._sign(part, out)
        else:
            self._entries += 1
            text = part.text
            self._open(kind, msgspec.structs.replace(part, text=""), out)
            self._sealed = part.signature is not None
            if text:
                out.append(PartDelta(self._number, self._index, text))

    def _sign(self, part: Reasoning, out: list[Event]) -> None:
        if part.signature is not None:
            self._sealed = True
            out.append(PartDelta(self._number, self._index, signature=part.signature, signer=part.signer))

    def _read_seldom(self, delta: dict[str, Json], out: list[Event]) -> None:
        refusal = delta.get("refusal")
        if refusal is not None:
            self._refusal = self._refusal or refusal
            if refusal:
                self._say("refusal", _REFUSAL, refusal, out)
        annotations = delta.get("annotations")
        if annotations:
            annotations = [_without_index(one) for one in annotations]
            citations = read_citations(annotations)
            if citations is not None and self._kind == "text":
                self._extra["$cited"] = True
                mine = tuple([moved(citation, -self._from) for citation in citations])
                out.append(PartDelta(self._number, self._index, citations=mine))
            else:
                self._keep("message.annotations", annotations)
        audio = delta.get("audio")
        if audio:
            if audio.get("transcript"):
                self._say("transcript", _TRANSCRIPT, audio["transcript"], out)
            if audio.get("data"):
                self._audio["data"] = self._audio.get("data", "") + audio["data"]
            self._audio.update({name: audio[name] for name in audio.keys() - _SPOKEN})
        for image in delta.get("images") or ():
            self._put(read_image(_without_index(image), "images"), out)

    def _read_call(self, written: dict[str, Json], out: list[Event]) -> None:
        index, given = written.get("index"), written.get("id") or ""
        function = written.get("custom" if written.get("type") == "custom" else "function") or {}
        name = function.get("name")
        if self._kind == "call":
            open_index, open_id = self._call
            if index == open_index and given in ("", open_id) and (index is not None or not name):
                self._argue(function, out)
                if self._waiting and self._is_whole():
                    self._release(out)
                return
            if self._waiting or (type(index) is int and index != open_index and not self._is_whole()):
                self._waiting.append(written)
                return
        if not name:
            if index in self._called and function.get("arguments"):
                raise BrokenAnswer("The provider's stream goes on with a tool call that was whole.")
            return
        call = read_call(written, len(self._called), CALLS, self._nameless)
        if isinstance(call, Opaque):
            self._put(call, out)
            return
        call, thoughts = take_out(call)
        for thought in thoughts:
            if thought.signature not in self._signed:
                self._put(thought, out)
        kept = {key: value for key, value in call.extra.get(NAME, {}).items() if key[0] != "$"}
        if noted(call.extra, "form"):
            kept["$form"] = noted(call.extra, "form")
        self._call = (index, given)
        self._called.add(index if index is not None else len(self._called))
        extra = {NAME: kept} if kept else {}
        self._arguments = None if kept.get("$form") == "custom" else []
        self._open("call", msgspec.structs.replace(call, arguments="", extra=extra), out)
        self._argue(function, out)

    def _is_whole(self) -> bool:
        """Whether the arguments of the open call can be read: then no more of them come."""
        if self._arguments is None:
            return True
        if not self._arguments or not self._arguments[-1].endswith(("}", "\n", " ")):
            return False  # so that a long one is not read again at each piece
        try:
            read_json("".join(self._arguments))
        except ValueError:
            return False
        return True

    def _release(self, out: list[Event]) -> None:
        """The open call is over: tell what waited for it; of that, later calls may wait again."""
        waiting, self._waiting = self._waiting, []
        self._close(out)
        for written in waiting:
            self._read_call(written, out)

    def _argue(self, function: dict[str, Json], out: list[Event]) -> None:
        arguments = function.get("arguments") or function.get("input")
        if isinstance(arguments, dict):
            arguments = json_text(arguments)
        if arguments:
            if type(arguments) is not str:
                raise TypeError("arguments that are no string")
            if self._arguments is not None:
                self._arguments.append(arguments)
            out.append(PartDelta(self._number, self._index, arguments))

    def _read_function(self, function: dict[str, Json], out: list[Event]) -> None:
        if self._kind != "function":
            name = function.get("name")
            if not name:
                return
            call = ToolCall(id=self._nameless, name=name, extra={NAME: {"$form": "function_call"}})
            self._called.add("function")
            self._open("function", call, out)
        self._argue(function, out)


def _without_index(entry: Json) -> Json:
    """An entry of a list that grows, without its place in it (`stream_lane.py`)."""
    if isinstance(entry, dict) and type(entry.get("index")) is int:
        return {name: value for name, value in entry.items() if name != "index"}
    return entry
