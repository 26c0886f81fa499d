"""Meters that people read say how often."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Agents read all meters so far."""
    op.add_column("meter", sa.Column("read_every_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
