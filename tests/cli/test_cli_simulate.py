"""`madang simulate` as a user starts, reads and stops it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from madang.cli.simulate import simulate
from madang.simulator.controls import CONTROLS

_RUN = "from madang.cli.simulate import simulate; simulate()"


@contextmanager
def _started(*arguments: str, lang: str = "C.UTF-8") -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The command as a process, and what it says at its start."""
    environment = {**os.environ, "LC_ALL": lang, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", _RUN, "--port", "0", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline().rstrip("\n") for _ in range(7)]
        finally:
            process.kill()


def _ask(url: str, **fields: object) -> object:
    body = json.dumps(
        {"model": "sim-echo", "messages": [{"role": "user", "content": "hi"}], **fields}
    ).encode()
    headers = {"authorization": "Bearer k", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/chat/completions", body, headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_answers_and_stops_when_told(number: signal.Signals) -> None:
    with _started() as (process, lines):
        url = lines[0].split()[-1]
        assert url.endswith("/v1")
        assert f"OPENAI_BASE_URL={url}" in lines[1]
        assert f"ANTHROPIC_BASE_URL={url.removesuffix('/v1')} " in lines[2]
        assert "Ctrl+C" in lines[6]
        assert _ask(url) == "hi"
        process.send_signal(number)
        rest, _ = process.communicate(timeout=10)
        assert process.returncode == 0
        assert rest.startswith("200  POST /v1/chat/completions  ")


def test_quiet_says_nothing_of_requests_and_korean_terminals_read_korean() -> None:
    with _started("--quiet", lang="ko_KR.UTF-8") as (process, lines):
        assert "응답합니다" in lines[0]
        _ask(lines[1].split("OPENAI_BASE_URL=")[1].split()[0])
        process.terminate()
        assert process.communicate(timeout=10)[0] == ""


def test_a_scenario_file_is_played(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("rules: [{match: {contains: hi}, answer: {text: scripted}}]", "utf-8")
    with _started("--scenario", str(path), "--latency", "fixed(1ms)", "--rpm", "5") as (_, lines):
        assert _ask(lines[0].split()[-1], model="m") == "scripted"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--latency", "fast"], "'fast' is not a duration"),
        (["--latency", "normal(1s,2s)"], "write fixed(50ms), uniform(10ms,80ms) or lognormal"),
        (["--pace", "20"], "write a number and a unit"),
        (["--pace", "20ms", "--tps", "50"], "--pace and --tps say the same thing"),
        (["--tps", "0"], "0.01<=x<=1000000"),
        (["--error-rate", "200=0.1"], "not an HTTP error status"),
        (["--fault-rate", "melt=0.1"], "is not a fault; there are hangup, reset"),
        (["--rpm", "0"], "x>=1"),
        (["--key", " "], "leave it out to take any key"),
        (["--scenario", "nowhere.yaml"], "nowhere.yaml: found No such file"),
        (["--port", "70000"], "0<=x<=65535"),
    ],
)
def test_a_wrong_option_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(simulate, arguments)
    assert result.exit_code != 0
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_faulty_scenario_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("rules:\n  - answr: {text: x}\n", "utf-8")
    result = CliRunner().invoke(simulate, ["--scenario", str(path)])
    assert result.exit_code == 1
    assert "answers.yaml:2 rules[0].answr" in result.output
    assert "write answer" in result.output


def test_a_taken_port_is_a_sentence() -> None:
    with _started() as (_, lines):
        port = lines[0].split(":")[-1].split("/")[0]
        result = CliRunner().invoke(simulate, ["--port", port])
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}: address already in use\n" in result.output


def test_the_controls_are_listed() -> None:
    result = CliRunner().invoke(simulate, ["--controls"])
    assert result.exit_code == 0
    assert all(control.does in result.output for control in CONTROLS)
