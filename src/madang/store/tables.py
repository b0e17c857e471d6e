"""The tables. `migrations/` makes the same ones step by step; a test holds the two together.

A change here needs a migration there and its number at the end of `schema.REVISIONS`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""`keys`: the version of the last change to a key; see `keys.py`."""

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("owner", Text),
    Column("hint", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    Column("models", Text),
    Column("admin", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("version", BigInteger, nullable=False),
    Index(None, "name"),
    Index(None, "version"),
)

calls = Table(
    "calls",
    metadata,
    # SQLite numbers rows by itself only in a column typed INTEGER, exactly.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("started_at", BigInteger, nullable=False),
    Column("operation", Text, nullable=False),
    Column("dialect", Text),
    Column("key_id", Text),
    Column("key_name", Text),
    Column("owner", Text),
    Column("route", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("attempts", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("streamed", Boolean, nullable=False),
    Column("status", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("error", Text),
    Column("stop_reason", Text),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("first_byte_us", BigInteger),
    Column("duration_us", BigInteger, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("response_bytes", BigInteger, nullable=False),
    Column("upstream_id", Text),
    Column("provider_dialect", Text),
    Column("losses", Text),
    Column("cache_write_tokens", BigInteger),
    Column("audio_input_tokens", BigInteger),
    Column("audio_output_tokens", BigInteger),
)
"""One row per `Record`; `seq` is the order of writing. No further index: each one slows every insert."""
