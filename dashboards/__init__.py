"""What people look at in Grafana, as code: every dashboard of an estate from its catalogue, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import (
    alerts,
    building,
    cost,
    devices,
    estate,
    lobby,
    meter,
    patterns,
    quality,
    savings,
    signature,
    water,
)
from facility.quantities import Utility

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dashboards.sheet import Sheet
    from facility.catalogue import Catalogue
    from facility.levels import Level

DASHBOARDS: Mapping[str, Callable[[Catalogue, Level], Sheet]] = {
    "estate": estate.dashboard,
    "building": building.dashboard,
    "patterns": patterns.dashboard,
    "savings": savings.dashboard,
    "signature": signature.dashboard,
    "cost": cost.dashboard,
    "water": water.dashboard,
    "meter": meter.dashboard,
    "alerts": alerts.dashboard,
    "quality": quality.dashboard,
    "devices": devices.dashboard,
}
"""Every dashboard that stands once, by its key."""

PER_BUILDING: Mapping[str, Callable[[Catalogue, Level], tuple[Sheet, ...]]] = {"lobby": lobby.dashboards}
"""Those that each building has one of."""

ABOUT: Mapping[str, Utility] = {"water": Utility.WATER}
"""Dashboards of one utility: an estate that counts none of it has none of them."""

WAITING: Mapping[str, tuple[str, str]] = {
    "alerts/acknowledged": ("median time from an alert to whoever takes it", "the steps of cases, with casework"),
    "alerts/finished": ("median time from an alert to its end", "the steps of cases, with casework"),
    "alerts/real": ("share judged real, by detector", "verdicts counted by day, with casework"),
    "water/zero": (
        "minutes without flow, where hours are drawn now",
        "such a field of the day's rows, made of readings",
    ),
    "meter/balance": ("parent less children, by the meter tree", "the meter tree, with allocation"),
    "patterns/starts": (
        "by how many minutes a day started early and stopped late",
        "such a field of the day's rows, with models: detectors tell early starts as alerts, which are marked",
    ),
    "savings/measures": ("each measure with its date, and the slope before and after", "measures, with casework"),
    "savings/model": ("the accepted baseline, its period and error", "models that somebody accepted, with models"),
    "cost/contracted": ("peak against the demand that is contracted", "a contract of each meter, with allocation"),
    "savings/uncertainty": ("how sure a saving is", "the error of accepted baselines, with models"),
}
"""Panels that are not made yet: what they will show, and what they wait for. Whoever brings the figure adds them."""
