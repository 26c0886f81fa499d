"""Water that never stops: a day without a single hour at rest, or a lowest flow well above what it used to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Floats, Scene
    from facility.work import Finding

DAY_H = 24
LOOK_BACK_DAYS = 91
BURST_M3H = 2.0


class ContinuousFlow:
    """The lowest hourly flow of 24 hours, beyond the lowest flows that this meter is used to.

    A meter that rests every night has a record of zero, so any flow that never stops is told after a day. A meter
    with a legitimate night base is told when its lowest flow rises above half as much again.
    """

    name: ClassVar[str] = "continuous_flow"
    hold_h: ClassVar[int] = 12

    def __init__(self, *, min_m3h: float = 0.02, over_record: float = 1.5, record_days: int = 28) -> None:
        """``min_m3h`` is the smallest leak worth a person."""
        self.min_m3h = min_m3h
        self.over_record = over_record
        self.record_days = record_days

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Leaks running now."""
        for use in scene.uses(Utility.WATER):
            if len(use.qty) < (self.record_days // 2) * DAY_H or not np.isfinite(use.qty[-DAY_H:]).all():
                continue
            lowest = float(use.qty[-DAY_H:].min())
            if lowest <= self.min_m3h:
                continue
            usual = self._record(use.qty[-LOOK_BACK_DAYS * DAY_H :], lowest)
            if lowest > self.over_record * usual + self.min_m3h:
                yield self._finding(scene, use, lowest, usual)

    def _record(self, qty: Floats, lowest: float) -> float:
        """What the lowest flow of a day was at most on ordinary days before this flow began.

        It began after the last hour with half of it or less; a flow that was always there is compared with the
        oldest days known. A leak that nobody mends thus never becomes its own normal.
        """
        rest = np.flatnonzero(qty <= lowest / 2)
        began = int(rest[-1]) + 1 if len(rest) else self.record_days * DAY_H
        before = qty[max(0, began - self.record_days * DAY_H) : began]
        days = before[len(before) % DAY_H :].reshape(-1, DAY_H)
        known = days[np.isfinite(days).all(axis=1)]
        return float(np.quantile(known.min(axis=1), 0.9)) if len(known) else 0.0

    def _finding(self, scene: Scene, use: CounterUse, lowest: float, usual: float) -> Finding:
        rest = np.flatnonzero(~(use.qty > usual + (lowest - usual) / 2))
        first = int(rest[-1]) + 1 if len(rest) else 0
        hours = len(use.qty) - first
        rate = lowest - usual
        return scene.finding(
            self.name,
            use.point,
            int(use.t_ms[first]),
            scene.evidence(use.point),
            severity=Severity.URGENT if rate >= BURST_M3H else Severity.ACT,
            confidence=round(min(0.97, 0.85 + 0.002 * (hours - DAY_H)), 2),
            hours_h=hours,
            rate_qty=round(rate, 3),
            excess_qty=round(rate * hours, 2),
            per_day_qty=round(rate * DAY_H, 2),
            unit=use.utility.unit,
            excess=Excess(round(rate * hours, 3), use.utility.unit, round(rate * DAY_H, 3)),
            utility=use.utility,
        )
