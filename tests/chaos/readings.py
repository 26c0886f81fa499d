"""What the rig issues: reading n of a run has a point, a time and a value that follow from the seed alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

METERS = 12
POINTS = tuple(f"m{i}/water_volume/total" for i in range(METERS))
FOREIGN_POINT, UNKNOWN_POINT = "far/water_volume/total", "nowhere/water_volume/total"

BEGIN_MS = 1_748_736_000_000  # 2025-06-01T00:00Z: history, older than every live reading
STEP_MS = 1_000
BEYOND = 2e9
"""No water meter counts so far: its range ends at 1e9."""

BAD_EVERY = 50
BAD = ("unknown_point", "foreign_point", "out_of_range")
"""Why every fiftieth reading must be refused, in turn."""

VALUES = 2**21
SPREAD = 1_103_515_245  # odd, so that n · SPREAD mod VALUES is another number for every n below VALUES
LINE_ROWS = 500


class Issued(NamedTuple):
    """A reading that must be found again: stored, or refused for the reason ``bad``."""

    point: str
    t_ms: int
    x: float
    bad: str = ""


class Issue:
    """``count`` readings of one seed, at most ``VALUES``; no two of them have the same time or the same value."""

    def __init__(self, seed: int, count: int) -> None:
        self._seed, self.count = seed, count

    def __getitem__(self, n: int) -> Issued:
        """Reading ``n``: f and g of the reliability reference, 3."""
        point, t_ms = POINTS[n % METERS], BEGIN_MS + n * STEP_MS
        x = (n * SPREAD + self._seed) % VALUES * 0.25  # exact in binary, so sums are exact too
        if (n + self._seed) % BAD_EVERY:
            return Issued(point, t_ms, x)
        bad = BAD[n // BAD_EVERY % len(BAD)]
        if bad == "out_of_range":
            return Issued(point, t_ms, x + BEYOND, bad)
        return Issued(UNKNOWN_POINT if bad == "unknown_point" else FOREIGN_POINT, t_ms, x, bad)

    def __iter__(self) -> Iterator[Issued]:
        return (self[n] for n in range(self.count))

    def portion(self, i: int, portions: int) -> Sequence[Issued]:
        """Part ``i`` of ``portions`` nearly equal ones."""
        return [self[n] for n in range(i * self.count // portions, (i + 1) * self.count // portions)]


def write_recording(folder: Path, name: str, readings: Sequence[Issued]) -> None:
    """A file of the edge's replay driver; it appears whole."""
    points = [*POINTS, FOREIGN_POINT, UNKNOWN_POINT]
    place = {point: i for i, point in enumerate(points)}
    lines = [json.dumps({"points": points, "rows": len(readings)})]
    for start in range(0, len(readings), LINE_ROWS):
        rows = readings[start : start + LINE_ROWS]
        columns = {"p": [place[r.point] for r in rows], "t": [r.t_ms for r in rows], "x": [r.x for r in rows]}
        lines.append(json.dumps(columns))
    part = folder / f"{name}.part"
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.rename(folder / f"{name}.readings")


def take_away(folder: Path, name: str) -> None:
    """The recording is gone, and is not played again."""
    (folder / f"{name}.readings").unlink()
