"""The way in: from a file, a `.env` and the environment to a `Config`, or to everything that is wrong.

The only module of `config` that touches the disk. YAML and the schema walk are imported where a
file is read: with no file, which is the common first start, they cost nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from madang.config.checks import Say, check
from madang.config.dotenv import parse_dotenv
from madang.config.errors import HIDDEN, ConfigErrors, Fault, Steps, shown
from madang.config.schema import Config

if TYPE_CHECKING:
    from madang.config.document import Node

NAMES = ("madang.yaml", "madang.yml")
_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that is sound, and what it was read from."""

    config: Config
    path: Path | None
    """None: there is no file, everything has its default."""
    environ: Mapping[str, str] = field(repr=False)
    """The process's environment over `.env`: where both name a variable, the process wins."""


def load_config(
    path: Path | None = None, *, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Loaded:
    """Read the configuration. Raises `ConfigErrors` with every fault there is.

    The file is `path`, else `$MADANG_CONFIG`, else `madang.yaml` or `madang.yml` in `cwd`, else
    none. `.env` is read from `cwd`.
    """
    folder = Path.cwd() if cwd is None else cwd
    variables = _environment(os.environ if environ is None else environ, folder)
    chosen = _chosen(path, variables, folder)
    faults: list[Fault] = []
    config, root = (Config(), None) if chosen is None else _read(chosen, variables, faults)
    wrong = [fault.steps for fault in faults if fault.steps]
    faulty = {str(steps[1]) for steps in wrong if steps[0] == "providers" and len(steps) > 1}
    found = check(config, variables, _sayer(root), faulty)
    faults += [fault for fault in found if not any(_overlap(fault.steps, steps) for steps in wrong)]
    if faults:
        raise ConfigErrors(_placed(faults, root, chosen))
    return Loaded(config, chosen, variables)


def _environment(process: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    path = folder / ".env"
    if not path.is_file():  # a virtual environment is often a folder of that name
        return dict(process)
    faults: list[Fault] = []
    variables = parse_dotenv(_text(path, (), "the .env file"), faults)
    if faults:
        raise ConfigErrors(_placed(faults, None, path))
    return {**variables, **process}


def _chosen(path: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    if path is not None:
        return path
    named = environ.get("MADANG_CONFIG", "").strip()
    if named:
        return folder / named
    return next((folder / name for name in NAMES if (folder / name).exists()), None)


def _read(path: Path, environ: Mapping[str, str], faults: list[Fault]) -> tuple[Config, Node | None]:
    from madang.config.decode import decode
    from madang.config.document import Section, Unreadable, read_document
    from madang.config.interpolate import fill

    text = _text(path, (), "the configuration")
    try:
        root = read_document(text, faults)
    except Unreadable as problem:
        raise ConfigErrors(_placed([*faults, problem.fault], None, path)) from None
    if root is None:
        return Config(), None
    filled = fill(root, environ, faults)
    missing = {fault.steps for fault in faults}
    found: list[Fault] = []
    config = decode(filled, found) if isinstance(filled, Section) else Config()
    # A value whose variable is missing is empty; that it is, was said.
    faults += [fault for fault in found if fault.steps not in missing]
    return config, filled


def _text(path: Path, steps: Steps, what: str) -> str:
    """The text of a file that must be there, as UTF-8 and of a sane size."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise _unusable(path, steps, f"more than {_LARGEST_BYTES} bytes", what, "is this the right file?")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise _unusable(path, steps, "no such file", what, "check the path, or leave it out") from None
    except OSError as problem:
        got = f"a file that cannot be read ({problem.strerror or type(problem).__name__})"
        raise _unusable(path, steps, got, what, "check the path and who may read it") from None
    except ValueError:
        raise _unusable(path, steps, "bytes that are not UTF-8", what, "save the file as UTF-8") from None


def _unusable(path: Path, steps: Steps, got: str, what: str, hint: str) -> ConfigErrors:
    return ConfigErrors(_placed([Fault(steps, got=got, want=what, hint=hint)], None, path))


def _placed(faults: list[Fault], root: Node | None, path: Path | None) -> list[Fault]:
    """The faults with their file, line and column, in the file's order."""
    for fault in faults:
        if fault.steps and fault.place is None and root is not None and not _is_variable(fault.steps):
            from madang.config.document import locate

            fault.place = locate(root, fault.steps, at_key=fault.at_key)
        fault.file = "" if path is None or _is_variable(fault.steps) else short_path(path)
        fault.path = fault.path or fault.file
    return sorted(faults, key=lambda fault: fault.place or (10**9, 0))


def short_path(path: Path) -> str:
    """The path as one would type it here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _is_variable(steps: Steps) -> bool:
    """Whether a fault is about a variable of the environment and not about the file."""
    return len(steps) == 1 and str(steps[0]).isupper()


def _overlap(one: Steps, other: Steps) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _sayer(root: Node | None) -> Say:
    """Quotes values for errors, but none that came from the environment."""

    def say(steps: Steps, text: str) -> str:
        if root is None or not steps:
            return shown(text)
        from madang.config.document import Scalar, node_at

        node = node_at(root, steps)
        return HIDDEN if isinstance(node, Scalar) and node.filled else shown(text)

    return say
