"""Who decides about data levels, and the level that was decided last for each point, also for one that is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """No site has a custodian yet: levels change by the site file, as before."""
    op.add_column("site", sa.Column("custodian", sa.Text()))
    op.create_table(
        "graded_point",
        sa.Column("point", sa.Text(), primary_key=True),
        sa.Column("level", sa.Text(), nullable=False),
    )
    op.execute("INSERT INTO graded_point (point, level) SELECT id, level FROM point WHERE level IS NOT NULL")


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
