"""Accounts: passwords, second factors, roles. Who could come in before may do all that they could do."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

FORMER_ROLES = ("officer", "system_administrator")


def upgrade() -> None:
    """Nobody may grant yet: the next who signs in at the machine's own console is the first administrator."""
    for name, kind in (("password", sa.Text()), ("totp", sa.Text()), ("totp_step", sa.BigInteger())):
        op.add_column("person", sa.Column(name, kind))
    op.add_column("person", sa.Column("closed_at", sa.String(32)))
    op.add_column("person", sa.Column("changes", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("token", sa.Column("begun_at", sa.String(32)))
    for name in ("browser", "address", "proof"):
        op.add_column("token", sa.Column(name, sa.Text()))
    grant = op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_role_grant_name"), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("level", sa.Text()),
        sa.Column("until", sa.String(32)),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_role_grant_name", "role_grant", ["name"])
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text(), sa.ForeignKey("person.name", name="fk_recovery_code_name"), nullable=False),
    )
    op.create_index("ix_recovery_code_name", "recovery_code", ["name"])
    op.create_table(
        "sign_in_attempt",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    same = {"part": "site", "target": "", "given_by": "", "given_at": now}
    names = op.get_bind().execute(sa.text("SELECT name FROM person ORDER BY name")).scalars().all()
    rows = [{"name": name, "role": role, **same} for name in names for role in FORMER_ROLES]
    if rows:
        op.get_bind().execute(sa.insert(grant), rows)


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
