"""Cases by day: how many began, were settled and stood open at its end, of each building and kind of alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from facility.work import over_at
from stores.readings.port import RollupSeries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounting.calendars import SiteCalendar
    from facility.work import Alert
    from stores.readings.port import ReadingStore, Times

Kind = tuple[str, str]
"""Building and detector."""


@dataclass(frozen=True, slots=True)
class CaseSpan:
    """A case as its days need it; ``settled_ms`` None: it stands open."""

    kind: Kind
    raised_ms: int
    settled_ms: int | None
    cost: float

    @classmethod
    def of(cls, alert: Alert) -> CaseSpan:
        """Raised when a detector could say so; settled when its cause went away or it got a verdict that holds."""
        ended_at = over_at(alert)
        cost = alert.money.to_date if alert.money else float("nan")
        settled = round(ended_at.timestamp() * 1000) if ended_at else None
        return cls((alert.building, alert.detector), round(alert.raised_at.timestamp() * 1000), settled, cost)


class CaseDays:
    """Rows of ``alert_1d``: a day has one where any of its figures is not nothing, or was not before."""

    def __init__(self, store: ReadingStore, calendar: SiteCalendar, site: str) -> None:
        self._store, self._calendar, self._site = store, calendar, site

    def write(self, kind: Kind, cases: Iterable[CaseSpan], now_ms: int) -> None:
        """Make the days of a kind anew, from the first of these cases to the day of ``now_ms``."""
        spans = list(cases)
        if not spans:
            return
        edges = self._calendar.day_edges(min(one.raised_ms for one in spans), now_ms + 1)
        raised = np.array([one.raised_ms for one in spans], np.int64)
        settled = np.array([2**52 if one.settled_ms is None else one.settled_ms for one in spans], np.int64)
        cost = np.array([one.cost for one in spans])
        fields = {
            "raised": np.histogram(raised, edges)[0].astype(np.float64),
            "settled": np.histogram(settled, edges)[0].astype(np.float64),
            "open": (_until(raised, edges) - _until(settled, edges)).astype(np.float64),
            "excess_cost": _sums(cost, raised, edges),
        }
        tags = {"site": self._site, "building": kind[0], "type": kind[1]}
        stored = self._store.read_rollup("alert_1d", tags, int(edges[0]), int(edges[-1]), ["open"])
        there = np.isin(edges[:-1], np.concatenate([np.empty(0, np.int64), *(one.t_ms for one in stored)]))
        kept = there | (fields["raised"] + fields["settled"] + fields["open"] > 0)
        days = {name: column[kept] for name, column in fields.items()}
        self._store.write_rollup("alert_1d", [RollupSeries(tags, edges[:-1][kept], days)])


def _until(t_ms: Times, edges_ms: Times) -> Times:
    """How many instants lie before the end of each day, (d,)."""
    return np.searchsorted(np.sort(t_ms), edges_ms[1:])


def _sums(cost: np.typing.NDArray[np.float64], t_ms: Times, edges_ms: Times) -> np.typing.NDArray[np.float64]:
    """What is known of costs by the day of an instant, (d,); NaN where nothing is."""
    priced = ~np.isnan(cost)
    sums = np.histogram(t_ms[priced], edges_ms, weights=cost[priced])[0]
    return np.where(np.histogram(t_ms[priced], edges_ms)[0] > 0, sums, np.nan)
