"""`madang` itself: what it lists, and what it makes of a word that is no command."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from madang.cli.main import main


@pytest.mark.parametrize(
    ("typed", "meant"), [("server", "serve"), ("key", "keys"), ("simulator", "simulate")]
)
def test_a_command_that_is_nearly_right_is_named(typed: str, meant: str) -> None:
    result = CliRunner().invoke(main, [typed])
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in result.stderr


def test_a_command_that_is_like_none_is_refused_without_a_guess() -> None:
    result = CliRunner().invoke(main, ["xyz"])
    assert result.exit_code == 2
    assert "No such command 'xyz'." in result.stderr
    assert "Did you mean" not in result.stderr


def test_on_eighty_columns_no_sentence_of_the_list_is_cut_off() -> None:
    listed = CliRunner().invoke(main, ["--help"]).stdout.partition("Commands:")[2].splitlines()
    assert len([line for line in listed if line.strip()]) >= 5
    assert [line for line in listed if line.endswith("...")] == []
