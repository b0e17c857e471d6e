"""Where the database is: from the URL people write to the one SQLAlchemy takes.

And a name for it that may be shown: no password in it, wherever the URL had one.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from madang.core.errors import StoreError

_POSTGRESQL = "postgresql+psycopg"
# Heroku and its kin still hand out `postgres://`.
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": _POSTGRESQL,
    "postgresql": _POSTGRESQL,
    _POSTGRESQL: _POSTGRESQL,
}
_WANTED = "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


def default_url(data_dir: Path) -> str:
    """The embedded database of a data folder.

    Raises:
        StoreError: the folder's name cannot be written in a URL.
    """
    path = str(data_dir / "madang.db")
    url = URL.create("sqlite", database=path).render_as_string()
    # SQLAlchemy 2.0 escapes nothing in a path, and would cut it at a question mark; 2.1 does.
    if make_url(url).database != path:
        raise StoreError(
            f"The data folder {str(data_dir)!r} has a character no URL can hold; choose another."
        )
    return url


def read_url(text: str) -> URL:
    """`text` as a URL of an engine we have.

    Raises:
        StoreError: it is no URL, names another engine, or a database in memory.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # Not chained: SQLAlchemy quotes the URL, and so perhaps a password.
        raise StoreError(f"The database's URL cannot be read; {_WANTED}.") from None
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise StoreError(f"There is no support for {url.drivername!r} databases; {_WANTED}.")
    if driver == "sqlite":
        _check_file(url.database)
    return url.set(drivername=driver)


def _check_file(path: str | None) -> None:
    if not path or path == ":memory:" or path.startswith("file:"):
        raise StoreError("SQLite needs the path of a file, so that threads can share it: sqlite:///PATH.")


def place(url: URL) -> str:
    """The database's name for people. Without user, password and query."""
    if url.drivername == "sqlite":
        return str(url.database)
    port = f":{url.port}" if url.port else ""
    return f"PostgreSQL database {url.database or ''!r} at {url.host or 'localhost'}{port}"


def passwords(url: URL) -> list[str]:
    """What must not be shown: the password, in whichever part of the URL it is."""
    query = url.query.get("password", ())
    return [word for word in (url.password, *((query,) if isinstance(query, str) else query)) if word]


def missing_file(text: str) -> Path | None:
    """The file of an embedded database that nobody has made yet."""
    url = read_url(text)
    path = Path(url.database or "")
    return path if url.drivername == "sqlite" and not path.exists() else None
