"""Changes are held to what the person saw who makes them: acts are counted, revisions say what they changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add what a refusal tells."""
    op.add_column("alert", sa.Column("acts", sa.Integer(), nullable=False, server_default="0"))
    op.execute("""UPDATE alert SET acts = (SELECT count(*) FROM case_event e WHERE e.alert = alert.id AND e."by" <> '')""")
    op.add_column("revision", sa.Column("summary", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":  # SQLite's are as large as that already
        for table, column in (("errand", "item"), ("errand", "id"), ("quarantine", "id")):
            op.alter_column(table, column, type_=sa.BigInteger())
        for table in ("errand", "quarantine"):
            op.execute(f"ALTER SEQUENCE {table}_id_seq AS bigint")


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
