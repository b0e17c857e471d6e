"""What is shipped: locks, container, the two commands."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.rules.tree import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z0-9, -]+\])?==([^ ;\\]+)((?: ;[^\\]*)?) \\\n"
    r"((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


def pins(lock: Path) -> dict[str, str]:
    return {name: version for name, version, _, _ in PINNED.findall(lock.read_text(encoding="utf-8"))}


def named(requirements: list[object]) -> set[str]:
    """The packages a list of requirements asks for, as locks spell them."""
    asked = (str(one) for one in requirements if isinstance(one, str))
    return {re.split(r"[\[<>=!~; ]", one)[0].lower().replace("_", "-") for one in asked}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_packages_and_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(PINNED.findall(text)) == len(requirements) > 10
    assert re.findall(r"https?:|file:|--(?:extra-)?index-url|--find-links|--trusted-host| @ ", text) == []


def test_the_locks_agree_on_every_version() -> None:
    """But for the environment of other people's clients, which stands by itself."""
    together = pins(ROOT / "requirements" / "dev.lock")
    locks = [lock for lock in LOCKS if lock.name != "clients.lock"]
    differing = {
        (lock.name, *pin) for lock in locks for pin in pins(lock).items() if together.get(pin[0]) != pin[1]
    }
    only_for_windows = {one for one in differing if one[1] in {"colorama", "tzdata"}}
    assert differing - only_for_windows == set()


def test_every_dependency_is_in_its_lock() -> None:
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    runtime = named(project["dependencies"]) | named(groups["build"])
    postgres = runtime | named(project["optional-dependencies"]["postgres"])
    dev = postgres | named(groups["dev"])
    clients = named(groups["build"]) | named(groups["clients"])
    wanted = {"runtime.lock": runtime, "postgres.lock": postgres, "dev.lock": dev, "clients.lock": clients}
    missing = {lock.name: wanted[lock.name] - set(pins(lock)) for lock in LOCKS}
    assert missing == {name: set() for name in wanted}


def test_the_build_backend_comes_from_the_lock() -> None:
    assert named(PROJECT["build-system"]["requires"]) == named(PROJECT["dependency-groups"]["build"])


def test_the_container_copies_only_what_is_there_and_let_through() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copies = re.findall(r"^(?:COPY|ADD) (?!--from)(?:--\S+ )*(.+)$", dockerfile, re.MULTILINE)
    sources = [source for copy in copies for source in copy.split()[:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if source not in allowed] == []
    assert sorted(name for name in allowed if not (ROOT / name).exists()) == []


def test_the_container_runs_as_nobody_special_from_hashed_packages() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER (?!root|0\b)\S+$", dockerfile, re.MULTILINE)
    assert re.search(r"^ENTRYPOINT \[", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n?.*/livez", dockerfile, re.MULTILINE)
    installs = re.findall(r"pip install [^\n]*(?:\\\n[^\n]*)*", dockerfile)
    assert len(installs) == 2
    assert all(
        "--require-hashes" in one or {"--no-index", "--no-deps"} <= set(one.split()) for one in installs
    )


def test_make_help_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = subprocess.run(
        ["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^make (\w+)", shown, re.MULTILINE)) == targets > {"serve", "test"}


@pytest.mark.parametrize("name", [".ci/run", "scripts/environment", "scripts/lock"])
def test_a_script_can_be_run_and_stops_at_the_first_fault(name: str) -> None:
    script = ROOT / name
    assert os.access(script, os.X_OK)
    assert re.search(r"^set -eu", script.read_text(encoding="utf-8"), re.MULTILINE)
