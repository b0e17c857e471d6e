"""What a translated call lost, which dialect its provider was spoken to in, and usage in more detail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; older calls have nothing in them."""
    for name in ("provider_dialect", "losses"):
        op.add_column("calls", sa.Column(name, sa.Text))
    for name in ("cache_write_tokens", "audio_input_tokens", "audio_output_tokens"):
        op.add_column("calls", sa.Column(name, sa.BigInteger))
