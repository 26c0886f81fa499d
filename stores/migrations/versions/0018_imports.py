"""Readings that people hand in, and what is asked of ingest about them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Nothing was handed in before."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    texts = ("file", "state", "kind", "proposed_by", "confirmed_by", "undone_by", "reason", "outcome")
    op.create_table(
        "reading_import",
        sa.Column("id", number, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("readings", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_at", sa.String(length=32), nullable=False),
        sa.Column("confirmed_at", sa.String(length=32), nullable=True),
        sa.Column("undone_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reading_import"),
    )
    op.create_index("ix_reading_import_digest", "reading_import", ["digest"])
    op.add_column("errand", sa.Column("of_import", number, nullable=True))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
