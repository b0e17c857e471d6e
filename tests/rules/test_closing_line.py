"""What `tests/conftest.py` adds to pytest, seen from outside: the floor, the last line, no skips in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rules.tree import ROOT

SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = "-ra"
[tool.coverage.run]
branch = true
parallel = true
patch = ["subprocess"]
source = ["house"]
[tool.coverage.report]
fail_under = 80
"""
CODE = """
def half(asked):
    if asked:
        return 1
    a = 1
    b = 2
    return a + b
"""
CALLS = "from house.half import half\n\ndef test_half_is_there():\n    assert half({})\n"
STARTS = (
    "import subprocess, sys\n\ndef test_half_in_a_program():\n"
    "    subprocess.run([sys.executable, '-c', 'from house.half import half; half(0)'], check=True)\n"
)
SKIPS = "import pytest\n\ndef test_needs_more():\n    pytest.skip('needs a browser')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with our conftest.py."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    for folder in ("house", "tests"):
        (tmp_path / folder).mkdir()
    (tmp_path / "house" / "__init__.py").touch()
    (tmp_path / "house" / "half.py").write_text(CODE)
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "tests")
    return tmp_path


def run(project: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-p", "no:cacheprovider", *args]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE", "PYTEST", "REQUIRE"))
    }
    environ = {**kept, "PYTHONPATH": str(project), **environ}
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    return result.stdout.strip().splitlines()[-1]


def test_too_little_coverage_fails_a_whole_run_and_is_said_before_the_closing_line(project: Path) -> None:
    (project / "tests" / "test_half.py").write_text(CALLS.format(1))
    result = run(project)
    assert result.returncode == 1
    assert "covered, and the floor is 80 %" in result.stdout
    assert "1 passed" in last_line(result)


def test_a_part_of_the_tests_may_skip_and_is_not_held_to_the_floor(project: Path) -> None:
    (project / "tests" / "test_half.py").write_text(CALLS.format(1) + SKIPS)
    result = run(project, "tests/test_half.py")
    assert result.returncode == 0
    assert "1 passed, 1 skipped" in last_line(result)
    assert "TOTAL" in result.stdout


def test_programs_that_tests_start_count_towards_the_floor(project: Path) -> None:
    (project / "tests" / "test_half.py").write_text(CALLS.format(1))
    (project / "tests" / "test_program.py").write_text(STARTS)
    result = run(project)
    assert result.returncode == 0, result.stdout
    assert "100%" in result.stdout
    assert "2 passed" in last_line(result)


def test_whatever_is_skipped_fails_where_services_are_required(project: Path) -> None:
    (project / "tests" / "test_skip.py").write_text(SKIPS)
    (project / "tests" / "test_module.py").write_text("import pytest\n\npytest.importorskip('nowhere')\n")
    result = run(project, "--continue-on-collection-errors", REQUIRE_SERVICES="1")
    assert result.returncode == 1
    assert "1 failed, 1 error" in last_line(result)
    assert "does not allow: Skipped: needs a browser" in result.stdout
    assert "could not import 'nowhere'" in result.stdout
