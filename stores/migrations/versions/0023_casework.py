"""Casework: causes, snoozing, folded cases, savings that were measured, and what is planned."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Of no case that is known anybody has said so much."""
    for column in (
        sa.Column("cause", sa.Text()),
        sa.Column("snoozed_until", sa.String(32)),
        sa.Column("snoozed_over", sa.Double()),
        sa.Column("plan", sa.Integer()),
        sa.Column("parent", sa.String(36)),
        sa.Column("saving", sa.JSON()),
    ):
        op.add_column("alert", column)
    op.create_index("ix_alert_parent", "alert", ["parent"])
    op.create_table(
        "planned_event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text()),
        sa.Column("detector", sa.Text()),
        sa.Column("begins_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.Column("every_week", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.String(32), nullable=False),
        sa.Column("withdrawn_at", sa.String(32)),
    )
    op.create_index("ix_planned_event_building", "planned_event", ["building"])


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
