"""Brings a SQLite file to WAL, where others read while one writes, however many processes meet at a new file."""

from __future__ import annotations

import sqlite3
from itertools import count
from time import sleep

SETTLE_S = 0.02


def use_wal(connection: sqlite3.Connection, patience_s: float) -> None:
    """Switch, waiting for others who use the file: SQLite's busy timeout does not hold for this.

    Raises ``sqlite3.OperationalError`` where they do not let go for ``patience_s``, or the file cannot be used.
    """
    for waited in count():
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or waited * SETTLE_S >= patience_s:
                raise
            sleep(SETTLE_S)
        else:
            return
