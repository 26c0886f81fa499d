"""Adjusting entries may be proposed first, and decided by people; the rules that stored figures were made by are known."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Entries so far were entered at once; figures so far were made by rules before spells."""
    op.add_column("adjustment", sa.Column("state", sa.Text(), nullable=False, server_default="entered"))
    op.add_column("adjustment", sa.Column("decided_at", sa.String(length=32), nullable=True))
    op.add_column("adjustment", sa.Column("decided_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("adjustment", sa.Column("decision", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_adjustment_state", "adjustment", ["state", "id"])
    op.add_column("recomputation", sa.Column("proposes", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("watched", sa.Column("rules", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
