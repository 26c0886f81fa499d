"""Meters that are parts of one device say so."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """No meter has said so yet."""
    op.add_column("meter", sa.Column("shares_device", sa.Boolean(), nullable=True))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
