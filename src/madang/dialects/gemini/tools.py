"""Functions: how they are declared, chosen, called and answered.

`Calls` gives calls their ids where Gemini gave none, and finds the call that a result belongs to:
by id, or by the function's name in the order of the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from madang.core.messages import Json, Media, Opaque, Reasoning, Text, ToolCall, ToolResult
from madang.core.requests import Tool, ToolChoice
from madang.dialects.carry import plain_id, unload
from madang.dialects.gemini.media import parse_media, render_media
from madang.dialects.gemini.schema import from_openapi, to_openapi
from madang.dialects.gemini.signatures import mark_unsigned, parse_signature
from madang.dialects.gemini.spelling import NAME, Spelled, camel, leftover, one_of, respell
from madang.dialects.reading import json_text, missing, note, put, read_json, wrong
from madang.dialects.schemas import with_items

_canonical = msgspec.json.Encoder(order="deterministic").encode
_ITEM = {"type": "string"}
_MODES = ("AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED")


class Calls:
    """The calls met so far, and those that wait for a result."""

    __slots__ = ("_by_id", "_by_name", "_called", "_given", "_waiting", "carried", "thoughts")

    def __init__(self) -> None:
        self.thoughts: tuple[Reasoning, ...] = ()
        """What the id of the call read last carried."""
        self.carried = False
        """Whether a signature of another dialect has been met: then a client of ours sent it back."""
        self._given: dict[str, int] = {}
        self._called = 0
        self._waiting: dict[int, str] = {}
        """The ids of calls without a result, by their number."""
        self._by_id: dict[str, deque[int]] = {}
        self._by_name: dict[str, deque[int]] = {}
        """Numbers of calls, the oldest first; of some, the result has come by the other way."""

    def called(self, name: str, given: str | None, *of: Json) -> str:
        """The id of a call; where Gemini gave none, it is made of all that the call says.

        So it is the same in the answer and, whatever came before it, in the history that a client sends.
        """
        id_ = given if given is not None else self._made(name, of)
        self._waiting[self._called] = id_
        self._by_id.setdefault(id_, deque()).append(self._called)
        self._by_name.setdefault(name, deque()).append(self._called)
        self._called += 1
        return id_

    def answered(self, name: str, given: str | None) -> str:
        """The id of the call that a result is of."""
        numbers = self._by_name.get(name) if given is None else self._by_id.get(given)
        while numbers:
            waiting = self._waiting.pop(numbers.popleft(), None)
            if waiting is not None:
                return waiting
        return given if given is not None else self._made(name, ())

    def _made(self, name: str, of: Json) -> str:
        made = blake2b(_canonical((name, of)), digest_size=9).hexdigest()
        again = self._given[made] = self._given.get(made, 0) + 1
        return f"call_{made}" if again == 1 else f"call_{made}_{again}"


def parse_call(block: Spelled, call: Spelled, calls: Calls) -> ToolCall:
    """A part with a `functionCall`."""
    name = call.need_text("name")
    args = call.object("args")
    given = unload(call.text("id") or "")
    calls.thoughts = given.thoughts
    signed = parse_signature(block)
    block.keep("functionCall", call)
    return ToolCall(
        id=calls.called(name, given.id or None, args, signed.signature),
        name=name,
        arguments=json_text(args) if args is not None else "",
        signature=signed.signature if given.signature is None else given.signature,
        signer=signed.signer if given.signature is None else given.signer,
        extra=block.extra(
            NAME,
            unnamed=not given.id or None,
            silent=args is None or None,
            **signed.notes,
        ),
    )


def render_call(call: ToolCall) -> dict[str, Json]:
    """The reverse, but for the signature."""
    inner: dict[str, Json] = {"name": call.name}
    if not note(call.extra, NAME, "silent") or call.arguments:
        inner["args"] = arguments(call.arguments)
    if not note(call.extra, NAME, "unnamed"):
        inner["id"] = call.id
    if not call.extra:
        return {"functionCall": inner}
    inner = {**leftover(call.extra, "functionCall"), **inner}
    part = put({"functionCall": inner}, call.extra, NAME)
    mark_unsigned(part, call.extra)
    respell(call.extra, inner, part)
    return part


def arguments(text: str) -> dict[str, Json]:
    """A call's arguments as the object they must be here; what is none is the only member of one."""
    try:
        value = read_json(text) if text else {}
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}


def parse_result(block: Spelled, result: Spelled, calls: Calls) -> ToolResult:
    """A part with a `functionResponse`."""
    name = result.text("name")
    given = result.text("id")
    if name is None and given is None:
        raise missing(result.at("name"), "the name of the function that was called")
    response = result.object("response")
    parts: list[Text | Media | Opaque] = []
    key: str | None = None
    if response is not None:
        texts, key = _read_response(response)
        parts += [Text(text) for text in texts]
    within = bool(result.left.get("parts"))
    if within:
        for number, value in enumerate(result.items("parts") or ()):
            inner = Spelled(value, f"{result.at('parts')}.{number}")
            parts.append(parse_media(inner) or Opaque(NAME, value))
    block.keep("functionResponse", result)
    return ToolResult(
        call_id=calls.answered(name or "", plain_id(given) if given is not None else None),
        name=name,
        parts=tuple(parts),
        is_error=key == "error",
        extra=block.extra(
            NAME,
            unnamed=given is None or None,
            nameless=name is None or None,
            silent=response is None or None,
            key=key if key not in ("result", "error") else None,
            within=within or None,
        ),
    )


def render_result(result: ToolResult, name: str | None, *, apart: bool) -> Iterator[dict[str, Json]]:
    """The reverse, for a call of the function `name`; `apart`: media stand beside it, not in it."""
    texts = [part.text for part in result.parts if isinstance(part, Text)]
    inner: dict[str, Json] = {}
    if not note(result.extra, NAME, "nameless"):
        inner["name"] = result.name or name or plain_id(result.call_id)
    if texts or result.is_error or not note(result.extra, NAME, "silent"):
        inner["response"] = _write_response(texts, result)
    if not note(result.extra, NAME, "unnamed"):
        inner["id"] = plain_id(result.call_id)
    media = []
    for part in result.parts:
        match part:
            case Media():
                media.append(render_media(part))
            case Opaque(dialect=dialect, data=data):
                if dialect == NAME:
                    media.append(dict(data))
            case Text():
                pass
    apart = apart and not note(result.extra, NAME, "within")
    if media and not apart:
        inner["parts"] = media
    inner = {**leftover(result.extra, "functionResponse"), **inner}
    out = put({"functionResponse": inner}, result.extra, NAME)
    respell(result.extra, inner, out)
    yield out
    if apart:
        yield from media


def _read_response(response: dict[str, Json]) -> tuple[list[str], str | None]:
    """The words of a result, and how they stand there: under which key, or as JSON."""
    if not response:
        return [], None
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if key in ("result", "output", "error"):
            if isinstance(value, str):
                return [value], key
            if _is_texts(value) and (len(value) > 1 or (not value and key == "error")):
                return value, key
    return [json_text(response)], "json"


def _is_texts(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _write_response(texts: list[str], result: ToolResult) -> dict[str, Json]:
    key = "error" if result.is_error else note(result.extra, NAME, "key") or "result"
    if key == "json":
        key = "result"
        if len(texts) == 1:
            try:
                value = read_json(texts[0])
            except ValueError:
                value = None
            if isinstance(value, dict):
                return value
    if not texts and not result.is_error:
        return {}
    return {key: texts[0] if len(texts) == 1 else texts}


def parse_tools(top: Spelled) -> tuple[tuple[Tool | Opaque, ...], Json]:
    """What may be used, and how it was laid out where that is not as we lay it out."""
    tools: list[Tool | Opaque] = []
    layout: list[dict[str, int]] = []
    path = top.at("tools")
    if not top.left.get("tools"):
        return (), None
    for number, value in enumerate(top.listed("tools") or ()):
        if not isinstance(value, dict):
            raise wrong(f"{path}.{number}", value, "an object")
        shape: dict[str, int] = {}
        for name, inner in value.items():
            if camel(name) == "functionDeclarations" and inner is not None:
                if not isinstance(inner, list):
                    raise wrong(f"{path}.{number}.{name}", inner, "a list")
                tools += [_parse_tool(one, f"{path}.{number}.{name}.{at}") for at, one in enumerate(inner)]
                shape[name] = len(inner)
            else:
                tools.append(Opaque(NAME, {camel(name): inner}))
                shape[name] = -1
        layout.append(shape)
    return tuple(tools), layout if layout != _usual_layout(tools) else None


def render_tools(tools: Sequence[Tool | Opaque], layout: Json, *, own: bool) -> list[dict[str, Json]]:
    """The reverse; `own`: they came in this dialect."""
    usable = [tool for tool in tools if isinstance(tool, Tool) or tool.dialect == NAME]
    if layout is not None and (laid := _lay(usable, layout)) is not None:
        return laid
    out: list[dict[str, Json]] = []
    functions: list[dict[str, Json]] = []
    for tool in usable:
        if isinstance(tool, Opaque):
            out.append(dict(tool.data))
            functions = []
            continue
        if not functions:
            out.append({"functionDeclarations": functions})
        functions.append(_render_tool(tool, own=own))
    return out


def _usual_layout(tools: Sequence[Tool | Opaque]) -> list[dict[str, int]]:
    """Functions that follow each other in one object, everything else in its own."""
    layout: list[dict[str, int]] = []
    for tool in tools:
        if isinstance(tool, Opaque):
            layout.append(dict.fromkeys(tool.data, -1))
        elif layout and "functionDeclarations" in layout[-1]:
            layout[-1]["functionDeclarations"] += 1
        else:
            layout.append({"functionDeclarations": 1})
    return layout


def _lay(tools: Sequence[Tool | Opaque], layout: list[dict[str, int]]) -> list[dict[str, Json]] | None:
    """The tools laid out so; `None` if they are others by now."""
    rest = iter(tools)
    out: list[dict[str, Json]] = []
    for shape in layout:
        laid: dict[str, Json] = {}
        for name, count in shape.items():
            if count >= 0:
                some = [tool for _, tool in zip(range(count), rest, strict=False) if isinstance(tool, Tool)]
                if len(some) != count:
                    return None
                laid[name] = [_render_tool(tool, own=True) for tool in some]
            else:
                tool = next(rest, None)
                if not isinstance(tool, Opaque) or camel(name) not in tool.data:
                    return None
                laid[name] = tool.data[camel(name)]
        out.append(laid)
    return out if next(rest, None) is None else None


def _parse_tool(value: Json, path: str) -> Tool:
    block = Spelled(value, path)
    name = block.need_text("name")
    description = block.text("description")
    schema: dict[str, Json] | None = None
    odd: dict[str, Json] | None = None
    if isinstance(block.left.get("parametersJsonSchema"), dict):
        schema = block.object("parametersJsonSchema")
    elif (parameters := block.object("parameters")) is not None:
        schema, odd = from_openapi(parameters)
    return Tool(
        name=name,
        description=description,
        schema=schema,
        extra=block.extra(NAME, openapi=odd),
    )


def _render_tool(tool: Tool, *, own: bool) -> dict[str, Json]:
    out: dict[str, Json] = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    if tool.schema is not None:
        odd = note(tool.extra, NAME, "openapi")
        if odd is not None:
            out["parameters"] = to_openapi(tool.schema, odd)
        else:
            out["parametersJsonSchema"] = tool.schema if own else with_items(tool.schema, _ITEM)
    out = put(out, tool.extra, NAME)
    respell(tool.extra, out)
    return out


def parse_choice(top: Spelled) -> ToolChoice | None:
    """`toolConfig`: whether a function is to be called. What says nothing of that is left over."""
    config = top.left.get("toolConfig")
    if config is None:
        return None
    outer = Spelled(config, top.at("toolConfig"), top)
    inner = outer.members("functionCallingConfig")
    mode = one_of(inner, "mode", _MODES) if inner is not None else None
    if inner is None or mode is None:
        return None
    names = inner.texts("allowedFunctionNames")
    top.left["toolConfig"] = outer.left
    if not outer.left:
        del top.left["toolConfig"]
    said = None
    if mode in ("AUTO", "ANY", "NONE"):
        said = inner.left.pop("mode")
    extra = {NAME: inner.left} if inner.left else {}
    if said not in (None, mode):
        extra = {NAME: {**inner.left, "$mode": said}}
    match mode:
        case "ANY" if len(names) == 1:
            return ToolChoice(mode="named", names=names, extra=extra)
        case "ANY":
            return ToolChoice(mode="required", names=names, extra=extra)
        case "NONE":
            return ToolChoice(mode="none", names=names, extra=extra)
        case _:  # VALIDATED and MODE_UNSPECIFIED are left over
            return ToolChoice(mode="auto", names=names, extra=extra)


def render_choice(choice: ToolChoice) -> dict[str, Json]:
    """The reverse: a `functionCallingConfig`."""
    mode = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}[choice.mode]
    left: Mapping[str, Json] = choice.extra.get(NAME, {})
    if mode == "AUTO" and left.get("mode") is not None:
        mode = left["mode"]
    said = left.get("$mode")
    out: dict[str, Json] = {"mode": said if isinstance(said, str) and said.upper() == mode else mode}
    if choice.names:
        out["allowedFunctionNames"] = list(choice.names)
    return put(out, choice.extra, NAME)
