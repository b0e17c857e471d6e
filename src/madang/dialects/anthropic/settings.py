"""How an answer is to be made: sampling, thinking, its shape and its limits."""

from __future__ import annotations

from madang.core.messages import Json
from madang.core.requests import OutputFormat, ReasoningAsk, Request
from madang.dialects.anthropic.name import NAME
from madang.dialects.reading import Members, bad_value, missing, note, put, wrong

_SHOWN = {"summarized": "auto", "omitted": "none"}
_OFF = frozenset(("disabled", "between_tools"))
"""Sonnet 5.5 has `between_tools` for `disabled` (its migration guide, 2026-09)."""


def parse_stop(top: Members) -> tuple[tuple[str, ...], Json]:
    """Stop sequences, and a note where the list of them is empty."""
    values = top.items("stop_sequences")
    if values is None:
        return (), None
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise wrong(f"stop_sequences.{number}", value, "a string")
    return tuple(values), None if values else "empty"


def parse_user(top: Members) -> tuple[str | None, Json]:
    """The client's name for its user, and what else stands in `metadata`."""
    metadata = top.members("metadata")
    if metadata is None:
        return None, None
    user = metadata.text("user_id")
    return user, metadata.left if metadata.left or user is None else None


def parse_reasoning(top: Members, config: Members | None) -> ReasoningAsk | None:
    """`thinking` and `output_config.effort`. A kind of thinking unknown here stays among the leftovers."""
    effort = config.text("effort") if config is not None else None
    value = top.left.get("thinking")
    if value is None:
        return None if effort is None else ReasoningAsk(effort=effort)
    thinking = Members(value, "thinking")
    kind = thinking.need_text("type")
    if kind not in _OFF and kind not in ("enabled", "adaptive"):
        return None if effort is None else ReasoningAsk(effort=effort)
    del top.left["thinking"]
    shown = thinking.left.get("display")
    show = _SHOWN.get(shown) if isinstance(shown, str) else None
    if show is not None:
        del thinking.left["display"]
    return ReasoningAsk(
        enabled=kind not in _OFF,
        effort=effort,
        budget=thinking.whole("budget_tokens"),
        show=show,
        extra=thinking.extra(NAME, type=kind if kind == "between_tools" else None),
    )


def render_reasoning(ask: ReasoningAsk | None, out: dict[str, Json]) -> None:
    """Put `thinking` into a request; effort goes with the output's shape."""
    if ask is None or ask.enabled is None:
        return
    thinking: dict[str, Json]
    if not ask.enabled:
        thinking = {"type": note(ask.extra, NAME, "type") or "disabled"}
    elif ask.budget is None:
        thinking = {"type": "adaptive"}
    else:
        thinking = {"type": "enabled", "budget_tokens": ask.budget}
    if ask.show is not None:
        thinking["display"] = "omitted" if ask.show == "none" else "summarized"
    out["thinking"] = put(thinking, ask.extra, NAME)


def parse_output(top: Members, config: Members | None) -> OutputFormat | None:
    """`output_config.format`, or `output_format` as it was called until 2026-01."""
    if config is not None:
        found = _parse_format(config, "format", None)
        if found is not None:
            return found
    return _parse_format(top, "output_format", "output_format")


def _parse_format(place: Members, name: str, old: str | None) -> OutputFormat | None:
    value = place.left.get(name)
    if value is None:
        return None
    wanted = Members(value, place.at(name))
    kind = wanted.need_text("type")
    if kind != "json_schema":
        raise bad_value(wanted.at("type"), kind, "'json_schema'")
    schema = wanted.object("schema")
    if schema is None:
        raise missing(wanted.at("schema"), "a JSON schema")
    del place.left[name]
    return OutputFormat(kind="schema", schema=schema, strict=True, extra=wanted.extra(NAME, member=old))


def render_config(request: Request, out: dict[str, Json]) -> None:
    """Put `output_config` into a request: effort and format."""
    config: dict[str, Json] = {}
    ask, output = request.reasoning, request.output
    if ask is not None and ask.effort is not None:
        config["effort"] = ask.effort
    if output is not None and output.kind == "schema":
        wanted = put({"type": "json_schema", "schema": output.schema or {}}, output.extra, NAME)
        if note(output.extra, NAME, "member"):
            out["output_format"] = wanted
        else:
            config["format"] = wanted
    left = request.extra.get(NAME, {}).get("output_config")
    if config or left is not None:
        out["output_config"] = {**(left or {}), **config}
