"""Writes how suspicious each meter was, hour by hour, so that people see what built up before they were told."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from analytics.stepper import step_through
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.alerts import Alerting
    from analytics.scene import CounterUse, Floats, Times, Window
    from facility.work import Finding
    from stores.readings.port import ReadingStore

ROWS_AT_ONCE = 20_000


class Severities:
    """The highest severity told of each meter at each look."""

    def __init__(self) -> None:
        self.by_meter: dict[str, dict[int, float]] = defaultdict(dict)
        """Meter → time of the look, ms UTC → severity; nothing where nothing was told."""

    def take(self, now_ms: int, findings: Iterable[Finding]) -> None:
        """Take up what one look found."""
        for one in findings:
            mine = self.by_meter[one.meter]
            mine[now_ms] = max(mine.get(now_ms, 0.0), float(one.severity))


def scored(
    store: ReadingStore, window: Window, alerting: Alerting, start_ms: int, end_ms: int, *, notify_from_ms: int | None
) -> Iterator[int]:
    """As ``step_through``; once every look is done their scores are written."""
    severities = Severities()
    yield from step_through(window, alerting, start_ms, end_ms, notify_from_ms=notify_from_ms, seen=severities.take)
    write_scores(store, window, start_ms, end_ms, severities)


def write_scores(store: ReadingStore, window: Window, start_ms: int, end_ms: int, severities: Severities) -> None:
    """Write ``score_1m`` of the looks after ``start_ms`` up to ``end_ms``: of what is judged, and of what was told of.

    A row says what was known then: hours that change later leave it as it was.
    """
    waiting: list[RollupSeries] = []
    for one in _rows(window, start_ms, end_ms, severities):
        waiting.append(one)
        if sum(map(len, waiting)) >= ROWS_AT_ONCE:
            store.write_rollup("score_1m", waiting)
            waiting = []
    if waiting:
        store.write_rollup("score_1m", waiting)


def _rows(window: Window, start_ms: int, end_ms: int, severities: Severities) -> Iterator[RollupSeries]:
    looks = window.edges_ms[(window.edges_ms > start_ms) & (window.edges_ms <= end_ms)]
    scores = {use.meter.id: _scores(window, use, looks) for use in window.uses.values() if use.score is not None}
    for meter in scores.keys() | severities.by_meter.keys():
        score = scores.get(meter, np.full(len(looks), np.nan))
        severity = np.array([severities.by_meter[meter].get(t_ms, 0.0) for t_ms in looks.tolist()])
        known = np.isfinite(score) | (severity > 0)
        if known.any():
            yield RollupSeries(_tags(window, meter), looks[known], {"score": score[known], "severity": severity[known]})


def _scores(window: Window, use: CounterUse, looks: Times) -> Floats:
    """Score of the hour that ended at each look, (looks,)."""
    assert use.score is not None
    rows = np.searchsorted(window.edges_ms, looks) - 1 - use.skipped
    inside = (rows >= 0) & (rows < len(use.score))
    return np.where(inside, use.score[np.clip(rows, 0, max(len(use.score) - 1, 0))], np.nan).astype(np.float64)


def _tags(window: Window, meter_id: str) -> dict[str, str]:
    meter = window.catalogue.meter[meter_id]
    return {
        "site": window.catalogue.site.id,
        "building": meter.building,
        "utility": str(meter.utility or ""),
        "meter": meter.id,
    }
