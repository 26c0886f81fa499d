"""A meter or sensor from which nothing comes any more, or never did, while others on the same agent answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from accounting.local_time import HOUR_MS
from facility.model import MeterRole
from facility.quantities import GUARDING_STATES, Kind
from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import Scene
    from facility.model import Meter
    from facility.work import Finding

DAY_H = 24
NEVER_HEARD, SENSOR = "silent_meter_never_heard", "silent_meter_sensor"
"""The texts of a meter that never spoke, and of a sensor that guards."""


class SilentMeter:
    """Silence longer than three hours and longer than three times this meter's usual pause.

    Of what guards (doors, and sensors that raise an alarm themselves) two hours and two pauses: they say hourly that
    they are there, and what a silent one would tell of is not noticed.

    Silence ends with the newest word of any meter on the same agent: when a whole agent is cut off, or the server
    itself was, that is the agent's alarm and not one of each of its meters.

    A meter that never spoke is silent from its installation on, or since the estate has it where no installation is
    noted; it is told once the estate has had it for the same three hours, a sensor that speaks of changes alone after
    a day.
    """

    name: ClassVar[str] = "silent_meter"
    hold_h: ClassVar[int] = 3

    def __init__(
        self,
        *,
        min_h: float = 3.0,
        pauses: float = 3.0,
        record_days: int = 28,
        first_change_h: float = 24.0,
        guard_h: float = 2.0,
        guard_pauses: float = 2.0,
    ) -> None:
        """``pauses`` times the 99th percentile of pauses in the ``record_days`` before the silence."""
        self.min_h = min_h
        self.first_change_h = first_change_h
        self.guard_h = guard_h
        self.guard_pauses = guard_pauses
        self.pauses = pauses
        self.record_days = record_days

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Meters that are silent now."""
        if not scene.hours:
            return
        heard = scene.last_seen()
        newest = self._newest_by_agent(scene, heard)
        for meter_id, last_ms in heard.items():
            meter = scene.catalogue.meter[meter_id]
            if not meter.agent:
                continue  # people read it
            if not last_ms:
                yield from self._never_heard(scene, meter, newest[meter.agent])
                continue
            silence_h = (newest[meter.agent] - last_ms) / HOUR_MS
            guards = _guards(scene, meter)
            least_h, pauses = (self.guard_h, self.guard_pauses) if guards else (self.min_h, self.pauses)
            if silence_h > least_h and silence_h > pauses * self._usual_pause_h(scene, meter_id):
                yield self._finding(scene, meter, last_ms, SENSOR if guards else "")

    def _never_heard(self, scene: Scene, meter: Meter, newest_ms: int) -> Iterator[Finding]:
        """A meter without a reading, as far back as was looked: it may have spoken before that."""
        named_ms = scene.window.named_ms.get(meter.id, 0)
        if (newest_ms - named_ms) / HOUR_MS <= min(self.min_h, self.first_change_h):
            return
        installed = [round(one.since.timestamp() * 1000) for one in scene.catalogue.installations_of(meter.id)]
        since_ms = max(installed, default=0) or named_ms
        if not since_ms or meter.role is MeterRole.VIRTUAL:
            return
        kinds = {point.quantity.kind for point in scene.catalogue.points_of(meter.id)}
        patience_h = self.min_h if kinds - {Kind.STATE, Kind.EVENT} else self.first_change_h
        if (newest_ms - max(since_ms, named_ms)) / HOUR_MS <= patience_h:
            return
        looked_ms = scene.window.seen_from_ms
        is_new = looked_ms <= since_ms
        yield self._finding(scene, meter, since_ms if is_new else looked_ms, NEVER_HEARD if is_new else "")

    def _newest_by_agent(self, scene: Scene, heard: dict[str, int]) -> dict[str, int]:
        """When each agent was last heard; an agent with a single meter is judged by the clock."""
        of_agent: dict[str, list[int]] = {}
        for meter_id, last_ms in heard.items():
            of_agent.setdefault(scene.catalogue.meter[meter_id].agent, []).append(last_ms)
        return {agent: max(times) if len(times) > 1 else scene.now_ms for agent, times in of_agent.items()}

    def _usual_pause_h(self, scene: Scene, meter: str) -> float:
        """99th percentile of the pauses between hours with readings, in hours; one hour at least."""
        spoken = np.unique(scene.seen(meter)[-self.record_days * DAY_H :])
        pauses = np.diff(spoken[spoken > 0]) / HOUR_MS
        return max(1.0, float(np.quantile(pauses, 0.99))) if len(pauses) else 1.0

    def _finding(self, scene: Scene, meter: Meter, last_ms: int, message: str = "") -> Finding:
        point = scene.catalogue.accounted_point(meter) or scene.catalogue.points_of(meter.id)[0]
        matters = (meter.role is MeterRole.HEAD and meter.utility is not None) or _guards(scene, meter)
        return scene.finding(
            self.name,
            point.id,
            last_ms,
            scene.evidence(point.id, "reading"),
            severity=Severity.ACT if matters else Severity.WATCH,
            confidence=0.97,
            message=message,
            hours_h=round((scene.now_ms - last_ms) / HOUR_MS, 1),
        )


def _guards(scene: Scene, meter: Meter) -> bool:
    return any(point.quantity in GUARDING_STATES for point in scene.catalogue.points_of(meter.id))
