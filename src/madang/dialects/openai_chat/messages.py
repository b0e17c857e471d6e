"""Messages, one of the wire's for one of ours; and one of ours for several where results stand in it.

What the assistant says is read and written in the same way in requests and in answers: thoughts,
then `content`, then a refusal, then calls. Requests are told apart only by what may be written: a
provider gets signatures of its own alone (`to_client=False`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from madang.core.messages import (
    Extra,
    Json,
    Media,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from madang.dialects.carry import plain_id
from madang.dialects.openai_chat.content import (
    cite,
    in_one,
    read_block,
    read_content,
    write_block,
    write_citations,
    write_content,
)
from madang.dialects.openai_chat.form import NAME, noted, restore
from madang.dialects.openai_chat.models import Maker, short_id
from madang.dialects.openai_chat.reasoning import DETAILS, FORMS, read_reasoning, write_reasoning
from madang.dialects.openai_chat.tools import CALLS, read_calls, write_calls
from madang.dialects.reading import Members, bad_value, missing

_ROLES = "'system', 'developer', 'user', 'assistant' or 'tool'"


def read_messages(members: Members) -> tuple[Message, ...]:
    """`messages` of a request."""
    path = members.at("messages")
    found = members.items("messages")
    if found is None:
        raise missing(path, "a list of messages")
    if not found:
        raise bad_value(path, "[]", "a list of at least one message")
    called: dict[str, str] = {}
    return tuple([_read_message(Members(one, f"{path}.{n}"), n, called) for n, one in enumerate(found)])


def _read_message(members: Members, number: int, called: dict[str, str]) -> Message:
    role = members.need_text("role")
    match role:
        case "system" | "developer" | "user":
            content = read_content(members)
            if (content.form is None and not content.parts) or content.form == "absent":
                raise missing(members.at("content"), "a string or a list of parts")
            parts = content.parts
            if content.form == "empty":
                parts = (Text(""),)
            name = members.text("name")
            return Message(role, parts, name, members.extra(NAME, content=content.form))
        case "assistant":
            name = members.text("name")
            said = read_said(members, f"call_{number}")
            for part in said.parts:
                if isinstance(part, ToolCall) and noted(part.extra, "form") == "function_call":
                    called[part.name] = part.id
            return Message("assistant", said.parts, name, members.extra(NAME, **said.notes))
        case "tool":
            call_id = members.need_text("tool_call_id")
            return _read_result(members, plain_id(call_id), members.text("name"))
        case "function":
            name = members.need_text("name")
            return _read_result(members, called.get(name, f"call_{name}"), name, role="function")
        case _:
            raise bad_value(members.at("role"), role, _ROLES)


def _read_result(members: Members, call_id: str, name: str | None, **notes: Json) -> Message:
    content = read_content(members)
    parts = tuple(part for part in content.parts if isinstance(part, Text | Media | Opaque))
    result = ToolResult(call_id=call_id, name=name, parts=parts)
    return Message("tool", (result,), None, members.extra(NAME, content=content.form, **notes))


class Said(msgspec.Struct, frozen=True, gc=False):
    """What a message of the assistant's says."""

    parts: tuple[Part, ...]
    notes: dict[str, Json]


def read_said(members: Members, nameless: str) -> Said:
    """What the assistant says, taken from a message. `nameless` begins the ids of calls that have none."""
    thoughts = read_reasoning(members)
    content = read_content(members)
    said = content.parts
    left = members.left
    notes: dict[str, Json] = {"content": content.form, "repeats": thoughts.repeats}
    if left.get("annotations"):
        cited = cite(said, left["annotations"])
        if cited is not None:
            said = cited
            del left["annotations"]
            notes["cited"] = True
    parts: list[Part] = [*thoughts.parts, *said]
    if left:
        _read_seldom(members, parts)
    if CALLS in left or "function_call" in left:
        calls = read_calls(members, nameless)
        known = {part.signature for part in parts if isinstance(part, Reasoning)}
        parts[:0] = [thought for thought in calls.thoughts if thought.signature not in known]
        parts += [
            part for part in calls.parts if not (isinstance(part, Reasoning) and part.signature in known)
        ]
    return Said(tuple(parts), notes)


def _read_seldom(members: Members, parts: list[Part]) -> None:
    left = members.left
    if isinstance(left.get("audio"), dict) and isinstance(left["audio"].get("data"), str):
        parts += read_audio(Members(left.pop("audio"), members.at("audio")))
    if left.get("images"):
        path = members.at("images")
        for number, one in enumerate(members.items("images") or ()):
            parts.append(read_image(one, f"{path}.{number}"))
    if left.get("refusal"):
        parts.append(Refusal(members.text("refusal") or ""))


def read_audio(audio: Members) -> list[Part]:
    """What was spoken, and its words."""
    data = audio.need_text("data")
    transcript = audio.text("transcript") if audio.left.get("transcript") else None
    parts: list[Part] = []
    if transcript:
        parts.append(Text(transcript, extra={NAME: {"$form": "transcript"}}))
    return [*parts, Media(kind="audio", data=data, extra=audio.extra(NAME, form="audio"))]


def read_image(block: Json, path: str) -> Part:
    """A picture that an answer holds, as OpenRouter shows it (openrouter.ai/docs, "Image Generation")."""
    part = read_block(block, path)
    if not isinstance(part, Media):
        return Opaque(NAME, {"images": block})
    mine = {**part.extra.get(NAME, {}), "$place": "images"}
    return msgspec.structs.replace(part, extra={**part.extra, NAME: mine})


def write_spoken(audio: Media) -> dict[str, Json]:
    """What was spoken, as `audio` of a message; from another dialect with all that OpenAI's clients want."""
    if noted(audio.extra, "form") == "audio":
        return restore({"data": audio.data}, audio.extra)
    return {"id": "", "data": audio.data, "transcript": ""}


def write_messages(messages: Iterable[Message], made: Maker | None = None) -> list[Json]:
    """`messages` of a request to a provider; as they came, or fitted to a model's maker."""
    out: list[Json] = []
    shown: list[Json] = []
    for message in messages:
        rest = message.parts
        if message.role in ("tool", "user"):
            results = [part for part in rest if isinstance(part, ToolResult)]
            if results:
                out += [_write_result(result, message, shown, made) for result in results]
                rest = tuple(part for part in rest if not isinstance(part, ToolResult))
                if not rest:
                    continue
        _show(shown, out)
        _write_message(message, rest, out, made)
    _show(shown, out)
    return out


def _show(shown: list[Json], out: list[Json]) -> None:
    """What results showed, in a message of the user's: it may stand only after all of them."""
    if shown:
        out.append({"role": "user", "content": shown.copy()})
        shown.clear()


def _write_message(message: Message, parts: tuple[Part, ...], out: list[Json], made: Maker | None) -> None:
    written: dict[str, Json] = {"role": message.role if message.role != "tool" else "user"}
    if message.role == "developer" and made is not None and not made.developer:
        written["role"] = "system"
    if message.role == "assistant":
        write_said(written, _fitted(parts, made), message.extra, to_client=False)
        if made is not None and "content" in written:
            written["content"] = in_one(written["content"], "")
        if parts and len(written) == 1:
            return  # nothing of it can be said here
    else:
        _put_content(written, parts, message.extra, between=_between(made))
    if message.name is not None:
        written["name"] = message.name
    out.append(restore(written, message.extra) if message.extra else written)


def _fitted(parts: tuple[Part, ...], made: Maker | None) -> tuple[Part, ...]:
    """What the assistant said, as the model's maker wants it back."""
    if made is None:
        return parts
    if made.short_ids:
        return tuple(
            msgspec.structs.replace(part, id=short_id(part.id)) if isinstance(part, ToolCall) else part
            for part in parts
        )
    if not made.thoughts:
        return parts
    told = [part.text for part in parts if isinstance(part, Reasoning) and part.signature is None]
    if not told and not any(isinstance(part, ToolCall) for part in parts):
        return parts
    thought = Reasoning(text="".join(told), extra=FORMS["reasoning_content"])
    return (thought, *[part for part in parts if not isinstance(part, Reasoning) or part.signature])


def _write_result(result: ToolResult, message: Message, shown: list[Json], made: Maker | None) -> Json:
    call_id = short_id(result.call_id) if made is not None and made.short_ids else result.call_id
    written: dict[str, Json] = {"role": "tool", "tool_call_id": call_id}
    extra = message.extra if len(message.parts) == 1 else {}
    if noted(extra, "role") == "function":
        written = {"role": "function"}
    parts: Sequence[Part] = result.parts
    if noted(extra, "content") != "list":
        parts = _only_words(result, shown)
    if result.is_error:
        parts = _as_error(parts)
    _put_content(written, parts, extra, between=_between(made))
    if result.name is not None:
        written["name"] = result.name
    return restore(written, extra)


def _only_words(result: ToolResult, shown: list[Json]) -> list[Part]:
    """The words of a result. Images and documents, taken from users alone, are shown after it."""
    words: list[Part] = []
    blocks: list[Json] = []
    for part in result.parts:
        if not isinstance(part, Media) or part.kind not in ("image", "document") or part.text is not None:
            words.append(part)
        elif (block := write_block(part)) is not None:
            blocks.append(block)
    if blocks:
        shown += [{"type": "text", "text": f"From the result of tool call {result.call_id}:"}, *blocks]
    return words


def _as_error(parts: Sequence[Part]) -> list[Part]:
    match list(parts):
        case [Text() as first, *rest]:
            return [msgspec.structs.replace(first, text=f"Error: {first.text}"), *rest]
        case rest:
            return [Text("Error: "), *rest]


def _between(made: Maker | None) -> str | None:
    """What separates texts that are put together; nothing is where a request goes as it came."""
    return None if made is None else "\n\n"


def _put_content(
    out: dict[str, Json],
    parts: Sequence[Part],
    extra: Extra,
    default: str | None = "",
    between: str | None = None,
) -> None:
    form = noted(extra, "content")
    content = write_content(parts, form)
    if between is not None:
        content = in_one(content, between)
    if content is None:
        if form == "absent" or "content" in extra.get(NAME, ()):
            return
        content = "" if form == "empty" else default
    out["content"] = content


def write_said(out: dict[str, Json], parts: Sequence[Part], extra: Extra, *, to_client: bool) -> None:
    """What the assistant says, put into a message; leftovers of `extra` are the caller's to restore."""
    if len(parts) == 1 and isinstance(parts[0], Text) and not parts[0].extra and not parts[0].citations:
        _put_content(out, parts, extra)
        return
    form = noted(extra, "content")
    said = [part for part in parts if _is_content(part, form)]
    if to_client and len(said) > 1 and form != "list" and all(isinstance(part, Text) for part in said):
        said = [Text("".join([part.text for part in said if isinstance(part, Text)]))]
    write_reasoning(out, parts, noted(extra, "repeats"), to_client=to_client)
    write_calls(out, parts, to_client=to_client)
    refusals = [part for part in parts if isinstance(part, Refusal) and noted(part.extra, "form") != "block"]
    if refusals:
        out["refusal"] = "".join([refusal.text for refusal in refusals])
    _write_seldom(out, parts, noted(extra, "cited"), to_client=to_client)
    if said or len(out) > 1 or form is not None or "content" in extra.get(NAME, ()):
        _put_content(out, said, extra, "" if len(out) == 1 else None)
    elif to_client:
        out["content"] = ""


def _is_content(part: Part, form: Json) -> bool:
    match part:
        case Text():
            return bool(noted(part.extra, "form") != "transcript")
        case Refusal():
            return bool(noted(part.extra, "form") == "block")
        case Reasoning():
            return bool(noted(part.extra, "form") == "thinking")
        case Media():
            elsewhere = noted(part.extra, "form") == "audio" or noted(part.extra, "place") is not None
            return bool(form == "list") and not elsewhere
        case Opaque():
            return part.dialect == NAME and part.data.keys().isdisjoint(_PLACES)
        case ToolCall() | ToolResult():
            return False


_PLACES = frozenset((DETAILS, CALLS, "images"))
"""Members whose unknown entries are `Opaque` under their name."""


def _write_seldom(out: dict[str, Json], parts: Sequence[Part], cited: Json, *, to_client: bool) -> None:
    if any(isinstance(part, Text) and part.citations for part in parts) and (to_client or cited):
        out["annotations"] = write_citations([part for part in parts if isinstance(part, Text)])
    for part in parts:
        if isinstance(part, Media):
            _write_shown(out, part, to_client=to_client)
        elif isinstance(part, Opaque) and part.dialect == NAME and "images" in part.data:
            out.setdefault("images", []).append(part.data["images"])
        elif isinstance(part, Text) and noted(part.extra, "form") == "transcript":
            out.setdefault("audio", {})["transcript"] = part.text


def _write_shown(out: dict[str, Json], media: Media, *, to_client: bool) -> None:
    if noted(media.extra, "form") == "audio" or (to_client and media.kind == "audio" and media.data):
        out["audio"] = {**out.get("audio", {}), **write_spoken(media)}
    elif noted(media.extra, "place") == "images" or (to_client and media.kind == "image"):
        picture = write_block(media)
        if picture is not None:
            out.setdefault("images", []).append(picture)
