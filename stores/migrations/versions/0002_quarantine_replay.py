"""Quarantine that can be replayed and is bounded: what became of an item, how large it is, who asked for what."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add what became of an item, and the errands that people ask of ingest."""
    op.add_column("quarantine", sa.Column("payload_bytes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("quarantine", sa.Column("payload_dropped", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("quarantine", sa.Column("replayed_at", sa.String(length=32), nullable=True))
    op.add_column("quarantine", sa.Column("outcome", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE quarantine SET payload_bytes = length(payload)")
    op.create_index(
        "ix_quarantine_standing",
        "quarantine",
        ["discarded_at", "replayed_at", "reason", "agent", "count", "payload_bytes", "payload_dropped"],
        unique=False,
    )
    op.create_table(
        "errand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=True),
        sa.Column("open_key", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("done_at", sa.String(length=32), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["quarantine.id"], name="fk_errand_item"),
        sa.PrimaryKeyConstraint("id", name="pk_errand"),
        sa.UniqueConstraint("open_key", name="uq_errand_open_key"),
    )
    op.create_index("ix_errand_item", "errand", ["item"], unique=False)


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
