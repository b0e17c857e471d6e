"""`madang`: the commands, found by name and imported when called."""

from __future__ import annotations

import importlib

import click

from madang import __version__
from madang.core.errors import MadangError

_COMMANDS = ("serve", "check", "keys", "calls", "simulate")
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

    \b
    madang serve              start the gateway and the chat page on 127.0.0.1:4000
    madang check              is the configuration sound, and what does it mean
    madang keys create NAME   make a key for an application
    madang calls --follow     watch calls as they end
    madang simulate           a provider to test against, faults included
    """
    ctx.ensure_object(dict)
