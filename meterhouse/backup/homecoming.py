"""What has come back after a restore: readings of the time that the backup lacks, which agents still held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from facility.errors import MeterhouseError
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
    """Let a folder say that it was restored; the store may be brought back only after it."""
    try:
        held = _stored_between(store_url, made_at, now)
    except MeterhouseError:  # an InfluxDB that is away or empty: what is in its backup is older than that backup
        held = 0
    note = RestoreNote(made_at=made_at, restored_at=now, held=held)
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
    start_ms, end_ms = (round(at.timestamp() * 1000) for at in (begin, end))
    store = open_readings(store_url)
    try:
        return sum(store.hour_counts(list(store.latest()), start_ms, end_ms).values())
    finally:
        store.close()
