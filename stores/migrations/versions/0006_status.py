"""What processes and agents say of themselves, and how far the watch has got: before, files beside each process."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add one row per process, one per agent, one per site that is watched."""
    op.create_table(
        "process_status",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.Column("has_ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_process_status"),
    )
    op.create_table(
        "agent_status",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("heard_ms", sa.BigInteger(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("buses", sa.JSON(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("store_hw", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_agent_status"),
    )
    op.create_table(
        "watched",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("through", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("site", name="pk_watched"),
    )


def downgrade() -> None:
    """Back to files."""
    for table in ("watched", "agent_status", "process_status"):
        op.drop_table(table)
