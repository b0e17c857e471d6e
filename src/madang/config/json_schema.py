"""The schema of `madang.yaml` as JSON Schema, for editors; `madang check --schema` prints it.

What editors show when the cursor is on a name is the docstring under the field in `schema.py`:
msgspec keeps those of classes only, so the others are read from the source.
"""

from __future__ import annotations

import ast
import inspect
from typing import TypeAlias

import msgspec

from madang.config import schema
from madang.core.secret import Secret

Schema: TypeAlias = dict[str, object]

FROM_ENVIRONMENT: Schema = {
    "type": "string",
    "pattern": r"^(.*\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}.*|os\.environ/[A-Za-z_][A-Za-z0-9_]*)$",
    "description": "A variable of the environment: ${NAME}, ${NAME:-default} or os.environ/NAME.",
}


def json_schema() -> Schema:
    """JSON Schema (2020-12) of the file, with a description for every name."""
    made = msgspec.json.schema(schema.Config, schema_hook=_secret)
    documents = _field_docs()
    for name, section in made["$defs"].items():
        for field, kind in section["properties"].items():
            section["properties"][field] = _described(kind, documents[name, field])
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "madang.yaml",
        "description": "The configuration of Madang. Every section is optional.",
    }
    return head | made


def _secret(kind: type) -> Schema:
    if kind is Secret:
        return {"type": "string"}
    raise TypeError(kind)


def _described(kind: Schema, description: str) -> Schema:
    """One field: what it is for, its default, and `${NAME}` where it is not text anyway."""
    plain = {name: value for name, value in kind.items() if name not in ("default", "description")}
    outside: Schema = {"description": description}
    if "default" in kind and not isinstance(kind["default"], dict):
        outside["default"] = kind["default"]
    return outside | (plain if _takes_text(plain) else {"anyOf": [*_choices(plain), FROM_ENVIRONMENT]})


def _choices(kind: Schema) -> list[object]:
    choices = kind.get("anyOf")
    return list(choices) if isinstance(choices, list) else [kind]


def _takes_text(kind: Schema) -> bool:
    """Whether `${NAME}` is allowed already, or is no use because a section or a list is wanted."""
    kinds = {
        choice.get("type", "enum")
        for choice in _choices(kind)
        if isinstance(choice, dict) and "$ref" not in choice
    }
    return not kinds & {"integer", "number", "boolean", "enum"}


def _field_docs() -> dict[tuple[str, str], str]:
    """The docstring under each field of each section."""
    found: dict[tuple[str, str], str] = {}
    for section in ast.parse(inspect.getsource(schema)).body:
        if not isinstance(section, ast.ClassDef):
            continue
        for field, after in zip(section.body, section.body[1:], strict=False):
            match field, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                    found[section.name, name] = inspect.cleandoc(said)
    return found
