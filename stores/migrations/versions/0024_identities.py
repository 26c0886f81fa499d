"""By which account of a sign-in provider somebody is known: matched by a person, never by what the provider claims."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Nobody is known by any yet."""
    op.create_table(
        "identity",
        sa.Column("issuer", sa.Text(), primary_key=True),
        sa.Column("subject", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_identity_name"), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_identity_name", "identity", ["name"])


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
