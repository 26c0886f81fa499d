"""Readings taken before the clock was right: kept on disk by time since boot, and dated when the time is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.clock import placed
from edge_agent.outbox.file import words_crc
from facility.model import Quality

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

STEP_ROWS = 5000
TIME_ESTIMATED = int(Quality.TIME_ESTIMATED)

Held = tuple[int, int, float, int]
"""``point number, time since boot in ms, value, quality``."""

COLUMNS = "id, boot, point, uptime_ms, x, q, crc"

HeldRow = tuple[int, str, int, int, float, int, int]
"""A row of the table as it is found: where the disk has changed it a column may hold anything."""


def hold(db: sqlite3.Connection, boot: str, rows: Sequence[Held]) -> None:
    """Inside a transaction: keep readings of this boot, whose wall time nobody knows."""
    db.executemany(
        "INSERT INTO held (boot, point, uptime_ms, x, q, crc) VALUES (?, ?, ?, ?, ?, ?)",
        [(boot, *row, words_crc(boot, *row)) for row in rows],
    )


def take(
    db: sqlite3.Connection, boot: str, offset_ms: int, newest_ms: int
) -> tuple[list[tuple[int, int, float, int]], list[HeldRow]]:
    """Inside a transaction: take the oldest held readings out, at most ``STEP_ROWS``, each with its wall time.

    Those of the boot whose ``offset_ms`` is known get their true time; those of boots before are put between the
    newest time already given and the beginning of this boot. Rows that the disk has changed come apart.
    """
    rows = db.execute(f"SELECT {COLUMNS} FROM held ORDER BY id LIMIT ?", (STEP_ROWS,)).fetchall()  # noqa: S608 - our own words
    sound, spoilt = [row for row in rows if _is_sound(row)], [row for row in rows if not _is_sound(row)]
    _delete(db, spoilt)
    if not sound:
        return [], spoilt
    name = sound[0][1]
    a, b = (float(offset_ms), 1.0) if name == boot else _dating(db, boot, offset_ms, newest_ms, spoilt)[name]
    same_boot = [row for row in sound if row[1] == name]
    _delete(db, same_boot)
    dated = [(point, round(a + b * uptime_ms), x, q or TIME_ESTIMATED) for _, _, point, uptime_ms, x, q, _ in same_boot]
    return dated, spoilt


def drop(db: sqlite3.Connection, rows: int) -> int:
    """Inside a transaction: let the oldest go, telemetry first, and return how many went."""
    oldest = "SELECT held.id FROM held LEFT JOIN point ON point.id = held.point ORDER BY kept, held.id LIMIT ?"
    return db.execute(f"DELETE FROM held WHERE id IN ({oldest})", (rows,)).rowcount  # noqa: S608 - our own words


def _is_sound(row: HeldRow) -> bool:
    return bool(row[-1] == words_crc(*row[1:-1]))


def _delete(db: sqlite3.Connection, rows: Sequence[HeldRow]) -> None:
    db.executemany("DELETE FROM held WHERE id = ?", [(row[0],) for row in rows])


def _dating(
    db: sqlite3.Connection, boot: str, offset_ms: int, newest_ms: int, spoilt: list[HeldRow]
) -> dict[str, tuple[float, float]]:
    """How each boot before this one is dated."""
    names = db.execute("SELECT boot FROM held WHERE boot != ? GROUP BY boot ORDER BY MIN(id)", (boot,)).fetchall()
    spans = {name: span for (name,) in names if (span := _span(db, name, spoilt)) is not None}
    return dict(zip(spans, placed(list(spans.values()), newest_ms, offset_ms), strict=True))


def _span(db: sqlite3.Connection, boot: str, spoilt: list[HeldRow]) -> tuple[int, int] | None:
    """The first and the last time of a boot; rows in their place that the disk has changed are taken out."""
    ends: list[int] = []
    for order in ("ASC", "DESC"):
        query = f"SELECT {COLUMNS} FROM held WHERE boot = ? ORDER BY uptime_ms {order} LIMIT 1"  # noqa: S608 - our own words
        while (row := db.execute(query, (boot,)).fetchone()) is not None and not _is_sound(row):
            _delete(db, [row])
            spoilt.append(row)
        ends += [row[3]] if row is not None else []
    return (ends[0], ends[1]) if ends else None
