"""An engine and its two kinds of transaction, reading and writing.

Whatever goes wrong inside comes out as a `StoreError` with a sentence for people.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from madang.core.errors import StoreError
from madang.store.address import place
from madang.store.faults import store_error

_BUSY_SECONDS = 10.0
_OLDEST_SQLITE = (3, 35, 0)


class BadValue(StoreError):
    """The database is well; a value it was given is not: too large, or breaking a constraint."""


class Database:
    """One body of SQL over two engines; `dialect` is `sqlite` or `postgresql`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect = engine.dialect.name

    @property
    def url(self) -> URL:
        return self._engine.url

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._spoken(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: committed at the end, undone when the body raises."""
        with self._spoken(), self._engine.connect() as plain:
            connection = plain.execution_options(madang_writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        try:
            yield
        except (DataError, IntegrityError) as error:
            raise BadValue(f"{place(self.url)} does not take a value ({type(error).__name__}).") from None
        except (SQLAlchemyError, sqlite3.Error) as error:
            # The bare driver's come from `_set_up`.
            raise store_error(error, self.url) from None


def connect(url: URL) -> Database:
    """The database at `url`, its tables not looked at yet. SQLite's file and folder are made if missing."""
    if url.drivername == "sqlite":
        return _sqlite(url)
    return _postgresql(url)


def _postgresql(url: URL) -> Database:
    # Without the second one a server that vanishes would hold a thread for a quarter of an hour.
    patience = {"connect_timeout": "5", "tcp_user_timeout": "15000"}
    try:
        engine = create_engine(
            url.update_query_dict({**patience, **url.query}), pool_pre_ping=True, hide_parameters=True
        )
    except ModuleNotFoundError:
        raise StoreError(
            "PostgreSQL needs one more package: pip install 'madang[postgres]', "
            "or in a checkout make serve LOCK=postgres."
        ) from None
    except SQLAlchemyError as error:
        raise store_error(error, url) from None
    return Database(engine)


def _sqlite(url: URL) -> Database:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed.")
    _make_file(Path(url.database or ""), url)
    # The driver's own idea of when to begin a transaction is switched off; ours is `_begin`.
    options = {"isolation_level": None, "timeout": _BUSY_SECONDS}
    engine = create_engine(url, connect_args=options, hide_parameters=True)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    database = Database(engine)
    _use_wal(database)
    return database


def _make_file(path: Path, url: URL) -> None:
    """Made here and not by SQLite, so that nobody else may read it from its first moment."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        what = f"{place(url)} cannot be opened for writing ({error.strerror or error})"
        raise StoreError(f"{what}; check the path, its owner and its mode.") from None


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin(connection: Connection) -> None:
    # A transaction that begins by reading and writes later fails at once when another one wrote
    # in between, however long the busy timeout is; so a writer takes the lock from the start.
    writes = connection.get_execution_options().get("madang_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _use_wal(database: Database) -> None:
    """The mode is kept in the file. Two processes that switch it at once get no waiting from SQLite."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return _switch_to_wal(database)
        except sqlite3.Error as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise store_error(error, database.url) from None
            time.sleep(0.01)


def _switch_to_wal(database: Database) -> None:
    raw = database._engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode=WAL")
    finally:
        raw.close()
