"""How long bills by department take: 200 buildings, 12 departments, 12 months, computed and kept, not rendered.

Use is stored beforehand as rollups have it; closing a month keeps its bill with the lines of every department.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import HOUR_MS
from accounting.spells import NoSpells
from analytics.rollups.writer import RollupWriter
from bench.accounting import estate
from bench.bounded import held_to_its_bound
from facility.model import Building, Department, Name, ReadingBatch
from facility.stated import AllocationRule, Figure, FigureKind, RestBy, Stated
from reports.billing import BillsOfMonth
from reports.closing import close_months
from stores.readings.memory import MemoryStore
from stores.records.accounting.closed_months import ClosedMonths
from stores.records.database import open_records
from stores.records.registry import Registry

if TYPE_CHECKING:
    from facility.catalogue import Catalogue

RESULT = Path(__file__).parent / "results" / "departments.json"
BUILDINGS, DEPARTMENTS, MONTHS, MOST_S = 200, 12, 12, 20.0
LATER = datetime(2027, 2, 1, tzinfo=UTC)


def shared() -> Catalogue:
    """Buildings with one head meter each, whose bills twelve departments share by area."""
    plain, since = estate(BUILDINGS), date(2020, 1, 1)
    names = [f"d{k}" for k in range(DEPARTMENTS)]
    halls = [f"h{k}" for k in range(BUILDINGS)]
    areas = (
        Figure(FigureKind.FLOOR_AREA, 100.0 + k, since, "bench", hall, name)
        for hall in halls
        for k, name in enumerate(names)
    )
    rules = (AllocationRule(hall, since, "bench", RestBy.AREA, tuple((name, None) for name in names)) for hall in halls)
    return replace(
        plain,
        departments=tuple(Department(name, Name(name)) for name in names),
        buildings=tuple(Building(hall, Name(hall)) for hall in halls),
        meters=tuple(replace(meter, building=hall) for meter, hall in zip(plain.meters, halls, strict=True)),
        stated=Stated(figures=tuple(areas), allocations=tuple(rules)),
    )


def measure(folder: Path) -> dict[str, float]:
    catalogue, store = shared(), MemoryStore()
    calendar = SiteCalendar(catalogue.site)
    months = [f"2026-{month:02}" for month in range(1, MONTHS + 1)]
    t_ms = np.arange(calendar.month_edges(months[0])[0], calendar.month_edges(months[-1])[1] + 1, HOUR_MS)
    for k, point in enumerate(catalogue.points):
        x = 1000 + np.arange(len(t_ms)) * (1 + k / 10)
        store.write(ReadingBatch([point.id], [0] * len(t_ms), t_ms.tolist(), x.tolist()))
    RollupWriter(store, catalogue).update(store.changes(0).ranges)
    records = open_records(f"sqlite:///{folder}/records.db")
    Registry(records).apply(catalogue, by="bench", at=LATER)
    books, version = ClosedMonths(records), Registry(records).version()
    begun = perf_counter()
    made = 0
    for month in months:
        of_month = BillsOfMonth(store, catalogue, books, NoSpells(), catalogue.building, month, now=LATER)
        bills = [of_month.bill(building) for building in catalogue.building]
        assert all(sum(one.amount for one in bill.departments) == bill.due for bill in bills)
        close_months(bills, books, based_on=version, by="bench", at=LATER, accept_missing="bench")
        made += sum(len(bill.departments) for bill in bills)
    spent = perf_counter() - begun
    return {"buildings": BUILDINGS, "department_bills": made, "months": MONTHS, "whole_s": spent, "most_s": MOST_S}


if __name__ == "__main__":
    sys.exit(held_to_its_bound(measure, RESULT))
