"""The end of the audit trail is sealed with its key."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """The key comes with the next entry, which seals all that stand before it."""
    op.add_column("audit_head", sa.Column("seal", sa.String(64)))


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
