"""A request: `input` and `instructions` ↔ messages, and everything that is asked for besides.

The parser leaves notes in the extra of every request (`$input`), message (`$form`) and function, so
that the renderer knows those of this dialect from those of another one, for which it chooses the
form itself. `instructions` are a system message that stands first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from madang.core.errors import BadRequest
from madang.core.messages import Json, Message, Part, Reasoning, Role, Text, ToolCall, ToolResult
from madang.core.requests import Request
from madang.dialects.carry import Said
from madang.dialects.openai_models import fitted, with_json_asked
from madang.dialects.openai_responses.clothes import OUTPUT
from madang.dialects.openai_responses.content import NAME, Block, Content, read_blocks, write_blocks
from madang.dialects.openai_responses.items import read_item, write_items
from madang.dialects.openai_responses.settings import (
    is_plain,
    read_include,
    read_reasoning_ask,
    read_text,
    read_user,
    write_include,
    write_reasoning_ask,
    write_text_settings,
)
from madang.dialects.openai_responses.tools import (
    read_choice,
    read_result,
    read_tools,
    write_choice,
    write_result,
    write_tools,
)
from madang.dialects.reading import Members, bad_value, missing, note, put, read_object, write_json, wrong
from madang.dialects.users import short

_ROLES: Mapping[str, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "developer",
}
_RESULTS = frozenset(("function_call_output", OUTPUT))
_ROLE_NAMES = "'user', 'assistant', 'system' or 'developer'"
_LEAST_TOKENS = 16
"""The API refuses to answer in fewer."""
_KEPT = ("previous_response_id", "conversation", "prompt")
"""Where the conversation may be, if not in `input`."""


# Reading


def parse_request(body: bytes, model: str | None, stream: bool | None) -> Request:
    """What a client asks. Raises `BadRequest`."""
    said = Members(read_object(body))
    named = _read_model(said, model)
    streamed = said.flag("stream")
    if streamed is False:
        said.left["$stream"] = False
    messages, form = _read_messages(said)
    choice = said.left.get("tool_choice")
    chosen = read_choice(choice) if choice is not None else None
    if chosen is not None:
        del said.left["tool_choice"]
    tools = said.items("tools")
    store = said.flag("store")
    if store:
        said.left["store"] = True
    return Request(
        model=named,
        messages=messages,
        tools=read_tools(tools) if tools else (),
        tool_choice=chosen,
        parallel_tools=said.flag("parallel_tool_calls"),
        stream=bool(streamed if stream is None else stream),
        max_tokens=said.whole("max_output_tokens"),
        temperature=said.number("temperature"),
        top_p=said.number("top_p"),
        logprobs=read_include(said) or None,
        top_logprobs=said.whole("top_logprobs"),
        reasoning=read_reasoning_ask(said),
        output=read_text(said),
        service_tier=said.text("service_tier"),
        user=read_user(said),
        metadata=_read_metadata(said),
        extra=said.extra(
            NAME, input=form, tools="empty" if tools == [] else None, store=False if store is False else None
        ),
    )


def _read_model(said: Members, model: str | None) -> str:
    named = said.text("model") if model is None else model
    if named is None:
        raise BadRequest("You must provide a model parameter.", code="missing_model", param="model")
    if not named.strip():
        raise BadRequest("'model' must not be blank.", code="invalid_model", param="model")
    return named


def _read_metadata(said: Members) -> Mapping[str, str] | None:
    metadata = said.object("metadata")
    for name, value in (metadata or {}).items():
        if not isinstance(value, str):
            raise wrong(f"metadata.{name}", value, "a string")
    return metadata


def _read_messages(said: Members) -> tuple[tuple[Message, ...], str]:
    """The conversation, and how `input` was written."""
    messages: list[Message] = []
    instructions = said.text("instructions")
    if instructions is not None:
        messages.append(Message("system", (Text(instructions),), extra={NAME: {"$form": "instructions"}}))
    given = said.left.pop("input", None)
    match given:
        case str():
            messages.append(Message("user", (Text(given),), extra={NAME: {"$form": "text"}}))
            return tuple(messages), "text"
        case list():
            _read_input(given, messages)
            return tuple(messages), "list"
        case None:
            if all(said.left.get(name) is None for name in _KEPT):
                raise missing("input", "text or a list of items")
            return tuple(messages), "absent"
        case _:
            raise wrong("input", given, "text or a list of items")


def _read_input(items: list[Json], messages: list[Message]) -> None:
    turn = Said()
    for number, value in enumerate(items):
        item = Members(value, f"input.{number}")
        kind, role = _kind(item)
        if kind not in _RESULTS and (kind != "message" or role == "assistant"):
            read_item(item, value, turn)
            continue
        if turn:
            messages.append(Message("assistant", tuple(turn)))
            turn = Said()
        is_result = kind in _RESULTS
        messages.append(Message("tool", (read_result(item),)) if is_result else _read_message(item))
    if turn:
        messages.append(Message("assistant", tuple(turn)))


def _kind(item: Members) -> tuple[str, Role | None]:
    """An item's type, and whose message it is, if it is one."""
    kind, said = item.left.get("type"), item.left.get("role")
    if kind is None and said is None and isinstance(item.left.get("id"), str):
        return "item_reference", None
    if not isinstance(kind, str | None):
        raise wrong(item.at("type"), kind, "a string")
    if kind is None and said is None:
        raise missing(item.at("type"), "the item's type, unless it has a 'role'")
    if kind not in (None, "message"):
        return kind, None
    if said is None:
        raise missing(item.at("role"), _ROLE_NAMES)
    role = _ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        raise (
            bad_value(item.at("role"), said, _ROLE_NAMES)
            if isinstance(said, str)
            else wrong(item.at("role"), said, "a string")
        )
    return "message", role


def _read_message(item: Members) -> Message:
    """A message of anybody's but the assistant's."""
    role, kind = _ROLES[item.need_text("role")], item.any("type")
    content = item.left.pop("content", None)
    parts: Sequence[Part]
    match content:
        case str():
            form, parts = "text", (Text(content),)
        case list():
            form, parts = "list", read_blocks(content, item.at("content"), role)
        case None:
            raise missing(item.at("content"), "text or a list")
        case _:
            raise wrong(item.at("content"), content, "text or a list")
    extra = item.extra(NAME, form=form, type=kind, id=item.any("id"), status=item.any("status"))
    return Message(role, tuple(parts), extra=extra)


# Writing


def render_request(request: Request, model: str) -> bytes:
    """The body for a provider that calls the model so."""
    own = request.extra.get(NAME)
    out: Block = {"model": model}
    if own is None:
        request = with_json_asked(fitted(request, model))
        if is_plain(model):
            request = msgspec.structs.replace(request, messages=_without_reasoning(request.messages))
    _write_messages(request, out)
    if request.tools or note(request.extra, NAME, "tools"):
        out["tools"] = write_tools(request.tools)
    if request.tool_choice is not None:
        out["tool_choice"] = write_choice(request.tool_choice)
    reasoning = write_reasoning_ask(request.reasoning) if request.reasoning is not None else None
    settings = {
        "parallel_tool_calls": request.parallel_tools,
        "max_output_tokens": _most_tokens(request),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "include": write_include(request, model),
        "top_logprobs": request.top_logprobs,
        "reasoning": reasoning,
        "text": write_text_settings(request),
        "service_tier": request.service_tier,
        note(request.extra, NAME, "user") or "user": _user(request),
        "metadata": request.metadata,
    }
    out.update({name: value for name, value in settings.items() if value is not None})
    if request.stream or note(request.extra, NAME, "stream") is False:
        out["stream"] = request.stream
    if own is None or own.get("$store") is False:
        # Here answers are kept for 30 days unless it is said that they are not; nowhere else.
        out["store"] = False
    return write_json(put(out, request.extra, NAME))


def _without_reasoning(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """What a model that does not reason may be sent of a conversation that another one has begun."""
    return tuple(
        [
            msgspec.structs.replace(
                said, parts=tuple([p for p in said.parts if not isinstance(p, Reasoning)])
            )
            for said in messages
        ]
    )


def _user(request: Request) -> str | None:
    user = request.user
    return short(user) if user is not None and NAME not in request.extra else user


def _most_tokens(request: Request) -> int | None:
    most = request.max_tokens
    return max(most, _LEAST_TOKENS) if most is not None and NAME not in request.extra else most


def _write_messages(request: Request, out: Block) -> None:
    messages = request.messages
    own = note(request.extra, NAME, "input") is not None
    if messages and _is_instructions(messages[0]) and (own or len(messages) > 1):
        out["instructions"] = messages[0].parts[0].text  # type: ignore[union-attr]  # a Text: see there
        messages = messages[1:]
    form = note(request.extra, NAME, "input")
    if form == "text" and len(messages) == 1 and _string(messages[0]) is not None:
        out["input"] = _string(messages[0])
    elif messages or form != "absent":
        items: list[Block] = []
        for message in messages:
            _write_message(message, items)
        out["input"] = items


def _is_instructions(message: Message) -> bool:
    if message.role != "system" or len(message.parts) != 1 or not isinstance(message.parts[0], Text):
        return False
    form = note(message.extra, NAME, "form")
    return form == "instructions" or (form is None and NAME not in message.parts[0].extra)


def _string(message: Message) -> str | None:
    """The message's words, if there is nothing else to it."""
    if len(message.parts) != 1:
        return None
    part = message.parts[0]
    return part.text if isinstance(part, Text) and NAME not in part.extra else None


def _write_message(message: Message, items: list[Block]) -> None:
    match message.role:
        case "assistant":
            items += write_items(message.parts)
        case "user" | "system" | "developer" | "tool":
            content: list[Content] = []
            for part in message.parts:
                if isinstance(part, ToolResult):
                    _close(message, content, items)
                    content = []
                    items.append(write_result(part))
                elif isinstance(part, Reasoning | ToolCall):
                    items += write_items([part])
                else:
                    content.append(part)
            _close(message, content, items)


def _close(message: Message, content: list[Content], items: list[Block]) -> None:
    """Put content that has gathered into a message of its own."""
    form = note(message.extra, NAME, "form")
    if not content and (form is None or message.parts):
        return
    role = "user" if message.role == "tool" else message.role
    said = content[0] if len(content) == 1 else None
    blocks: Json
    if form != "list" and isinstance(said, Text) and NAME not in said.extra:
        blocks = said.text
    else:
        blocks = write_blocks(content, role)
        if not blocks and content:
            return
    out: Block = {"role": role, "content": blocks}
    for name in ("type", "id", "status"):
        value = note(message.extra, NAME, name)
        if value is not None:
            out[name] = value
    items.append(put(out, message.extra, NAME))
