"""A batch of records into few statements, holding Python's lock as little as may be.

The event loop serves calls while the ledger's thread writes. A driver lets go of the lock around
each statement it runs and must get it back afterwards, so what counts is the number of statements
and the work of preparing them. The figures are in docs/decisions/0003-records-in-batches.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain

import msgspec
from sqlalchemy import BigInteger, Boolean, Connection

from madang.core.record import Record
from madang.store.rows import COLUMNS, USAGE, row_of
from madang.store.tables import calls

_INSERT = f"INSERT INTO calls ({', '.join(COLUMNS)})"
_ONCE = "ON CONFLICT (id) DO NOTHING"

# SQLite takes 32,766 parameters in a statement; each size that was used stays prepared.
_MOST_ROWS = 256

# Writers take turns, so that the order of `seq` is the order in which records can first be seen,
# and whoever follows from the last `seq` seen misses none. Any number of our own will do.
_TURN = 0x6D61_6461_6E68

_encode = msgspec.json.Encoder().encode


def insert_batch(connection: Connection, records: Sequence[Record]) -> None:
    """Insert `records` in their order, inside the transaction that `connection` is in."""
    if connection.dialect.name == "sqlite":
        insert_rows(connection, records)
    else:
        insert_json(connection, records)


def insert_rows(connection: Connection, records: Sequence[Record]) -> None:
    """SQLite: rows as parameters of statements with many rows."""
    start = 0
    for size in portions(len(records)):
        rows = map(row_of, records[start : start + size])
        connection.exec_driver_sql(_statement(size), tuple(chain.from_iterable(rows)))
        start += size


def portions(count: int) -> Iterator[int]:
    """`count` as a sum of powers of two, largest first: nine statements serve batches of every size."""
    size = _MOST_ROWS
    while count:
        if size <= count:
            count -= size
            yield size
        else:
            size //= 2


@cache
def _statement(size: int) -> str:
    row = f"({', '.join('?' * len(COLUMNS))})"
    return f"{_INSERT} VALUES {', '.join([row] * size)} {_ONCE}"


def insert_json(connection: Connection, records: Sequence[Record]) -> None:
    """PostgreSQL: the batch as one JSON text, taken apart by the server."""
    if records:
        connection.exec_driver_sql(_FROM_JSON, (_encode(records).decode(),))


def _from_json() -> str:
    taken = (f"(usage->>'{name}')::bigint" if name in USAGE else name for name in COLUMNS)
    given = (f"{name} {sql_type(name)}" for name in COLUMNS if name not in USAGE)
    turn = f"WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock({_TURN}))"
    batch = f"json_to_recordset(%s::json) AS batch ({', '.join(given)}, usage json)"
    return " ".join((turn, _INSERT, "SELECT", ", ".join(taken), "FROM turn,", batch, _ONCE))


def sql_type(column: str) -> str:
    kind = calls.c[column].type
    return "bigint" if isinstance(kind, BigInteger) else "boolean" if isinstance(kind, Boolean) else "text"


_FROM_JSON = _from_json()
