"""Puts a backup in the place of a data folder: unpacked and held to its word beside it, then exchanged in one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.errors import ConfigError, StoreUnavailable
from ingest.watermarks import renew_store
from meterhouse.backup.contents import NOTES, RECORDS
from meterhouse.backup.exchange import beside, held, put
from meterhouse.backup.filling import is_volume
from meterhouse.backup.homecoming import note_restored
from meterhouse.backup.placing import place_records, place_stores
from meterhouse.backup.snapshot import check_room
from meterhouse.backup.sources import UNNAMED, site_of
from meterhouse.backup.unpacking import Unpacked, unpack
from meterhouse.up.folder import known_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pyrage import x25519

    from meterhouse.backup.manifest import Head

RESTORING, BEFORE = "restoring", "before-restore"


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup in its place; ``before`` is the folder that stood there, if one did."""

    unpacked: Unpacked
    before: Path | None


def restore_backup(file: Path, identities: Sequence[x25519.Identity], folder: Path, now: datetime) -> Restored:
    """Restore a backup. Until its last step the folder stands as it was, and after it the old one stands beside.

    Raises ``ConfigError`` for what a person must change and ``Unavailable`` for a full disk, with nothing changed.
    """
    with held(folder, "a restore", may_be_volume=True), beside(folder, RESTORING) as new:
        unpacked = unpack(file, identities, new, lambda head: _check(file, head, folder))
        _make_its_own(new, folder, unpacked, now)
        before = put(new, folder, BEFORE, now)
    return Restored(unpacked, before)


def look(file: Path, identities: Sequence[x25519.Identity]) -> Unpacked:
    """Read a backup to its end and say what is in it; nothing is written."""
    return unpack(file, identities, None, lambda _: None)


def _check(file: Path, head: Head, folder: Path) -> None:
    """Raise ``ConfigError`` for the backup of another server, ``Unavailable`` where it has no room."""
    above = folder if is_volume(folder) else folder.parent
    check_room(above if above.exists() else above.parent, head.expected_bytes, "the backup")
    if is_volume(folder) or not folder.exists() or not any(folder.iterdir()):
        return
    known = known_id(folder)
    site = _site(folder) if not known else head.site
    if (known and known != head.folder_id) or site not in {UNNAMED, head.site}:
        raise ConfigError(
            f"{file} is the backup of another server (site {head.site}), and {folder} has one of its own:"
            " name an empty folder by --data"
        )


def _site(folder: Path) -> str:
    """Of a folder that says no id; nothing where its records cannot be read: they may be why somebody restores."""
    try:
        return site_of(f"sqlite:///{(folder / RECORDS).absolute()}")
    except (StoreUnavailable, ConfigError, sa.exc.SQLAlchemyError):
        return UNNAMED


def _make_its_own(new: Path, folder: Path, unpacked: Unpacked, now: datetime) -> None:
    """What must differ from the server that was backed up: the name of its store, and where its files lie."""
    settings = place_stores(new, folder)
    if (new / NOTES).exists():
        renew_store(new / NOTES)
    note_restored(new, settings.store_url, unpacked.head.made_at, now)
    place_records(new, settings.records)
