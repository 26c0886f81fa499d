"""A year's quota in units of use: which binds a building, what of it falls to a time, what the time will come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.stated_figures import mean_figure
from facility.quantities import Utility
from facility.stated import FigureKind, Indicator

if TYPE_CHECKING:
    from datetime import date

    from accounting.arrays import Floats
    from accounting.local_time import Times
    from facility.catalogue import Catalogue
    from facility.stated import Quota, Stated

MONTHS = 12
STANDARD_COAL = ""
"""What stands for the utility where energy of every kind is counted, in kgce."""

_COUNTED = {
    Indicator.ENERGY_PER_M2: (STANDARD_COAL, FigureKind.FLOOR_AREA),
    Indicator.ENERGY_PER_PERSON: (STANDARD_COAL, FigureKind.PERSONS),
    Indicator.WATER_PER_PERSON: (Utility.WATER.value, FigureKind.WATER_PERSONS),
    Indicator.ELECTRICITY_PER_M2: (Utility.ELECTRICITY.value, FigureKind.FLOOR_AREA),
    Indicator.ELECTRICITY_PER_PERSON: (Utility.ELECTRICITY.value, FigureKind.PERSONS),
}
"""What each indicator counts, and for each of what."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a building may use in a year by the constraint of a quota, in kWh, m³ or kgce."""

    amount: float
    quota: Quota


def quotas_on(stated: Stated, building: str, end: date) -> dict[Indicator, Quota]:
    """The quotas in force on the day before ``end``: a building's own before that of all."""
    held = [one for one in stated.quotas if one.building in {"", building} and one.valid_from < end]
    return {one.indicator: one for one in sorted(held, key=lambda one: (bool(one.building), one.valid_from))}


def counted_by_quotas(stated: Stated, building: str) -> frozenset[str]:
    """The utilities of which a building has a quota at some time, ``STANDARD_COAL`` among them."""
    return frozenset(_COUNTED[one.indicator][0] for one in stated.quotas if one.building in {"", building})


def allowed_in_year(estate: Catalogue, building: str, first: date, end: date) -> dict[str, Allowed]:
    """By utility what a building may use in the year from ``first`` up to before ``end``; of two quotas the lesser.

    A quota has none where the area or the heads that it multiplies are not stated for all of the year.
    """
    found: dict[str, Allowed] = {}
    for indicator, quota in quotas_on(estate.stated, building, end).items():
        utility, kind = _COUNTED[indicator]
        count = mean_figure(estate, kind, first, end, building).value
        if count is None:
            continue
        one = Allowed(quota.constraint * float(count), quota)
        if utility not in found or one.amount < found[utility].amount:
            found[utility] = one
    return found


def weights_of_year(months: Times, use_before: Floats, months_before: Times) -> Floats:
    """What each day of a year weighs, (d,): as an average day of its month the year before, where each was known.

    ``months`` (d,) and ``months_before`` (b,) are 0 for January to 11, ``use_before`` (b,) the days' use. Where a day
    of the year before is not known, or nothing was used, all days weigh the same.
    """
    even = np.ones(len(months))
    if len(np.unique(months_before)) < MONTHS or np.isnan(use_before).any() or not use_before.sum() > 0:
        return even
    sums = np.bincount(months_before, use_before, MONTHS)
    weights: Floats = np.maximum(sums / np.bincount(months_before, minlength=MONTHS), 0.0)[months]
    return weights if weights.sum() > 0 else even


def spent(quota: float, weights: Floats, use: Floats) -> dict[str, Floats]:
    """Of each day of a time (d,), up to its end: what was used, what was due, and what the time comes to at this pace.

    ``use`` is NaN where it is not known, and so is all that was used from there on.
    """
    whole = weights if weights.sum() > 0 else np.ones(len(weights))
    share, used = np.cumsum(whole) / whole.sum(), np.cumsum(use)
    projected = np.divide(used, share, out=np.full(len(use), np.nan), where=share > 0)
    return {"quota": np.full(len(use), quota), "due": quota * share, "used": used, "projected": projected}
