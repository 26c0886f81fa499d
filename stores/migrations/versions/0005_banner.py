"""The line above every page is called banner: a notice is a year's document of moved workdays and nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

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
        document = connection.scalar(sa.select(revisions.c.document).where(is_it))
        connection.execute(sa.update(revisions).where(is_it).values(document=_renamed(document)))


def _renamed(document: dict) -> dict:
    sites = document.get("site", {}).items()
    return document | {
        "site": {one: {RENAMED.get(name, name): value for name, value in row.items()} for one, row in sites}
    }


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
