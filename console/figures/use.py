"""The figures of the estate and of a building: what flows now, what was used, what was expected by now."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from accounting.local_time import HOUR_MS, hour_edges, rows_among
from facility.quantities import ACCOUNTED, Quantity, Utility
from facility.register import most_per_hour
from stores.counter_rows import counter_tags, one_series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from accounting.local_time import Bools
    from facility.catalogue import Catalogue
    from facility.model import Meter
    from stores.access import Picture, RollupSeries, Times, Values, View

LIVE_QUANTITY = {
    Utility.ELECTRICITY: Quantity.ACTIVE_POWER,
    Utility.WATER: Quantity.WATER_FLOW,
    Utility.GAS: Quantity.GAS_FLOW,
    Utility.HEAT: Quantity.HEAT_POWER,
    Utility.COOLING: Quantity.COOLING_POWER,
}
"""The gauge that says how much of a utility flows now."""


SPEED_TO_GAUGE = {
    Utility.ELECTRICITY: 1000.0,  # kWh per hour → W
    Utility.WATER: 1000.0,  # m³ per hour → L/h
    Utility.GAS: 1.0,
    Utility.HEAT: 1000.0,
    Utility.COOLING: 1000.0,
}
"""From a counter's units per hour to the unit of the gauge."""


@dataclass(frozen=True, slots=True)
class LiveSum:
    """A sum of gauges now. ``t_ms`` is the oldest reading in it: a sum is as old as its oldest part."""

    x: float
    t_ms: int
    poll_s: float


@dataclass(frozen=True, slots=True)
class ComparedUse:
    """Use over a stretch beside what was expected in the same hours; NaN where unknown."""

    qty: float = math.nan
    expected: float = math.nan
    cost: float = math.nan

    @property
    def over(self) -> float:
        """Share above (+) or below (-) the expected use; NaN without one."""
        return self.qty / self.expected - 1 if self.expected > 0 else math.nan

    @property
    def verdict(self) -> str:
        """How far from expected: ``low``, ``usual``, ``high`` or ``very_high``; ``unknown`` without an expectation."""
        if not math.isfinite(self.over):
            return "unknown"
        if self.over > 0.15:  # noqa: PLR2004 - dashboards' limits: 5 % is worth watching, 15 % worth acting on
            return "very_high"
        if self.over > 0.05:  # noqa: PLR2004 - see above
            return "high"
        return "low" if self.over < -0.15 else "usual"  # noqa: PLR2004 - the same distance below


@dataclass(frozen=True, slots=True)
class Hourly:
    """The site's hours of a building and utility: starts and ends (n,) in ms, figures (n,), NaN where unknown."""

    t_ms: Times
    end_ms: Times
    qty: Values
    expected: Values
    lo: Values
    hi: Values
    cost: Values

    def between(self, start_ms: int, end_ms: int) -> Hourly:
        """The hours that start in the range."""
        return self._only((self.t_ms >= start_ms) & (self.t_ms < end_ms))

    def ended(self, now_ms: int) -> Hourly:
        """The hours that are over."""
        return self._only(self.end_ms <= now_ms)

    def _only(self, keep: Bools) -> Hourly:
        figures = (self.qty, self.expected, self.lo, self.hi, self.cost)
        return Hourly(self.t_ms[keep], self.end_ms[keep], *(column[keep] for column in figures))

    def per_hour(self) -> Hourly:
        """The mean flow of each: an hour that a change of the clocks cut short is no dip."""
        long = (self.end_ms - self.t_ms) / HOUR_MS
        qty, expected, lo, hi = (column / long for column in (self.qty, self.expected, self.lo, self.hi))
        return replace(self, qty=qty, expected=expected, lo=lo, hi=hi)

    def so_far(self, start_ms: int, now_ms: int) -> ComparedUse:
        """Use from ``start_ms`` to now; of the running hour only the part that has passed is expected."""
        part = self.between(start_ms, now_ms)
        known = np.isfinite(part.qty)
        if not known.any():
            return ComparedUse()
        passed = np.clip((now_ms - part.t_ms[known]) / (part.end_ms - part.t_ms)[known], 0.0, 1.0)
        return ComparedUse(
            qty=float(part.qty[known].sum()),
            expected=float((part.expected[known] * passed).sum()),
            cost=float(part.cost[known].sum()),
        )


HOURLY_FIELDS = ("qty", "expected", "lo", "hi", "cost")
"""Fields of a rollup that make ``Hourly``."""

_NO_TIMES = np.empty(0, np.int64)
NO_HOURS = Hourly(_NO_TIMES, _NO_TIMES, *[np.empty(0)] * 5)


def hourly(series: RollupSeries, zone: ZoneInfo) -> Hourly:
    """A rollup's series as hours of a zone; a row of other hours is passed over."""
    if not len(series):
        return NO_HOURS
    edges_ms = hour_edges(int(series.t_ms[0]), int(series.t_ms[-1]) + 1, zone)
    rows, known = rows_among(edges_ms, series.t_ms)
    blank = np.full(len(series), np.nan)
    columns = (series.fields.get(name, blank)[known] for name in HOURLY_FIELDS)
    return Hourly(edges_ms[rows], edges_ms[rows + 1], *columns)


def building_hours(view: View, utility: Utility, start_ms: int, end_ms: int, building: str = "") -> dict[str, Hourly]:
    """Hours of every building (or of one) for a utility, by building id."""
    tags = {"utility": utility.value} | ({"building": building} if building else {})
    found = view.readings.rollup("building_1h", tags, start_ms, end_ms, HOURLY_FIELDS)
    zone = ZoneInfo(view.catalogue.site.timezone)
    return {series.tags["building"]: hourly(series, zone) for series in found}


def live_sum(catalogue: Catalogue, meters: Iterable[Meter], utility: Utility, picture: Picture) -> LiveSum | None:
    """What flows now through some meters, in the unit of the utility's gauge; None where nothing is known."""
    known = [flow for meter in meters if (flow := _flow(catalogue, meter, utility, picture))]
    if not known:
        return None
    return LiveSum(sum(flow.x for flow in known), min(flow.t_ms for flow in known), max(flow.poll_s for flow in known))


def _flow(catalogue: Catalogue, meter: Meter, utility: Utility, picture: Picture) -> LiveSum | None:
    """A meter's gauge, or else the speed of its counter, unless that is more than its feeder can deliver."""
    gauge = catalogue.find_point(meter.id, LIVE_QUANTITY[utility])
    if gauge and gauge.id in picture.values:
        latest = picture.values[gauge.id]
        return LiveSum(latest.x, latest.t_ms, meter.poll_s)
    counter = catalogue.find_point(meter.id, ACCOUNTED[utility])
    per_hour = picture.per_hour.get(counter.id) if counter else None
    if counter and per_hour is not None and per_hour <= most_per_hour(meter, counter.quantity):
        return LiveSum(per_hour * SPEED_TO_GAUGE[utility], picture.values[counter.id].t_ms, meter.poll_s)
    return None


def meter_use(view: View, rollup: str, building: str, start_ms: int, end_ms: int) -> Mapping[str, float]:
    """Use of each meter's accounted counter over a range, by ``meter/quantity``."""
    found: dict[str, list[RollupSeries]] = defaultdict(list)
    for series in view.readings.rollup(rollup, {"building": building}, start_ms, end_ms, ["qty"]):
        found[f"{series.tags['meter']}/{series.tags['quantity']}"].append(series)
    sums: dict[str, float] = {}
    for meter in view.catalogue.meters_of(building):
        point = view.catalogue.accounted_point(meter)
        counter = f"{point.meter}/{point.quantity.word}" if point else ""
        if point and counter in found:
            qty = one_series(found[counter], counter_tags(view.catalogue, point)).fields["qty"]
            known = qty[np.isfinite(qty)]
            if len(known):
                sums[counter] = float(known.sum())
    return sums
