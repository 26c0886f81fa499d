"""Writes what the estate's meters said before the demo began, as files that an edge agent plays."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import numpy as np

from demo.gauges import DOOR_SLOT_MS
from demo.recording import HOUR_MS
from demo.shift import DAY_MS
from facility.errors import ConfigError
from facility.model import Provenance
from facility.quantities import Kind, Quantity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from demo.gauges import Times
    from demo.world import World
    from facility.model import Point

ROWS_A_LINE = 2000
SYNTHETIC_COUNTER_DAYS = 120
GAUGE_DAYS = 45
STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Written:
    """One file of history: how many readings, and the last instant it covers."""

    file: Path
    rows: int
    until_ms: int


def write_history(folder: Path, world: World, now_ms: int, *, lived_until_ms: int = 0) -> Written:
    """Write every reading after the last file's end and up to ``now_ms``; the file's name is its end.

    What was polled live at an earlier start, up to ``lived_until_ms``, is not told again.

    Readings are hourly (states also when they change), in time order, with one more of every point at ``now_ms``,
    from which live polling goes on. Raises ``ConfigError`` if the folder cannot be written.
    """
    p, t_ms, x = _rows(world, max(covered_until_ms(folder), lived_until_ms), now_ms)
    file = folder / f"{datetime.fromtimestamp(now_ms / 1000, UTC):{STAMP}}{now_ms % 1000:03d}.readings"
    partial = file.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as out:
            _write(out, [point.id for point in world.catalogue.points], p, t_ms, x)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None
    return Written(file, len(x), now_ms)


def covered_until_ms(folder: Path) -> int:
    """The instant up to which the files in ``folder`` tell the history, or 0 if there is none."""
    ends = [file.stem for file in folder.glob("*.readings")]
    if not ends:
        return 0
    last = max(ends)
    whole = datetime.strptime(last[:-3], STAMP).replace(tzinfo=UTC)
    return round(whole.timestamp()) * 1000 + int(last[-3:])


def _rows(world: World, after_ms: int, now_ms: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Columns point index, time and value of all readings in ``(after_ms, now_ms]``, in time order."""
    columns = []
    for index, point in enumerate(world.catalogue.points):
        t_ms = _instants(world, point, now_ms)
        t_ms = t_ms[(t_ms > after_ms) & world.answers(point.meter, t_ms)]
        columns.append((np.full(len(t_ms), index), t_ms, world.values(point, t_ms)))
    p, t_ms, x = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(t_ms, kind="stable")
    return p[order], t_ms[order], x[order]


def _instants(world: World, point: Point, now_ms: int) -> Times:
    """When a point was read: at each full hour of its history, and now."""
    start_ms = _first_ms(world, point, now_ms)
    hourly = np.arange(start_ms, now_ms, HOUR_MS, dtype=np.int64)
    if point.quantity.kind is Kind.STATE:
        hourly = np.union1d(hourly, _changes(world, point, np.arange(start_ms, now_ms, DOOR_SLOT_MS, dtype=np.int64)))
    return np.append(hourly, now_ms)


def _first_ms(world: World, point: Point, now_ms: int) -> int:
    """Where a point's history begins: recorded counters and the weather have all of it, the rest some weeks."""
    meter = world.catalogue.meter[point.meter]
    if meter.provenance is Provenance.RECORDED and (
        point.quantity.is_counter or point.quantity is Quantity.TEMPERATURE
    ):
        return world.axis.start_ms
    days = SYNTHETIC_COUNTER_DAYS if point.quantity.is_counter else GAUGE_DAYS
    return max(world.axis.start_ms, (now_ms - days * DAY_MS) // HOUR_MS * HOUR_MS)


def _changes(world: World, point: Point, slots: Times) -> Times:
    """The slots at whose start a state is another than before."""
    changed: Times = slots[1:][np.diff(world.true_values(point, slots)) != 0.0]
    return changed


def _write(
    out: TextIO, points: list[str], p: NDArray[np.int64], t_ms: NDArray[np.int64], x: NDArray[np.float64]
) -> None:
    out.write(json.dumps({"points": points, "rows": len(x)}) + "\n")
    for i in range(0, len(x), ROWS_A_LINE):
        part = slice(i, i + ROWS_A_LINE)
        columns = {"p": p[part].tolist(), "t": t_ms[part].tolist(), "x": x[part].tolist()}
        out.write(json.dumps(columns, separators=(",", ":")) + "\n")
