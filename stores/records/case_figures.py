"""How the work on cases goes: how soon they are taken and closed, how many were real, what was saved, what sticks."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

import sqlalchemy as sa

from facility.work import RUNNING, AlertState, Cause, Verdict
from stores.records import tables
from stores.records.case_list import CaseFilter, find_cases
from stores.records.orders.order_figures import OrderFigures, order_figures  # programs read the type of a field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from facility.work import Alert

REAL = frozenset({Verdict.FIXED, Verdict.ACCEPTED})
HANDED_OVER_BADLY = frozenset({Cause.PROCESS, Cause.COORDINATION})
"""Causes that are put right by rules and agreements; no spare part helps."""

AGES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
OLDER = "older"
LONGEST_SAVED = timedelta(days=365)
"""After a year something else would have ended it."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Of cases with a verdict, duplicates left out, how many were real; ``name`` is a detector or a cause class."""

    name: str
    judged: int
    real: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What confirmed repairs save per day in one unit, and have saved in money since, for a year at most."""

    unit: str
    cases: int
    per_day: float
    money_to_date: float
    currency: str


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """Cases of one cause class in one building: how many, and how many hours they stood open together."""

    cause: Cause
    building: str
    cases: int
    open_h: float


@dataclass(frozen=True, slots=True)
class CaseFigures:
    """Of cases that were raised in a time; times in hours, None where there is none to tell it from."""

    raised: int
    judged: int
    accept_h: float | None
    finish_h: float | None
    by_detector: list[Precision]
    by_cause: list[Precision]
    open_by_age: dict[str, int]
    saved: list[Saved]
    hand_overs: list[Bottleneck]
    equipment: list[Bottleneck]
    orders: OrderFigures


def case_figures(engine: Engine, now: datetime, among: CaseFilter) -> CaseFigures:
    """Of the cases that were raised at or after ``among.raised_since``; open ones count however old they are."""
    with engine.connect() as connection:
        found = find_cases(connection, AlertState, among)
        running = find_cases(connection, RUNNING, replace(among, raised_since=None))
        taken = _taken(connection, among)
        orders = order_figures(connection, now, among.raised_since, among.buildings)
    judged = [one for one in found if one.verdict and one.verdict is not Verdict.DUPLICATE and one.closed_at]
    waited = [_hours(taken[str(one.id)] - one.raised_at) for one in found if str(one.id) in taken]
    lasted = [_hours(one.closed_at - one.raised_at) for one in judged if one.closed_at]
    stuck = _bottlenecks(judged)
    return CaseFigures(
        raised=len(found),
        judged=len(judged),
        accept_h=round(median(waited), 2) if waited else None,
        finish_h=round(median(lasted), 2) if lasted else None,
        by_detector=_precision((one.detector, one) for one in judged),
        by_cause=_precision((one.cause.value, one) for one in judged if one.cause),
        open_by_age=_by_age(running, now),
        saved=_saved(found, now),
        hand_overs=[one for one in stuck if one.cause in HANDED_OVER_BADLY],
        equipment=[one for one in stuck if one.cause not in HANDED_OVER_BADLY],
        orders=orders,
    )


def _taken(connection: Connection, among: CaseFilter) -> dict[str, datetime]:
    """When each case was taken first, by its id."""
    e = tables.case_event.c
    query = sa.select(e.alert, sa.func.min(e.at, type_=e.at.type)).join(tables.alert, tables.alert.c.id == e.alert)
    query = query.where(e.what == "acknowledged", *among.conditions()).group_by(e.alert)
    return {alert: at for alert, at in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def _precision(named: Iterable[tuple[str, Alert]]) -> list[Precision]:
    judged, real = Counter[str](), Counter[str]()
    for name, case in named:
        judged[name] += 1
        real[name] += case.verdict in REAL
    return [Precision(name, n, real[name]) for name, n in sorted(judged.items())]


def _by_age(running: Sequence[Alert], now: datetime) -> dict[str, int]:
    counted = dict.fromkeys((*AGES, OLDER), 0)
    for case in running:
        counted[next((name for name, most in AGES.items() if now - case.raised_at < most), OLDER)] += 1
    return counted


def _saved(found: Sequence[Alert], now: datetime) -> list[Saved]:
    by_unit: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for case in found:
        if case.saving is not None and case.closed_at is not None:
            by_unit[case.saving.unit, case.saving.currency].append(case)
    return [
        Saved(
            unit,
            len(cases),
            round(sum(one.saving.per_day for one in cases if one.saving), 3),
            round(sum(_money_saved(one, now) for one in cases), 2),
            currency,
        )
        for (unit, currency), cases in sorted(by_unit.items())
    ]


def _money_saved(case: Alert, now: datetime) -> float:
    if case.saving is None or case.saving.money_per_day is None or case.closed_at is None:
        return 0.0
    return case.saving.money_per_day * (min(now - case.closed_at, LONGEST_SAVED) / timedelta(days=1))


def _bottlenecks(judged: Sequence[Alert]) -> list[Bottleneck]:
    """What stood open longest first."""
    hours: dict[tuple[Cause, str], list[float]] = defaultdict(list)
    for case in judged:
        if case.cause is not None and case.closed_at is not None:
            hours[case.cause, case.building].append(_hours(case.closed_at - case.raised_at))
    found = [Bottleneck(cause, where, len(spent), round(sum(spent), 1)) for (cause, where), spent in hours.items()]
    return sorted(found, key=lambda one: (-one.open_h, one.cause, one.building))


def _hours(span: timedelta) -> float:
    return max(span / timedelta(hours=1), 0.0)
