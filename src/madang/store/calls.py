"""Calls: one row per finished call, written in batches, read back newest first.

Never their content. How a batch becomes one statement is in `batches.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from madang.core.errors import MadangError
from madang.core.record import Outcome, Record
from madang.store.batches import insert_batch
from madang.store.database import BadValue, Database
from madang.store.rows import record_of, storable_record
from madang.store.tables import calls
from madang.store.text import storable

# What a value that no engine takes is reported as, by the driver or on the way to it.
_BAD = (BadValue, UnicodeError, OverflowError, TypeError)

_log = logging.getLogger("madang.store")


class NoSuchRecord(MadangError):
    """No record has the id that was given as a cursor."""


class Calls:
    """The records of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, records: Sequence[Record]) -> None:
        """Write all of them in one transaction. One that is there already, by its id, is left alone.

        A value the engine cannot keep is replaced by one it can; a record that still does not fit
        is given up with a log line, so that it cannot hold up the others for ever.

        Raises:
            StoreError: the database cannot be used just now; nothing was written.
        """
        try:
            self._insert(records)
        except _BAD:
            self._insert_storable([storable_record(record) for record in records])

    def recent(
        self,
        limit: int = 100,
        *,
        before: str | None = None,
        after: str | None = None,
        key: str | None = None,
        model: str | None = None,
        outcome: Outcome | None = None,
        status: int | None = None,
    ) -> list[Record]:
        """At most `limit` records in the order they were written, newest first.

        `before` and `after` are ids of records: the newest ones before the one, or the oldest ones
        after the other, so that going on from the first record of an answer misses none. An `after`
        of "" is before every record. `key` is a key's id or name, `model` a name as the client or
        as the provider was given it.

        Raises:
            NoSuchRecord: a cursor is not, or no longer, there.
        """
        query = _filtered(select(calls), key, model, outcome, status).limit(max(limit, 0))
        with self._database.reading() as connection:
            if before is not None:
                query = query.where(calls.c.seq < _position(connection, before))
            if after is None:
                return _records(connection, query.order_by(calls.c.seq.desc()))
            query = query.where(calls.c.seq > _position(connection, after))
            return _records(connection, query.order_by(calls.c.seq))[::-1]

    def count(self) -> int:
        """How many there are. Counts them, so it takes longer the more there are."""
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(calls)).scalar_one()

    def _insert(self, records: Sequence[Record]) -> None:
        with self._database.writing() as connection:
            insert_batch(connection, records)

    def _insert_storable(self, records: Sequence[Record]) -> None:
        try:
            return self._insert(records)
        except _BAD:
            for record in records:
                self._insert_alone(record)

    def _insert_alone(self, record: Record) -> None:
        try:
            self._insert([record])
        except _BAD as error:
            _log.error("record %r does not fit and is given up (%s)", record.id, type(error).__name__)


def _filtered(
    query: Select[Any], key: str | None, model: str | None, outcome: Outcome | None, status: int | None
) -> Select[Any]:
    if key is not None:
        query = query.where((calls.c.key_id == storable(key)) | (calls.c.key_name == storable(key)))
    if model is not None:
        query = query.where((calls.c.route == storable(model)) | (calls.c.model == storable(model)))
    if outcome is not None:
        query = query.where(calls.c.outcome == outcome.value)
    if status is not None:
        query = query.where(calls.c.status == status)
    return query


def _position(connection: Connection, record_id: str) -> int:
    if not record_id:
        return 0
    query = select(calls.c.seq).where(calls.c.id == storable(record_id))
    found: int | None = connection.execute(query).scalar()
    if found is None:
        raise NoSuchRecord(f"No record has the id {record_id!r}.")
    return found


def _records(connection: Connection, query: Select[Any]) -> list[Record]:
    return [record_of(row) for row in connection.execute(query)]
