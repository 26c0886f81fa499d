"""Use beyond what is normal, each kind by its name: at night, on days off, all the time, slowly, too early, at once.

What is wrong is known from the window (``analytics.suspicion``): here it is said of the meter that explains it, priced,
and for as long as it is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from facility.model import MeterRole
from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Scene
    from analytics.suspicion.trouble import Trouble
    from facility.work import Evidence, Finding

DAY_H = 24
EXPLAINED = 0.7
"""Share of a head meter's excess that a sub-meter must have to be its cause."""

SPIKE_LASTS_H = 6
LEAST_SURE, MOST_SURE, SURER_AN_HOUR = 0.8, 0.95, 0.005


class ExcessOfUse:
    """One finding a meter, told on the sub-meter that explains a head meter's excess, if there is one."""

    name: ClassVar[str]
    hold_h: ClassVar[int] = 24

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """What goes on now."""
        found: dict[str, Finding] = {}
        for use in scene.uses(Utility.ELECTRICITY, when=self._is_seen):
            one = self._seen(use, len(use.qty) - 1)
            assert one is not None
            cause = use if use.meter.role is not MeterRole.HEAD else _explaining_part(scene, use, one)
            if cause is not None and cause.meter.id not in found:
                found[cause.meter.id] = self._finding(scene, cause, use, one)
        yield from found.values()

    def _is_seen(self, use: CounterUse, hour: int) -> bool:
        return self._seen(use, hour) is not None

    def _seen(self, use: CounterUse, hour: int) -> Trouble | None:
        mine = (one for one in use.troubles if one.kind == self.name and one.is_seen(hour))
        return next(mine, None)

    def _finding(self, scene: Scene, cause: CounterUse, seen_on: CounterUse, one: Trouble) -> Finding:
        end = min(len(cause.qty), one.raised + SPIKE_LASTS_H) if one.kind == Spike.name else len(cause.qty)
        rows, hours = slice(one.since, end), end - one.since
        excess = float(np.nansum(np.maximum(cause.excess[rows], 0.0)))
        return scene.finding(
            self.name,
            cause.point,
            int(cause.t_ms[one.since]),
            scene.evidence(cause.point),
            *_beside(scene, cause, seen_on),
            severity=Severity.ACT if hours >= DAY_H else Severity.WATCH,
            confidence=round(min(MOST_SURE, LEAST_SURE + SURER_AN_HOUR * hours), 2),
            hours_h=hours,
            excess_qty=round(excess, 1),
            per_hour_qty=round(excess / hours, 1),
            actual_qty=round(float(np.nansum(cause.qty[rows])), 1),
            expected_qty=round(float(np.nansum(cause.expected[rows])), 1),
            unit=cause.utility.unit,
            excess=Excess(round(excess, 3), cause.utility.unit, round(excess / hours * min(hours, DAY_H), 3)),
            utility=cause.utility,
        )


def _explaining_part(scene: Scene, use: CounterUse, one: Trouble) -> CounterUse | None:
    """The sub-meter of the same building that explains a head meter's excess, else the head meter itself.

    Nothing where those explain it that are told of already.
    """
    rows = slice(one.since, None)
    total, explained = float(np.nansum(use.excess[rows])), 0.0
    parts = [
        part
        for part in scene.uses(Utility.ELECTRICITY)
        if part.meter.building == use.meter.building and part.meter.role is MeterRole.SUB
    ]
    for part in parts:
        mine = float(np.nansum(part.excess[rows]))
        is_open = any(other.is_seen(len(part.qty) - 1) for other in part.troubles)
        if mine >= EXPLAINED * total and not is_open:
            return part
        explained += mine if is_open else 0.0
    return None if explained >= EXPLAINED * total else use


def _beside(scene: Scene, cause: CounterUse, seen_on: CounterUse) -> tuple[Evidence, ...]:
    """The meter on which it was seen, and the building's head meter beside a sub-meter that was found by itself."""
    if cause is not seen_on:
        return (scene.evidence(seen_on.point),)
    if cause.meter.role is MeterRole.HEAD:
        return ()
    heads = scene.catalogue.head_counters(cause.meter.building, cause.utility)
    return tuple(scene.evidence(head.id) for head in heads)


class NightWaste(ExcessOfUse):
    """Something runs while nobody should be in."""

    name = "night_waste"


class WeekendOrHolidayWaste(ExcessOfUse):
    """Something runs on days off that was off on other such days."""

    name = "weekend_or_holiday_waste"


class BaseLoadStep(ExcessOfUse):
    """More is used at all hours than in the weeks before."""

    name = "base_load_step"


class Drift(ExcessOfUse):
    """Use has crept up for days."""

    name = "drift"
    hold_h = 72


class EarlyStart(ExcessOfUse):
    """Plant starts hours before anybody comes."""

    name = "early_start"
    hold_h = 72


class Spike(ExcessOfUse):
    """An hour or a few far above everything around them; told once it is over: what goes on has another name."""

    name = "spike"

    def _seen(self, use: CounterUse, hour: int) -> Trouble | None:
        """A spike of the last hours, unless it is part of something longer or the leap of a register that stood."""
        if any(one.is_seen(hour) for one in use.troubles):
            return None
        mine = (one for one in use.troubles if one.kind == self.name and 0 < hour - one.raised <= SPIKE_LASTS_H)
        return next((one for one in mine if not any(other.is_seen(one.raised - 1) for other in use.troubles)), None)
