"""Bringing a database to the tables this code knows, whoever else is trying the same just now.

Alembic is imported only when there is an old database to bring forward: an up-to-date one is
recognised by its number, a new one is made from `tables.py` directly. That saves a start 0.3 s.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from madang.core.errors import StoreError
from madang.store.address import place
from madang.store.database import Database
from madang.store.tables import metadata

REVISIONS = ("0001", "0002")
"""Every migration, oldest first."""
HEAD = REVISIONS[-1]

MIGRATIONS = Path(__file__).parent / "migrations"

# Any number that no other program on the same server is likely to have chosen.
_LOCK = 0x6D61_6461_6E67
"""PostgreSQL's advisory lock under which tables are made and changed."""


def prepare(database: Database) -> None:
    """Make or migrate the tables, unless they are as they should be.

    Raises:
        StoreError: the database is newer than this code, or has tables that are not ours.
    """
    with database.reading() as connection:
        if _revision(connection) == HEAD:
            return
    with database.writing() as connection:
        _wait_for_turn(connection)
        found = _revision(connection)
        if found is None:
            _make(connection, database)
        elif found not in REVISIONS:
            raise StoreError(
                f"{place(database.url)} is at revision {found!r}, which this version of Madang (up to "
                f"{HEAD!r}) does not know: start the newer version that made it, or name another database."
            )
        elif found != HEAD:
            migrate(connection)


def migrate(connection: Connection, to: str = HEAD) -> None:
    """Run the migrations that are missing, inside the transaction that `connection` is in."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, to)


def _wait_for_turn(connection: Connection) -> None:
    # On SQLite a writing transaction has the whole database to itself already.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _make(connection: Connection, database: Database) -> None:
    taken = set(inspect(connection).get_table_names()) & set(metadata.tables)
    if taken:
        names = ", ".join(sorted(taken))
        raise StoreError(f"{place(database.url)} has tables of another program ({names}); name another.")
    metadata.create_all(connection, checkfirst=False)
    # As Alembic would make it.
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
