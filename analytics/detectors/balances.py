"""Meters held against each other: what heads count and parts do not, and what a server room draws for its computers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from accounting.local_time import HOUR_MS
from analytics.suspicion.followed import robust_spread
from facility.model import MeterRole
from facility.quantities import Utility
from facility.work import Excess, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analytics.scene import CounterUse, Floats, Scene
    from facility.work import Finding

DAY_H = 24
RECORD_DAYS = 28
LEAST_DAYS = 14
EVERY_H = 6
"""Days are compared, and so no more often than this."""

ROOM_ENDUSES = frozenset({"server_room", "server-room", "data_centre", "data-centre"})
COMPUTING_ENDUSES = frozenset({"server_it", "server-it", "servers", "it", "computing"})


def days_back(x: Floats) -> Floats:
    """Sums of whole days (d,) back from the last of hours (n,), the newest first; NaN where an hour is missing."""
    days = min(len(x) // DAY_H, RECORD_DAYS + 2)
    return np.asarray(x[len(x) - days * DAY_H :].reshape(days, DAY_H).sum(axis=1)[::-1], np.float64)


def is_due(use: CounterUse, hour: int) -> bool:
    """Whether an hour is one at which days are compared."""
    return bool(use.t_ms[hour] // HOUR_MS % EVERY_H == 0)


class ResidualLoss:
    """What the head meters of a building count and none of its sub-meters has grew, for two days, beyond four weeks.

    A tap or machine that no sub-meter counts, a leak between the meters, or a sub-meter that lost a part of its use.
    """

    name: ClassVar[str] = "residual_loss"
    hold_h: ClassVar[int] = 30

    def __init__(self, *, spreads: float = 6.0, least_share: float = 0.05) -> None:
        """Beyond so many robust standard deviations of its days, and beyond so much of the head meters' use."""
        self.spreads, self.least_share = spreads, least_share

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Buildings and utilities whose residual has grown."""
        heads, parts = (_grouped(scene, role) for role in (MeterRole.HEAD, MeterRole.SUB))
        for place in [one for one in heads if one in parts]:
            if (found := self._grown(scene, heads[place], parts[place])) is not None:
                yield found

    def _grown(self, scene: Scene, heads: list[CounterUse], parts: list[CounterUse]) -> Finding | None:
        used, counted = _day_sums(heads), _day_sums(parts)
        days = min(len(used), len(counted))
        residual = used[:days] - counted[:days]
        past = residual[2:][np.isfinite(residual[2:])]
        if len(past) < LEAST_DAYS:
            return None
        usual = float(np.median(past))
        limit = max(usual + self.spreads * robust_spread(past), usual + self.least_share * used[0], float(past.max()))
        if not min(residual[0], residual[1]) > limit:
            return None
        head, unit = heads[0], heads[0].utility.unit
        excess = float(residual[0] + residual[1] - 2 * usual)
        return scene.finding(
            self.name,
            head.point,
            int(head.t_ms[-2 * DAY_H]),
            *(scene.evidence(one.point) for one in (*heads, *parts)[:6]),
            severity=Severity.WATCH,
            confidence=0.85,
            residual_share=round(float(residual[0] / used[0]), 3),
            usual_share=round(usual / float(used[0]), 3),
            per_day_qty=round(float(residual[0]) - usual, 1),
            unit=unit,
            excess=Excess(round(excess, 3), unit, round(float(residual[0]) - usual, 3)),
            utility=head.utility,
        )


def _grouped(scene: Scene, role: MeterRole) -> dict[tuple[str, Utility], list[CounterUse]]:
    """Counters of a role by building and utility, where it is time to compare days."""
    found: dict[tuple[str, Utility], list[CounterUse]] = {}
    for use in scene.uses(when=lambda use, hour: use.meter.role is role and is_due(use, hour)):
        found.setdefault((use.meter.building, use.utility), []).append(use)
    return found


def _day_sums(uses: Iterable[CounterUse]) -> Floats:
    """Days of several counters together, (d,), as many as all have."""
    columns = [days_back(use.qty) for use in uses]
    days = min(map(len, columns))
    return np.asarray(np.sum([column[:days] for column in columns], axis=0), np.float64)


class PueHigh:
    """A server room that draws much more than its computers: above a limit, or well above its own four weeks.

    Power usage effectiveness: all that the room draws over what its computers draw, of the last whole day.
    """

    name: ClassVar[str] = "pue_high"
    hold_h: ClassVar[int] = 30

    def __init__(self, *, limit: float = 1.8, over_own: float = 1.15) -> None:
        """Above ``limit``, or above so many times the median of its own days."""
        self.limit, self.over_own = limit, over_own

    def detect(self, scene: Scene) -> Iterator[Finding]:
        """Server rooms that waste now."""
        for room in scene.uses(Utility.ELECTRICITY, when=_is_room):
            racks = list(scene.uses(Utility.ELECTRICITY, when=partial(_belongs, room)))
            if racks and (found := self._wasting(scene, room, racks)) is not None:
                yield found

    def _wasting(self, scene: Scene, room: CounterUse, racks: list[CounterUse]) -> Finding | None:
        drawn, computed = _day_sums([room]), _day_sums(racks)
        days = min(len(drawn), len(computed))
        pue = drawn[:days] / np.where(computed[:days] > 0, computed[:days], np.nan)
        past = pue[1:][np.isfinite(pue[1:])]
        usual = float(np.median(past)) if len(past) >= LEAST_DAYS else self.limit
        if not days or not pue[0] > min(self.limit, self.over_own * usual):
            return None
        normal = min(usual, self.limit)
        per_day = float((pue[0] - normal) * computed[0])
        return scene.finding(
            self.name,
            room.point,
            int(room.t_ms[-DAY_H]),
            scene.evidence(room.point),
            *(scene.evidence(one.point) for one in racks),
            severity=Severity.WATCH,
            confidence=0.9,
            pue=round(float(pue[0]), 2),
            usual_pue=round(normal, 2),
            per_day_qty=round(per_day, 1),
            unit=room.utility.unit,
            excess=Excess(round(per_day, 3), room.utility.unit, round(per_day, 3)),
            utility=room.utility,
        )


def _is_room(use: CounterUse, hour: int) -> bool:
    return use.meter.enduse in ROOM_ENDUSES and is_due(use, hour)


def _belongs(room: CounterUse, use: CounterUse, hour: int) -> bool:  # noqa: ARG001 - asked for any hour
    return use.meter.enduse in COMPUTING_ENDUSES and use.meter.building == room.meter.building
