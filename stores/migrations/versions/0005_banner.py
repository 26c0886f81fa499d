"""The line above every page is called banner: a notice is a year's document of moved workdays and nothing else."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Rows = dict[str, dict[str, dict[str, Any]]]
"""Table → id → fields, as an applied document is kept."""

RENAMED = {"notice_en": "banner_en", "notice_zh": "banner_zh"}


def upgrade() -> None:
    """Rename the columns, and the same names in the applied documents: the next apply compares with the last one."""
    for old, new in RENAMED.items():
        op.alter_column("site", old, new_column_name=new)
    revisions = sa.table("revision", sa.column("version", sa.Integer), sa.column("document", sa.JSON))
    connection = op.get_bind()
    kept = sa.select(revisions.c.version).where(sa.cast(revisions.c.document, sa.Text).like("%notice_en%"))
    for version in connection.scalars(kept).all():
        is_it = revisions.c.version == version
        document: Rows = connection.execute(sa.select(revisions.c.document).where(is_it)).scalar_one()
        document["site"] = {one: _renamed(row) for one, row in document["site"].items()}
        connection.execute(sa.update(revisions).where(is_it).values(document=document))


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {RENAMED.get(name, name): value for name, value in row.items()}


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
