"""When a session was used last."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Sessions that are open have not been seen yet."""
    op.add_column("token", sa.Column("seen_at", sa.String(32)))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
