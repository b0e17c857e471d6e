"""How code is cut: files and functions that fit in the eye, a sentence on top, names that say something."""

from __future__ import annotations

import ast
import re

import pytest

from tests.rules.tree import Function, Module, files, modules, shown

LONGEST_FILE = 500
LONGEST_FUNCTION = 50
# Functions that are longer, with the reason. This list may only shrink.
LONG_FUNCTIONS: dict[str, str] = {}

PYTHON = ("src", "tests", "scripts", "benchmarks")
VAGUE_NAME = re.compile(r"(Manager|Helpers?|Utils?|Impl)$|^(utils?|helpers?|misc|common)$")
# Built in pieces, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise NotImplemented" + r"Error")


def length(function: Function) -> int:
    """From `def` to the end; the options of a command are declared above it and are not its work."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(source: tuple[Module, ...]) -> dict[str, int]:
    found = {
        f"{module.name}:{function.name}": length(function)
        for module in source
        for function in module.functions()
    }
    return {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION}


def test_no_file_of_code_is_longer_than_five_hundred_lines() -> None:
    code = [
        path
        for path in files()
        if path.suffix in {".py", ".js", ".css", ".html"} and "vendor" not in path.parts
    ]
    sizes = {shown(path): len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    assert {name: lines for name, lines in sizes.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_fifty_lines() -> None:
    found = long_functions(modules("src", "scripts"))
    assert {name: lines for name, lines in found.items() if name not in LONG_FUNCTIONS} == {}


def test_the_list_of_long_functions_only_shrinks() -> None:
    assert set(LONG_FUNCTIONS) <= set(long_functions(modules("src", "scripts"))), (
        "shorter now: take it off the list"
    )


def test_every_module_opens_with_a_sentence() -> None:
    speechless = [
        module.name for module in modules(*PYTHON) if module.tree.body and not ast.get_docstring(module.tree)
    ]
    assert speechless == []


def test_nothing_in_the_source_waits_to_be_finished() -> None:
    found = [
        f"{module.name}:{number}: {line.strip()}"
        for module in modules("src")
        for number, line in enumerate(module.lines, start=1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_only_the_command_line_prints() -> None:
    silent = [module for module in modules("src") if not module.name.startswith("src/madang/cli/")]
    calls = (
        (module, node) for module in silent for node in ast.walk(module.tree) if isinstance(node, ast.Call)
    )
    prints = [
        f"{m.name}:{c.lineno}" for m, c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"
    ]
    assert prints == []


@pytest.mark.parametrize("folders", [("src",), ("tests", "scripts", "benchmarks")])
def test_names_say_what_a_thing_is(folders: tuple[str, ...]) -> None:
    vague = [module.name for module in modules(*folders) if VAGUE_NAME.search(module.path.stem)]
    for module in modules(*folders):
        named = (n for n in ast.walk(module.tree) if isinstance(n, ast.ClassDef | Function))
        vague += [f"{module.name}:{node.name}" for node in named if VAGUE_NAME.search(node.name)]
    assert vague == []


def test_every_ignored_type_error_carries_its_code_and_its_reason() -> None:
    ignored = re.compile(r"#\s*type:\s*ig" + "nore")
    complete = re.compile(r"# type: ig" + r"nore\[[\w,-]+\]\s+# \w")
    bare = [
        f"{module.name}:{number}"
        for module in modules(*PYTHON)
        for number, line in enumerate(module.lines, start=1)
        if ignored.search(line) and not complete.search(line)
    ]
    assert bare == []


def test_the_names_of_tests_are_claims() -> None:
    tests = [(module, function) for module in modules("tests") for function in module.functions()]
    terse = [
        f"{module.name}:{function.name}"
        for module, function in tests
        if function.name.startswith("test_") and len(function.name.split("_")) < 4
    ]
    assert terse == []
