"""A bit of a stored reading that the disk changes under a server that runs: it reads as another value."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

Flipped = dict[tuple[int, int], float]
"""Number of the series and time → the value as it was stored."""

BIT = 51
"""The highest of a number's fraction: half of its power of two more or less."""


def flip_a_bit(readings: Path) -> Flipped:
    """Change a reading in the middle of what is stored, past everything that keeps the file; none where it is empty."""
    with closing(sqlite3.connect(readings, timeout=30)) as db, db:
        (n,) = db.execute("SELECT count(*) FROM reading").fetchone()
        rows = db.execute("SELECT series, t_ms, x FROM reading LIMIT 1 OFFSET ?", (n // 2,)).fetchall()
        for series, t_ms, x in rows:
            (bits,) = struct.unpack("<q", struct.pack("<d", x))
            (other,) = struct.unpack("<d", struct.pack("<q", bits ^ 1 << BIT))
            db.execute("UPDATE reading SET x = ? WHERE series = ? AND t_ms = ?", (other, series, t_ms))
    return {(series, t_ms): x for series, t_ms, x in rows}


def are_mended(readings: Path, flipped: Flipped) -> bool:
    """Whether each of them says again what was taken in."""
    with closing(sqlite3.connect(f"file:{readings}?mode=ro", uri=True, timeout=30)) as db:
        now = [db.execute("SELECT x FROM reading WHERE series = ? AND t_ms = ?", key).fetchone() for key in flipped]
    return now == [(x,) for x in flipped.values()]
