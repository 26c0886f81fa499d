"""What charts draw, as plain columns: times in seconds, figures or null, spans to shade, and one sentence about it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stores.access import Series, Times, Values

Shape = Literal["line", "thin", "dashed", "step", "bars", "part", "lo", "hi", "state", "mark"]

MOST_POINTS = 1500
"""More points than pixels only cost time."""


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One figure of a plot over its times; ``shape`` says how it is drawn, ``lo`` and ``hi`` enclose a band."""

    label: str
    shape: Shape
    y: list[float | None]


@dataclass(frozen=True, slots=True)
class PlotSpan:
    """A stretch to shade, in seconds."""

    start: float
    end: float
    tone: str = "act"


@dataclass(frozen=True, slots=True)
class Plot:
    """Columns of one length over ``x`` (seconds since 1970 UTC, ascending)."""

    x: list[float]
    lines: list[PlotLine]
    unit: str
    start: float
    end: float
    zone: str
    spans: list[PlotSpan] = field(default_factory=list)
    states: list[str] = field(default_factory=list)  # words for 0 and 1, where the lines are states
    summary: str = ""
    grain: str = "time"  # time | day

    def as_json(self) -> dict[str, Any]:
        """For the page's script."""
        return asdict(self)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value is not None for line in self.lines for value in line.y)


def column(y: Values, digits: int = 3) -> list[float | None]:
    """Figures (n,) as JSON knows them: what is absent is null."""
    return [round(v, digits) if math.isfinite(v) else None for v in y.tolist()]


def merge(parts: Iterable[tuple[str, Shape, Times, Values]]) -> tuple[list[float], list[PlotLine]]:
    """Columns (n,), each with times of its own, on one axis."""
    parts = list(parts)
    times = np.unique(np.concatenate([t for _, _, t, _ in parts])) if parts else np.empty(0, np.int64)
    lines = []
    for label, shape, t, y in parts:
        on_axis = np.full(len(times), np.nan)
        on_axis[np.searchsorted(times, t)] = y
        lines.append(PlotLine(label, shape, column(on_axis)))
    return (times / 1000).tolist(), lines


def thinned(series: Series) -> tuple[Times, Values]:
    """At most about ``MOST_POINTS`` readings (n,): the lowest and the highest of each stretch are kept."""
    n = len(series)
    if n <= MOST_POINTS:
        return series.t_ms, series.x
    size = math.ceil(n / (MOST_POINTS // 2))
    keep: set[int] = {0, n - 1}
    for first in range(0, n, size):
        part = series.x[first : first + size]
        keep |= {first + int(part.argmin()), first + int(part.argmax())}
    index = np.array(sorted(keep))
    return series.t_ms[index], series.x[index]


def changes_only(series: Series, end_ms: int) -> tuple[Times, Values]:
    """Times and values (n,): of a state only the readings at which it changed, and its value at the end."""
    if not len(series):
        return series.t_ms, series.x
    turned = np.flatnonzero(np.diff(series.x, prepend=np.nan) != 0)
    t, y = series.t_ms[turned], series.x[turned]
    return np.append(t, max(end_ms, int(t[-1]) + 1)), np.append(y, y[-1])
