"""What was fixed within the last day is being checked: a state of its own, where it was closed before."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Of a key at most one case: the newest, where none is open."""
    alert = sa.Table("alert", sa.MetaData(), autoload_with=op.get_bind())
    a = alert.c
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="microseconds")
    fixed = sa.select(a.id, a.key).where(a.state == "closed", a.verdict == "fixed", a.closed_at > since)
    held = set(op.get_bind().execute(sa.select(a.open_key).where(a.open_key.is_not(None))).scalars())
    for one, key in op.get_bind().execute(fixed.order_by(a.closed_at.desc())).all():
        if key not in held:
            held.add(key)
            change = sa.update(alert).where(a.id == one).values(state="being_checked", open_key=key)
            op.get_bind().execute(change)


def downgrade() -> None:
    """Records of a newer Meterhouse are not taken back."""
    raise NotImplementedError
