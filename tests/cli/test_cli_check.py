"""`madang check`, as a person and as a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from madang.cli.check import check
from madang.config.json_schema import json_schema
from madang.providers.compatible import ROWS

CLEAN: dict[str, str | None] = {name: None for row in ROWS for name in (*row.key_env, *row.base_url_env)}
# Port 9 on loopback: nothing listens, so no Ollama of this machine changes what is printed.
CLEAN |= {"MADANG_CONFIG": None, "OLLAMA_HOST": "127.0.0.1:9"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(check, list(arguments), env=CLEAN | environ, catch_exceptions=False)


def test_no_file_is_sound(folder: Path) -> None:
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("No madang.yaml here: everything has its default.\n")
    assert "offline: built in" in result.stdout
    assert "\n  openai: OPENAI_API_KEY\n" in result.stdout


def test_a_sound_file_is_explained(folder: Path) -> None:
    (folder / "madang.yaml").write_text("routes: {quick: openai/gpt-4o-mini, local: offline/extractive}\n")
    result = run(OPENAI_API_KEY="hunter2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        "\nRoutes\n"
        "  quick\n"
        "    1. openai/gpt-4o-mini -> https://api.openai.com/v1\n"
        "       bytes pass in openai_responses and openai_chat, others are translated\n"
        "       model name is spliced, usage is asked for in streams\n"
        "  local\n"
        "    1. offline/extractive\n"
        "       answered here, nothing leaves\n"
    ) in result.stdout
    assert (
        "  openai: OPENAI_API_KEY is set\n"
        "    -> https://api.openai.com/v1\n"
        "    bytes pass in openai_responses and openai_chat, others are translated\n"
        "    usage is asked for in streams\n"
    ) in result.stdout
    assert "hunter2" not in result.output


def test_every_fault_goes_to_standard_error_and_the_exit_code_is_one(folder: Path) -> None:
    (folder / "madang.yaml").write_text("server: {port: x}\nrotes: {}\n")
    result = run()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "madang.yaml, line 1, column 16: server.port\n" in result.stderr
    assert "madang.yaml, line 2, column 1: rotes\n" in result.stderr
    assert "did you mean `routes`?" in result.stderr


def test_a_given_path_is_the_one_that_is_checked(folder: Path) -> None:
    (folder / "madang.yaml").write_text("nonsense: 1\n")
    (folder / "other.yaml").write_text("server: {port: 1}\n")
    assert run("other.yaml").stdout.startswith("other.yaml is sound.\n")
    absent = run("absent.yaml")
    assert (absent.exit_code, "absent.yaml: " in absent.stderr or "absent.yaml\n" in absent.stderr) == (
        1,
        True,
    )
    assert "no such file" in absent.stderr


def test_json_says_the_same(folder: Path) -> None:
    (folder / "madang.yaml").write_text("routes: {quick: groq/m}\n")
    said = json.loads(run("--json", GROQ_API_KEY="hunter2").stdout)
    assert said["ok"] is True
    assert said["routes"][0]["targets"][0] == {
        "provider": "groq",
        "model": "m",
        "base_url": "https://api.groq.com/openai/v1",
        "dialects": ["openai_chat"],
        "model_spliced": True,
        "usage_asked": True,
    }
    [provider] = said["providers"]
    assert (provider["name"], provider["dialects"]) == ("groq", ["openai_chat"])
    assert {"name": "openai", "title": "OpenAI", "switch": "OPENAI_API_KEY"} in said["off"]


def test_json_lists_the_faults(folder: Path) -> None:
    (folder / "madang.yaml").write_text("routes: {quick: groq/m}\n")
    result = run("--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "ok": False,
        "faults": [
            {
                "file": "madang.yaml",
                "line": 1,
                "column": 17,
                "path": "routes.quick",
                "got": "`groq`, which is switched off",
                "want": "a provider that is on",
                "hint": "set GROQ_API_KEY in the environment or in .env, or write providers.groq.api_key",
            }
        ],
    }


def test_schema_prints_the_schema_whatever_the_file_says(folder: Path) -> None:
    (folder / "madang.yaml").write_text("nonsense: 1\n")
    result = run("--schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()


def test_help_says_what_it_reads_and_how_it_exits() -> None:
    text = run("--help").stdout
    assert "$MADANG_CONFIG" in text
    assert "Exits with 1" in text


def test_the_page_shows_what_is_printed(folder: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    (folder / "madang.yaml").write_text('server:\n  port: "4000"\n')
    assert f"$ madang check\n{run().stderr}```" in page
    (folder / "madang.yaml").write_text("routes: {quick: openai/gpt-4o-mini}\n")
    routes, _, _ = run(OPENAI_API_KEY="k").stdout.partition("\nProviders\n")
    assert f"$ madang check\n{routes}```" in page
