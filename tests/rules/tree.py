"""The repository as the rules see it: its text files, its Python modules, the functions in them.

Found by walking, not by asking git, so that the rules hold in an unpacked archive too.
"""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "madang"

# Folders that .gitignore names, and git's own.
UNSEEN = {
    *(".git", ".madang", "__pycache__", "build", "dist", "node_modules"),
    *(".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"),
}
BINARY = {".gif", ".ico", ".jpg", ".jpeg", ".png", ".pyc", ".webp", ".woff2"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A Python file: where it is, what it says, and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return shown(self.path)

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_seen(folder: str) -> bool:
    return folder not in UNSEEN and not folder.startswith(".venv") and not folder.endswith(".egg-info")


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file of the repository that is ours to answer for."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(filter(is_seen, folders))
        found += [Path(folder, name) for name in sorted(names) if not is_private(Path(folder, name))]
    return tuple(found)


def is_private(path: Path) -> bool:
    """A person's own settings, which .gitignore keeps out."""
    return path.parent == ROOT and (path.name in {".env", "madang.yaml"} or path.name.startswith(".coverage"))


@functools.cache
def text_files() -> tuple[tuple[str, str], ...]:
    """Name and content of every file that is text."""
    readable = (path for path in files() if path.suffix not in BINARY)
    return tuple((shown(path), path.read_text(encoding="utf-8")) for path in readable)


@functools.cache
def modules(*folders: str) -> tuple[Module, ...]:
    """The Python files below these folders of the repository."""
    tops = [ROOT / folder for folder in folders]
    chosen = [path for path in files() if path.suffix == ".py" and any(top in path.parents for top in tops)]
    return tuple(Module(path, text := path.read_text(encoding="utf-8"), ast.parse(text)) for path in chosen)
