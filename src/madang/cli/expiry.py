"""`--expires`: a span from now or a moment, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

import click

_SPAN = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WANTED = "write 30d, 12h, 90m, 4w, a date such as 2026-12-31, or never"


def expiry_option(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """For an option's callback: microseconds since 1970; 0 for `never`, None where nothing was said."""
    if value is None:
        return None
    now = datetime.now(UTC)
    try:
        moment = read_expiry(value.strip(), now)
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"{value!r} is no time; {_WANTED}.") from None
    if moment is None:
        return 0
    if moment <= now:
        raise click.BadParameter(f"{value!r} is over already; {_WANTED}.")
    return microseconds(moment)


def read_expiry(text: str, now: datetime) -> datetime | None:
    """The moment that `text` means; None is `never`. A date means its end, a time is local unless it says.

    Raises:
        ValueError, OverflowError: it means none.
    """
    if text == "never":
        return None
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    moment = datetime.fromisoformat(text)
    if len(text) == len("2026-12-31"):
        moment = datetime.combine(moment, time.max)
    return moment.astimezone(UTC)


def expiry_after(*, days: int) -> int:
    return microseconds(datetime.now(UTC) + timedelta(days=days))


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
