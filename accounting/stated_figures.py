"""The mean of what is stated over days: areas, heads, vehicles, meals of a building, a department, the estate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from accounting.belonging import owner_of
from accounting.local_time import day_number
from accounting.standard_coal import exactly
from facility.stated import Figure, FigureKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from accounting.arrays import Floats
    from accounting.local_time import Times
    from facility.catalogue import Catalogue
    from facility.model import Building
    from facility.stated import Stated


@dataclass(frozen=True, slots=True)
class MeanFigure:
    """The mean over some days, and the documents that it rests on; ``value`` None: not known on each of them.

    ``lacks`` says of whom it is not known, and the day before which it is not; None: never.
    """

    kind: FigureKind
    value: Decimal | None
    bases: tuple[str, ...] = ()
    lacks: tuple[tuple[str, date | None], ...] = ()


def mean_figure(
    estate: Catalogue,
    kind: FigureKind,
    first: date,
    end: date,
    building: str = "",
    department: str = "",
    below: Collection[str] = (),
) -> MeanFigure:
    """The daily mean from ``first`` up to before ``end``, of a building, a department, a part, or of the estate.

    What is stated of a whole goes before what is stated of its parts. Where no area of a building is stated with a
    date, ``floor_area_m2`` of the building holds for ever. A department has what is stated of its parts of buildings,
    of the buildings that it has alone, and of the departments ``below`` it.
    """
    series = _series(estate, kind, building, department)
    if below and not _is_stated(estate, kind, building, department):
        series = [one for name in (department, *below) for one in _series(estate, kind, building, name)]
    if not series and kind is FigureKind.WATER_PERSONS:
        return mean_figure(estate, FigureKind.PERSONS, first, end, building, department, below)
    lacks = tuple((_whose(one[0]), one[0].valid_from) for one in series if one[0].valid_from > first)
    if lacks or not series:
        return MeanFigure(kind, None, lacks=lacks or ((_called(building, department), None),))
    days = Decimal((end - first).days)
    value = sum((_summed(one, first, end) for one in series), Decimal(0)) / days
    used = (figure.basis for one in series for figure in one if figure.valid_from < end)
    return MeanFigure(kind, value, tuple(dict.fromkeys(used)))


def daily_figure(estate: Catalogue, kind: FigureKind, days: Times, building: str) -> Floats:
    """What is stated of a building for each of ``days`` (d,), numbers since 1970-01-01; NaN where nothing is."""
    series = _series(estate, kind, building, "")
    if not series and kind is FigureKind.WATER_PERSONS:
        return daily_figure(estate, FigureKind.PERSONS, days, building)
    total = np.full(len(days), 0.0 if series else np.nan)
    for one in series:
        since = np.array([day_number(figure.valid_from) for figure in one])
        values = np.array([np.nan, *(figure.value for figure in one)])
        total += values[np.searchsorted(since, days, side="right")]
    return total


def figure_on(stated: Stated, kind: FigureKind, day: date, building: str, department: str) -> float | None:
    """What is stated of a department's part of a building for a day; None where nothing is."""
    held = [
        one
        for one in stated.figures
        if (one.kind, one.building, one.department) == (kind, building, department) and one.valid_from <= day
    ]
    return max(held, key=lambda one: one.valid_from).value if held else None


def _series(estate: Catalogue, kind: FigureKind, building: str, department: str) -> list[list[Figure]]:
    """The dated series, each oldest first, that add up to what is asked for."""
    own = [one for one in _figures(estate, building) if one.kind is kind]
    exact = [one for one in own if (one.building, one.department) == (building, department)]
    if exact:
        return _by_owner(exact)
    if building and not department:
        parts = _by_owner(one for one in own if one.building == building)
        return parts or _undated_area(estate, kind, building)
    if department:
        parts = _by_owner(one for one in own if one.department == department and building in {"", one.building})
        homes = [one for one in estate.buildings if building in {"", one.id}]
        return [*parts, *(one for home in homes for one in _owned(estate, kind, home, department))]
    of_buildings = [part for one in estate.buildings for part in _series(estate, kind, one.id, "")]
    return of_buildings or _by_owner(one for one in own if one.department and not one.building)


def _is_stated(estate: Catalogue, kind: FigureKind, building: str, department: str) -> bool:
    whose = kind, building, department
    return any((one.kind, one.building, one.department) == whose for one in _figures(estate, building))


def _figures(estate: Catalogue, building: str) -> tuple[Figure, ...]:
    """Those of a building, or of all."""
    return estate.stated_of(building).figures if building else estate.stated.figures


def _owned(estate: Catalogue, kind: FigureKind, building: Building, department: str) -> list[list[Figure]]:
    """What is stated of a building that a department has alone: 0 before it had it, and after."""
    stated = estate.stated_of(building.id)
    is_shared = bool(stated.allocations) or any(one.kind is kind and one.department for one in stated.figures)
    changes = [one.valid_from for one in stated.memberships if one.id == building.id and one.department]
    if is_shared or department not in {owner_of(stated, building, day) for day in (date.min, *changes)}:
        return []
    return [_while_owned(one, changes, stated, building, department) for one in _series(estate, kind, building.id, "")]


def _while_owned(
    series: Sequence[Figure], changes: Sequence[date], stated: Stated, building: Building, department: str
) -> list[Figure]:
    days = sorted({one.valid_from for one in series} | {day for day in changes if day > series[0].valid_from})
    found = []
    for day in days:
        newest = next(one for one in reversed(series) if one.valid_from <= day)
        is_theirs = owner_of(stated, building, day) == department
        found.append(replace(newest, valid_from=day, value=newest.value if is_theirs else 0.0))
    return found


def _undated_area(estate: Catalogue, kind: FigureKind, building: str) -> list[list[Figure]]:
    area = estate.building[building].floor_area_m2 if building in estate.building else None
    if kind is not FigureKind.FLOOR_AREA or area is None:
        return []
    return [[Figure(kind, area, date.min, "site.yaml, floor_area_m2", building)]]


def _by_owner(figures: Iterable[Figure]) -> list[list[Figure]]:
    ordered = sorted(figures, key=lambda one: (one.building, one.department, one.valid_from))
    return [list(some) for _, some in groupby(ordered, key=lambda one: (one.building, one.department))]


def _summed(series: Sequence[Figure], first: date, end: date) -> Decimal:
    """The sum over all days, each with the newest figure that holds on it."""
    total = Decimal(0)
    for i, one in enumerate(series):
        until = series[i + 1].valid_from if i + 1 < len(series) else end
        days = (min(until, end) - max(one.valid_from, first)) // timedelta(days=1)
        total += exactly(one.value) * max(days, 0)
    return total


def _whose(figure: Figure) -> str:
    return _called(figure.building, figure.department)


def _called(building: str, department: str) -> str:
    return " in ".join(name for name in (department, building) if name) or "the estate"
