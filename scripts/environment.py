"""The virtual environment: made from a lock file, with uv where it runs and pip otherwise.

Standard library only, for it runs before anything is installed. `scripts/environment` finds the
interpreter; the Makefile calls it when a stamp is out of date. Nothing is downloaded without a hash:
wheels only, and the project itself is installed with the build backend that is in the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

IDENTITY = "import sys; print(sys.version.split()[0], sys.base_prefix)"
OLDEST = (3, 11)
# Settings of a person's shell that would send packages elsewhere or import them from elsewhere.
MISLEADING = {
    *("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "UV_SYSTEM_PYTHON", "UV_PYTHON"),
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV"),
}


class SetupError(Exception):
    """The environment cannot be made; the message says what would help."""


def run(command: Sequence[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    subprocess.run(command, check=True, env=environ, stdin=subprocess.DEVNULL)


class Uv:
    """Fast, and needs neither ensurepip nor pip. Bytecode is compiled: a first start should be quick."""

    name = "uv"

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.install = ("uv", "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"))

    @staticmethod
    def runs() -> bool:
        try:
            return subprocess.run(["uv", "--version"], check=False, capture_output=True).returncode == 0
        except OSError:
            return False

    def create(self) -> None:
        run(["uv", "venv", "--quiet", "--no-project", "--python", sys.executable, str(self.venv)])

    def install_lock(self, lock: Path) -> None:
        wheels = ("--only-binary", ":all:", "--compile-bytecode")
        run([*self.install, "--require-hashes", *wheels, "--requirement", str(lock)])

    def install_project(self) -> None:
        run([*self.install, "--offline", "--no-deps", "--no-build-isolation", "--editable", "."])


class Pip:
    """What every Python brings along, or should."""

    name = "pip"

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        quiet = ("-qq", "--disable-pip-version-check", "--no-input")
        self.install = (str(venv / "bin" / "python"), "-m", "pip", "install", *quiet)

    def create(self) -> None:
        for command in ([sys.executable, "-m", "venv"], ["virtualenv", "--python", sys.executable]):
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                run([*command, str(self.venv)])
                return
            shutil.rmtree(self.venv, ignore_errors=True)
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment (its venv or ensurepip is missing).\n"
            "Debian and Ubuntu keep it apart: apt install python3-venv. Or install uv; or name a PYTHON."
        )

    def install_lock(self, lock: Path) -> None:
        run([*self.install, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock)])

    def install_project(self) -> None:
        run([*self.install, "--no-index", "--no-deps", "--no-build-isolation", "--editable", "."])


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def project_digest() -> str:
    """Of what the installed metadata depends on; a change to a tool's section needs no new install."""
    document = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    return digest(json.dumps([document["project"], document["build-system"]], sort_keys=True).encode())


def new_enough(identity: str) -> bool:
    major, minor, *_ = identity.split(".")
    return (int(major), int(minor)) >= OLDEST


def lock_path(name: str) -> Path:
    return Path("requirements", f"{name}.lock")


class Environment:
    """`.venv` and what we noted about it: which locks are in it, for whom, and whether work is under way."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.notes_path = venv / "made.json"
        self.notes: dict[str, object] = {}
        with contextlib.suppress(OSError, ValueError):
            self.notes = json.loads(self.notes_path.read_text(encoding="utf-8"))

    @property
    def locks(self) -> Mapping[str, object]:
        locks = self.notes.get("locks")
        return locks if isinstance(locks, dict) else {}

    def identity(self) -> str | None:
        """Version and home of the interpreter inside, or None if there is none that runs."""
        try:
            command = [str(self.venv / "bin" / "python"), "-I", "-c", IDENTITY]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    def must_be_made(self) -> str:
        """Why what is there cannot be kept, or nothing."""
        inside, asked = self.identity(), f"{sys.version.split()[0]} {sys.base_prefix}"
        if inside is None:
            return "its Python does not run" if self.venv.exists() else "there is none yet"
        if os.environ.get("PYTHON") and inside != asked:
            return "another Python is asked for"
        if not self.notes:
            # Somebody else made it: put ours on top and remove nothing.
            return "" if new_enough(inside) else "its Python is too old"
        if self.notes.get("busy") or self.notes.get("root") != str(Path.cwd()):
            return "it was left half made, or was moved"
        changed = (name for name, seen in self.locks.items() if seen != lock_digest(name))
        return "a lock file changed" if any(changed) else ""

    def write(self, **notes: object) -> None:
        self.notes |= {"root": str(Path.cwd()), "locks": dict(self.locks), **notes}
        self.notes_path.write_text(json.dumps(self.notes, indent=1), encoding="utf-8")

    def stamp(self, name: str) -> None:
        escaped = str(Path.cwd()).replace("$", "$$").replace("#", "\\#")
        (self.venv / "made.mk").write_text(f"MADE_IN := {escaped}\n", encoding="utf-8")
        (self.venv / f"{name}.stamp").touch()


def lock_digest(name: str) -> str | None:
    path = lock_path(name)
    return digest(path.read_bytes()) if path.exists() else None


def fill(environment: Environment, name: str, tool: Uv | Pip) -> None:
    """Bring the environment to what the lock says, from nothing if need be."""
    if environment.must_be_made():
        shutil.rmtree(environment.venv, ignore_errors=True)
        environment.notes = {}
        tool.create()
    environment.write(busy=True)
    if environment.locks.get(name) != lock_digest(name):
        tool.install_lock(lock_path(name))
        environment.notes["project"] = None
    if environment.notes.get("project") != project_digest():
        tool.install_project()
    locks = {**environment.locks, name: lock_digest(name)}
    environment.write(busy=False, locks=locks, project=project_digest())


def up_to_date(environment: Environment, name: str) -> bool:
    installed = environment.locks.get(name) == lock_digest(name)
    current = environment.notes.get("project") == project_digest()
    return installed and current and not environment.must_be_made()


def make(environment: Environment, name: str) -> None:
    """With uv; and where uv cannot (no network of its own, no mirror configured), with pip."""
    started, reason = time.monotonic(), environment.must_be_made()
    say(f"Setting up {environment.venv} from {lock_path(name)}" + (f": {reason}" if reason else ""))
    tools: list[Uv | Pip] = [Uv(environment.venv)] if Uv.runs() else []
    for tool in [*tools, Pip(environment.venv)]:
        try:
            fill(environment, name, tool)
        except subprocess.CalledProcessError as error:
            say(f"{tool.name} failed (exit status {error.returncode}).")
            continue
        say(f"Ready, with {tool.name}, in {time.monotonic() - started:.1f} s.")
        return
    raise SetupError(f"{environment.venv} could not be made; what went wrong is said above.")


def say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One at a time: `make serve` and `make test` may start together. The lock is on the folder itself."""
    folder = os.open(".", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main(name: str, venv: str) -> int:
    os.chdir(Path(__file__).resolve().parent.parent)
    with alone():
        environment = Environment(Path(venv))
        try:
            if not up_to_date(environment, name):
                make(environment, name)
        except SetupError as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            say("Left half made; the next run starts over.")
            return 130
        environment.stamp(name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
