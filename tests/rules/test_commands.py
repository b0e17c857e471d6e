"""The command line explains itself: every command says what it does and shows how it is used."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest


def walk(command: click.Command, words: str = "madang") -> Iterator[tuple[str, click.Command]]:
    """Every command, by the words one types for it; groups load theirs when asked."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=words)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None, f"{words} lists {name} and does not have it"
            yield from walk(inner, f"{words} {name}")


@pytest.fixture(scope="module")
def commands() -> dict[str, click.Command]:
    cli = pytest.importorskip("madang.cli.main", reason="needs madang.cli.main")
    return dict(walk(cli.main))


def test_every_command_opens_with_a_sentence(commands: dict[str, click.Command]) -> None:
    assert [words for words, command in commands.items() if not command.get_short_help_str(limit=200)] == []


def test_every_command_shows_an_example(commands: dict[str, click.Command]) -> None:
    def has_example(words: str) -> bool:
        usage, _, text = (
            commands[words].get_help(click.Context(commands[words], info_name=words)).partition("\n\n")
        )
        return (
            usage.startswith("Usage") and re.search(rf"^\s+(?:\$ )?{words}\b", text, re.MULTILINE) is not None
        )

    assert [words for words in commands if not has_example(words)] == []


def test_every_option_says_what_it_does(commands: dict[str, click.Command]) -> None:
    options = ((words, param) for words, one in commands.items() for param in one.params)
    silent = [
        f"{words} --{option.name}"
        for words, option in options
        if isinstance(option, click.Option) and not option.help and not option.hidden
    ]
    assert silent == []
