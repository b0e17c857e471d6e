"""`madang calls`: the calls that have ended, newest last, and those that end while one watches."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from madang.cli.open_store import open_store, same_as_serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from madang.core.record import Record
    from madang.store import Store

_POLL_SECONDS = 1.0
_PAGE = 1000

# Below this many cells some columns go and others shrink, so that a call stays one line.
_ROOMY = 110
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
    the provider counted them. NOTE says of a translated call from which dialect into which, and
    how many of its features could not be. A narrow terminal shows less of it; --json always
    shows everything. What was said in a call is not kept, so it cannot be shown.

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
    table = _Table(screen_width())
    show = _show_json if as_json else table.show
    found = read(limit, None)
    if not as_json and (found or follow):
        click.echo(table.heading(), err=True)
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

    shown = msgspec.to_builtins(record)
    if record.usage is not None:
        del shown["usage"]["extra"]  # never stored
    click.echo(msgspec.json.encode(shown).decode())


def screen_width() -> int | None:
    """Cells of the terminal; None where lines go into a file or a pipe, and nothing is cut."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


class _Column(NamedTuple):
    title: str
    width: int
    """In cells; a minus is right-aligned, 0 takes what is left."""
    cell: Callable[[Record], str]


class _Table:
    """A line for each call, as wide as the screen."""

    def __init__(self, width: int | None) -> None:
        self._width = width
        self._columns = _narrow(width) if width is not None and width < _ROOMY else _wide(width)

    def heading(self) -> str:
        return self._line([column.title for column in self._columns])

    def show(self, record: Record) -> None:
        cells = [column.cell(record) for column in self._columns]
        click.secho(self._line(cells), fg=_COLOURS[record.outcome])

    def _line(self, cells: list[str]) -> str:
        from rich.cells import cell_len

        line = ""
        for column, cell in zip(self._columns, cells, strict=True):
            text = _printable(cell)
            if column.width < 0:
                text = " " * (-column.width - cell_len(text)) + text
            elif column.width or self._width:
                text = _fitted(text, column.width or (self._width or 0) - cell_len(line))
            line += f"{text} "
        return line.rstrip()


def _wide(width: int | None) -> tuple[_Column, ...]:
    model = 36 if width is None else min(36, width - 90)
    return (
        _Column("ENDED", 14, lambda record: _ended(record).strftime("%m-%d %H:%M:%S")),
        _Column("KEY", 12, _key),
        _Column("MODEL", model, _model),
        _Column("STATUS", -6, _status),
        _Column("OUTCOME", 7, _outcome),
        _Column("FIRST", -6, lambda record: _span(record.first_byte_us)),
        _Column("TOTAL", -6, _total),
        _Column("IN", -6, _input),
        _Column("OUT", -6, _output),
        _Column("NOTE", 0, _note),
    )


def _narrow(width: int) -> tuple[_Column, ...]:
    return (
        _Column("ENDED", 8, _ended_briefly),
        _Column("KEY", 8, _key),
        _Column("MODEL", max(8, width - 62), lambda record: record.route or record.operation),
        _Column("HTTP", -4, _status),
        _Column("OUTCOME", 7, _outcome),
        _Column("TOTAL", -5, _total),
        _Column("IN", -5, _input),
        _Column("OUT", -5, _output),
        _Column("NOTE", 0, _note),
    )


def _ended(record: Record) -> datetime:
    return datetime.fromtimestamp((record.started_at + record.duration_us) / 1e6, UTC).astimezone()


def _ended_briefly(record: Record) -> str:
    """As `ls` does it: the time of a call of today, the day of an older one."""
    ended = _ended(record)
    today = datetime.now(UTC).astimezone().date()
    return ended.strftime("%H:%M:%S" if ended.date() == today else "%m-%d")


def _key(record: Record) -> str:
    return record.key_name or "-"


def _model(record: Record) -> str:
    """As asked for, and where it went if that is something else."""
    asked = record.route or record.operation
    sent = f"{record.provider}/{record.model}" if record.model else record.provider
    return asked if sent is None or sent == asked else f"{asked} > {sent}"


def _status(record: Record) -> str:
    return str(record.status or "-")


def _outcome(record: Record) -> str:
    return record.outcome.value


def _total(record: Record) -> str:
    return _span(record.duration_us)


def _input(record: Record) -> str:
    return _count(record.usage.input_tokens if record.usage else None)


def _output(record: Record) -> str:
    return _count(record.usage.output_tokens if record.usage else None)


def _note(record: Record) -> str:
    notes = [record.error or record.stop_reason or ""]
    if len(record.attempts) > 1:
        notes.append(f"{len(record.attempts)} tries")
    if record.losses:
        notes.append(_how_many(record.losses))
    if record.provider_dialect is not None:
        notes.append(f"{record.dialect} > {record.provider_dialect}")
    return ", ".join(note for note in notes if note)


def _how_many(losses: str) -> str:
    """The losses of a header's value, counted; its end may be `and 3 more`."""
    listed = losses.split(", ")
    more = listed[-1].split()
    count = len(listed) - 1 + int(more[1]) if len(more) == 3 else len(listed)
    return "1 loss" if count == 1 else f"{count} losses"


def _span(microseconds: int | None) -> str:
    if microseconds is None:
        return "-"
    if microseconds < 999_500:
        return f"{microseconds / 1e3:.0f}ms"
    seconds = microseconds / 1e6
    return f"{seconds:.1f}s" if seconds < 100 else f"{seconds / 60:.0f}min"


def _count(tokens: int | None) -> str:
    return "-" if tokens is None else str(tokens)


def _fitted(text: str, width: int) -> str:
    """In exactly so many cells, with an ellipsis where something was cut off."""
    from rich.cells import cell_len, set_cell_size

    return set_cell_size(text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…", width)


def _printable(text: str) -> str:
    """Clients and providers chose some of this text: it must not steer the terminal."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
