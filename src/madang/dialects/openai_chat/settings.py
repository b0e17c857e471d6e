"""How to think and what shape to answer in: `reasoning_effort` and its rivals, `response_format`.

The note `$forms` of a `ReasoningAsk` names the members it was written in: OpenAI's `reasoning_effort`,
OpenRouter's `reasoning`, DeepSeek's `thinking`, Qwen's `enable_thinking`.
"""

from __future__ import annotations

from collections.abc import Sequence

from madang.core.messages import Json
from madang.core.requests import OutputFormat, ReasoningAsk
from madang.dialects.openai_chat.form import NAME, keep, noted, restore
from madang.dialects.openai_chat.models import ANYBODY, Maker
from madang.dialects.reading import Members, missing

_LOW, _MEDIUM = 2048, 8192
"""Tokens of thought up to which an effort is `low`, and `medium`."""
_COMMON = {"minimal": "low", "xhigh": "high", "max": "high"}
"""What is said instead of efforts that few have."""
_UNNAMED = "answer"
"""The name of a schema that has none: OpenAI wants one."""
_FORMATS = {"text": "text", "json_object": "json", "json_schema": "schema"}


class _Asked:
    """What is found, by our names; what contradicts it stays where it was."""

    def __init__(self) -> None:
        self.found: dict[str, Json] = {}
        self.forms: list[str] = []

    def take(self, members: Members, name: str, form: str, kind: type, **values: Json) -> None:
        """Take a member of a type, as what `values` makes of it."""
        written = members.left.get(name)
        if type(written) is not kind or any(
            self.found.get(key, value) != value for key, value in values.items()
        ):
            return
        del members.left[name]
        self.found.update(values)
        self.forms.append(form)

    def take_effort(self, members: Members, name: str, form: str) -> None:
        """`none` is no effort, but not to think."""
        effort = members.left.get(name)
        if effort == "none":
            self.take(members, name, form, str, enabled=False)
        elif effort:
            self.take(members, name, form, str, effort=effort)


def read_reasoning_ask(members: Members) -> ReasoningAsk | None:
    """What is asked of thoughts, taken from a request."""
    left = members.left
    if left.keys().isdisjoint(("reasoning_effort", "reasoning", "thinking", "enable_thinking")):
        return None
    asked = _Asked()
    if left.get("reasoning_effort") is not None:
        members.left["reasoning_effort"] = members.text("reasoning_effort")
        asked.take_effort(members, "reasoning_effort", "reasoning_effort")
    asked.take(members, "enable_thinking", "enable_thinking", bool, enabled=left.get("enable_thinking"))
    extra: dict[str, Json] = {}
    for name, read in (("thinking", _read_thinking), ("reasoning", _read_openrouter)):
        if isinstance(left.get(name), dict):
            inner = Members(left[name], members.at(name))
            told = len(asked.forms)
            read(asked, inner)
            if len(asked.forms) > told:
                del left[name]
                if inner.left:
                    extra[name] = inner.left
    if not asked.forms:
        return None
    return ReasoningAsk(**asked.found, extra={NAME: {**extra, "$forms": asked.forms}})


def _read_thinking(asked: _Asked, inner: Members) -> None:
    kind = inner.left.get("type")
    if kind in ("enabled", "disabled"):
        asked.take(inner, "type", "thinking.type", str, enabled=kind == "enabled")
    asked.take(inner, "budget_tokens", "thinking.budget_tokens", int, budget=inner.left.get("budget_tokens"))


def _read_openrouter(asked: _Asked, inner: Members) -> None:
    asked.take_effort(inner, "effort", "reasoning.effort")
    asked.take(inner, "enabled", "reasoning.enabled", bool, enabled=inner.left.get("enabled"))
    asked.take(inner, "max_tokens", "reasoning.max_tokens", int, budget=inner.left.get("max_tokens"))
    if inner.left.get("exclude") is True:
        asked.take(inner, "exclude", "reasoning.exclude", bool, show="none")


def write_reasoning_ask(out: dict[str, Json], ask: ReasoningAsk, made: Maker | None) -> None:
    """The same again; from another dialect it is `reasoning_effort`, or `thinking` where that is known."""
    forms: Sequence[str] | None = noted(ask.extra, "forms")
    if forms is None or made is not None:
        _write_effort(out, ask, made or ANYBODY)
        return
    effort = ask.effort or ("none" if ask.enabled is False else None)
    written: dict[str, Json] = {}
    for form in forms:
        name, _, member = form.partition(".")
        match form:
            case "reasoning_effort" | "reasoning.effort":
                value: Json = effort
            case "thinking.type":
                value = "disabled" if ask.enabled is False else "enabled"
            case "enable_thinking" | "reasoning.enabled":
                value = ask.enabled is not False
            case "reasoning.exclude":
                value = ask.show == "none"
            case _:
                value = ask.budget
        if member:
            written.setdefault(name, {})[member] = value
        else:
            written[name] = value
    out.update(restore(written, ask.extra))


def _write_effort(out: dict[str, Json], ask: ReasoningAsk, made: Maker) -> None:
    effort = "none" if ask.enabled is False else ask.effort
    if effort is None and ask.budget is not None:
        effort = _nearest(ask.budget)
    if made.thoughts:
        if effort is not None or ask.enabled:
            out["thinking"] = {"type": "disabled" if effort == "none" else "enabled"}
        if effort not in (None, "none"):
            out["reasoning_effort"] = effort
    elif effort is not None or ask.enabled:
        effort = effort or "medium"
        out["reasoning_effort"] = effort if made.every_effort else _COMMON.get(effort, effort)


def _nearest(budget: int) -> str:
    return "low" if budget <= _LOW else "medium" if budget <= _MEDIUM else "high"


def read_output(members: Members) -> OutputFormat | None:
    """`response_format`, taken from a request; one of a type nobody here knows is left in it."""
    if members.left.get("response_format") is None:
        return None
    written = Members(members.left["response_format"], members.at("response_format"))
    kind = _FORMATS.get(written.need_text("type"))
    if kind is None:
        return None
    del members.left["response_format"]
    if kind != "schema":
        return OutputFormat(kind="text" if kind == "text" else "json", extra=written.extra(NAME))
    inner = written.members("json_schema")
    if inner is None:
        raise missing(written.at("json_schema"), "an object with a 'name' and a 'schema'")
    name, description = inner.text("name"), inner.text("description")
    schema, strict = inner.object("schema"), inner.flag("strict")
    keep(written, "json_schema", inner)
    return OutputFormat(
        kind="schema",
        name=name,
        description=description,
        schema=schema,
        strict=strict,
        extra=written.extra(NAME, unnamed=True if name is None else None),
    )


def write_output(out: dict[str, Json], output: OutputFormat) -> None:
    """`response_format`."""
    if output.kind != "schema":
        written: dict[str, Json] = {"type": "text" if output.kind == "text" else "json_object"}
    else:
        name = output.name
        if name is None and not noted(output.extra, "unnamed"):
            name = _UNNAMED
        inner = {
            key: value
            for key, value in (
                ("name", name),
                ("description", output.description),
                ("schema", output.schema),
                ("strict", output.strict),
            )
            if value is not None
        }
        written = {"type": "json_schema", "json_schema": inner}
    out["response_format"] = restore(written, output.extra)
