"""A leak sensor that stands in water."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from analytics.scene import HOUR_MS, instant
from facility.quantities import Quantity
from facility.work import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import Scene


class WaterOnFloor:
    """The sensor's newest reading says wet."""

    name: ClassVar[str] = "water_on_floor"
    hold_h: ClassVar[int] = 1

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Sensors that are wet now."""
        for point, series in scene.readings(Quantity.LEAK):
            if not len(series) or not series.x[-1]:
                continue
            dry = np.flatnonzero(series.x == 0)
            first = int(dry[-1]) + 1 if len(dry) else 0
            since = instant(int(series.t_ms[first]))
            meter = scene.catalogue.meter[point.meter]
            yield Finding(
                detector=self.name,
                point=point.id,
                meter=meter.id,
                building=meter.building,
                since=since,
                seen_at=scene.now,
                severity=Severity.URGENT,
                confidence=0.95,
                evidence=(scene.evidence(point.id, "reading", days=2),),
                params={
                    "meter": meter.id,
                    "building": meter.building,
                    "since_at": since.isoformat(),
                    "hours_h": round((scene.now_ms - int(series.t_ms[first])) / HOUR_MS, 1),
                },
            )
