"""How an answer is to be made, as far as the API nests it: `reasoning`, `text`, `include`, `user`.

Notes on the form that are kept here: `$said` (an object that was empty), `$summary` (the older name of
a member), `$include` (the list as it came), `$user` (under which of its names it was said).
"""

from __future__ import annotations

import re

from madang.core.messages import Json, Reasoning
from madang.core.requests import OutputFormat, ReasoningAsk, Request
from madang.dialects.openai_responses.content import NAME, Block
from madang.dialects.reading import Members, missing, note, put, wrong

LOGPROBS = "message.output_text.logprobs"
ENCRYPTED = "reasoning.encrypted_content"
_PLAIN = re.compile(r"(?:ft:)?(?:chatgpt-|gpt-[34]|gpt-\d+(?:\.\d+)?-chat)")
_THINKING = re.compile(r"(?:ft:)?(?:gpt-[5-9]|o\d)")
_UNNAMED = "response"
"""The name of a schema that has none: the API insists on one."""

# Efforts are no numbers of tokens anywhere; these are the budgets other gateways took for them in 2026.
_EFFORTS = ((2048, "low"), (8192, "medium"))


def read_reasoning_ask(said: Members) -> ReasoningAsk | None:
    """`reasoning`. Raises `BadRequest`."""
    ask = said.members("reasoning")
    if ask is None:
        return None
    left = ask.left
    effort = ask.text("effort")
    show, older = ask.text("summary"), None
    if show is None and "summary" in left:
        # Null is OpenAI's word for no summary, and its default; absent, nothing was said.
        del left["summary"]
        show = "none"
    elif show is None:
        show = ask.text("generate_summary")
        older = "generate_summary" if show is not None else None
    empty = effort is None and show is None and not left
    return ReasoningAsk(
        enabled=False if effort == "none" else None,
        effort=effort if effort != "none" else None,
        show=show,
        extra=ask.extra(NAME, summary=older, said=empty or None),
    )


def write_reasoning_ask(ask: ReasoningAsk) -> Block | None:
    """`reasoning`; budgets are said as the nearest effort."""
    out: Block = {}
    effort = _effort(ask)
    if effort is not None:
        out["effort"] = effort
    if ask.show is not None:
        out[note(ask.extra, NAME, "summary") or "summary"] = ask.show if ask.show != "none" else None
    put(out, ask.extra, NAME)
    return out if out or note(ask.extra, NAME, "said") else None


def _effort(ask: ReasoningAsk) -> str | None:
    if ask.enabled is False:
        return "none"
    if ask.effort is not None:
        return ask.effort
    if ask.budget is not None:
        return next((effort for most, effort in _EFFORTS if ask.budget <= most), "high")
    return "medium" if ask.enabled else None


def read_text(said: Members) -> OutputFormat | None:
    """`text.format`; the rest of `text` stays among what is left over. Raises `BadRequest`."""
    text = said.members("text")
    if text is None:
        return None
    output = _read_format(text)
    if text.left or output is None:
        said.left["text"] = text.left
    return output


def _read_format(text: Members) -> OutputFormat | None:
    kept = text.left.get("format")
    form = text.members("format")
    if form is None:
        return None
    match form.need_text("type"):
        case "text":
            return OutputFormat(kind="text", extra=form.extra(NAME))
        case "json_object":
            return OutputFormat(kind="json", extra=form.extra(NAME))
        case "json_schema":
            name, schema = form.need_text("name"), form.object("schema")
            if schema is None:
                raise missing(form.at("schema"), "a JSON schema")
            return OutputFormat(
                kind="schema",
                name=name,
                description=form.text("description"),
                schema=schema,
                strict=form.flag("strict"),
                extra=form.extra(NAME),
            )
        case _:
            text.left["format"] = kept
            return None


def write_text_settings(request: Request) -> Block | None:
    """`text`."""
    left = request.extra.get(NAME, {}).get("text")
    if request.output is None:
        return left
    return {**(left or {}), "format": write_format(request.output)}


def write_format(output: OutputFormat) -> Block:
    """`text.format`."""
    out: Block
    match output.kind:
        case "text":
            out = {"type": "text"}
        case "json":
            out = {"type": "json_object"}
        case "schema":
            out = {"type": "json_schema", "name": output.name or _UNNAMED, "schema": output.schema or {}}
            if output.description is not None:
                out["description"] = output.description
            if output.strict is not None:
                out["strict"] = output.strict
    return put(out, output.extra, NAME)


def read_include(said: Members) -> bool:
    """Whether `include` asks for logprobs; the list is kept as a note on the form. Raises `BadRequest`."""
    asked = said.items("include")
    if asked is None:
        return False
    for number, one in enumerate(asked):
        if not isinstance(one, str):
            raise wrong(f"include.{number}", one, "a string")
    others = [one for one in asked if one not in (LOGPROBS, ENCRYPTED)]
    if others:
        said.left["include"] = others
    said.left["$include"] = asked
    return LOGPROBS in asked


def write_include(request: Request, model: str) -> list[Json] | None:
    """`include`, for a target that calls the model so."""
    own = request.extra.get(NAME)
    asked = own.get("$include") if own is not None else None
    out = list(asked or ())
    if request.logprobs and LOGPROBS not in out:
        out.append(LOGPROBS)
    elif not request.logprobs and LOGPROBS in out:
        out.remove(LOGPROBS)
    if own is None and _reasons(request, model):
        out.append(ENCRYPTED)
    return out if out or asked is not None else None


def is_plain(model: str) -> bool:
    """Whether a model is known not to reason: it refuses to encrypt, and to be given reasoning (2025)."""
    return _PLAIN.match(model) is not None


def _reasons(request: Request, model: str) -> bool:
    """Whether the model is one that reasons, as far as we can tell."""
    if is_plain(model) or _THINKING.match(model):
        return not is_plain(model)
    if request.reasoning is not None and request.reasoning.enabled is not False:
        return True
    return any(
        isinstance(part, Reasoning) and part.signer == NAME
        for said in request.messages
        for part in said.parts
    )


def read_user(said: Members) -> str | None:
    """The client's name for its user: `user`, or `safety_identifier`, which took its place in 2025."""
    user = said.text("user")
    if user is None:
        user = said.text("safety_identifier")
        if user is not None:
            said.left["$user"] = "safety_identifier"
    return user
