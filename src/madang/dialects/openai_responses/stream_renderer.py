"""Streamed answers for a client, in the order that OpenAI's SDKs insist on.

Each event is numbered; each item is added, grows and is done before the next one is added, under the
same id; the last event holds the whole answer. A part is closed only when the next thing comes, since
a message may go on, and tokens and reasons to stop come late.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from madang.core.errors import CallError
from madang.core.events import (
    Begin,
    End,
    Event,
    Failure,
    PartDelta,
    PartEnd,
    PartStart,
    Ping,
    StopEvent,
    UsageEvent,
    merge,
)
from madang.core.messages import (
    Citation,
    Extra,
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
from madang.core.responses import Response, TokenLogprob, Usage
from madang.dialects.base import Answering
from madang.dialects.openai_responses.content import Block
from madang.dialects.openai_responses.errors import error_event
from madang.dialects.openai_responses.items import (
    OURS,
    add_block,
    content_block,
    is_content,
    own_message,
    write_reasoning,
)
from madang.dialects.openai_responses.output import Names, is_own, message_item, write_item
from madang.dialects.openai_responses.responses import finish, write_frame
from madang.dialects.openai_responses.usage import write_stop
from madang.dialects.reading import write_json

_replace = msgspec.structs.replace


class _Growing:
    """A part that is open."""

    __slots__ = ("citations", "extra", "item", "part", "signature", "signer", "texts", "tokens")

    def __init__(self, part: Part, item: Block) -> None:
        self.part = part
        self.item = item
        """That it is, or stands in."""
        self.texts: list[str] = []
        self.citations: list[Citation] = []
        self.tokens: list[TokenLogprob] = []
        self.signature: str | None = None
        self.signer: str | None = None
        self.extra: Extra = {}

    def whole(self) -> Part:
        """The part as it has become."""
        part, text = self.part, "".join(self.texts)
        if isinstance(part, Opaque | Media | ToolResult):
            return part
        extra = merge(part.extra, self.extra)
        match part:
            case Text():
                return _replace(part, text=text, citations=(*part.citations, *self.citations), extra=extra)
            case Refusal():
                return _replace(part, text=text, extra=extra)
            case ToolCall():
                return _replace(part, arguments=text, extra=extra)
            case Reasoning():
                if self.signature is None:
                    return _replace(part, text=text, extra=extra)
                return _replace(part, text=text, signature=self.signature, signer=self.signer, extra=extra)


class ResponsesRenderer:
    """From events to a client's bytes; see `base.StreamRenderer`."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._response = Response()
        self._names = Names(answering.id)
        self._number = 0
        self._begun = False
        self._output: list[Block] = []
        """The items that are done; the next one's place is how many there are."""
        self._open: _Growing | None = None
        self._message: Block | None = None
        """The message that is open."""
        self._calls = self._refused = False
        self._stop = StopEvent(0, None)
        self._usage: Usage | None = None

    def render(self, event: Event) -> bytes:
        """The event on the wire. Of several candidates a client gets the first."""
        match event:
            case PartDelta():
                return self._delta(event) if event.candidate == 0 else b""
            case PartStart():
                return self._start(event.part) if event.candidate == 0 else b""
            case PartEnd():
                if self._open is not None and event.candidate == 0:
                    self._open.extra = event.extra
                return b""
            case StopEvent():
                if event.candidate == 0:
                    self._stop = event
                return b""
            case UsageEvent():
                self._usage = event.usage
                return b""
            case Begin():
                return self._begin(event)
            case Ping():
                return b": ping\n\n"
            case Failure():
                return self._fail(event.error)
            case End():
                return self._end(event.extra)

    def _send(self, kind: str, members: Block) -> bytes:
        said = {"type": kind, "sequence_number": self._number, **members}
        self._number += 1
        return b"event: %s\ndata: %s\n\n" % (kind.encode(), write_json(said))

    # The answer

    def _begin(self, event: Begin) -> bytes:
        self._response = Response(
            id=event.id or self._answering.id,
            model=event.model,
            created=event.created,
            service_tier=event.service_tier,
            extra=event.extra,
        )
        self._names = Names(self._response.id, self._answering.request.tools)
        self._begun = True
        frame = self._frame("in_progress")
        return self._send("response.created", {"response": frame}) + self._send(
            "response.in_progress", {"response": frame}
        )

    def _frame(self, status: str) -> Block:
        frame = write_frame(self._response, self._answering)
        return {**frame, "status": status, "incomplete_details": None, "output": self._output, "usage": None}

    def _end(self, extra: Extra) -> bytes:
        out = self._close()
        response = _replace(self._response, usage=self._usage, extra=merge(self._response.extra, extra))
        stop = self._stop
        status, details = write_stop(stop.stop, stop.extra, calls=self._calls, refused=self._refused)
        frame = finish(write_frame(response, self._answering), response, status, details, self._output)
        kind = "response.completed" if status in ("completed", None) else "response.incomplete"
        return out + self._send(kind, {"response": frame})

    def _fail(self, problem: CallError) -> bytes:
        out = b"event: error\ndata: %s\n\n" % write_json(error_event(problem, self._number))
        self._number += 1
        if not self._begun:
            return out
        # Whoever knows no `error` event (Codex, 2025) learns it from the answer's end.
        error = {"code": problem.code, "message": problem.message}
        return out + self._send("response.failed", {"response": {**self._frame("failed"), "error": error}})

    # Parts

    def _start(self, part: Part) -> bytes:
        self._calls = self._calls or isinstance(part, ToolCall)
        self._refused = self._refused or isinstance(part, Refusal)
        if is_content(part):
            return self._start_content(part)
        out = self._close()
        item = self._beginning(part)
        if item is None:
            return out
        self._open = _Growing(part, item)
        shown = {name: value for name, value in item.items() if name != "result"}
        if isinstance(part, ToolCall):
            shown.update({"input": ""} if "input" in shown else {"status": "in_progress", "arguments": ""})
        return out + self._item("added", shown) + self._first_words(part)

    def _beginning(self, part: Part) -> Block | None:
        """An item, as far as it is known when it begins."""
        place = len(self._output)
        match part:
            case Reasoning():
                name = part.id if part.id is not None else self._names.of(OURS, place)
                return write_reasoning(part if part.redacted else Reasoning(), name)
            case ToolCall():
                return {"id": self._names.of("fc_", place), **self._names.call(part)}
            case Text() | Refusal() | Media() | Opaque() | ToolResult():
                return write_item(part, self._names, place)

    def _start_content(self, part: Part) -> bytes:
        shown = _empty_block(part)
        if shown is None:
            return self._close_part("completed")
        begun, message = own_message(part), self._message
        if message is None or begun is not None:
            out = self._close()
            name = self._names.of("msg_", len(self._output))
            self._message = message = message_item(name) if begun is None else begun
            message.setdefault("id", name)
            out += self._item("added", {**message, "status": "in_progress"})
        else:
            out = self._close_part("completed")
        self._open = _Growing(part, message)
        return out + self._content("response.content_part.added", part=shown) + self._first_words(part)

    def _first_words(self, part: Part) -> bytes:
        match part:
            case Text(text=text) | Refusal(text=text) | Reasoning(text=text) | ToolCall(arguments=text) if (
                text
            ):
                return self._delta(PartDelta(0, 0, text))
            case _:
                return b""

    def _delta(self, event: PartDelta) -> bytes:
        growing = self._open
        if growing is None:
            return b""
        if event.citations:
            growing.citations += event.citations
        if event.logprobs:
            growing.tokens += event.logprobs
        if event.signature is not None:
            growing.signature, growing.signer = event.signature, event.signer
        text = event.text
        if not text:
            return b""
        begun = bool(growing.texts)
        growing.texts.append(text)
        match growing.part:
            case Text():
                return self._text_delta(growing.item, text, event.logprobs)
            case ToolCall():
                if "input" in growing.item:
                    return b""  # free text, which is known when its JSON is whole
                members = {"item_id": growing.item["id"], "output_index": len(self._output), "delta": text}
                return self._send("response.function_call_arguments.delta", members)
            case Reasoning():
                start = b"" if begun else self._thought("summary_part.added", part=_summary(""))
                return start + self._thought("summary_text.delta", delta=text)
            case Refusal():
                return self._content("response.refusal.delta", delta=text)
            case Media() | ToolResult() | Opaque():
                return b""

    def _text_delta(self, message: Block, text: str, tokens: Sequence[TokenLogprob]) -> bytes:
        out = {
            "type": "response.output_text.delta",
            "sequence_number": self._number,
            "item_id": message["id"],
            "output_index": len(self._output),
            "content_index": len(message["content"]),
            "delta": text,
            "logprobs": [_bare(token) for token in tokens] if tokens else [],
        }
        self._number += 1
        return b"event: response.output_text.delta\ndata: %s\n\n" % write_json(out)

    # Their ends

    def _close(self) -> bytes:
        """Close what is open, and its item."""
        ended = self._is_cut() and not (self._open is not None and is_own(self._open.part))
        status = "incomplete" if ended else "completed"
        if self._message is None:
            return self._close_part(status)
        out = self._close_part(status)
        message, self._message = self._message, None
        if ended:
            message["status"] = status
        return out + self._done(message)

    def _is_cut(self) -> bool:
        stop = self._stop
        if stop.stop is None:
            return False
        return write_stop(stop.stop, stop.extra, calls=self._calls, refused=self._refused)[0] == "incomplete"

    def _close_part(self, status: str) -> bytes:
        growing = self._open
        if growing is None:
            return b""
        part = growing.whole()
        out = b""
        match part:
            case Text() | Refusal():
                out = self._close_content(growing, part)
            case Opaque() | Media() if self._message is not None:
                out = self._close_content(growing, part)
            case Reasoning():
                self._names.hear(part)
                out = self._thought_done(part)
                out += self._done(write_reasoning(part, growing.item["id"]))
            case ToolCall():
                out = self._call_done(growing.item, part, status)
            case Media() | Opaque():
                out = self._done(growing.item)
            case ToolResult():
                pass
        self._open = None
        return out

    def _close_content(self, growing: _Growing, part: Part) -> bytes:
        message = growing.item
        block = content_block(part, growing.tokens)
        if block is None:
            return b""
        out = b""
        if isinstance(part, Text):
            for number, annotation in enumerate(block.get("annotations") or ()):
                out += self._content(
                    "response.output_text.annotation.added", annotation_index=number, annotation=annotation
                )
            tokens = [_bare(token) for token in growing.tokens]
            out += self._content("response.output_text.done", text=part.text, logprobs=tokens)
        elif isinstance(part, Refusal):
            out += self._content("response.refusal.done", refusal=part.text)
        out += self._content("response.content_part.done", part=block)
        add_block(message, part, block)
        return out

    def _thought_done(self, part: Reasoning) -> bytes:
        if not part.text:
            return b""
        out = self._thought("summary_text.done", text=part.text)
        return out + self._thought("summary_part.done", part=_summary(part.text))

    def _call_done(self, item: Block, part: ToolCall, status: str) -> bytes:
        done = {**self._names.dressed(part, item["call_id"]), "id": item["id"]}
        members = {"item_id": item["id"], "output_index": len(self._output)}
        if "input" in done:
            out = self._send("response.custom_tool_call_input.delta", {**members, "delta": done["input"]})
            out += self._send("response.custom_tool_call_input.done", {**members, "input": done["input"]})
            return out + self._done({"status": "completed", **done})
        if not is_own(part):
            done["status"] = status
        arguments = done["arguments"]
        out = b""
        if arguments != part.arguments:
            out = self._send("response.function_call_arguments.delta", {**members, "delta": arguments})
        out += self._send("response.function_call_arguments.done", {**members, "arguments": arguments})
        return out + self._done(done)

    # Events

    def _done(self, item: Block) -> bytes:
        out = self._item("done", item)
        self._output.append(item)
        return out

    def _item(self, what: str, item: Block) -> bytes:
        members = {"output_index": len(self._output), "item": item}
        return self._send(f"response.output_item.{what}", members)

    def _content(self, kind: str, **members: Json) -> bytes:
        message = self._message or {}
        place = {
            "item_id": message["id"],
            "output_index": len(self._output),
            "content_index": len(message["content"]),
        }
        return self._send(kind, {**place, **members})

    def _thought(self, kind: str, **members: Json) -> bytes:
        assert self._open is not None  # a thought is open
        place = {"item_id": self._open.item["id"], "output_index": len(self._output), "summary_index": 0}
        return self._send(f"response.reasoning_{kind}", {**place, **members})


def _bare(token: TokenLogprob) -> Block:
    top = [{"token": text, "logprob": logprob} for text, logprob in token.top]
    return {"token": token.token, "logprob": token.logprob, "top_logprobs": top}


def _empty_block(part: Part) -> Block | None:
    match part:
        case Text():
            return {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        case Refusal():
            return {"type": "refusal", "refusal": ""}
        case Media() | Opaque() | Reasoning() | ToolCall() | ToolResult():
            return content_block(part, ())


def _summary(text: str) -> Block:
    return {"type": "summary_text", "text": text}
