"""Makes a building's bill from what is stored, or brings back the one that was handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.local_time import day_of_number
from accounting.tariffs import Tariffs
from facility.currency import smallest_unit
from facility.errors import ConfigError, Problem
from facility.quantities import Utility
from reports.adjusting import AdjustedMonths
from reports.bill import BILL, Bill, BilledTariff, HandedIn, UtilityBill
from reports.departments import Departments
from reports.doubts import doubts
from reports.lines import BilledUse, billed_lines
from reports.month_charges import unmeasured_demand
from reports.peaks import read_peaks
from reports.proof import prove
from reports.rounding import rounded
from reports.shares import shares_of, worst_of
from reports.stored_use import past_hours, read_days, read_use, sum_of_use
from reports.used_before import UsedBefore
from stores.counters import Counters
from stores.records.accounting.books_at_once import BooksAtOnce

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from accounting.spells import SpellBook
    from accounting.tariffs import Pricing
    from facility.catalogue import Catalogue
    from facility.model import Point
    from reports.department_lines import DepartmentBill
    from reports.stored_use import StoredUse
    from stores.readings.port import ReadingStore
    from stores.records.accounting.closed_months import ClosedMonths, Days

_MILLIONTH = Decimal("0.000001")


def make_bill(
    store: ReadingStore,
    catalogue: Catalogue,
    books: ClosedMonths,
    spells: SpellBook,
    building: str,
    month: str,
    *,
    now: datetime,
) -> Bill:
    """The bill of a month: as it was handed in where it is closed, else from what is stored now.

    Raises ``ConfigError`` for a building or month that does not exist.
    """
    check_building(catalogue, building)
    return BillsOfMonth(store, catalogue, books, spells, [building], month, now=now).bill(building)


def check_building(catalogue: Catalogue, building: str) -> None:
    """Raise ``ConfigError`` for a building that does not exist."""
    if building not in catalogue.building:
        raise ConfigError(Problem("building", f"unknown building '{building}'", ", ".join(catalogue.building)))


class BillsOfMonth:
    """Makes the bills of one month: what those of many buildings share is read and worked out once, as it stands now.

    What is entered in the books meanwhile stands on none of them.
    """

    def __init__(
        self,
        store: ReadingStore,
        catalogue: Catalogue,
        books: ClosedMonths,
        spells: SpellBook,
        buildings: Collection[str],
        month: str,
        *,
        now: datetime,
    ) -> None:
        """``buildings`` are those to be asked for. Raises ``ConfigError`` for a month that does not exist."""
        self.store, self.catalogue, self.spells, self.now = store, catalogue, spells, now
        self.month = month
        self.calendar = SiteCalendar(catalogue.site)
        try:
            self.start_ms, self.end_ms = self.calendar.month_edges(month)
        except ConfigError as error:
            raise ConfigError(Problem("month", str(error))) from None
        before, _, _ = self.calendar.month_of(self.start_ms - 1)
        self.books = BooksAtOnce(books, buildings, (before, month))
        self.edges_ms = self.calendar.hour_edges(self.start_ms, self.end_ms)
        self.local_days = self.calendar.local_days(self.edges_ms[:-1])
        self.tariffs = Tariffs(catalogue.site, self.calendar)
        self.counters = Counters(store, catalogue, spells)
        self._pricings: dict[tuple[int, ...], Pricing] = {}

    def bill(self, building: str) -> Bill:
        """The bill of a building of the catalogue."""
        closed = self.books.closed_month(building, self.month)
        if closed:
            bill: Bill = BILL.validate_python({**closed.bill, "closed": None})
            return replace(bill, closed=HandedIn(closed.closed_at, closed.by))
        return _Month(self, building).bill()

    def pricing(self, utility: Utility, building: str) -> Pricing:
        """What a utility costs in each hour; buildings under the same tariffs share it."""
        same = tuple(map(id, self.tariffs.in_force(utility, building)))
        if same not in self._pricings:
            self._pricings[same] = self.tariffs.price(utility, building, self.edges_ms)
        return self._pricings[same]


class _Month:
    """An open month of a building."""

    def __init__(self, of: BillsOfMonth, building: str) -> None:
        self._of, self._building, self._now = of, building, of.now
        self._store, self._catalogue, self._books, self._spells = of.store, of.catalogue, of.books, of.spells
        self._calendar, self._month = of.calendar, of.month
        self._start_ms, self._end_ms, self._edges_ms = of.start_ms, of.end_ms, of.edges_ms
        self._smallest = smallest_unit(of.catalogue.site.currency)
        self._adjusted = AdjustedMonths(of.catalogue, of.books, of.calendar, building)

    def bill(self) -> Bill:
        """All of it."""
        site = self._catalogue.site
        start, end = (datetime.fromtimestamp(t / 1000, self._calendar.zone) for t in (self._start_ms, self._end_ms))
        heads = {utility: self._catalogue.head_counters(self._building, utility) for utility in Utility}
        utilities = tuple(self._utility(utility, points) for utility, points in heads.items() if points)
        adjustments = self._adjusted.lines(start, end, self._smallest)
        amounts = [one.amount for one in utilities] + [one.amount for one in adjustments]
        bill = Bill(
            site=site.id,
            building=self._building,
            name=self._catalogue.building[self._building].name,
            month=self._month,
            start=start,
            end=end,
            timezone=site.timezone,
            currency=site.currency,
            utilities=utilities,
            adjustments=adjustments,
            total=rounded(sum(amounts, Decimal(0)), self._smallest),
            doubts=tuple(
                doubts(
                    self._catalogue,
                    self._spells,
                    self._building,
                    (start, end),
                    utilities,
                    self._books.waiting,
                    self._now,
                )
            ),
            proposed=tuple(self._adjusted.proposed(end, self._smallest)),
            days=self._days(point for points in heads.values() for point in points),
        )
        return replace(bill, departments=self._departments(bill))

    def _departments(self, bill: Bill) -> tuple[DepartmentBill, ...]:
        places = self._store, self._catalogue, self._calendar, self._building, self._smallest
        return Departments(*places, self._adjusted.kept_bill).bills(bill)

    def _utility(self, utility: Utility, points: tuple[Point, ...]) -> UtilityBill:
        uses = [read_use(self._store, self._catalogue, point, self._edges_ms) for point in points]
        past_h = past_hours(self._edges_ms, round(self._now.timestamp() * 1000))
        heads = [shares_of(point.meter, use, past_h) for point, use in zip(points, uses, strict=True)]
        pricing = self._of.pricing(utility, self._building)
        qty, by_period = sum_of_use(uses)
        use = BilledUse(
            qty,
            by_period,
            self._of.local_days,
            read_peaks(self._store, self._building, utility, uses, past_h, self._calendar.zone),
            self._used_before(utility),
        )
        lines = billed_lines(pricing, use, utility.unit, self._smallest)
        proofs = [
            prove(self._store, self._of.counters, self._calendar, point, self._start_ms, self._end_ms)
            for point in points
        ]
        counted = sum(proof.counted for proof in proofs)
        return UtilityBill(
            utility=utility.value,
            unit=utility.unit,
            meters=tuple(meter.id for meter in self._catalogue.head_meters(self._building, utility)),
            quantity=rounded(float(np.nansum(qty))) if use.is_known else None,
            lines=lines,
            amount=rounded(sum((line.amount for line in lines), Decimal(0)), self._smallest),
            unpriced_days=self._unpriced_days(pricing),
            shares=worst_of(heads),
            registers=tuple(line for proof in proofs for line in proof.registers),
            counted=rounded(counted),
            residual=_residual(counted, uses),
            heads=tuple(heads),
            tariffs=tuple(self._billed_tariffs(utility, pricing)),
            demand_unmeasured=unmeasured_demand(pricing, use.peaks),
        )

    def _used_before(self, utility: Utility) -> UsedBefore:
        places = self._store, self._catalogue, self._calendar, self._adjusted
        return UsedBefore(*places, self._building, utility, self._start_ms)

    def _billed_tariffs(self, utility: Utility, pricing: Pricing) -> Iterator[BilledTariff]:
        """Those in force in the month, in the order of time."""
        for k in np.unique(pricing.tariff[pricing.tariff >= 0]).tolist():
            one = pricing.tariffs[k]
            until = self._of.tariffs.valid_until(utility, self._building, one)
            yield BilledTariff(one.id, one.basis, one.valid_from, until)

    def _unpriced_days(self, pricing: Pricing) -> tuple[date, ...]:
        """Local days for which no price is in force, in order."""
        return tuple(day_of_number(int(day)) for day in np.unique(self._of.local_days[pricing.tariff < 0]))

    def _days(self, points: Iterable[Point]) -> dict[str, Days]:
        """The stored days of counters, by meter/quantity."""
        span = self._start_ms, self._end_ms
        days = {point: read_days(self._store, self._catalogue, self._calendar, point, *span) for point in points}
        return {f"{point.meter}/{point.quantity.word}": found for point, found in days.items()}


def _residual(counted: float, uses: list[StoredUse]) -> Decimal:
    """What registers and intervals differ by, to a millionth of a unit."""
    return abs(rounded(counted - sum(use.total for use in uses), _MILLIONTH))
