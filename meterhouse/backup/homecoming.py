"""What has come back after a restore: readings of the time that the backup lacks, which agents still held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from accounting.local_time import HOUR_MS
from meterhouse.up.private_file import write_whole
from stores.readings import open_readings

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "restored.json"


class RestoreNote(msgspec.Struct, frozen=True, kw_only=True):
    """Written by a restore: of when the backup is, when it was put back, and how many readings stood there since."""

    made_at: datetime
    restored_at: datetime
    held: int


@dataclass(frozen=True, slots=True)
class Homecoming:
    """How many readings between backup and restore are stored that the backup lacked."""

    made_at: datetime
    restored_at: datetime
    readings: int


def note_restored(folder: Path, store_url: str, made_at: datetime, now: datetime) -> None:
    """Let a folder say that it was restored."""
    note = RestoreNote(made_at=made_at, restored_at=now, held=_stored_between(store_url, made_at, now))
    write_whole(folder / NOTE, msgspec.json.format(msgspec.json.encode(note)))


def homecoming(folder: Path, store_url: str) -> Homecoming | None:
    """What has come back by now; None where nothing was restored. Raises ``StoreUnavailable``."""
    try:
        note = msgspec.json.decode((folder / NOTE).read_bytes(), type=RestoreNote)
    except (OSError, msgspec.MsgspecError):
        return None
    stored = _stored_between(store_url, note.made_at, note.restored_at)
    return Homecoming(note.made_at, note.restored_at, max(stored - note.held, 0))


def _stored_between(store_url: str, begin: datetime, end: datetime) -> int:
    """From the full hour on, for stores count by hours."""
    start_ms = round(begin.timestamp() * 1000) // HOUR_MS * HOUR_MS
    store = open_readings(store_url)
    try:
        return sum(store.hour_counts(list(store.latest()), start_ms, round(end.timestamp() * 1000)).values())
    finally:
        store.close()
