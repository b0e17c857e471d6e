"""Content blocks of an answer: each knows how it stands in a whole body and how it arrives in a stream."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from madang.simulator.signing import sign
from madang.simulator.vocabulary import Stamp, ToolCall

Json = Mapping[str, object]
_DIRECT: Final = {"type": "direct"}


class Block(msgspec.Struct, frozen=True):
    """One block."""

    whole: Json
    opening: Json
    """What its `content_block_start` carries."""
    deltas: Sequence[Json] = ()
    tokens: int = 0


def text_block(pieces: Sequence[str], citations: Sequence[Json] = ()) -> Block:
    """Words, and what they are taken from. Citations come before the words, as recorded."""
    cited = {"citations": citations} if citations else {}
    deltas: list[Json] = [{"type": "citations_delta", "citation": citation} for citation in citations]
    deltas += [{"type": "text_delta", "text": piece} for piece in pieces]
    opened: dict[str, object] = {"citations": []} if citations else {}
    return Block(
        {**cited, "type": "text", "text": "".join(pieces)},
        {**opened, "type": "text", "text": ""},
        deltas,
        len(pieces),
    )


def thinking_block(pieces: Sequence[str], *, shown: bool) -> Block:
    """Thoughts and their signature; hidden ones are paid for all the same."""
    thought = "".join(pieces) if shown else ""
    signature = sign(thought, *pieces)
    deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in pieces if shown]
    deltas.append({"type": "signature_delta", "signature": signature})
    return Block(
        {"type": "thinking", "thinking": thought, "signature": signature},
        {"type": "thinking", "thinking": "", "signature": ""},
        deltas,
        len(pieces),
    )


def redacted_block(pieces: Sequence[str]) -> Block:
    """Thoughts nobody can read."""
    block = {"type": "redacted_thinking", "data": sign("", "redacted", *pieces)}
    return Block(block, block, (), len(pieces))


def tool_block(call: ToolCall, use_id: str) -> Block:
    """A call of one of the client's tools."""
    return _use("tool_use", call.name, call.pieces, use_id, {"caller": _DIRECT})


def server_tool_block(name: str, pieces: Sequence[str], use_id: str) -> Block:
    """A call of one of Anthropic's tools."""
    return _use("server_tool_use", name, pieces, use_id, {})


def _use(kind: str, name: str, pieces: Sequence[str], use_id: str, caller: Json) -> Block:
    head = {"type": kind, "id": use_id, "name": name}
    # The first piece is empty, as recorded.
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *pieces)]
    return Block(
        {**head, "input": _parsed("".join(pieces)), **caller},
        {**head, "input": {}, **caller},
        deltas,
        1 + len(pieces),
    )


def _parsed(arguments: str) -> object:
    """Arguments that were cut off at `max_tokens` are none."""
    try:
        value = msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def whole_block(block: Json) -> Block:
    """A block that arrives in one piece: what a tool of Anthropic's has found."""
    return Block(block, block)


def search_result_block(use_id: str, results: Sequence[Json]) -> Block:
    """What a web search has found."""
    kind = "web_search_tool_result"
    return whole_block({"type": kind, "tool_use_id": use_id, "content": results, "caller": _DIRECT})


def block_id(prefix: str, stamp: Stamp, index: int) -> str:
    """The id of a call: its prefix and 22 characters."""
    return f"{prefix}_01{stamp.token[-19:]}{index:03d}"


def opaque(*parts: str) -> str:
    """What only the provider can read: an index into what was found."""
    text = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return base64.b64encode(blake2b(text, digest_size=30).digest()).decode()
