"""`madang calls`: the calls that have ended, newest last, and those that end while one watches."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from madang.cli.open_store import open_store, same_as_serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from madang.core.record import Record
    from madang.store import Store

_POLL_SECONDS = 1.0
_PAGE = 1000

# Title and width in cells; the last one takes what is left. A minus is right-aligned.
_COLUMNS = (
    ("ENDED", 14),
    ("KEY", 12),
    ("MODEL", 36),
    ("STATUS", -6),
    ("OUTCOME", 7),
    ("FIRST", -6),
    ("TOTAL", -6),
    ("IN", -6),
    ("OUT", -6),
    ("NOTE", 0),
)
_COLOURS = {"ok": None, "refused": "yellow", "failed": "red", "cut": "red", "left": "cyan"}


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on and show calls as they end, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line, with every field.")
@click.option("--key", help="Only calls with this key, by its id or name.")
@click.option("--model", help="Only calls to this model, by its name in the call or at the provider.")
@click.option(
    "--outcome",
    type=click.Choice(list(_COLOURS)),
    help="Only calls that ended so: ok, refused (their mistake), failed, cut (broke off), left (hung up).",
)
@same_as_serve
@click.pass_context
def calls(
    ctx: click.Context,
    limit: int,
    follow: bool,
    as_json: bool,
    key: str | None,
    model: str | None,
    outcome: str | None,
) -> None:
    """Show the calls that ended last, the newest at the bottom.

    FIRST is the time to the first byte of the answer, TOTAL to its end; IN and OUT are tokens as
    the provider counted them. What was said in a call is not kept, so it cannot be shown.

    \b
    Examples:
      madang calls
      madang calls --follow --outcome failed
      madang calls --key team-a --limit 100 --json
    """
    from madang.core.record import Outcome

    store = open_store(ctx, make=False)

    def read(count: int, after: str | None) -> list[Record]:
        ended = Outcome(outcome) if outcome else None
        return store.calls.recent(count, after=after, key=key, model=model, outcome=ended)[::-1]

    newest = _newest(store) if follow else None
    show = _show_json if as_json else _show_line
    found = read(limit, None)
    if not as_json and (found or follow):
        click.echo(_line([title for title, _ in _COLUMNS]), err=True)
    for record in found:
        show(record)
    if newest is not None:
        _follow(read, found[-1].id if found else newest, show)
    elif not found:
        click.echo("No such calls yet.", err=True)


def _newest(store: Store) -> str:
    """Where to follow from if nothing is shown before: "" is the very beginning."""
    newest = store.calls.recent(1)
    return newest[0].id if newest else ""


def _follow(
    read: Callable[[int, str | None], list[Record]], after: str, show: Callable[[Record], None]
) -> None:
    try:
        while True:
            found = read(_PAGE, after)
            for record in found:
                show(record)
            after = found[-1].id if found else after
            if len(found) < _PAGE:
                pause(_POLL_SECONDS)
    except KeyboardInterrupt:
        return


pause = time.sleep
"""Between two looks. A name of its own, so that a test can look in without waiting."""


def _show_json(record: Record) -> None:
    import msgspec

    click.echo(msgspec.json.encode(record).decode())


def _show_line(record: Record) -> None:
    click.secho(_line(_cells(record)), fg=_COLOURS[record.outcome])


def _cells(record: Record) -> list[str]:
    usage = record.usage
    return [
        _local(record.started_at + record.duration_us),
        record.key_name or "-",
        _model(record),
        str(record.status or "-"),
        record.outcome.value,
        _span(record.first_byte_us),
        _span(record.duration_us),
        _count(usage.input_tokens if usage else None),
        _count(usage.output_tokens if usage else None),
        _note(record),
    ]


def _model(record: Record) -> str:
    """As asked for, and where it went if that is something else."""
    asked = record.route or record.operation
    sent = f"{record.provider}/{record.model}" if record.model else record.provider
    return asked if sent is None or sent == asked else f"{asked} > {sent}"


def _note(record: Record) -> str:
    tries = f", {len(record.attempts)} tries" if len(record.attempts) > 1 else ""
    return f"{record.error or record.stop_reason or ''}{tries}".removeprefix(", ")


def _local(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone().strftime("%m-%d %H:%M:%S")


def _span(microseconds: int | None) -> str:
    if microseconds is None:
        return "-"
    if microseconds < 999_500:
        return f"{microseconds / 1e3:.0f}ms"
    seconds = microseconds / 1e6
    return f"{seconds:.1f}s" if seconds < 100 else f"{seconds / 60:.0f}min"


def _count(tokens: int | None) -> str:
    return "-" if tokens is None else str(tokens)


def _line(cells: list[str]) -> str:
    from rich.cells import cell_len, set_cell_size

    shown = []
    for (_, width), cell in zip(_COLUMNS, cells, strict=True):
        text = _printable(cell)
        if width < 0:
            text = " " * (-width - cell_len(text)) + text
        elif width:
            text = set_cell_size(
                text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…", width
            )
        shown.append(text)
    return " ".join(shown).rstrip()


def _printable(text: str) -> str:
    """Clients and providers chose some of this text: it must not steer the terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
