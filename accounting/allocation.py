"""Who bears a day's use: what departments' own meters count, and the rest by area, headcount, shares or remainder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accounting.belonging import department_of, owner_of
from accounting.stated_figures import figure_on
from facility.errors import ConfigError, Problem
from facility.stated import FigureKind, Member, RestBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from accounting.arrays import Floats
    from facility.catalogue import Catalogue
    from facility.model import Building
    from facility.quantities import Utility
    from facility.stated import AllocationRule, Stated

BY_METERS, BY_OWNER = "meters", "owner"
"""How a part came to a department: its own meters counted it, or the building is its alone."""

_FIGURE = {RestBy.AREA: FigureKind.FLOOR_AREA, RestBy.HEADCOUNT: FigureKind.PERSONS}


@dataclass(frozen=True, slots=True)
class Bearers:
    """Who bears a building's use on a day: the departments of ``meters``, and weights of the rest that add up to one.

    ``by`` says how the rest is shared, ``basis`` by which document.
    """

    meters: Mapping[str, str]
    rest: Mapping[str, float]
    by: str
    basis: str


def bearers_on(estate: Catalogue, building: Building, utility: Utility, day: date) -> Bearers | None:
    """Who bears it by what is stated; None where nobody is named.

    A rule of all utilities may name meters of several: each counts for its own alone. Raises ``ConfigError`` where a
    figure that is needed is not stated.
    """
    stated = estate.stated_of(building.id)
    rule = _rule_on(stated, building.id, utility, day)
    if rule is None:
        owner = owner_of(stated, building, day)
        return Bearers({}, {owner: 1.0}, BY_OWNER, "") if owner else None
    counting = [one for one in rule.meters if one in estate.meter and estate.meter[one].utility is utility]
    owners = {meter: department_of(stated, Member.METER, meter, day) for meter in counting}
    own = {meter: owner for meter, owner in owners.items() if owner}
    return Bearers(own, _weights(stated, rule, day), rule.rest.value, rule.basis)


def days_of_change(stated: Stated) -> set[date]:
    """The days on which somebody else may begin to bear something, or another share of it."""
    figures, members = {one.valid_from for one in stated.figures}, {one.valid_from for one in stated.memberships}
    return figures | members | {one.valid_from for one in stated.allocations}


def borne(bearers: Bearers, total: Floats, counted: Mapping[str, Floats]) -> dict[tuple[str, str], Floats]:
    """The use of days (d,) by department and how it came to it; ``counted`` is what each meter counted.

    Meters that counted more than there was bear it in proportion, and there is no rest.
    """
    none = np.zeros(len(total))
    own = {meter: np.maximum(counted.get(meter, none), 0.0) for meter in bearers.meters}
    metered = sum(own.values(), none)
    plain = np.where(total > 0, 1.0, 0.0)
    scale = np.divide(total, metered, out=plain, where=(metered > total) & (total > 0))
    found: dict[tuple[str, str], Floats] = {}
    for meter, qty in own.items():
        key = bearers.meters[meter], BY_METERS
        found[key] = found.get(key, none) + qty * scale
    rest = np.maximum(total - metered * scale, 0.0)
    for department, weight in bearers.rest.items():
        found[department, bearers.by] = found.get((department, bearers.by), none) + rest * weight
    return found


def added(before: float, more: Floats) -> float:
    """A sum and what comes to it day by day, added one after the other: in another order a last cent may fall apart."""
    return float(np.add.accumulate(np.append(before, more))[-1])


def _rule_on(stated: Stated, building: str, utility: Utility, day: date) -> AllocationRule | None:
    """The newest rule that holds, one of the utility itself before one of all."""
    held = [
        one
        for one in stated.allocations
        if one.building == building and one.utility in {None, utility} and one.valid_from <= day
    ]
    return max(held, key=lambda one: (one.utility is not None, one.valid_from), default=None)


def _weights(stated: Stated, rule: AllocationRule, day: date) -> dict[str, float]:
    if rule.rest is RestBy.FIXED:
        return {department: share or 0.0 for department, share in rule.shares}
    if rule.rest is RestBy.REMAINDER:
        return {rule.shares[0][0]: 1.0}
    kind = _FIGURE[rule.rest]
    values = {name: figure_on(stated, kind, day, rule.building, name) for name, _ in rule.shares}
    if lacking := [name for name, value in values.items() if value is None]:
        what = f"{_and(lacking)} has no {kind} in {rule.building} on {day}"
        raise ConfigError(Problem("figures", what, "a figure of the department's part of the building"))
    whole = sum(value or 0.0 for value in values.values())
    if not whole:
        what = f"the {kind} of all departments in {rule.building} is 0 on {day}"
        raise ConfigError(Problem("figures", what, "more than 0"))
    return {name: (value or 0.0) / whole for name, value in values.items()}


def _and(names: Iterable[str]) -> str:
    return ", ".join(f"department '{name}'" for name in names)
