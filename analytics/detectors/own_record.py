"""Use held against the meter's own record of eight weeks: higher than ever, lower than ever. No model is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from facility.model import MeterRole
from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Floats, Scene
    from facility.work import Finding

DAY_H = 24
RECORD_H = 56 * DAY_H
LEAST_KNOWN_H = 28 * DAY_H
STILL = 1e-6


def record_of(use: CounterUse, apart_h: int = DAY_H) -> Floats:
    """The known hours of the weeks before the last ``apart_h``, (n,); none where they are fewer than four weeks."""
    before = use.qty[-RECORD_H - apart_h : -apart_h]
    known = before[np.isfinite(before)]
    return known if len(known) >= LEAST_KNOWN_H else known[:0]


class PeakDemand:
    """The hour's use of a building, by far the highest of eight weeks: what demand charges are reckoned by.

    Told once of each such hour, as it ends; what an ordinary week reaches is its record and is not told.
    """

    name: ClassVar[str] = "peak_demand"
    hold_h: ClassVar[int] = DAY_H

    def __init__(self, *, over_record: float = 1.15) -> None:
        """Told above so many times the highest hour of the record."""
        self.over_record = over_record

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Head meters whose last hour was such a peak."""
        for use in scene.uses(Utility.ELECTRICITY, when=_may_be_peak):
            record = record_of(use)
            if not len(record) or not use.qty[-1] > self.over_record * record.max():
                continue
            highest, now = float(record.max()), float(use.qty[-1])
            yield scene.finding(
                self.name,
                use.point,
                int(use.t_ms[-1]),
                scene.evidence(use.point),
                severity=Severity.WATCH,
                confidence=0.9,
                actual_qty=round(now, 1),
                record_qty=round(highest, 1),
                unit=use.utility.unit,
                excess=Excess(round(now - highest, 3), use.utility.unit, 0.0),
                utility=use.utility,
            )


def _may_be_peak(use: CounterUse, hour: int) -> bool:
    """Cheap: a head meter above its band, or one that has none, and above a day of its record."""
    is_high = use.meter.role is MeterRole.HEAD and not use.qty[hour] <= use.hi[hour]
    return is_high and hour >= 2 * DAY_H and not use.qty[hour] <= _day_of_record(use, hour).max()


class Dropout:
    """Use below half of what the meter never fell below in eight weeks, and yet not nothing: a part has failed.

    A register that stands still is ``stuck_meter``, one that is not heard is ``silent_meter``.
    """

    name: ClassVar[str] = "dropout"
    hold_h: ClassVar[int] = 3

    def __init__(self, *, of_lowest: float = 0.5, min_h: int = 2) -> None:
        """For ``min_h`` hours below so much of the lowest hour of the record."""
        self.of_lowest, self.min_h = of_lowest, min_h

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Meters that draw too little now."""
        for use in scene.uses(Utility.ELECTRICITY, when=_may_have_dropped):
            record = record_of(use)
            limit = self.of_lowest * float(record.min()) if len(record) else 0.0
            hours = _last_run((use.qty > STILL) & (use.qty < limit))
            if hours >= self.min_h:
                yield scene.finding(
                    self.name,
                    use.point,
                    int(use.t_ms[-hours]),
                    scene.evidence(use.point),
                    severity=Severity.ACT if use.meter.role is MeterRole.HEAD else Severity.WATCH,
                    confidence=0.9,
                    hours_h=hours,
                    actual_qty=round(float(use.qty[-1]), 2),
                    record_qty=round(float(record.min()), 2),
                    unit=use.utility.unit,
                )


def _may_have_dropped(use: CounterUse, hour: int) -> bool:
    """Cheap: below its band, or without one, and below a day of its record."""
    is_low = bool(use.qty[hour] > STILL) and not use.qty[hour] >= use.lo[hour]
    return is_low and hour >= 2 * DAY_H and not use.qty[hour] >= _day_of_record(use, hour).min()


def _day_of_record(use: CounterUse, hour: int) -> Floats:
    """The newest day of the record at an hour, (24,): its extremes are NaN where an hour is missing."""
    return use.qty[hour - 2 * DAY_H + 1 : hour - DAY_H + 1]


class Burst:
    """Water that runs faster than it ever did in eight weeks: told with the first whole hour."""

    name: ClassVar[str] = "burst"
    hold_h: ClassVar[int] = 2

    def __init__(self, *, over_record: float = 1.5, least_m3h: float = 2.0) -> None:
        """Told above so many times the highest hour of the record, and above ``least_m3h``."""
        self.over_record, self.least_m3h = over_record, least_m3h

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Water meters that run so fast now."""
        for use in scene.uses(Utility.WATER, when=lambda use, hour: bool(use.qty[hour] >= self.least_m3h)):
            record = record_of(use)
            limit = max(self.over_record * float(record.max()), self.least_m3h) if len(record) else np.inf
            hours = _last_run(use.qty > limit)
            if hours:
                excess = float(np.nansum(use.qty[-hours:] - record.max()))
                yield scene.finding(
                    self.name,
                    use.point,
                    int(use.t_ms[-hours]),
                    scene.evidence(use.point),
                    severity=Severity.URGENT,
                    confidence=0.9,
                    hours_h=hours,
                    rate_qty=round(float(use.qty[-1]), 2),
                    record_qty=round(float(record.max()), 2),
                    excess_qty=round(excess, 2),
                    unit=use.utility.unit,
                    excess=Excess(round(excess, 3), use.utility.unit, round(excess / hours * DAY_H, 3)),
                    utility=use.utility,
                )


def _last_run(flags: np.ndarray) -> int:
    """How many flags at the end are true."""
    others = np.flatnonzero(~flags[::-1])
    return int(others[0]) if len(others) else len(flags)
