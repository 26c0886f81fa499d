"""A day of hours as a small drawing: the band that was expected and the line that was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from console.figures.use import Hourly
    from stores.access import Values

WIDTH, HEIGHT, MARGIN = 96, 112, 6


@dataclass(frozen=True, slots=True)
class Sparkline:
    """SVG path data inside a box of ``WIDTH`` x ``HEIGHT``, and the use of its highest hour.

    Fifty of these stand on a page: whole steps, four to an hour, take a third of what places with decimals take.
    """

    band: str
    line: str
    peak: float


def sparkline(hours: Hourly, start_ms: int, end_ms: int) -> Sparkline | None:
    """The hours that lie wholly in the range; None where nothing was used or known."""
    part = hours.between(start_ms, end_ms).ended(end_ms).per_hour()
    if np.count_nonzero(np.isfinite(part.qty)) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    known = np.concatenate([column[np.isfinite(column)] for column in (part.qty, part.hi)])
    peak = float(known.max()) or 1.0
    x = ((part.t_ms + part.end_ms) / 2 - start_ms) / (end_ms - start_ms) * WIDTH
    line = _path(x, _height(part.qty, peak))
    band = _band(x, _height(part.lo, peak), _height(part.hi, peak))
    return Sparkline(band, line, peak)


def _height(y: Values, peak: float) -> Values:
    """From zero at the bottom to the peak at the top."""
    return np.asarray(HEIGHT - MARGIN - y / peak * (HEIGHT - 2 * MARGIN), np.float64)


def _path(x: Values, y: Values) -> str:
    """Straight lines from step to step; a gap in the data is a gap in the line."""
    steps: list[str] = []
    before: tuple[int, int] | None = None
    for xi, yi in zip(x.tolist(), y.tolist(), strict=True):
        here = (round(xi), round(yi)) if np.isfinite(yi) else None
        if here and before:
            steps.append(f"{here[0] - before[0]} {here[1] - before[1]}")
        elif here:
            steps.append(f"M{here[0]} {here[1]}l")
        before = here
    return " ".join(steps).replace(" -", "-").replace("l ", "l").replace(" M", "M")


def _band(x: Values, lo: Values, hi: Values) -> str:
    """The closed shape between the lower and the upper limit."""
    known = np.isfinite(lo) & np.isfinite(hi)
    if np.count_nonzero(known) < 2:  # noqa: PLR2004 - as above
        return ""
    out_and_back = np.concatenate((x[known], x[known][::-1])), np.concatenate((hi[known], lo[known][::-1]))
    return _path(*out_and_back) + "Z"
