"""`madang serve` as an operator meets it: what it says, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from madang.cli.serve import typed
from madang.store.store import Store

GOOD = "sk-an-admin-key-of-my-own-1234"


class Serving:
    """A `madang serve` under way."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *options: str) -> None:
        clean = {
            name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_BASE_URL"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "madang", "serve", "--port", "0", *options],
            cwd=folder,
            env={**clean, "PYTHONUNBUFFERED": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def banner(self) -> str:
        """What it says until the part on the admin key is said."""
        assert self.process.stdout is not None
        lines: list[str] = []
        while not (lines and lines[-1] == "\n" and any("Admin key" in line for line in lines)):
            line = self.process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line)
        return "".join(lines)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, out


@pytest.fixture
def started() -> Iterator[list[Serving]]:
    running: list[Serving] = []
    yield running
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate()


def serve(
    started: list[Serving], folder: Path, environ: Mapping[str, str] | None = None, *options: str
) -> Serving:
    started.append(Serving(folder, environ or {}, *options))
    return started[-1]


def test_the_first_start_says_where_what_and_the_key_in_order_and_once(
    started: list[Serving], tmp_path: Path
) -> None:
    first = serve(started, tmp_path)
    said = first.banner()
    order = [said.index(word) for word in ("Chat ", "API ", "Providers ", "Data ", "Admin key ")]
    assert order == sorted(order)
    assert "offline" in said
    assert str(tmp_path / ".madang") in said
    key = re.search(r"sk-madang-\S{43}", said)
    assert key is not None
    assert first.end() == (0, "")
    again = serve(started, tmp_path)
    assert "sk-madang-" not in again.banner()
    assert again.end(signal.SIGINT) == (0, "")
    database = (tmp_path / ".madang" / "madang.db").read_bytes()
    assert key[0].encode() not in database


def test_what_it_says_fits_on_eighty_columns_but_for_paths_and_names_the_file_it_read(
    started: list[Serving], tmp_path: Path
) -> None:
    said = serve(started, tmp_path, {}).banner()
    assert [line for line in said.splitlines() if len(line) > 80 and "Data" not in line] == []
    assert "Settings" not in said
    (tmp_path / "madang.yaml").write_text("routes: {quick: offline/extractive}\n", encoding="utf-8")
    assert f"  Settings   {tmp_path / 'madang.yaml'}\n" in serve(started, tmp_path).banner()


@pytest.mark.parametrize(
    ("program", "on_path", "shown"),
    [
        ("bin/madang", "", "bin/madang"),
        ("bin/madang", "bin", "madang"),
        ("bin/madang", "other", "bin/madang"),
        ("src/madang/__main__.py", "", "madang"),
    ],
)
def test_a_hint_is_written_so_that_it_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, on_path: str, shown: str
) -> None:
    for folder in ("bin", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "madang").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program, "serve"])
    monkeypatch.setenv("PATH", str(tmp_path / on_path) if on_path else "")
    assert typed() == shown


def test_what_is_kept_is_for_the_owner_alone(started: list[Serving], tmp_path: Path) -> None:
    running = serve(started, tmp_path)
    running.banner()
    running.end()
    kept = [tmp_path / ".madang", *(tmp_path / ".madang").iterdir()]
    assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


def test_a_key_in_the_environment_switches_its_provider_on_and_is_not_shown(
    started: list[Serving], tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("GROQ_API_KEY=gsk-from-the-file-123456\n", encoding="utf-8")
    running = serve(started, tmp_path, {"OPENAI_API_KEY": "sk-from-the-environment-123456"})
    said = running.banner()
    assert "OPENAI_API_KEY is set" in said
    assert "GROQ_API_KEY is set" in said
    code, rest = running.end()
    assert code == 0
    assert "123456" not in said + rest


def test_an_admin_key_of_ones_own_is_taken_and_not_shown(started: list[Serving], tmp_path: Path) -> None:
    running = serve(started, tmp_path, {"MADANG_ADMIN_KEY": GOOD})
    said = running.banner()
    assert "the one in MADANG_ADMIN_KEY" in said
    assert GOOD not in said
    running.end()
    with Store.open(f"sqlite:///{tmp_path / '.madang' / 'madang.db'}") as store:
        admin = store.keys.admin()
        assert admin is not None
        assert GOOD not in str(admin)


@pytest.mark.parametrize(
    "key",
    [
        "",
        " ",
        "short",
        "sk-1234",
        "changeme",
        "passwordpassword",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "sk-your-key-here",
    ],
)
def test_a_blank_short_or_well_known_admin_key_is_refused(
    started: list[Serving], tmp_path: Path, key: str
) -> None:
    code, said = serve(started, tmp_path, {"MADANG_ADMIN_KEY": key}).wait()
    assert code == 1
    assert "MADANG_ADMIN_KEY" in said
    assert "Traceback" not in said
    assert len(key) < 6 or key not in said


def test_a_port_that_is_taken_is_said_in_words(started: list[Serving], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = serve(started, tmp_path, {}, "--port", str(taken.getsockname()[1])).wait()
    assert code == 1
    assert "address already in use" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--workers", "2"), "Redis"),
        (("--config", "nowhere.yaml"), "nowhere.yaml"),
        (("--host", "203.0.113.9"), "cannot be listened on"),
        (("--port", "70000"), "70000"),
        (("--nonsense",), "nonsense"),
    ],
)
def test_an_option_that_cannot_be_is_said_in_words(
    started: list[Serving], tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    code, said = serve(started, tmp_path, {}, *options).wait()
    assert code in (1, 2)
    assert says in said
    assert "Traceback" not in said


def test_a_faulty_configuration_is_said_with_its_line(started: list[Serving], tmp_path: Path) -> None:
    (tmp_path / "madang.yaml").write_text("server:\n  prot: 4000\n", encoding="utf-8")
    code, said = serve(started, tmp_path).wait()
    assert code == 1
    assert "madang.yaml" in said
    assert "did you mean `port`" in said


def test_a_database_that_cannot_be_opened_is_said_in_words(started: list[Serving], tmp_path: Path) -> None:
    (tmp_path / ".madang").mkdir()
    (tmp_path / ".madang" / "madang.db").write_bytes(
        b"not a database at all, but long enough to be read" * 50
    )
    code, said = serve(started, tmp_path).wait()
    assert code == 1
    assert "Traceback" not in said
    assert "madang.db" in said
