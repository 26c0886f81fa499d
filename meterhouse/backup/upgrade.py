"""Brings a data folder to this Meterhouse's form in a copy of it, and puts the folder of before back, counted."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Unavailable
from facility.so_many import so_many
from ingest.watermarks import Watermarks, renew_store
from meterhouse.backup.contents import NOTES, PASSING_FILES, PASSING_FOLDERS, READINGS, RECORDS
from meterhouse.backup.exchange import beside, held, put
from meterhouse.backup.snapshot import check_room
from meterhouse.up.folder import check_version, own_id, say_version
from stores.readings import open_readings
from stores.records.database import NEWEST, look_at_records, open_records, present_schema

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from meterhouse.settings import Settings

BEFORE_UPGRADE, BEFORE_ROLLBACK = "before-upgrade", "before-rollback"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A folder in its new form; ``before`` is where the old one lies."""

    schema_before: str
    schema: str
    before: Path


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The folder of before the upgrade in its place, without what came since."""

    readings: int
    acts: int
    since: Path


def upgrade(settings: Settings, now: datetime) -> Upgraded | None:
    """Upgrade the folder of the settings; None where it is of this form already.

    Every step is taken in a copy, which then takes the folder's place: until then the folder is as it was, whenever
    this ends. Raises ``ConfigError`` where the stores are not files of the folder, or are of a newer Meterhouse,
    ``Unavailable`` where the disk has no room for the copy.
    """
    folder = settings.data.absolute()
    _check_here(settings)
    check_version(folder)
    with held(folder, "an upgrade"):
        schema = _schema(folder)
        if schema == NEWEST:
            return None
        check_room(folder.parent, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()), "a copy")
        with beside(folder, "upgrading") as new:
            shutil.copytree(folder, new, dirs_exist_ok=True, ignore=_passing)
            _bring_up(new)
            before = put(new, folder, BEFORE_UPGRADE, now)
    assert before is not None, "the folder was there"
    return Upgraded(schema, NEWEST, before)


def roll_back(settings: Settings, now: datetime, *, gives_up: bool) -> RolledBack:
    """Put the folder of before the newest upgrade back.

    Raises ``ConfigError`` where there is none, and where readings or acts came since that it lacks, unless somebody
    ``gives_up`` on them. Agents send again what they still hold.
    """
    folder = settings.data.absolute()
    _check_here(settings)
    with held(folder, "a rollback"):
        before = _newest(folder)
        readings = _count(folder, READINGS, "reading") - _count(before, READINGS, "reading")
        acts = _count(folder, RECORDS, "audit") - _count(before, RECORDS, "audit")
        if (readings > 0 or acts > 0) and not gives_up:
            raise ConfigError(
                f"since the upgrade {so_many(max(readings, 0), 'reading')} and {so_many(max(acts, 0), 'act')} of people"
                f" came, which {before} lacks:"
                " --give-up leaves them (agents send again what they still hold, a week's readings)"
            )
        if (before / NOTES).exists():
            renew_store(before / NOTES)
        since = put(before, folder, BEFORE_ROLLBACK, now)
    assert since is not None, "the folder was there"
    return RolledBack(max(readings, 0), max(acts, 0), since)


def _check_here(settings: Settings) -> None:
    """What lies elsewhere is brought up to date at the start, in one transaction, and has no way back by us."""
    folder = settings.data.absolute()
    elsewhere = settings.records and not settings.records.startswith("sqlite:")
    if elsewhere:
        raise ConfigError(
            "the records are in a PostgreSQL: the next start brings them up to date in one transaction; write a backup"
            " before, for that is the way back"
        )
    for name, url in ((READINGS, settings.store_url), (RECORDS, settings.records_url)):
        if url.startswith("sqlite:") and not url.endswith(f"/{folder.name}/{name}"):
            raise ConfigError(f"{name} does not lie in {folder}: move it there before")


def _schema(folder: Path) -> str:
    records = look_at_records(f"sqlite:///{folder / RECORDS}")
    try:
        return present_schema(records) or "0000"
    finally:
        records.dispose()


def _passing(place: str, names: list[str]) -> list[str]:
    """Locks and logs; what databases have beside them goes along, for a process may have been killed."""
    return [
        name
        for name in names
        if (PASSING_FILES.match(name) and not name.endswith(("-wal", "-shm", "backup.json", "restored.json")))
        or (name in PASSING_FOLDERS and place.count("/") <= 1)
    ]


def _bring_up(new: Path) -> None:
    """Each store opens what it finds and leaves it in its newest form."""
    say_version(new)
    own_id(new)
    open_records(f"sqlite:///{new / RECORDS}").dispose()
    if (new / READINGS).exists():
        open_readings(f"sqlite://{new / READINGS}").close()
    if (new / NOTES).exists():
        Watermarks(new / NOTES).close()


def _newest(folder: Path) -> Path:
    """A copy in a later form bears the name too, where an upgrade was killed at its last step: that is no way back."""
    beside_it, schema = folder.parent.glob(f"{folder.name}.{BEFORE_UPGRADE}-*"), _schema(folder)
    found = sorted(one for one in beside_it if _schema(one) <= schema)
    if not found:
        raise ConfigError(f"nothing of before an upgrade lies beside {folder}: restore a backup")
    return found[-1]


def _count(folder: Path, file: str, table: str) -> int:
    if not (folder / file).exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{(folder / file).as_uri()}?mode=ro", uri=True)) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own words
    except sqlite3.Error as error:
        raise Unavailable(f"{folder / file} cannot be read: {error}") from None
