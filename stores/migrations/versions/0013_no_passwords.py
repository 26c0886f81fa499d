"""Passwords of devices' brokers, which once stood in the URLs of buses, are kept no more."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from facility.broker_address import without_password

revision = "0013"
down_revision = "0012"

BUS = sa.table("bus", sa.column("agent", sa.Text), sa.column("bus", sa.Text), sa.column("url", sa.Text))
REVISION = sa.table("revision", sa.column("version", sa.Integer), sa.column("document", sa.JSON))


def upgrade() -> None:
    """In place of each stands the variable of the environment in which the agent looks for it."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # what is overwritten leaves nothing in the file
    for row in connection.execute(sa.select(BUS)).all():
        kept = without_password(row.url, row.bus)
        if kept != row.url:
            same = (BUS.c.agent == row.agent, BUS.c.bus == row.bus)
            connection.execute(sa.update(BUS).where(*same).values(url=kept))
    for version, document in connection.execute(sa.select(REVISION).where(REVISION.c.document.is_not(None))).all():
        _unlock(document)
        connection.execute(sa.update(REVISION).where(REVISION.c.version == version).values(document=document))


def _unlock(document: Any) -> None:
    for row in document.get("bus", {}).values():
        row["url"] = without_password(row["url"], row["bus"])


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
