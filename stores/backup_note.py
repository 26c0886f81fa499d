"""What the newest backups of a data folder came to: kept there by who writes them, read by who raises the alarm."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path  # noqa: TC003

import msgspec

NAME = "backup.json"


class BackupNote(msgspec.Struct, frozen=True, kw_only=True):
    """The newest backup that is whole, if there is one, and why the newest that was tried is none, if it failed."""

    made_at: datetime | None = None
    file: str = ""
    size: int = 0
    lacks: str = ""
    """What it should hold and does not, and why."""

    tried_at: datetime | None = None
    failed: str = ""


def read_backup_note(folder: Path) -> BackupNote:
    """What the folder says; nothing where it says nothing that can be read."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=BackupNote)
    except (OSError, msgspec.MsgspecError):
        return BackupNote()


def keep_backup_note(folder: Path, note: BackupNote) -> None:
    """Whole or not at all. Raises ``OSError``."""
    new = folder / f"{NAME}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(note)))
    new.chmod(0o600)
    new.replace(folder / NAME)
