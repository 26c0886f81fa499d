"""How much of what was ever stored went elsewhere: what another store confirmed must not be looked for in this one.

Kept beside the totals it is reckoned from, so that the two are never of different times, and records that cannot be
reached change nothing.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from facility.errors import ConfigError
from facility.so_many import so_many

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.watermarks import Watermarks

OLD_FILE = "ingest.json"
"""Where it was kept before ``ingest.db`` had it: taken over once, then gone."""

log = structlog.get_logger()


LEAVE = "METERHOUSE_LEAVE_STORED"


def check_same_store(noted: NotedStore, store: str, *, leaves: bool) -> None:
    """Raise ``ConfigError`` where readings of this site lie in another store, and nobody has said to leave them."""
    if noted.stored and noted.store not in {"", store} and not leaves:
        raise ConfigError(
            f"{so_many(noted.stored, 'reading')} of this site went into {noted.store} until now,"
            f" and METERHOUSE_STORE names {store}:"
            f" bring them over with 'meterhouse store migrate', or say {LEAVE}=yes to leave them where they are"
        )


def note_moved(folder: Path, source: str, target: str) -> None:
    """What ``source`` had confirmed lies in ``target`` now: a move has compared the two."""
    if noted_store(folder).store == source:
        with closing(sqlite3.connect(folder / "ingest.db")) as connection, connection:
            connection.execute("UPDATE destination SET store = ?", (target,))


def note_store(watermarks: Watermarks, folder: Path, store: str) -> int:
    """Readings go to ``store`` from now on; returns how many of those ever stored went elsewhere."""
    connection, stored = watermarks.connection, watermarks.totals()["stored"]
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS destination (store TEXT NOT NULL, elsewhere INTEGER NOT NULL)")
        known = connection.execute("SELECT store, elsewhere FROM destination").fetchone() or _taken_over(folder)
    except sqlite3.Error as error:
        log.warning("store_cannot_be_noted", error=str(error))
        known = _taken_over(folder)
    elsewhere = known[1] if known and known[0] == store else stored
    elsewhere = min(elsewhere, stored)  # the totals were lost and began again
    _keep(connection, folder, (store, elsewhere))
    return elsewhere


@dataclass(frozen=True, slots=True)
class NotedStore:
    """Where the ingest of a folder stored last, how many readings ever, and how far that store's log had come."""

    store: str = ""
    stored: int = 0
    reached: int = 0


def noted_store(folder: Path) -> NotedStore:
    """What the notes of a folder say; nothing where ingest never stored, or nobody can say."""
    file = folder / "ingest.db"
    if not file.exists():
        return NotedStore()
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return NotedStore(
                _first(connection, "SELECT store FROM destination") or "",
                _first(connection, "SELECT readings FROM total WHERE name = 'stored'") or 0,
                _first(connection, "SELECT value FROM progress WHERE name = 'store_cursor'") or 0,
            )
    except sqlite3.Error:
        return NotedStore()


def _first(connection: sqlite3.Connection, query: str) -> Any:
    found = connection.execute(query).fetchone()
    return found[0] if found else None


def _keep(connection: sqlite3.Connection, folder: Path, noted: tuple[str, int]) -> None:
    """A full disk is no reason not to take readings in: then the next start finds what this one found."""
    try:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM destination")
            connection.execute("INSERT INTO destination VALUES (?, ?)", noted)
        (folder / OLD_FILE).unlink(missing_ok=True)
    except (sqlite3.Error, OSError) as error:
        log.warning("store_cannot_be_noted", error=str(error))


def _taken_over(folder: Path) -> tuple[str, int] | None:
    """Store and readings elsewhere by the old file; None where there is none that says so."""
    try:
        tree: dict[str, Any] = json.loads((folder / OLD_FILE).read_text(encoding="utf-8"))
        confirmed = tree["confirmed"]
        return str(confirmed["store"]), int(tree["stored"]) - int(confirmed["readings"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
