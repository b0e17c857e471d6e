"""`madang keys`: make, list and revoke keys, and change the admin key.

A secret goes to standard output, alone on its line, so that a script can catch it; all else that
is said about it goes to standard error.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from madang.cli.expiry import expiry_after, expiry_option
from madang.cli.open_store import environment, key_defaults, open_store, same_as_serve

if TYPE_CHECKING:
    from madang.store import Key, NewKey

# Below this many cells the table leaves out what is needed least.
_ROOMY = 110


@click.group()
def keys() -> None:
    """Make, list and revoke the keys that applications call with.

    A running server hears of a change within a second.

    \b
    Examples:
      madang keys create team-a
      madang keys list
      madang keys revoke team-a
    """


@keys.command()
@click.argument("name")
@click.option("--owner", help="Who answers for it: a person, a team, an address.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="PATTERN",
    help="A model it may call, by name or pattern (openai/*). Repeat for more. Default: every model.",
)
@click.option(
    "--expires",
    metavar="WHEN",
    callback=expiry_option,
    help="When it stops working: 30d, 12h, 90m, 4w, 2026-12-31 (at the end of that day) or never.",
)
@same_as_serve
@click.pass_context
def create(
    ctx: click.Context, name: str, owner: str | None, models: tuple[str, ...], expires: int | None
) -> None:
    """Make a key called NAME and print its secret, once.

    Only a hash is kept: a lost secret cannot be shown again, make another key. What is not
    said here comes from `keys` in the configuration.

    \b
    Examples:
      madang keys create team-a
      madang keys create ci --owner build@example.com --model 'openai/*' --expires 30d
      KEY=$(madang keys create script)
    """
    defaults = key_defaults(ctx)
    allowed = models or defaults.models
    if expires is None and defaults.expires_days is not None:
        expires = expiry_after(days=defaults.expires_days)
    _show_once(open_store(ctx).keys.create(name, owner=owner, models=allowed, expires_at=expires or None))


def _show_once(made: NewKey) -> None:
    key = made.key
    click.echo(made.secret.reveal())
    models = "every model" if key.models is None else ", ".join(key.models)
    until = f"until {_when(key.expires_at)}" if key.expires_at else "with no expiry"
    click.echo(f"Key {key.name} ({key.id}): {models}, {until}.", err=True)
    click.echo("This is the only time its secret is shown.", err=True)


@keys.command("list")
@click.option("--all", "include_revoked", is_flag=True, help="Revoked keys as well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line; times in microseconds.")
@same_as_serve
@click.pass_context
def list_keys(ctx: click.Context, include_revoked: bool, as_json: bool) -> None:
    """List the keys, oldest first. Secrets are not kept, so they are not shown.

    A narrow terminal shows neither ids nor when a key was made; --json always does.

    \b
    Examples:
      madang keys list
      madang keys list --all --json
    """
    found = open_store(ctx, make=False).keys.list(include_revoked=include_revoked)
    if as_json:
        for key in found:
            click.echo(_json(key))
    elif found:
        _print_table(found)
    else:
        click.echo("No keys yet; `madang keys create NAME` makes one.", err=True)


def _json(key: Key) -> str:
    import msgspec

    fields = msgspec.structs.asdict(key)
    del fields["hash"]
    return msgspec.json.encode(fields).decode()


def _print_table(found: list[Key]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Into a file or a pipe nothing is cut to the width of a screen.
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    left_out = {"ID", "CREATED"} if console.width < _ROOMY else set()
    rows = [_cells(key) for key in found]
    table = Table(box=None, pad_edge=False)
    titles = [title for title in rows[0] if title not in left_out]
    for title in titles:
        table.add_column(title, no_wrap=title in {"ID", "KEY", "EXPIRES", "STATE"}, overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[title]) for title in titles))
    console.print(table)


def _cells(key: Key) -> dict[str, str]:
    return {
        "ID": key.id,
        "NAME": key.name,
        "OWNER": key.owner or "",
        "KEY": key.hint,
        "MODELS": "all" if key.models is None else ", ".join(key.models),
        "CREATED": _when(key.created_at),
        "EXPIRES": _when(key.expires_at) if key.expires_at else "never",
        "STATE": _state(key),
    }


def _state(key: Key) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC).timestamp() * 1e6:
        return "expired"
    return "admin" if key.admin else "live"


def _when(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


@keys.command()
@click.argument("id_or_name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@same_as_serve
@click.pass_context
def revoke(ctx: click.Context, id_or_name: str, yes: bool) -> None:
    """Revoke a key, for good. Calls that are under way end as they would have.

    Where several keys have the name, say which by its id.

    \b
    Examples:
      madang keys revoke team-a
      madang keys revoke key_1ng095cyb0y2xxn00000001 --yes
    """
    store = open_store(ctx, make=False)
    key = store.keys.find(id_or_name)
    if key is not None and key.revoked_at is not None:
        click.echo(f"{key.name} ({key.id}) is revoked already.", err=True)
        return
    if key is not None and not yes:
        click.confirm(f"Revoke {key.name} ({key.id}, {key.hint})?", abort=True, err=True)
    revoked = store.keys.revoke(key.id if key is not None else id_or_name)
    click.echo(f"Revoked {revoked.name} ({revoked.id}); servers refuse it within a second.", err=True)


@keys.command("reset-admin")
@same_as_serve
@click.pass_context
def reset_admin(ctx: click.Context) -> None:
    """Make a new admin key and print it, once. The old one stops working.

    For when the admin key was lost, or seen by somebody. A server that is started with
    MADANG_ADMIN_KEY needs that variable changed as well.

    \b
    Examples:
      madang keys reset-admin
      ADMIN=$(madang keys reset-admin)
    """
    from madang.store import new_secret

    secret = new_secret()
    key = open_store(ctx).keys.set_admin(secret)
    click.echo(secret.reveal())
    click.echo(f"This is the admin key now ({key.id}), shown this once; the old one has ended.", err=True)
    if environment(ctx).get("MADANG_ADMIN_KEY"):
        click.echo("MADANG_ADMIN_KEY is set here: change or remove it before the next start.", err=True)
