"""How much of what was ever stored went elsewhere: what another store confirmed must not be looked for in this one.

Kept beside the totals it is reckoned from, so that the two are never of different times, and records that cannot be
reached change nothing.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.watermarks import Watermarks

OLD_FILE = "ingest.json"
"""Where it was kept before ``ingest.db`` had it: taken over once, then gone."""

log = structlog.get_logger()


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


def noted_store(folder: Path) -> str:
    """Where the ingest of this folder stored last; nothing where it never did, or nobody can say."""
    file = folder / "ingest.db"
    if not file.exists():
        return ""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("SELECT store FROM destination").fetchone()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""


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
