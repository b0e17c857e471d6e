"""`madang explain`, as a person and as a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from madang.cli.main import main
from madang.providers.compatible import ROWS

CLEAN: dict[str, str | None] = {name: None for row in ROWS for name in (*row.key_env, *row.base_url_env)}
# Port 9 on loopback: nothing listens, so no Ollama of this machine changes what is printed.
CLEAN |= {"MADANG_CONFIG": None, "OLLAMA_HOST": "127.0.0.1:9"}
KEYS = {"OPENAI_API_KEY": "hunter2", "ANTHROPIC_API_KEY": "hunter2", "GEMINI_API_KEY": "hunter2"}
HELLO = (
    '{"max_tokens": 99, "top_k": 5, "system": "Be brief.", '
    '"messages": [{"role": "user", "content": "Hello"}]}'
)
BROKEN = '{"messages": "Hello"}'
ELSEWHERE = HELLO.replace("{", '{"mcp_servers": [{"type": "url", "url": "http://m", "name": "m"}], ', 1)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "madang.yaml").write_text(
        "routes: {quick: {targets: [anthropic/claude-haiku-4-5, openai/gpt-4o-mini, offline/extractive]}}\n"
    )
    return tmp_path


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["explain", *words], input=typed, env=CLEAN | KEYS)


def test_each_target_is_a_paragraph_with_its_address_and_its_way(folder: Path) -> None:
    (folder / "request.json").write_text(HELLO)
    result = run("quick", "request.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "quick is a route of the configuration.\n"
        "The request is taken for one in anthropic, by its shape; --dialect says otherwise.\n"
        "\n"
        "1. anthropic/claude-haiku-4-5 -> https://api.anthropic.com/v1/messages\n"
        "   bytes pass: anthropic is spoken there, model name is spliced\n"
        "\n"
        "2. openai/gpt-4o-mini -> https://api.openai.com/v1/responses\n"
        "   translated into openai_responses, the first of openai_responses and openai_chat that can express"
        " it\n"
        "   this request has losses:\n"
        "     drop     top_k: OpenAI has no top_k\n"
        "\n"
        "3. offline/extractive\n"
        "   answered here, nothing leaves, translated into openai_chat, the one dialect spoken there\n"
        "   this request has losses:\n"
        "     drop     top_k: OpenAI has no top_k\n"
    )


def test_a_request_can_come_from_standard_input() -> None:
    assert run("quick", "-", typed=HELLO).stdout == run(
        "quick", "-", "--dialect", "anthropic", typed=HELLO
    ).stdout.replace(
        "The call is in anthropic.",
        "The request is taken for one in anthropic, by its shape; --dialect says otherwise.",
    )


def test_without_a_request_everything_that_could_be_lost_is_listed() -> None:
    result = run("gemini/gemini-2.5-flash")
    assert result.exit_code == 0
    assert "The call is taken for one in openai_chat; --dialect says otherwise.\n" in result.stdout
    assert "   such requests can have losses:\n     refuse   " in result.stdout
    assert "   their answers can have losses:\n" in result.stdout


def test_a_dialect_that_was_passed_over_is_named_with_the_reason() -> None:
    stopped = HELLO.replace("{", '{"stop_sequences": ["END"], ', 1)
    assert (
        "that can express it\n     openai_responses: This request cannot be sent to the target, whose dialect"
        " is openai_responses: it uses 'stop'"
    ) in run("openai/gpt-4o-mini", "-", typed=stopped).stdout


def test_without_a_request_a_target_of_several_dialects_names_the_next_one() -> None:
    said = run("openai/gpt-4o-mini", "--dialect", "gemini").stdout
    assert (
        "translated into openai_responses, the first spoken there; what it refuses is tried in openai_chat"
        in said
    )


def test_a_request_that_loses_nothing_is_told_so() -> None:
    plain = HELLO.replace('"top_k": 5, ', "")
    assert "   this request has no losses\n" in run("openai/gpt-4o-mini", "-", typed=plain).stdout


def test_a_refusal_is_told_with_its_reason_and_ends_with_one() -> None:
    result = run("openai/gpt-4o-mini", "-", typed=ELSEWHERE)
    assert result.exit_code == 1
    assert (
        "\n1. openai/gpt-4o-mini\n   refused\n     openai_responses: This request cannot be sent"
        in result.stdout
    )
    assert "mcp_servers" in result.stdout


def test_only_what_happens_at_the_first_target_decides_how_it_exits() -> None:
    result = run("quick", "-", typed=ELSEWHERE)
    assert result.exit_code == 0
    assert "2. openai/gpt-4o-mini\n   refused" in result.stdout


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["nobody/m"], None, "The model 'nobody/m' does not exist"),
        (["quick", "-"], "{", "JSON"),
        (["quick", "-"], "[]", "object"),
    ],
)
def test_what_cannot_be_explained_is_an_error_in_a_sentence_or_in_json(
    words: list[str], typed: str | None, said: str
) -> None:
    plain = run(*words, typed=typed)
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert said in plain.stderr
    assert "Traceback" not in plain.output
    wrapped = run(*words, "--json", typed=typed)
    assert wrapped.exit_code == 1
    assert json.loads(wrapped.stdout)["ok"] is False
    assert said in json.loads(wrapped.stdout)["error"]["message"]


def test_a_request_like_none_needs_to_be_told_its_dialect() -> None:
    result = run("quick", "-", typed="{}")
    assert result.exit_code == 2
    assert "name its --dialect" in result.stderr


def test_a_configuration_with_faults_is_told_as_check_tells_it(folder: Path) -> None:
    (folder / "madang.yaml").write_text("rotes: {}\n")
    result = run("quick", "--json")
    assert result.exit_code == 1
    assert "did you mean `routes`?" in result.stderr
    assert json.loads(result.stdout)["faults"][0]["path"] == "rotes"


def test_another_configuration_can_be_named(folder: Path) -> None:
    (folder / "other.yaml").write_text("routes: {slow: openai/gpt-4o}\n")
    assert run("slow").exit_code == 1
    assert "slow is a route" in run("slow", "--config", "other.yaml").stdout


def test_json_says_the_same() -> None:
    said = json.loads(run("quick", "-", "--json", typed=HELLO).stdout)
    assert (said["ok"], said["guessed"], said["client"], said["named"]) == (True, True, "anthropic", "route")
    assert [target["dialect"] for target in said["targets"]] == [
        "anthropic",
        "openai_responses",
        "openai_chat",
    ]
    assert [target["bytes_pass"] for target in said["targets"]] == [True, False, False]
    refused = run("openai/gpt-4o-mini", "-", "--json", typed=ELSEWHERE)
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["ok"] is False
    assert json.loads(refused.stdout)["targets"][0]["refused"][0]["code"] == "not_expressible"


def test_the_page_shows_what_is_printed(folder: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    (folder / "madang.yaml").write_text(
        "routes: {quick: {targets: [anthropic/claude-haiku-4-5, openai/gpt-4o-mini]}}\n"
    )
    (folder / "request.json").write_text(HELLO)
    assert f"$ madang explain quick request.json\n{run('quick', 'request.json').stdout}```" in page


def test_no_key_is_shown() -> None:
    assert "hunter2" not in run("quick").output + run("quick", "--json").output


def test_every_dialect_can_be_named() -> None:
    from madang.cli.explain import _DIALECTS
    from madang.dialects.every import DIALECTS

    assert tuple(DIALECTS) == _DIALECTS
