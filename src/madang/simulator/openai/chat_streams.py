"""The events of a chat completion that is streamed.

What does not change between events is encoded once: a stream of a thousand tokens costs about a
microsecond each.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from madang.simulator.dialect import StreamParts
from madang.simulator.openai.chat_parts import call_head, fingerprint, logprob, usage
from madang.simulator.vocabulary import Answer, ChatRequest, Choice, Stamp, ToolCall

_encode = msgspec.json.encode
_PADDING = b"kJp93dsvSrC594ZzGVSlgiNFzh9fjTxDwsK5O2NcJBvPebiEAvzTGDZAtIyVOvnj"
_WIDTH = 16
"""Padding fills an event's text up to the next multiple of this many bytes."""

DONE = b"data: [DONE]\n"


def chat_events(request: ChatRequest, answer: Answer, stamp: Stamp, seed: int) -> StreamParts:
    """The stream: a role per choice, then its tokens (choices taking turns), finish, usage, `[DONE]`."""
    chunks = _Chunks(request, stamp, seed)
    choices = list(enumerate(answer.choices))
    opening = [_opening(chunks, choice, index) for index, choice in choices]
    spoken = [_deltas(request, chunks, choice, index) for index, choice in choices]
    deltas = list(spoken[0]) if len(spoken) == 1 else list(_in_turns(spoken))
    closing = [chunks.finish(index, choice.finish) for index, choice in choices]
    if request.include_usage:
        closing.append(chunks.usage(answer))
    return StreamParts(opening, deltas, closing, DONE)


class _Chunks:
    """Renders chunks of one stream."""

    def __init__(self, request: ChatRequest, stamp: Stamp, seed: int) -> None:
        head = {
            "id": "chatcmpl-" + stamp.token,
            "object": "chat.completion.chunk",
            "created": stamp.created,
            "model": request.model,
            "service_tier": request.service_tier,
            "system_fingerprint": fingerprint(request.model, seed),
        }
        self._head = b"data: " + _encode(head)[:-1]
        self._usage = b',"usage":null' if request.include_usage else b""
        self._padded = request.obfuscated
        self.stamp = stamp

    def delta(self, index: int, delta: bytes, logprobs: bytes = b"null", finish: bytes = b"null") -> bytes:
        choice = b'{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}' % (
            index,
            delta,
            logprobs,
            finish,
        )
        padding = self._padding(len(delta))
        return b'%b,"choices":[%b]%b%b}\n' % (self._head, choice, self._usage, padding)

    def finish(self, index: int, reason: str) -> bytes:
        return self.delta(index, b"{}", finish=_encode(reason))

    def usage(self, answer: Answer) -> bytes:
        counts = _encode(usage(answer.tokens))
        return b'%b,"choices":[],"usage":%b%b}\n' % (self._head, counts, self._padding(len(counts)))

    def _padding(self, size: int) -> bytes:
        if not self._padded:
            return b""
        start = size % 41
        return b',"obfuscation":"%b"' % _PADDING[start : start + _WIDTH - size % _WIDTH]


def _opening(chunks: _Chunks, choice: Choice, index: int) -> bytes:
    """The role; a single tool call comes with it, several come after it, as recorded."""
    if not choice.calls:
        return chunks.delta(index, b'{"role":"assistant","content":"","refusal":null}')
    delta: dict[str, object] = {"role": "assistant", "content": None}
    if len(choice.calls) == 1:
        delta["tool_calls"] = [{"index": 0, **call_head(choice.calls[0], chunks.stamp, index, 0, "")}]
        delta["refusal"] = None
    return chunks.delta(index, _encode(delta))


def _deltas(request: ChatRequest, chunks: _Chunks, choice: Choice, index: int) -> Iterator[bytes]:
    name = b"refusal" if choice.refused else b"content"
    for at, piece in enumerate(choice.pieces):
        logprobs = b"null" if request.top_logprobs is None else _logprobs(request, choice, piece, at)
        yield chunks.delta(index, b'{"%b":%b}' % (name, _encode(piece)), logprobs)
    for position, call in enumerate(choice.calls):
        yield from _call_deltas(chunks, call, index, position, headed=len(choice.calls) == 1)


def _call_deltas(
    chunks: _Chunks, call: ToolCall, index: int, position: int, *, headed: bool
) -> Iterator[bytes]:
    if not headed:
        entry = {"index": position, **call_head(call, chunks.stamp, index, position, "")}
        yield chunks.delta(index, _encode({"tool_calls": [entry]}))
    for piece in call.pieces:
        more = b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}' % (position, _encode(piece))
        yield chunks.delta(index, more)


def _logprobs(request: ChatRequest, choice: Choice, piece: str, at: int) -> bytes:
    listed = [logprob(request, piece, at)]
    return _encode(
        {"content": None, "refusal": listed} if choice.refused else {"content": listed, "refusal": None}
    )


def _in_turns(streams: list[Iterator[bytes]]) -> Iterator[bytes]:
    """One event of each stream, again and again, until all are empty."""
    while streams:
        for stream in list(streams):
            event = next(stream, None)
            if event is None:
                streams.remove(stream)
            else:
                yield event
