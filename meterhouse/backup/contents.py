"""What of a data folder goes into a backup, and in which order, so that what is read later never lacks what is earlier.

Ingest's notes come first: whatever they call stored is in the copies of journal, records and readings, which are taken
later. The readings come last: how far analytics has come, by the records, is then never farther than they are.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from facility.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTES, RECORDS, READINGS = "ingest.db", "records.db", "readings.db"

PASSING_FOLDERS = frozenset({"logs", "processes", "trial-broker", "influx-backup"})
"""Made anew at every start; the last is what a restore has left of an InfluxDB, to be brought into one."""

QUEUE = ("broker", "kept")
"""What the broker holds for those who are away: old acknowledgements must not come to an agent after a restore."""

PASSING_FILES = re.compile(
    r"^(up\.json|.*\.(lock|pulse|health|new|part)|.*-(wal|shm|journal)|.*\.corrupt-\d+.*|\..*|backup\.json|restored\.json|shown\.json)$"
)
"""Locks, signs of life, logs of databases (the copy of a database holds them), notes of backups, what lies aside.

What Grafana's copy holds is brought anew after a restore."""

SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Found:
    """A file and its name in the backup; ``is_database`` where only SQLite can copy it whole."""

    path: Path
    name: str
    is_database: bool


def contents(folder: Path, databases: dict[str, Path], beside: Path | None) -> Iterator[Found]:
    """Every file of a backup in order. ``databases`` are those of the stores: name → where it lies.

    ``beside`` is the folder of backups, which may lie in the data folder and is never a part of one.
    Raises ``ConfigError`` for what is no file: a link to a folder, a socket.
    """
    if (folder / NOTES).exists():
        yield Found(folder / NOTES, NOTES, is_database=True)
    ours = {path.resolve() for path in databases.values()} | {(folder / NOTES).resolve()}
    later = []
    for path in sorted(_files(folder, (), beside)):
        if path.resolve() in ours:
            continue
        found = Found(path, path.relative_to(folder).as_posix(), _is_sqlite(path))
        if found.is_database:
            later.append(found)
        else:
            yield found
    yield from later
    for name in (RECORDS, READINGS):
        if name in databases and databases[name].exists():
            yield Found(databases[name], name, is_database=True)


def _files(place: Path, above: tuple[str, ...], beside: Path | None) -> Iterator[Path]:
    try:
        entries = list(os.scandir(place))
    except OSError as error:
        raise ConfigError(f"the folder {place} cannot be read: {error.strerror}") from None
    for entry in entries:
        path = place / entry.name
        if PASSING_FILES.match(entry.name) or (not above and entry.name in PASSING_FOLDERS):
            continue
        if (*above, entry.name) == QUEUE or (beside is not None and path.resolve() == beside.resolve()):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(path, (*above, entry.name), beside)
        elif entry.is_file():  # what a link leads to, as a file of its own
            yield path
        else:
            raise ConfigError(f"{path} is no file: a backup would not hold what it leads to; move it away")


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE)) == SQLITE
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
