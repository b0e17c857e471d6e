"""Thoughts, and where a signature goes.

Providers show thoughts in five ways, which the note `$form` of a `Reasoning` names:
`reasoning_content` (DeepSeek, xAI, vLLM), `reasoning` (Groq, Ollama, OpenRouter) or `both`: a string;
`thinking`: a block of Mistral's `content`; `text`, `summary`, `encrypted`: an entry of OpenRouter's
`reasoning_details`, the only place for signatures (openrouter.ai/docs, "Reasoning Tokens").
A message's note `$repeats` names the strings that say once more what the entries say.

A client gets a foreign signature wrapped (`carry.wrap`) in an entry, and once more in the id of the
next tool call (`tools.py`), for clients that return nothing else. A provider gets its own alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from madang.core.messages import Extra, Json, Opaque, Part, Reasoning
from madang.dialects.carry import unwrap, wrap
from madang.dialects.openai_chat.form import NAME, absent, noted, restore
from madang.dialects.reading import Members

STRINGS = ("reasoning_content", "reasoning")
"""Members that hold thoughts as a string."""
DETAILS = "reasoning_details"
FORMS: dict[str, Extra] = {form: {NAME: {"$form": form}} for form in (*STRINGS, "both")}
"""The `extra` of thoughts told as strings."""
_ENTRIES = frozenset(("text", "summary", "encrypted"))


class Thoughts(msgspec.Struct, frozen=True, gc=False):
    """What a message says of its thoughts."""

    parts: tuple[Reasoning | Opaque, ...] = ()
    repeats: list[str] | None = None
    """The note `$repeats`."""


_NO_THOUGHTS = Thoughts()


def read_reasoning(members: Members) -> Thoughts:
    """The thoughts of a message, taken from it."""
    left = members.left
    if DETAILS not in left and "reasoning_content" not in left and "reasoning" not in left:
        return _NO_THOUGHTS
    parts = _read_details(members)
    told = "".join([part.text for part in parts if isinstance(part, Reasoning)])
    repeats: list[str] = []
    said: dict[str, str] = {}
    for name in STRINGS:
        text = members.text(name) if left.get(name) else None
        if text is None:
            continue
        if parts and text == told:
            repeats.append(name)
        else:
            said[name] = text
    if len(said) == 2 and said["reasoning"] == said["reasoning_content"]:
        said = {"both": said["reasoning"]}
    strings = [Reasoning(text=text, extra=FORMS[form]) for form, text in said.items()]
    return Thoughts((*strings, *parts), repeats or None)


def _read_details(members: Members) -> list[Reasoning | Opaque]:
    if not members.left.get(DETAILS):
        return []
    path = members.at(DETAILS)
    details = members.items(DETAILS) or ()
    return [read_detail(one, number, f"{path}.{number}") for number, one in enumerate(details)]


def read_detail(entry: Json, position: int, path: str = DETAILS) -> Reasoning | Opaque:
    """An entry of `reasoning_details`, which stands at `position`."""
    members = Members(entry, path)
    kind = members.left.get("type")
    if kind == "reasoning.encrypted" and isinstance(members.left.get("data"), str):
        form, member = "encrypted", "data"
    elif kind in ("reasoning.text", "reasoning.summary"):
        form = member = kind.removeprefix("reasoning.")
    else:
        return Opaque(NAME, {DETAILS: entry})
    del members.left["type"]
    unsaid = absent(members, (member,))
    said = members.text(member)
    placed = members.left.get("index") == position
    if placed:
        del members.left["index"]
    redacted = form == "encrypted"
    signature = said if redacted else members.text("signature") if form == "text" else None
    name = members.text("id")
    extra = members.extra(NAME, form=form, absent=unsaid, placed=placed or None)
    text = "" if redacted else said or ""
    if signature is None:
        return Reasoning(text=text, id=name, extra=extra)
    signature, signer = unwrap(signature, NAME)
    return Reasoning(text=text, signature=signature, signer=signer, redacted=redacted, id=name, extra=extra)


def write_detail(thought: Reasoning, position: int) -> dict[str, Json]:
    """A thought as an entry of `reasoning_details`."""
    form = noted(thought.extra, "form")
    own = form in _ENTRIES
    if not own:
        form = "encrypted" if thought.redacted else "text"
    entry: dict[str, Json] = {"type": f"reasoning.{form}"}
    if form == "encrypted":
        entry["data"] = wrap(thought.signature or "", thought.signer, NAME)
    else:
        if thought.text or form not in thought.extra.get(NAME, ()):
            entry[form] = thought.text
        if thought.signature is not None:
            entry["signature"] = wrap(thought.signature, thought.signer, NAME)
    if thought.id is not None:
        entry["id"] = thought.id
    if not own or noted(thought.extra, "placed"):
        entry["index"] = position
    return restore(entry, thought.extra)


def write_reasoning(out: dict[str, Json], parts: Sequence[Part], repeats: Json, *, to_client: bool) -> None:
    """The thoughts among `parts`, put into a message."""
    entries: list[Reasoning | Opaque] = []
    strange: list[Reasoning] = []
    for part in parts:
        if isinstance(part, Opaque):
            if part.dialect == NAME and DETAILS in part.data:
                entries.append(part)
        elif isinstance(part, Reasoning) and (to_client or part.signer in (NAME, None)):
            form = noted(part.extra, "form")
            if form is None:
                strange.append(part)
            elif form in _ENTRIES:
                entries.append(part)
            else:
                _put_string(out, form, part.text)
    if entries:
        told = "".join([part.text for part in entries if isinstance(part, Reasoning)])
        out.update(dict.fromkeys(repeats or (), told))
    if to_client and strange:
        _show(out, strange, entries)
    elif strange:
        entries += [thought for thought in strange if thought.signature is not None]
    if entries:
        out[DETAILS] = [_entry(part, number) for number, part in enumerate(entries)]


def _put_string(out: dict[str, Json], form: str, text: str) -> None:
    for name in STRINGS:
        if form in (name, "both"):
            out[name] = out.get(name, "") + text


def _entry(part: Reasoning | Opaque, position: int) -> Json:
    return part.data[DETAILS] if isinstance(part, Opaque) else write_detail(part, position)


def _show(out: dict[str, Json], thoughts: list[Reasoning], entries: list[Reasoning | Opaque]) -> None:
    """Thoughts of another dialect: as a string, and if one is signed or they are several as entries too."""
    if len(thoughts) > 1 or thoughts[0].signature is not None:
        entries.extend(thoughts)
    words = "".join([thought.text for thought in thoughts])
    if words:
        out.setdefault("reasoning_content", words)


def read_thinking(members: Members) -> Reasoning | None:
    """Mistral's block `thinking`, its type taken; `None` where it holds more than one text."""
    match members.left.get("thinking"):
        case [{"type": "text", "text": str(text), **rest}] if not rest:
            del members.left["thinking"]
            return Reasoning(text=text, extra=members.extra(NAME, form="thinking"))
        case _:
            return None


def write_thinking(thought: Reasoning) -> dict[str, Json] | None:
    """The block again; `None` for a thought that was not told in one."""
    if noted(thought.extra, "form") != "thinking":
        return None
    inner = [{"type": "text", "text": thought.text}]
    return restore({"type": "thinking", "thinking": inner}, thought.extra)


def signed(parts: Iterable[Part]) -> list[Reasoning]:
    """The thoughts that another dialect signed, to be carried in the id of a tool call."""
    return [part for part in parts if isinstance(part, Reasoning) and part.signer not in (NAME, None)]
