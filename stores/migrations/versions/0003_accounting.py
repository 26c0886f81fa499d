"""Accounting: tariffs, notices, the meter ledger, closed months, adjusting entries, recomputations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the tables, and what meters, points and buildings learn."""
    op.add_column("building", sa.Column("armed", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("meter", sa.Column("rolls_over_at", sa.Double(), nullable=True))
    op.add_column("meter", sa.Column("most_per_hour", sa.Double(), nullable=True))
    op.add_column("point", sa.Column("ratio", sa.Text(), nullable=True))
    op.create_table(
        "tariff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("prices", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("otherwise", sa.Text(), nullable=True),
        sa.Column("buildings", sa.JSON(), nullable=False),
        sa.Column("tiers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("capacity", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("demand", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("fixed_per_month", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tariff"),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("workdays", sa.JSON(), nullable=False),
        sa.Column("days_off", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=True),
        sa.Column("rolls_over_at", sa.Double(), nullable=True),
        sa.Column("ct_ratio", sa.Double(), nullable=False),
        sa.Column("pt_ratio", sa.Double(), nullable=False),
        sa.Column("told_ct_ratio", sa.Double(), nullable=True),
        sa.Column("told_pt_ratio", sa.Double(), nullable=True),
        sa.Column("opening", sa.Double(), nullable=True),
        sa.Column("closing", sa.Double(), nullable=True),
        sa.Column("continues", sa.Boolean(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
    op.create_table(
        "closed_month",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("bill", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_closed_month"),
    )
    op.create_table(
        "adjustment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("meter", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_adjustment"),
    )
    op.create_index("ix_adjustment_building_month", "adjustment", ["building", "month"], unique=False)
    op.create_table(
        "recomputation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.String(length=32), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.JSON(), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_recomputation"),
    )


def downgrade() -> None:
    """Back to the estate without accounting."""
    for table in ("recomputation", "adjustment", "closed_month", "installation", "notice", "tariff"):
        op.drop_table(table)
    for table, column in (("building", "armed"), ("meter", "rolls_over_at"), ("meter", "most_per_hour"), ("point", "ratio")):
        op.drop_column(table, column)
