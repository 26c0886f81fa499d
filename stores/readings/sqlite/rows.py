"""Rows of readings as arrays: those whose seal fits. What the disk has changed is no reading."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from facility.errors import StoreDamaged
from stores.readings.columns import standing
from stores.readings.port import Latest, PointTotal, Series
from stores.readings.sqlite.seal import UNSEALED, Seals, name_seal, reading_seals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping

SEALED = f"SELECT t_ms, x, q, ifnull(seal, {UNSEALED}) FROM reading"  # noqa: S608 - a number of ours

MOST_QUALITY = 255

_NEWEST = f"{SEALED} WHERE series = ? AND t_ms <= ? ORDER BY t_ms DESC LIMIT ?"

_ROW = np.dtype([("t_ms", np.int64), ("x", np.float64), ("q", np.int64), ("seal", np.int64)])


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of one point: which are sound (n,), and which of those have no seal yet; ``seals`` are the right ones."""

    series: Series
    sound: npt.NDArray[np.bool_]
    unsealed: npt.NDArray[np.bool_]
    seals: Seals
    unreadable: bool = False
    """Rows are left out that hold what no reading is."""


def judged(point: str, ask: Callable[[], Iterable[tuple[Any, ...]]]) -> Judged:
    """Judge rows as ``SEALED`` asks for them; they are asked for again where they are no arrays as they come."""
    is_unreadable = False
    try:
        table = np.fromiter(ask(), _ROW)
    except (TypeError, ValueError, OverflowError):
        is_unreadable = True
        table = np.fromiter(filter(_is_row, ask()), _ROW)
    t_ms, x, q, seal = (np.ascontiguousarray(table[name]) for name in ("t_ms", "x", "q", "seal"))
    seals = reading_seals(point, t_ms, x, q)
    unsealed = seal == UNSEALED
    sound = (unsealed | (seal == seals)) & (q >= 0) & (q <= MOST_QUALITY) & np.isfinite(x)
    series = Series(t_ms, x, q.astype(np.uint8))
    return Judged(series, sound, sound & unsealed, seals, is_unreadable)


def sound_series(point: str, ask: Callable[[], Iterable[tuple[Any, ...]]]) -> Series:
    """The readings of a point whose seals fit."""
    found = judged(point, ask)
    series, sound = found.series, found.sound
    return series if sound.all() else Series(series.t_ms[sound], series.x[sound], series.q[sound])


def sound_number(point: str, number: int, seal: int | None) -> int:
    """The number of a point. Raises ``StoreDamaged`` where the disk has changed its name or number."""
    if seal != name_seal(number, point):
        raise StoreDamaged(f"the disk has changed the name or number of the point {point}")
    return number


def every_series(connection: sqlite3.Connection) -> dict[str, int]:
    """The number of every point. Raises ``StoreDamaged`` where the disk has changed one."""
    rows = connection.execute("SELECT point, id, seal FROM series ORDER BY id")
    return {point: sound_number(point, number, seal) for point, number, seal in rows}


def _is_row(row: tuple[Any, ...]) -> bool:
    t_ms, x, q, seal = row
    whole = all(isinstance(one, int) and -(2**63) <= one < 2**63 for one in (t_ms, q, seal))
    return whole and isinstance(x, int | float)


def newest_of(connection: sqlite3.Connection, numbers: Mapping[str, int], t_ms: int) -> dict[str, Latest]:
    """The newest sound reading of each point at or before ``t_ms``, by the points' numbers."""
    found = ((point, _newest_sound(connection, point, number, t_ms)) for point, number in numbers.items())
    return {point: latest for point, latest in found if latest}


def _newest_sound(connection: sqlite3.Connection, point: str, number: int, t_ms: int) -> Latest | None:
    """The newest row that stands and whose seal fits; what the disk has changed is passed over."""
    for most in (1, 1000, -1):
        rows = connection.execute(_NEWEST, (number, t_ms, most)).fetchall()
        series = standing(sound_series(point, lambda: rows[::-1]))  # noqa: B023 - it is asked at once
        if len(series):
            return Latest(int(series.t_ms[-1]), float(series.x[-1]), int(series.q[-1]))
        if not rows:
            return None
    return None


def total_of(connection: sqlite3.Connection, point: str, number: int) -> PointTotal:
    """Count and exact sum of the sound readings of a point."""
    sound = sound_series(point, partial(connection.execute, f"{SEALED} WHERE series = ?", (number,)))
    values = standing(sound).x.tolist()
    return PointTotal(len(values), math.fsum(values))
