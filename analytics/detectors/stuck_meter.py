"""A register that stands still while its building surely draws something."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from facility.work import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analytics.scene import CounterUse, Flags, Scene
    from analytics.suspicion.trouble import Trouble
    from facility.work import Finding

DAY_H = 24
STILL = 1e-6


class StuckMeter:
    """No use at all for longer than twice the longest rest of its own weeks before, while use was expected.

    An electricity meter is also told that counts the same hour after hour for longer than it ever did, or nothing at
    all where it always counted something (``analytics.suspicion``).
    """

    name: ClassVar[str] = "stuck_meter"
    hold_h: ClassVar[int] = 1  # it stands still or it moves: nobody is told that it stands once it has moved

    def __init__(self, *, min_h: int = 6, over_record: float = 2.0, record_days: int = 56) -> None:
        """At least ``min_h`` hours whose band excludes zero must have passed without use."""
        self.min_h = min_h
        self.over_record = over_record
        self.record_days = record_days

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Meters that stand still now."""
        for use in scene.uses(when=_stands):
            if (one := _equal_hours(use, len(use.qty) - 1)) is not None:
                yield self._finding(scene, use, len(use.qty) - one.since)
                continue
            still = np.abs(use.qty[-self.record_days * DAY_H :]) < STILL
            run = _last_run(still)
            if run < self.min_h or run == len(still):
                continue
            surely_drawn = int(np.sum(use.lo[-run:] > STILL))
            if surely_drawn >= self.min_h and run > self.over_record * longest_run(still[:-run]):
                yield self._finding(scene, use, run)

    def _finding(self, scene: Scene, use: CounterUse, run: int) -> Finding:
        return scene.finding(
            self.name,
            use.point,
            int(use.t_ms[-run]),
            scene.evidence(use.point, "reading"),
            scene.evidence(use.point),
            severity=Severity.WATCH,
            confidence=round(min(0.97, 0.8 + 0.01 * run), 2),
            hours_h=run,
            expected_qty=round(float(np.nansum(use.expected[-run:])), 1),
            unit=use.utility.unit,
        )


def _stands(use: CounterUse, hour: int) -> bool:
    return bool(abs(use.qty[hour]) < STILL) or _equal_hours(use, hour) is not None


def _equal_hours(use: CounterUse, hour: int) -> Trouble | None:
    """Unless more is used than normal: what burns day and night counts the same hour after hour."""
    seen = [one for one in use.troubles if one.is_seen(hour)]
    mine = next((one for one in seen if one.kind == StuckMeter.name), None)
    return mine if abs(use.qty[hour]) < STILL or all(one is mine for one in seen) else None


def _last_run(flags: Flags) -> int:
    """Length of the run of true flags at the end."""
    moving = np.flatnonzero(~flags[::-1])
    return int(moving[0]) if len(moving) else len(flags)


def longest_run(flags: Flags) -> int:
    """Length of the longest run of true flags (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
