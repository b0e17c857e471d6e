"""Content blocks of a request: checked as Anthropic checks them, read as far as an answer depends on them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec

from madang.simulator.anthropic.errors import invalid
from madang.simulator.anthropic.fields import Fields, refuse
from madang.simulator.signing import Verdict, verify

ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_SERVER_ID = re.compile(r"srvtoolu_[a-zA-Z0-9_]+")
_CACHED = "cache_control"
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")

_KNOWN: Final = {
    "text": ("text", "citations", _CACHED),
    "image": ("source", "transformations", _CACHED),
    "document": ("source", "title", "context", "citations", _CACHED),
    "search_result": ("source", "title", "content", "citations", _CACHED),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input", "caller", "toolset_name", _CACHED),
    "tool_result": ("tool_use_id", "content", "is_error", "toolset_name", _CACHED),
    "server_tool_use": ("id", "name", "input", "caller", _CACHED),
    "web_search_tool_result": ("tool_use_id", "content", "caller", _CACHED),
    "web_fetch_tool_result": ("tool_use_id", "content", "caller", _CACHED),
    "code_execution_tool_result": ("tool_use_id", "content", _CACHED),
    "bash_code_execution_tool_result": ("tool_use_id", "content", _CACHED),
    "text_editor_code_execution_tool_result": ("tool_use_id", "content", _CACHED),
    "tool_search_tool_result": ("tool_use_id", "content", _CACHED),
    "container_upload": ("file_id", _CACHED),
}
"""Fields of each block besides its `type`."""
SERVER_RESULTS: Final = frozenset(
    name for name in _KNOWN if name.endswith("_tool_result") and name != "tool_result"
)
_OF_ASSISTANT: Final = frozenset(("thinking", "redacted_thinking", "tool_use", "server_tool_use"))
_OF_USER: Final = frozenset(("image", "document", "search_result", "tool_result", "container_upload"))
_OF_RESULTS: Final = ("text", "image", "document", "search_result", "tool_reference", "browser_state")


class Source(msgspec.Struct, frozen=True):
    """Something that can be cited: a document, or a search result."""

    kind: str
    """`char`, `page`, `content_block` or `search_result`."""
    text: str
    title: str | None = None
    address: str = ""


class Block(msgspec.Struct, frozen=True):
    """One block, as far as it matters."""

    kind: str
    where: str
    text: str = ""
    kinds: tuple[str, ...] = ()
    """What is attached: `image`, `file`."""
    id: str = ""
    name: str = ""
    sources: tuple[Source, ...] = ()


def read_block(fields: Fields, role: str) -> Block:
    """A block of a message. Raises ApiError."""
    kind = fields.tag(("text",) if role == "system" else _KNOWN)
    _check_role(fields, kind, role)
    block = fields.tagged(kind)
    block.refuse_unknown(("type", *_KNOWN[kind]))
    read_cache_control(block)
    match kind:
        case "text":
            return Block(kind, fields.where, _text(block, role))
        case "image":
            _check_image(block.needed_section("source"))
            return Block(kind, fields.where, kinds=("image",))
        case "document":
            return _document(block, fields.where)
        case "search_result":
            return _search_result(block, fields.where)
        case "thinking" | "redacted_thinking":
            return _thinking(block, kind, fields.where)
        case "tool_use" | "server_tool_use":
            return _tool_use(block, kind, fields.where)
        case "tool_result":
            return _tool_result(block, fields.where)
        case "container_upload":
            block.text("file_id")
            return Block(kind, fields.where, kinds=("file",))
        case _:
            return _server_result(block, kind, fields.where)


def _check_role(fields: Fields, kind: str, role: str) -> None:
    allowed = "assistant" if kind in _OF_ASSISTANT or kind in SERVER_RESULTS else "user"
    if (allowed == "assistant" or kind in _OF_USER) and role != allowed:
        message = fields.where.rpartition(".content.")[0]
        refuse(message, f"`{kind}` blocks can only be in `{allowed}` messages")


def read_cache_control(holder: Fields) -> str | None:
    """How long a breakpoint is to be kept, `5m` or `1h`; None without one. Raises ApiError."""
    control = holder.section(_CACHED)
    if control is None:
        return None
    control.tag(("ephemeral",))
    control = control.tagged("ephemeral")
    control.refuse_unknown(("type", "ttl", "scope"))
    return control.one_of("ttl", ("5m", "1h")) if "ttl" in control else "5m"


def _text(block: Fields, role: str = "user") -> str:
    text = block.text("text")
    if not text:
        if _CACHED in block:
            refuse(block.where, "cache_control cannot be set for empty text blocks")
        invalid("messages: text content blocks must be non-empty")
    # The model's own blanks come back: recorded, between two cited sentences.
    if role != "assistant" and not text.strip():
        invalid("messages: text content blocks must contain non-whitespace text")
    return text


# Pictures and documents.


def _check_image(source: Fields) -> None:
    kind = source.tag(("base64", "url", "file"))
    source = source.tagged(kind)
    if kind == "base64":
        source.one_of("media_type", _IMAGES)
        _decoded(source)
    elif kind == "url":
        _check_url(source)
    else:
        source.text("file_id")


def _decoded(source: Fields) -> bytes:
    data = source.text("data")
    if not data:
        refuse(source.path("data"), "String should have at least 1 character")
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        refuse(source.path("data"), "Invalid base64 data")


def _check_url(source: Fields) -> None:
    if not source.text("url").startswith("https://"):
        refuse(source.path("url"), "Only HTTPS URLs are supported.")


def _document(block: Fields, where: str) -> Block:
    source = block.needed_section("source")
    kind = source.tag(("base64", "text", "content", "url", "file"))
    source = source.tagged(kind)
    title, text, cited = block.optional_text("title"), "", "page"
    block.optional_text("context")
    if kind == "base64":
        source.one_of("media_type", ("application/pdf",))
        _decoded(source)
    elif kind == "text":
        source.one_of("media_type", ("text/plain",))
        text, cited = source.text("data"), "char"
    elif kind == "content":
        text, cited = _nested(source), "content_block"
    elif kind == "url":
        _check_url(source)
    else:
        source.text("file_id")
    sources = (Source(cited, text, title),) if _cites(block) else ()
    return Block("document", where, kinds=("file",), sources=sources)


def _nested(source: Fields) -> str:
    source.needed("content")
    if isinstance(text := source.raw("content"), str):
        return text
    texts = []
    for part in source.objects("content"):
        kind = part.tag(("text", "image"))
        if kind == "text":
            texts.append(_text(part.tagged(kind)))
        else:
            _check_image(part.tagged(kind).needed_section("source"))
    return "\n".join(texts)


def _cites(block: Fields) -> bool:
    citations = block.section("citations")
    return citations is not None and citations.boolean("enabled") is True


def _search_result(block: Fields, where: str) -> Block:
    address, title = block.text("source"), block.text("title")
    block.needed("content")
    texts = [_text(part.tagged(part.tag(("text",)))) for part in block.objects("content")]
    text = "\n".join(texts)
    sources = (Source("search_result", texts[0], title, address),) if _cites(block) and texts else ()
    return Block("search_result", where, text, sources=sources)


# Thoughts.


def _thinking(block: Fields, kind: str, where: str) -> Block:
    if kind == "redacted_thinking":
        verdict = verify(block.text("data"), "")
        name = "data"
    else:
        thought = block.text("thinking")
        verdict = verify(block.text("signature"), thought)
        name = "signature"
    if verdict is Verdict.FOREIGN:
        refuse(where, f"Invalid `{name}` in `{kind}` block")
    return Block(kind, where, name="changed" if verdict is Verdict.CHANGED else "")


# Tools.


def _tool_use(block: Fields, kind: str, where: str) -> Block:
    use_id = block.matching("id", ID if kind == "tool_use" else _SERVER_ID)
    name = block.text("name")
    arguments = msgspec.json.encode(block.mapping("input")).decode()
    return Block(kind, where, arguments, id=use_id, name=name)


def _tool_result(block: Fields, where: str) -> Block:
    use_id = block.matching("tool_use_id", ID)
    block.boolean("is_error")
    content = block.raw("content")
    if content is None or isinstance(content, str):
        return Block("tool_result", where, content or "", id=use_id)
    parts = [_part(part) for part in block.objects("content")]
    sources = tuple(source for part in parts for source in part.sources)
    text = "\n".join(part.text for part in parts if part.text)
    kinds = tuple(kind for part in parts for kind in part.kinds)
    return Block("tool_result", where, text, kinds, id=use_id, sources=sources)


def _part(part: Fields) -> Block:
    kind = part.tag(_OF_RESULTS)
    if kind in ("tool_reference", "browser_state"):
        return Block(kind, part.where)
    return read_block(part, "user")


def _server_result(block: Fields, kind: str, where: str) -> Block:
    use_id = block.matching("tool_use_id", _SERVER_ID)
    block.needed("content")
    if kind == "web_search_tool_result" and isinstance(block.raw("content"), list):
        for result in block.objects("content"):
            if verify(result.text("encrypted_content"), result.text("url")) is not Verdict.GOOD:
                refuse(result.where, "Invalid `encrypted_content` in `search_result` block")
    return Block(kind, where, id=use_id)
