"""Keys, the counter of their changes, and calls."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    _keys()
    _calls()


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("models", sa.Text),
        sa.Column("admin", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.UniqueConstraint("hash", name="uq_keys_hash"),
    )
    op.create_index("ix_keys_name", "keys", ["name"])
    op.create_index("ix_keys_version", "keys", ["version"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("dialect", "key_id", "key_name", "owner")),
        *(sa.Column(name, sa.Text) for name in ("route", "provider", "model")),
        sa.Column("attempts", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("status", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("stop_reason", sa.Text),
        *(sa.Column(f"{kind}_tokens", sa.BigInteger) for kind in ("input", "output", "cached", "reasoning")),
        sa.Column("first_byte_us", sa.BigInteger),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("duration_us", "request_bytes", "response_bytes")
        ),
        sa.Column("upstream_id", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_calls"),
        sa.UniqueConstraint("id", name="uq_calls_id"),
    )
