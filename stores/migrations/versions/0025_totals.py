"""Levels of buildings' totals, where a custodian graded them otherwise than what they sum."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Nobody has graded any yet."""
    op.add_column("building", sa.Column("totals", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
