"""The page says what is true: its table is the code's, its examples run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from madang.simulator.controls import table
from madang.simulator.options import FAULTS
from madang.simulator.scenario_file import read_scenario
from tests.simulator.desk import Desk, answer_of, chat_of, sent

_PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text("utf-8")


def _section(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", _PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def _code(name: str) -> str:
    return _section(name).partition("\n")[2].removesuffix("```")


def test_the_table_of_controls_is_the_codes() -> None:
    assert _section("controls") == table(), "print it anew: madang.simulator.controls.table()"


def test_every_fault_by_chance_is_on_the_page() -> None:
    assert f"Faults by chance: {', '.join(FAULTS)}." in _PAGE


def test_the_scenario_does_what_the_page_says() -> None:
    desk = Desk(scenario=read_scenario(_code("scenario")))
    assert [desk.plan(chat_of("a refund?")).status for _ in range(2)] == [429, 200]
    assert desk.chat("a refund?")["usage"]["total_tokens"] == 18
    called = answer_of(desk.plan(chat_of(), x_team="support"))["choices"][0]["message"]["tool_calls"]
    assert called[0]["function"]["name"] == "find_order"
    story = desk.plan(chat_of("a story", stream=True))
    assert story.fault == "cut"
    assert b": ping\n\n" in sent(story)
    assert b'" time"' not in sent(story)
    assert desk.plan({"model": "m", "input": "x"}, "/v1/embeddings").status == 503


def test_the_error_the_page_shows_is_the_error_one_gets() -> None:
    with pytest.raises(Exception, match=r"answers\.yaml:3 rules\[0\]\.answer\.status: found str, wanted int"):
        read_scenario("rules:\n  - answer:\n      status: many", "answers.yaml")


@pytest.mark.parametrize("name", ["pytest", "anthropic", "gemini"])
def test_the_examples_run(name: str, tmp_path: Path) -> None:
    example = tmp_path / "test_example.py"
    example.write_text(_code(name), "utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(example),
    ]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
