"""What people state of an estate: factor sets, figures, fuel of vehicles, quotas, memberships, allocation."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

TABLES: dict[str, tuple[Any, ...]] = {
    "factor_set": ("name", "valid_from", "basis", ("kgce", sa.JSON()), ("co2", sa.JSON())),
    "figure": ("kind", ("value", sa.Double()), "valid_from", "basis", "building", "department"),
    "vehicle_fuel": ("fuel", ("kg", sa.Double()), "month", "basis", "building", "department"),
    "quota": (
        "indicator", ("constraint", sa.Double()), ("benchmark", None), ("guide", None), "valid_from", "basis",
        "factor_set", "building",
    ),
    "membership": ("member", "member_id", "valid_from", "department", "space"),
    "allocation": ("building", "valid_from", "basis", "rest", ("shares", sa.JSON()), ("meters", sa.JSON())),
}  # fmt: skip


def upgrade() -> None:
    """No estate has stated any yet."""
    for name, columns in TABLES.items():
        more = [sa.Column("utility", sa.Text())] if name == "allocation" else []
        op.create_table(
            name,
            sa.Column("id", sa.Text(), nullable=False),
            sa.Column("position", sa.Integer(), nullable=False),
            *map(_column, columns),
            *more,
            sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        )


def _column(column: Any) -> sa.Column[Any]:
    """A text, or a column of another kind; a number that may be absent has none."""
    if isinstance(column, str):
        return sa.Column(column, sa.Text(), nullable=False)
    name, kind = column
    return sa.Column(name, kind or sa.Double(), nullable=kind is None)


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
