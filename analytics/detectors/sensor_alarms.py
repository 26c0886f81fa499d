"""Sensors that say themselves what is wrong: water on the floor, smoke, a break-in, a lost supply."""

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


class SensorAlarm:
    """The newest reading of a sensor of one quantity is no 0."""

    name: ClassVar[str]
    quantity: ClassVar[Quantity]
    severity: ClassVar[Severity] = Severity.URGENT
    hold_h: ClassVar[int] = 1

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Sensors that raise their alarm now."""
        for point, series in scene.readings(self.quantity):
            if not len(series) or not series.x[-1]:
                continue
            at_rest = np.flatnonzero(series.x == 0)
            first = int(at_rest[-1]) + 1 if len(at_rest) else 0
            since_ms = int(series.t_ms[first])
            yield scene.finding(
                self.name,
                point.id,
                since_ms,
                scene.evidence(point.id, "reading", days=2),
                severity=self.severity,
                confidence=0.95,
                hours_h=round((scene.now_ms - since_ms) / HOUR_MS, 1),
            )


class WaterOnFloor(SensorAlarm):
    """A leak sensor stands in water."""

    name, quantity = "water_on_floor", Quantity.LEAK


class SmokeDetected(SensorAlarm):
    """A smoke detector has tripped."""

    name, quantity = "smoke_detected", Quantity.SMOKE


class IntrusionAlarm(SensorAlarm):
    """An alarm panel's contact says that somebody is where nobody should be."""

    name, quantity = "intrusion_alarm", Quantity.INTRUSION


class GlassBroken(SensorAlarm):
    """A sensor has heard glass breaking."""

    name, quantity = "glass_broken", Quantity.GLASS_BREAK


class MainsLost(SensorAlarm):
    """The supply has failed: what runs, runs on battery."""

    name, quantity = "mains_lost", Quantity.MAINS_LOST


class DeviceTampered(SensorAlarm):
    """A device was opened or taken off its place."""

    name, quantity, severity = "device_tampered", Quantity.TAMPER, Severity.ACT
