"""A day of hours as a small drawing: the band that was expected and the line that was used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from console.figures.use import Hourly
    from stores.access import Values

WIDTH, HEIGHT, MARGIN = 240.0, 56.0, 3.0


@dataclass(frozen=True, slots=True)
class Sparkline:
    """SVG path data inside a box of ``WIDTH`` x ``HEIGHT``, and the use of its highest hour."""

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
    """Straight lines; a gap in the data is a gap in the line."""
    steps, pen = [], "M"
    for xi, yi in zip(x.tolist(), y.tolist(), strict=True):
        if np.isfinite(yi):
            steps.append(f"{pen}{xi:.1f} {yi:.1f}")
            pen = "L"
        else:
            pen = "M"
    return "".join(steps)


def _band(x: Values, lo: Values, hi: Values) -> str:
    """The closed shape between the lower and the upper limit."""
    known = np.isfinite(lo) & np.isfinite(hi)
    if np.count_nonzero(known) < 2:  # noqa: PLR2004 - as above
        return ""
    there = _path(x[known], hi[known])
    back = _path(x[known][::-1], lo[known][::-1])
    return f"{there}L{back[1:]}Z"
