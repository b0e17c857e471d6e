"""What OpenAI's strict mode wants of a schema: every object closed, every property required."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from madang.simulator.openai.fields import invalid

_DEEPEST = 100


def check_strict(schema: Mapping[str, object], what: str, param: str, code: str | None = None) -> None:
    """Raises ApiError with OpenAI's sentence for the first object that is not strict."""
    for context, part in _objects(schema, ()):
        if part.get("additionalProperties") is not False:
            _refuse(
                what,
                context,
                "'additionalProperties' is required to be supplied and to be false.",
                param,
                code,
            )
        properties, required = part.get("properties"), part.get("required")
        named = properties if isinstance(properties, dict) else {}
        listed = required if isinstance(required, list) else []
        if missing := next((name for name in named if name not in listed), None):
            _refuse(
                what,
                context,
                "'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{missing}'.",
                param,
                code,
            )


def _refuse(what: str, context: tuple[str, ...], why: str, param: str, code: str | None) -> None:
    invalid(f"Invalid schema for {what}: In context={context!r}, {why}", param, code)


def _objects(
    schema: object, context: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, object]]]:
    if not isinstance(schema, dict) or len(context) > _DEEPEST:
        return
    if schema.get("type") == "object" or "properties" in schema:
        yield context, schema
    for name in ("properties", "$defs", "definitions"):
        below = schema.get(name)
        for key, part in (below if isinstance(below, dict) else {}).items():
            yield from _objects(part, (*context, name, key))
    yield from _objects(schema.get("items"), (*context, "items"))
    branches = schema.get("anyOf")
    for at, part in enumerate(branches if isinstance(branches, list) else []):
        yield from _objects(part, (*context, "anyOf", str(at)))
