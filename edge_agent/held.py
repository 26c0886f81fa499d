"""Readings taken before the clock was right: kept on disk by time since boot, and dated when the time is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from edge_agent.clock import placed
from edge_agent.outbox_file import words_crc
from facility.model import Quality

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

log = structlog.get_logger()

STEP_ROWS = 5000

Held = tuple[int, int, float, int]
"""``point number, time since boot in ms, value, quality``."""


def hold(db: sqlite3.Connection, boot: str, rows: Sequence[Held]) -> None:
    """Inside a transaction: keep readings of this boot, whose wall time nobody knows."""
    db.executemany(
        "INSERT INTO held (boot, point, uptime_ms, x, q, crc) VALUES (?, ?, ?, ?, ?, ?)",
        [(boot, *row, words_crc(boot, *row)) for row in rows],
    )


def take(db: sqlite3.Connection, boot: str, offset_ms: int, newest_ms: int) -> list[tuple[int, int, float, int]]:
    """Inside a transaction: take the oldest held readings out, at most ``STEP_ROWS``, each with its wall time.

    Those of the boot whose ``offset_ms`` is known get their true time; those of boots before are put between the
    newest time already given and the beginning of this boot.
    """
    rows = db.execute("SELECT boot, point, uptime_ms, x, q, crc FROM held ORDER BY id LIMIT ?", (STEP_ROWS,)).fetchall()
    a, b = _dating(db, boot, offset_ms, newest_ms)[rows[0][0]]
    dated = []
    same_boot = [row for row in rows if row[0] == rows[0][0]]
    for name, point, uptime_ms, x, q, crc in same_boot:
        if crc == words_crc(name, point, uptime_ms, x, q):
            dated.append((point, round(a + b * uptime_ms), x, q or int(Quality.TIME_ESTIMATED)))
        else:
            log.error("held_row_spoilt", boot=name)
    db.execute(
        "DELETE FROM held WHERE id IN (SELECT id FROM held WHERE boot = ? ORDER BY id LIMIT ?)",
        (rows[0][0], len(same_boot)),
    )
    return dated


def drop(db: sqlite3.Connection, rows: int) -> None:
    """Inside a transaction: let the oldest go."""
    db.execute("DELETE FROM held WHERE id IN (SELECT id FROM held ORDER BY id LIMIT ?)", (rows,))


def _dating(db: sqlite3.Connection, boot: str, offset_ms: int, newest_ms: int) -> dict[str, tuple[float, float]]:
    spans = db.execute(
        "SELECT boot, MIN(uptime_ms), MAX(uptime_ms) FROM held WHERE boot != ? GROUP BY boot ORDER BY MIN(id)", (boot,)
    ).fetchall()
    places = placed([(first, last) for _, first, last in spans], newest_ms, offset_ms)
    return {boot: (float(offset_ms), 1.0)} | {span[0]: place for span, place in zip(spans, places, strict=True)}
