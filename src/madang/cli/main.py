"""`madang`: the commands, found by name and imported when called."""

from __future__ import annotations

import importlib

import click

from madang import __version__
from madang.core.errors import MadangError

_COMMANDS = ("serve", "check", "explain", "keys", "calls", "simulate")
"""In the order of help; each is the object of that name in the module of that name."""


class _Commands(click.Group):
    """Commands that are imported when needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(f"madang.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """click suggests commands that are imported already; here none is."""
        import difflib

        near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if near and args[0] not in _COMMANDS:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Errors raised on purpose are a sentence, not a traceback."""
        try:
            return super().invoke(ctx)
        except MadangError as problem:
            raise click.ClickException(str(problem)) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="madang")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Madang (마당): one courtyard between your applications and the language models.

    Each command has a --help of its own.

    \b
    Examples:
      madang serve
      madang keys create team-a
      madang calls --follow
    """
    ctx.ensure_object(dict)
