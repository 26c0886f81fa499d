"""What goes on after everybody has gone home: plant that stops too late, and lights behind armed doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analytics.detectors.door_left_open import is_lighting
from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Flags, Scene
    from facility.work import Finding

DAY_H = 24
WEEK_H = 7 * DAY_H
OVER = 0.3
"""What is left in the night of the evening's excess, where plant has stopped."""


class LateStop:
    """Plant that ran on into three evenings in a row and stopped in the night: its timer is late, none was forgotten.

    Seen in the third hour after the building closed, by hours above the band; so it needs a model of the meter.
    """

    name: ClassVar[str] = "late_stop"
    hold_h: ClassVar[int] = 80  # seen once an evening, and no evening of a weekend

    def __init__(self, *, evening_h: int = 3, evenings: int = 3, night_h: tuple[int, int] = (7, 10)) -> None:
        """Of each evening all but one hour lie above the band; ``night_h`` are hours after closing, when it is over."""
        self.evening_h, self.evenings, self.night_h = evening_h, evenings, night_h

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Meters whose plant has stopped late for some evenings."""
        for use in scene.uses(Utility.ELECTRICITY, when=self._evening_is_over):
            closings = _closings(use.unoccupied[-WEEK_H:]) + max(len(use.qty) - WEEK_H, 0)
            last = closings[-self.evenings :]
            if len(last) == self.evenings and all(self._ran_on(use, int(row)) for row in last):
                yield self._finding(scene, use, [int(row) for row in last])

    def _evening_is_over(self, use: CounterUse, hour: int) -> bool:
        """Cheap: whether the hour is the last of an evening."""
        first = hour - self.evening_h + 1
        closed = use.unoccupied
        return first > 0 and bool(closed[first] and not closed[first - 1] and use.qty[hour - 1] > use.hi[hour - 1])

    def _ran_on(self, use: CounterUse, row: int) -> bool:
        evening, night = slice(row, row + self.evening_h), slice(row + self.night_h[0], row + self.night_h[1])
        if np.count_nonzero(use.qty[evening] > use.hi[evening]) < self.evening_h - 1:
            return False
        late, later = use.excess[evening], use.excess[night]  # of the last evening no night is known yet
        return not np.nansum(later) / max(len(later), 1) > OVER * np.nansum(late) / self.evening_h

    def _finding(self, scene: Scene, use: CounterUse, rows: list[int]) -> Finding:
        excess = sum(float(np.nansum(np.maximum(use.excess[row : row + self.evening_h], 0))) for row in rows)
        return scene.finding(
            self.name,
            use.point,
            int(use.t_ms[rows[0]]),
            scene.evidence(use.point),
            severity=Severity.WATCH,
            confidence=0.85,
            evenings=len(rows),
            excess_qty=round(excess, 1),
            per_evening_qty=round(excess / len(rows), 1),
            unit=use.utility.unit,
            excess=Excess(round(excess, 3), use.utility.unit, round(excess / len(rows), 3)),
            utility=use.utility,
        )


def _closings(closed: Flags) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rows (m,) at which a building that was open is closed."""
    return np.flatnonzero(closed[1:] & ~closed[:-1]) + 1


class LightsWhileArmed:
    """Lights that burn as by day while the building's security is armed, so that nobody may be in.

    It needs no model, and leaves meters that have one to ``night_waste``, which also says how much.
    """

    name: ClassVar[str] = "lights_while_armed"
    hold_h: ClassVar[int] = 2

    def __init__(self, *, min_h: int = 2, as_by_day: float = 0.5, usual: float = 0.25, record_days: int = 28) -> None:
        """For ``min_h`` hours above so much of a usual open hour, where usual armed hours lie below ``usual`` of it."""
        self.min_h, self.as_by_day, self.usual, self.record_h = min_h, as_by_day, usual, record_days * DAY_H

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Lighting meters of buildings that are armed now."""
        open_hours = scene.window.open_hours

        def may_be(use: CounterUse, hour: int) -> bool:
            return _lights_without_model(use, hour) and not open_hours[use.meter.building][use.skipped + hour]

        for use in scene.uses(Utility.ELECTRICITY, when=may_be):
            building = scene.catalogue.building[use.meter.building]
            is_open = scene.window.open_hours[building.id][use.skipped : use.skipped + len(use.qty)]
            hours = _hours_at_end(~is_open & (use.qty > self._limit(use, is_open)))
            if hours >= self.min_h:
                excess = float(np.nansum(use.qty[-hours:]))
                yield scene.finding(
                    self.name,
                    use.point,
                    int(use.t_ms[-hours]),
                    scene.evidence(use.point),
                    severity=Severity.ACT,
                    confidence=0.9,
                    hours_h=hours,
                    excess_qty=round(excess, 1),
                    per_hour_qty=round(excess / hours, 1),
                    unit=use.utility.unit,
                    excess=Excess(round(excess, 3), use.utility.unit, round(excess / hours * min(hours, DAY_H), 3)),
                    utility=use.utility,
                )

    def _limit(self, use: CounterUse, is_open: Flags) -> float:
        """What an armed hour must stay below; endless where the lights are not known well enough."""
        past = slice(-self.record_h - DAY_H, -DAY_H)
        qty, when = use.qty[past], is_open[past]
        by_day, armed = qty[when & np.isfinite(qty)], qty[~when & np.isfinite(qty)]
        if min(len(by_day), len(armed)) < DAY_H:
            return np.inf
        usual = float(np.median(by_day))
        return self.as_by_day * usual if usual > 0 and np.median(armed) < self.usual * usual else np.inf


def _lights_without_model(use: CounterUse, hour: int) -> bool:
    return is_lighting(use.meter.enduse) and bool(np.isnan(use.hi[hour]) and use.qty[hour] > 0)


def _hours_at_end(flags: Flags) -> int:
    others = np.flatnonzero(~flags[::-1])
    return int(others[0]) if len(others) else len(flags)
