"""From a driver's complaint to a sentence that helps.

The drivers' texts name no password; should one appear all the same, it is masked.
"""

from __future__ import annotations

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from madang.core.errors import StoreError
from madang.core.secret import MASK
from madang.store.address import passwords, place

# First match wins; the left side is searched in the driver's text, lower-cased.
_ADVICE = (
    ("file is not a database", "it is not a SQLite database; name another file"),
    ("malformed", "the file is damaged; restore a copy, or move it away to start afresh"),
    ("unable to open database file", "it cannot be opened; its folder must exist and be writable"),
    ("readonly database", "it cannot be written; check the owner and mode of the file and its folder"),
    ("disk is full", "the disk is full; free some space"),
    ("database is locked", "another program has kept it locked for too long"),
    ("password authentication failed", "it refuses the user or the password"),
    ("no password supplied", "it wants a password and the URL has none"),
    ("does not exist", "the server is there, but not what the URL names"),
    ("connection refused", "nothing listens there; start the server or correct the URL"),
    ("timeout expired", "it does not answer; check the address and the firewall"),
    ("failed to resolve", "its host name is unknown; correct the URL"),
    ("could not translate host name", "its host name is unknown; correct the URL"),
)


def store_error(error: Exception, url: URL) -> StoreError:
    """The error to raise in place of a driver's or SQLAlchemy's; `from None`, for theirs may quote values."""
    said = _said(error)
    for word in passwords(url):
        said = said.replace(word, MASK)
    advice = next((advice for needle, advice in _ADVICE if needle in said.lower()), "it cannot be used")
    return StoreError(f"{place(url)}: {advice} ({said}).")


def _said(error: Exception) -> str:
    """The one line that tells most; libpq puts the reason last, after each address it tried."""
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if any(needle in line.lower() for needle, _ in _ADVICE)]
    return (reasons or lines or [type(error).__name__])[0].removesuffix(".")
