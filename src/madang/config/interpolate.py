"""Filling in the environment: `${NAME}`, `${NAME:-default}`, and `os.environ/NAME` as LiteLLM writes it.

In values only, never in names. `$${` is a literal `${`. What was filled in is marked, so that no
error ever shows it. A variable that is empty takes the default, as in a shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from madang.config.document import Entry, Items, Node, Scalar, Section
from madang.config.errors import Fault, Steps

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PLACE = re.compile(rf"\$\$\{{|\$\{{(?P<name>{_NAME})(?::-(?P<default>[^}}]*))?\}}|(?P<broken>\$\{{)")
_WHOLE = re.compile(rf"os\.environ/(?P<name>{_NAME})")


def fill(node: Node, environ: Mapping[str, str], faults: list[Fault], steps: Steps = ()) -> Node:
    """The same tree with the environment filled in. Adds a fault for every variable that is missing."""
    match node:
        case Scalar():
            return _filled(node, environ, faults, steps) if node.kind == "text" else node
        case Items():
            nodes = [fill(each, environ, faults, (*steps, i)) for i, each in enumerate(node.nodes)]
            return msgspec.structs.replace(node, nodes=tuple(nodes))
        case Section():
            entries = {
                name: Entry(entry.place, fill(entry.node, environ, faults, (*steps, name)))
                for name, entry in node.entries.items()
            }
            return msgspec.structs.replace(node, entries=entries)


def _filled(scalar: Scalar, environ: Mapping[str, str], faults: list[Fault], steps: Steps) -> Scalar:
    text = scalar.text
    if (whole := _WHOLE.fullmatch(text)) is not None:
        return _replaced(scalar, _variable(whole["name"], None, environ, faults, steps))
    if "${" not in text:
        return scalar
    used = False

    def value(found: re.Match[str]) -> str:
        nonlocal used
        if found["broken"]:
            hint = "write ${NAME}, or $${ for the two characters themselves"
            faults.append(
                Fault(steps, got="`${` without a name and a closing brace", want="${NAME}", hint=hint)
            )
        if not found["name"]:
            return "${"
        used = True
        return _variable(found["name"], found["default"], environ, faults, steps)

    result = _PLACE.sub(value, text)
    return _replaced(scalar, result) if used else msgspec.structs.replace(scalar, value=result, text=result)


def _replaced(scalar: Scalar, text: str) -> Scalar:
    return msgspec.structs.replace(scalar, value=text, text=text, filled=True)


def _variable(
    name: str, default: str | None, environ: Mapping[str, str], faults: list[Fault], steps: Steps
) -> str:
    value = environ.get(name)
    if default is not None:
        return value or default
    if value is None:
        hint = f"set {name} in the environment or in .env, or write ${{{name}:-default}}"
        faults.append(
            Fault(steps, got=f"{name}, which is not set", want="a variable of the environment", hint=hint)
        )
        return ""
    return value
