"""Water that runs away: it never stops, or its lowest flow rises above what the meter is used to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analytics.suspicion.steps import added_up
from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Scene
    from analytics.suspicion.trouble import Trouble
    from facility.work import Finding

DAY_H = 24
BURST_M3H = 2.0


class ContinuousFlow:
    """A day without a single hour as low as this meter is used to (``analytics.suspicion.leaks``).

    It lasts until the lowest flow has been back for hours of two days: a leak that nobody mends never becomes normal.
    """

    name: ClassVar[str] = "continuous_flow"
    hold_h: ClassVar[int] = 12

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Leaks running now."""
        for use in scene.uses(Utility.WATER, when=self._is_seen):
            one = self._seen(use, len(use.qty) - 1)
            assert one is not None
            yield self._finding(scene, use, one)

    def _is_seen(self, use: CounterUse, hour: int) -> bool:
        return self._seen(use, hour) is not None

    def _seen(self, use: CounterUse, hour: int) -> Trouble | None:
        return next((one for one in use.troubles if one.kind == self.name and one.is_seen(hour)), None)

    def _finding(self, scene: Scene, use: CounterUse, one: Trouble) -> Finding:
        hours = len(use.qty) - one.since
        before = added_up(use.qty[: one.since], one.span_h)[-DAY_H:]
        lately = added_up(use.qty, one.span_h)[-DAY_H:]
        lowest = float(np.nanmin(lately)) if np.isfinite(lately).any() else 0.0
        rate = lowest - (float(np.nanmin(before)) if np.isfinite(before).any() else 0.0)
        return scene.finding(
            self.name,
            use.point,
            int(use.t_ms[one.since]),
            scene.evidence(use.point),
            severity=Severity.URGENT if rate >= BURST_M3H else Severity.ACT,
            confidence=round(min(0.97, 0.85 + 0.002 * max(hours - DAY_H, 0)), 2),
            hours_h=hours,
            rate_qty=round(rate, 3),
            excess_qty=round(rate * hours, 2),
            per_day_qty=round(rate * DAY_H, 2),
            unseen_qty=round(one.unseen, 3),
            unit=use.utility.unit,
            excess=Excess(round(rate * hours, 3), use.utility.unit, round(rate * DAY_H, 3)),
            utility=use.utility,
        )


class NightFlowRise(ContinuousFlow):
    """The lowest flows of several days rose, of a meter that never quite rests."""

    name = "night_flow_rise"
