"""A door that stands open while its building is closed, and whether lights burn behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from accounting.local_time import HOUR_MS
from facility.quantities import Quantity, Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Scene
    from facility.model import Building, Point
    from facility.work import Finding
    from stores.readings.port import Series

WITH_LIGHTS = "door_left_open_lights"
"""The texts that also tell of the lights."""

LONGEST_H = 240
DAY_H = 24


@dataclass(frozen=True, slots=True)
class _Lights:
    """Lighting that burns above its band behind the door, and how much since the door stands open."""

    use: CounterUse
    excess: float


class DoorLeftOpen:
    """The door's state has been *open* for half an hour outside opening hours."""

    name: ClassVar[str] = "door_left_open"
    hold_h: ClassVar[int] = 1

    def __init__(self, *, min_minutes: float = 30.0) -> None:
        """A shorter time open is somebody leaving late."""
        self.min_minutes = min_minutes

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Doors that stand open now."""
        for point, series in scene.readings(Quantity.DOOR_OPEN):
            meter = scene.catalogue.meter[point.meter]
            building = scene.catalogue.building[meter.building]
            since_ms = self._open_since(scene, series, building)
            if since_ms is not None and scene.now_ms - since_ms >= self.min_minutes * 60_000:
                yield self._finding(scene, point, building, since_ms)

    def _open_since(self, scene: Scene, series: Series, building: Building) -> int | None:
        """When the door began to stand open outside opening hours; None if it does not."""
        if not len(series) or not series.x[-1] or scene.is_open(building, scene.now_ms - 1):
            return None
        shut = np.flatnonzero(series.x == 0)
        opened = int(series.t_ms[int(shut[-1]) + 1]) if len(shut) else int(series.t_ms[0])
        return max(opened, scene.closed_since(building, LONGEST_H))

    def _finding(self, scene: Scene, point: Point, building: Building, since_ms: int) -> Finding:
        lights = max(_lights_on(scene, building, since_ms), key=lambda found: found.excess, default=None)
        hours = (scene.now_ms - since_ms) / HOUR_MS
        excess, unit = (round(lights.excess, 3), lights.use.utility.unit) if lights else (0.0, "kWh")
        return scene.finding(
            self.name,
            point.id,
            since_ms,
            scene.evidence(point.id, "reading", days=2),
            *((scene.evidence(lights.use.point),) if lights else ()),
            severity=Severity.ACT,
            confidence=0.97 if lights else 0.9,
            hours_h=round(hours, 1),
            lights_meter=lights.use.meter.id if lights else "",
            excess_qty=excess,
            unit=unit,
            excess=Excess(excess, unit, round(excess / max(hours, 1) * DAY_H, 3)) if lights else None,
            utility=lights.use.utility if lights else None,
            message=WITH_LIGHTS if lights else "",
        )


def _lights_on(scene: Scene, building: Building, since_ms: int) -> Iterator[_Lights]:
    """Lighting sub-meters of the building whose last hour lies above the band."""
    for use in scene.uses(Utility.ELECTRICITY):
        if use.meter.building == building.id and is_lighting(use.meter.enduse) and len(use.qty):
            hours = max(1, int(np.sum(use.t_ms >= since_ms)))
            if use.qty[-1] > use.hi[-1]:
                yield _Lights(use, max(0.0, float(np.nansum(use.excess[-hours:]))))


def is_lighting(enduse: str) -> bool:
    """Whether an end use is lighting: ``lights``, ``lighting``, ``lighting-floor-2``."""
    return enduse.startswith("light")
