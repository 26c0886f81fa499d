"""What a repair saved: how much less a meter used in the nights after it than while the cause went on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from facility.currency import minor_digits
from facility.quantities import Utility
from facility.work import NIGHTS_CHECKED, Saving

if TYPE_CHECKING:
    from analytics.scene import CounterUse, Flags, Floats, Scene
    from facility.work import Alert

NIGHT_ENDS = 5
"""A night's hours begin at midnight and end at this hour, local: whoever uses water then is known."""

LEAST_HOURS = 3
"""Of a night, or of the time before, so many hours must have been measured."""

DAY_H = 24


def saving_of(case: Alert, scene: Scene) -> Saving | None:
    """What has been saved per day since a case was put right, in the utility's unit; None where it cannot be said yet.

    Of electricity what is beyond the expected is compared, of all hours; of what flows the use itself, at night.
    """
    use = scene.window.uses.get(case.point)
    if use is None or case.closed_at is None or case.excess is None or not case.excess.per_day > 0:
        return None
    use = use.until(scene.hours)
    at_ms, zone = round(case.closed_at.timestamp() * 1000), ZoneInfo(scene.catalogue.site.timezone)
    local = [datetime.fromtimestamp(t / 1000, zone) for t in use.t_ms.tolist()]
    at_night = np.array([at.hour < NIGHT_ENDS for at in local], bool)
    x, counts = _compared(use, at_night)
    known = counts & np.isfinite(x)
    before = known & (use.t_ms >= round(case.since.timestamp() * 1000)) & (use.t_ms < at_ms)
    after = known & (use.t_ms >= at_ms)
    measured = [at.date() for at, is_measured in zip(local, after & at_night, strict=True) if is_measured]
    nights = sum(measured.count(day) >= LEAST_HOURS for day in set(measured))
    if nights < NIGHTS_CHECKED or int(before.sum()) < LEAST_HOURS:
        return None
    per_day = round(float(x[before].mean() - x[after].mean()) * DAY_H, 3)
    return _priced(case, per_day, use.utility.unit, nights)


def _compared(use: CounterUse, at_night: Flags) -> tuple[Floats, Flags]:
    """What is compared of each hour, (n,), and of which hours."""
    if use.utility is Utility.ELECTRICITY:
        return use.excess, np.ones(len(use.t_ms), bool)
    return use.qty, at_night


def _priced(case: Alert, per_day: float, unit: str, nights: int) -> Saving:
    if case.money is None or case.excess is None:
        return Saving(per_day, unit, nights)
    money = per_day * case.money.per_day / case.excess.per_day
    return Saving(per_day, unit, nights, round(money, minor_digits(case.money.currency)), case.money.currency)
