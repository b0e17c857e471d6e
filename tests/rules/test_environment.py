"""`scripts/environment`: which Python it takes, and what it says when there is none."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.rules.tree import ROOT

REPORT = "import sys; print('took', sys.executable)"
Program = Callable[[str, str], Path]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the script in a folder whose name has a space, where environment.py only reports."""
    scripts = tmp_path / "a house" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "environment", scripts)
    (scripts / "environment.py").write_text(REPORT)
    return scripts.parent


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Puts a shell script of that name on the PATH the tests use."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "dirname"):
        (folder / tool).symlink_to(str(shutil.which(tool)))

    def put(name: str, body: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return put


def find(house: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": str(house.parent / "bin"), **environ}
    command = ["sh", str(house / "scripts" / "environment"), "runtime"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_a_shim_that_fails_is_passed_over(house: Path, program: Program) -> None:
    program("python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    program("python3", f'exec "{sys.executable}" "$@"')
    result = find(house)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("took ")
    assert "pyenv" not in result.stderr


def test_an_old_python_is_passed_over(house: Path, program: Program) -> None:
    program("python3.12", "exit 1")
    program("python3", "exit 1")
    program("python", f'exec "{sys.executable}" "$@"')
    assert find(house).stdout.startswith("took ")


def test_a_python_that_uv_keeps_is_taken_last(house: Path, program: Program) -> None:
    program("uv", f'[ "$1 $2" = "python find" ] && echo "{sys.executable}"')
    assert find(house).stdout.startswith("took ")


def test_no_python_at_all_is_said_with_what_helps(house: Path, program: Program) -> None:
    result = find(house)
    assert result.returncode == 1
    assert "Python 3.11 or newer" in result.stderr
    assert "PYTHON=" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("named", ["nothing-of-that-name", "old"])
def test_a_python_that_was_asked_for_and_will_not_do_is_an_error(
    house: Path, program: Program, named: str
) -> None:
    program("old", "exit 1")
    program("python3", f'exec "{sys.executable}" "$@"')
    result = find(house, PYTHON=named)
    assert result.returncode == 1
    assert f"PYTHON={named} does not run, or is older" in result.stderr


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """`environment.py` as a module, standing in a folder with one lock."""
    spec = importlib.util.spec_from_file_location("environment", ROOT / "scripts" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHON", raising=False)
    Path("requirements").mkdir()
    Path("requirements", "runtime.lock").write_text("a==1")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return module


class Recorder:
    """Stands for uv or pip: makes an interpreter, installs nothing, remembers what was asked."""

    name = "recorder"

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.asked: list[str] = []

    def create(self) -> None:
        self.asked.append("create")
        (self.venv / "bin").mkdir(parents=True)
        (self.venv / "bin" / "python").symlink_to(sys.executable)

    def install_lock(self, lock: Path) -> None:
        self.asked.append(lock.name)

    def install_project(self) -> None:
        self.asked.append("project")


def filled(setup: ModuleType) -> list[str]:
    """What it takes, just now, to bring `.venv` up to date."""
    recorder, environment = Recorder(Path(".venv")), setup.Environment(Path(".venv"))
    if not setup.up_to_date(environment, "runtime"):
        setup.fill(environment, "runtime", recorder)
    return recorder.asked


EVERYTHING = ["create", "runtime.lock", "project"]


def test_a_first_run_does_everything_and_a_second_one_nothing(setup: ModuleType) -> None:
    assert filled(setup) == EVERYTHING
    assert filled(setup) == []


def test_a_changed_lock_makes_the_environment_anew(setup: ModuleType) -> None:
    filled(setup)
    Path("requirements", "runtime.lock").write_text("a==2")
    assert filled(setup) == EVERYTHING


def test_a_touched_lock_changes_nothing(setup: ModuleType) -> None:
    filled(setup)
    os.utime(Path("requirements", "runtime.lock"))
    assert filled(setup) == []


def test_a_second_lock_is_added_to_the_first(setup: ModuleType) -> None:
    filled(setup)
    Path("requirements", "dev.lock").write_text("b==1")
    recorder = Recorder(Path(".venv"))
    setup.fill(setup.Environment(Path(".venv")), "dev", recorder)
    assert recorder.asked == ["dev.lock", "project"]
    assert filled(setup) == []


def test_changed_metadata_installs_only_the_project_again(setup: ModuleType) -> None:
    filled(setup)
    project = Path("pyproject.toml")
    project.write_text(project.read_text().replace("\n[project]\n", '\n[project]\nurls = { a = "b" }\n'))
    assert filled(setup) == ["project"]


def test_a_run_that_was_cut_short_starts_over(setup: ModuleType) -> None:
    filled(setup)
    setup.Environment(Path(".venv")).write(busy=True)
    assert filled(setup) == EVERYTHING


def test_an_environment_that_was_moved_is_made_anew(setup: ModuleType) -> None:
    filled(setup)
    environment = setup.Environment(Path(".venv"))
    environment.write()
    notes = environment.notes_path.read_text().replace(str(Path.cwd()), "/elsewhere")
    environment.notes_path.write_text(notes)
    assert filled(setup) == EVERYTHING


def test_an_interpreter_that_vanished_is_replaced(setup: ModuleType) -> None:
    filled(setup)
    Path(".venv", "bin", "python").unlink()
    Path(".venv", "bin", "python").symlink_to("/nowhere/python")
    assert filled(setup) == EVERYTHING


def test_somebody_elses_environment_is_added_to_and_not_removed(setup: ModuleType) -> None:
    Recorder(Path(".venv")).create()
    Path(".venv", "theirs").touch()
    assert filled(setup) == ["runtime.lock", "project"]
    assert Path(".venv", "theirs").exists()


def test_a_path_with_signs_that_make_reads_is_escaped_in_the_note(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(setup)
    odd = tmp_path / "cost $5 #1"
    odd.mkdir()
    monkeypatch.chdir(odd)
    setup.Environment(tmp_path / ".venv").stamp("runtime")
    makefile = tmp_path / "Makefile"
    same = "$(if $(filter-out $(MADE_IN),$(CURDIR)),differs,same)"
    makefile.write_text(f"-include {tmp_path}/.venv/made.mk\nall:\n\t@echo {same}\n")
    result = subprocess.run(["make", "-s", "-f", str(makefile)], capture_output=True, text=True, check=True)
    assert result.stdout == "same\n"
