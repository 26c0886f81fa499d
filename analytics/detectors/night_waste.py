"""Something runs in an empty building: use above its normal band for hours while nobody should be there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from facility.model import MeterRole
from facility.quantities import Utility
from facility.work import Evidence, Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.scene import CounterUse, Floats, Scene
    from facility.work import Finding

DAY_H = 24
MAX_STRETCH_H = 120
EXPLAINED = 0.7


class NightWaste:
    """The last hours of an unoccupied stretch all lie above the band, by more than this meter ever does by itself.

    Three floors keep it quiet: a share of the expected use, a number of units, and money. The fourth is the meter's
    own record: the mean excess must beat what it showed in the unoccupied hours of the weeks before.
    """

    name: ClassVar[str] = "night_waste"
    hold_h: ClassVar[int] = 24

    def __init__(
        self,
        *,
        run_h: int = 4,
        min_share: float = 0.15,
        min_per_h: float = 2.0,
        min_money: float = 10.0,
        over_record: float = 1.25,
        record_days: int = 63,
    ) -> None:
        """``min_per_h`` in the utility's unit, ``min_money`` in the site's currency over the whole stretch."""
        self.run_h = run_h
        self.min_share = min_share
        self.min_per_h = min_per_h
        self.min_money = min_money
        self.over_record = over_record
        self.record_days = record_days

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Waste going on now, one finding a meter.

        A head meter is told of only for what its sub-meters' findings leave unexplained, and then on the sub-meter
        that explains most of it, if there is one.
        """
        causes: list[CounterUse] = []
        found: dict[str, Finding] = {}
        above = scene.uses(Utility.ELECTRICITY, when=_is_above_band)
        for use in sorted(above, key=lambda use: use.meter.role is MeterRole.HEAD):
            hours = self._wasted_hours(_unexplained(use, causes))
            if hours:
                cause = _explaining_part(use, scene.uses(Utility.ELECTRICITY), hours)
                if cause.meter.id not in found:
                    causes.append(cause)
                    found[cause.meter.id] = self._finding(scene, cause, use, hours)
        yield from found.values()

    def _wasted_hours(self, use: CounterUse) -> int:
        """Length of the run of wasted hours that reaches to now, 0 if there is none."""
        run = self._run_above_band(use)
        if run < self.run_h:
            return 0
        last = slice(len(use.qty) - run, None)
        excess, expected = use.excess[last], use.expected[last]
        recent = float(min(np.median(excess[-self.run_h :]), np.median(excess)))
        enough = recent > max(self.min_share * float(np.median(expected)), self.min_per_h)
        worth = float(excess @ use.price[last]) > self.min_money
        return run if enough and worth and recent > self.over_record * self._record(use) else 0

    def _run_above_band(self, use: CounterUse) -> int:
        """Hours without a break, up to now, that are unoccupied and above the band."""
        if not len(use.qty) or not _is_above_band(use, -1):
            return 0
        tail = slice(-MAX_STRETCH_H, None)
        above = use.unoccupied[tail] & (use.qty[tail] > use.hi[tail])
        calm = np.flatnonzero(~above[::-1])
        return int(calm[0]) if len(calm) else len(above)

    def _record(self, use: CounterUse) -> float:
        """Highest mean excess over ``run_h`` unoccupied hours in the weeks before, the last week left out."""
        past = slice(-(self.record_days + 7) * DAY_H, -7 * DAY_H)
        excess = np.where(use.unoccupied[past] & np.isfinite(use.excess[past]), use.excess[past], 0.0)
        if len(excess) < self.run_h:
            return 0.0
        sums = np.cumsum(np.concatenate([[0.0], excess]))
        means = (sums[self.run_h :] - sums[: -self.run_h]) / self.run_h
        return float(np.quantile(means, 0.998))

    def _finding(self, scene: Scene, cause: CounterUse, seen_on: CounterUse, hours: int) -> Finding:
        run = slice(len(cause.qty) - hours, None)
        excess = float(np.nansum(cause.excess[run]))
        parent = () if cause is seen_on else (scene.evidence(seen_on.point),)
        return scene.finding(
            self.name,
            cause.point,
            int(cause.t_ms[run][0]),
            scene.evidence(cause.point),
            *parent,
            *_shared_head(scene, cause, seen_on),
            severity=Severity.ACT if hours >= DAY_H else Severity.WATCH,
            confidence=round(min(0.95, 0.7 + 0.02 * hours), 2),
            hours_h=hours,
            excess_qty=round(excess, 1),
            per_hour_qty=round(excess / hours, 1),
            unit=cause.utility.unit,
            excess=Excess(round(excess, 3), cause.utility.unit, round(excess / hours * DAY_H, 3)),
            utility=cause.utility,
        )


def _is_above_band(use: CounterUse, hour: int) -> bool:
    return bool(use.unoccupied[hour] and use.qty[hour] > use.hi[hour])


def _explaining_part(use: CounterUse, uses: Iterable[CounterUse], hours: int) -> CounterUse:
    """The sub-meter of the same building that explains most of a head meter's excess, else the meter itself."""
    if use.meter.role is not MeterRole.HEAD:
        return use
    run = slice(len(use.qty) - hours, None)
    total = _total(use.excess[run])
    for part in uses:
        mine = part.meter.building == use.meter.building and part.meter.role is MeterRole.SUB
        if mine and _total(part.excess[run]) >= EXPLAINED * total:
            return part
    return use


def _unexplained(use: CounterUse, found: list[CounterUse]) -> CounterUse:
    """A head meter's use without the excess of its building's sub-meters that are told of already."""
    parts = [part for part in found if part.meter.building == use.meter.building]
    if use.meter.role is not MeterRole.HEAD or not parts:
        return use
    excess = np.sum([np.nan_to_num(np.maximum(part.excess, 0.0)) for part in parts], axis=0)
    return replace(use, qty=use.qty - excess)


def _total(excess: Floats) -> float:
    return float(np.nansum(excess))


def _shared_head(scene: Scene, cause: CounterUse, seen_on: CounterUse) -> tuple[Evidence, ...]:
    """The building's head meter beside a sub-meter that was found by itself."""
    if cause is not seen_on or cause.meter.role is MeterRole.HEAD:
        return ()
    heads = scene.catalogue.head_counters(cause.meter.building, cause.utility)
    return tuple(scene.evidence(head.id) for head in heads)
