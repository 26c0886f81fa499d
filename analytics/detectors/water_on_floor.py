"""A leak sensor that stands in water."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from accounting.local_time import HOUR_MS
from facility.quantities import Quantity
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import Scene
    from facility.work import Finding


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
            since_ms = int(series.t_ms[first])
            yield scene.finding(
                self.name,
                point.id,
                since_ms,
                scene.evidence(point.id, "reading", days=2),
                severity=Severity.URGENT,
                confidence=0.95,
                hours_h=round((scene.now_ms - since_ms) / HOUR_MS, 1),
            )
