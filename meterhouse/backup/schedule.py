"""When the next backup is due: once a day by the site's own clock, and again in an hour where one failed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

    from stores.backup_note import BackupNote

AGAIN = timedelta(hours=1)


def is_due(note: BackupNote, now: datetime, at: str, zone: tzinfo) -> bool:
    """Whether a backup is to be begun; ``at`` is ``HH:MM`` in ``zone``. Who has none yet needs one now."""
    if note.failed and note.tried_at is not None and timedelta() <= now - note.tried_at < AGAIN:
        return False
    return note.made_at is None or note.made_at < _last(now, at, zone) or note.made_at > now + AGAIN


def _last(now: datetime, at: str, zone: tzinfo) -> datetime:
    """The newest instant at which one was to begin. An hour that a clock leaves out is that after it."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), time.fromisoformat(at), zone).astimezone(UTC)
    if today <= now:
        return today
    return datetime.combine(local.date() - timedelta(days=1), time.fromisoformat(at), zone).astimezone(UTC)
