"""Lists and counts are questions to the database, with indexes that a page walks along; one ingest takes a replay."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FILLED = sa.text("payload_bytes > 0")


def upgrade() -> None:
    """Add the indexes, in place of two that nothing asks for any more, and who has taken an errand."""
    op.drop_index("ix_alert_raised_at", "alert")
    op.create_index("ix_alert_state_raised_at", "alert", ["state", "raised_at", "id"])
    op.create_index("ix_alert_building_state", "alert", ["building", "state", "raised_at", "id"])
    op.create_index("ix_closed_month_building", "closed_month", ["building", "month"])
    op.drop_index("ix_adjustment_building_month", "adjustment")
    op.create_index("ix_adjustment_building_at", "adjustment", ["building", "at"])
    op.create_index("ix_adjustment_meter", "adjustment", ["meter", "quantity", "month"])
    op.create_index("ix_recomputation_finished_at", "recomputation", ["finished_at", "id"])
    op.create_index("ix_errand_done_at", "errand", ["done_at", "id"])
    op.create_index("ix_quarantine_reason", "quarantine", ["reason", "id"])
    op.create_index("ix_quarantine_agent", "quarantine", ["agent", "id"])
    filled = ["id", "payload_bytes", "discarded_at", "replayed_at"]
    op.create_index("ix_quarantine_filled", "quarantine", filled, sqlite_where=FILLED, postgresql_where=FILLED)
    op.add_column("errand", sa.Column("taken_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("errand", sa.Column("taken_at", sa.String(length=32), nullable=True))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
