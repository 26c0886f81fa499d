"""A building's bill by department: every line split such that the parts add up to it, to the last cent.

Where cents are left over, each goes to the part that lost most by rounding down; of equal parts to the department that
stands first in the estate.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from accounting.allocation import BY_METERS, added, bearers_on, borne, days_of_change
from facility.quantities import Utility
from facility.tariff import Period
from reports.adjusting import AdjustingLine
from reports.department_lines import DepartmentBill, DepartmentLine
from reports.rounding import THOUSANDTH, round_together
from reports.stored_use import read_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from accounting.allocation import Bearers
    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from reports.bill import Bill, UtilityBill
    from reports.lines import BillLine
    from stores.readings.port import ReadingStore
    from stores.records.accounting.closed_months import Days

_PERIODS = frozenset(period.value for period in Period)
_QTY = "qty"

Cells = dict[tuple[str, str], float]
"""Department, and how a part came to it → its weight."""


class Departments:
    """Splits the bill of one building and month."""

    def __init__(
        self,
        store: ReadingStore,
        estate: Catalogue,
        calendar: SiteCalendar,
        building: str,
        smallest: Decimal,
        closed: Callable[[str], Mapping[str, Any]],
    ) -> None:
        """``closed`` gives the kept bill of a closed month of the building, or nothing."""
        self._store, self._estate, self._calendar = store, estate, calendar
        self._building = estate.building[building]
        self._smallest, self._closed = smallest, closed
        self._place = {one.id: i for i, one in enumerate(estate.departments)}
        self.changes = days_of_change(estate.stated_of(building))

    def bills(self, bill: Bill) -> tuple[DepartmentBill, ...]:
        """A bill for each department, in the order of the estate; none where nobody is named for some day.

        Raises ``ConfigError`` where a figure that a rule needs is not stated.
        """
        shares = {u.utility: _Shares(self, bill, u) for u in bill.utilities}
        if not self._estate.departments or not shares or not all(one.is_named for one in shares.values()):
            return ()
        lines: dict[str, list[DepartmentLine]] = defaultdict(list)
        for u in bill.utilities:
            for line in u.lines:
                for department, part in self._parts(u, line, shares[u.utility]):
                    lines[department].append(part)
        adjusted = self._adjusted(bill, shares)
        found = []
        for one in self._estate.departments:
            own, more = tuple(lines[one.id]), tuple(adjusted[one.id])
            amount = sum((x.line.amount for x in own), Decimal(0)) + sum((x.amount for x in more), Decimal(0))
            if own or more:
                found.append(DepartmentBill(one.id, one.name, one.cost_centre, own, more, amount))
        return tuple(found)

    def _parts(self, u: UtilityBill, line: BillLine, shares: _Shares) -> Iterator[tuple[str, DepartmentLine]]:
        """The parts of a line: quantity and amount each add up to the line's."""
        cells = self._ordered(shares.of_line(line))
        quantities = self._split(cells, line.quantity, THOUSANDTH)
        amounts = self._split(cells, line.amount, self._smallest)
        for ((department, by), _), quantity, amount in zip(cells, quantities, amounts, strict=True):
            if quantity or amount:
                meters = shares.meters_of(department) if by == BY_METERS else u.meters
                part = _with(line, quantity, amount)
                yield department, DepartmentLine(u.utility, meters, by, shares.basis_of(by), part)

    def _split(self, cells: Sequence[tuple[Any, float]], whole: Decimal, to: Decimal) -> list[Decimal]:
        total = sum(weight for _, weight in cells)
        return round_together([float(whole) * weight / total for _, weight in cells], to, whole)

    def _ordered(self, cells: Cells) -> list[tuple[tuple[str, str], float]]:
        last = len(self._place)
        return sorted(cells.items(), key=lambda cell: (self._place.get(cell[0][0], last), cell[0][1]))

    def _adjusted(self, bill: Bill, shares: Mapping[str, _Shares]) -> dict[str, list[AdjustingLine]]:
        """What earlier months are adjusted by, split as their own bills were."""
        found: dict[str, list[AdjustingLine]] = defaultdict(list)
        for one in bill.adjustments:
            then = self._shares_then(one) or shares.get(one.utility, next(iter(shares.values()))).whole()
            by_department: dict[str, float] = defaultdict(float)
            for (department, _), weight in then.items():
                by_department[department] += weight
            cells = self._ordered({(department, ""): weight for department, weight in by_department.items()})
            quantities = self._split(cells, one.quantity, THOUSANDTH)
            amounts = self._split(cells, one.amount, self._smallest)
            for ((department, _), _), quantity, amount in zip(cells, quantities, amounts, strict=True):
                if quantity or amount:
                    part = AdjustingLine(one.month, one.meter, one.utility, quantity, amount, one.reason)
                    found[department].append(part)
        return found

    def _shares_then(self, one: AdjustingLine) -> Cells:
        """The parts of a utility's use that departments bore in the closed month."""
        cells: Cells = defaultdict(float)
        for department in self._closed(one.month).get("departments", ()):
            for part in department["lines"]:
                if part["utility"] == one.utility and part["line"]["what"] in _PERIODS:
                    cells[department["department"], ""] += float(part["line"]["quantity"])
        return dict(cells) if sum(cells.values()) > 0 else {}

    def days_of(self, bill: Bill, meters: Sequence[str]) -> dict[str, Days]:
        """What sub-meters counted, by meter and local day."""
        span = round(bill.start.timestamp() * 1000), round(bill.end.timestamp() * 1000)
        points = {name: self._estate.accounted_point(self._estate.meter[name]) for name in meters}
        return {
            name: read_days(self._store, self._estate, self._calendar, point, *span)
            for name, point in points.items()
            if point is not None
        }

    def bearers(self, utility: str, day: date) -> Bearers | None:
        """Who bears a utility's use on a day."""
        return bearers_on(self._estate, self._building, Utility(utility), day)


class _Shares:
    """Who bears what of a utility's month."""

    def __init__(self, of: Departments, bill: Bill, utility: UtilityBill) -> None:
        self._utility = utility
        first, end = bill.start.date(), bill.end.date()
        self._days = [first + timedelta(days=n) for n in range((end - first).days)]
        self._bearers: dict[date, Bearers | None] = {}
        for day in self._days:
            is_new = day == first or day in of.changes
            self._bearers[day] = of.bearers(utility.utility, day) if is_new else self._bearers[day - timedelta(days=1)]
        named = [one for one in self._bearers.values() if one]
        self.is_named = len(named) == len(self._days)
        self._heads = [days for counter, days in bill.days.items() if counter.partition("/")[0] in utility.meters]
        self._subs = of.days_of(bill, sorted({meter for one in named for meter in one.meters}))

    def of_line(self, line: BillLine) -> Cells:
        """The weights of a line: of a period by the use in it, of what belongs to the month by all use."""
        spans = [t for t in self._utility.tariffs if (t.tariff, t.basis) == (line.tariff, line.basis)]
        days = [d for d in self._days if any(_holds(t.valid_from, t.valid_until, d) for t in spans)] or self._days
        if line.what not in _PERIODS:
            return self._over(days, _QTY)
        periods = {one.what for one in self._utility.lines if one.tariff == line.tariff} & _PERIODS
        field = _QTY if periods == {Period.FLAT.value} else f"qty_{line.what}"
        return self._over(days, field)

    def whole(self) -> Cells:
        """The weights of all use of the month."""
        return self._over(self._days, _QTY)

    def meters_of(self, department: str) -> tuple[str, ...]:
        """The department's own meters in the month."""
        return tuple(
            sorted(
                {m for one in self._bearers.values() if one for m, owner in one.meters.items() if owner == department}
            )
        )

    def basis_of(self, by: str) -> str:
        """The documents of the rules that were in force."""
        bases = (one.basis for one in self._bearers.values() if one and one.basis and by in {one.by, BY_METERS})
        return "; ".join(dict.fromkeys(bases))

    def _over(self, days: Sequence[date], field: str) -> Cells:
        cells: Cells = defaultdict(float)
        for bearers, some in groupby(days, key=self._bearers.__getitem__):
            if bearers is None:
                continue
            keys = [day.isoformat() for day in some]
            totals = np.array([_known(self._heads, key, field) for key in keys])
            counted = {
                meter: np.array([_known([one], key, field) for key in keys]) for meter, one in self._subs.items()
            }
            for cell, qty in borne(bearers, totals, counted).items():
                cells[cell] = added(cells[cell], qty)
        if sum(cells.values()) > 0:
            return dict(cells)
        return self._by_days(days)

    def _by_days(self, days: Sequence[date]) -> Cells:
        """Where nothing was used: by the weights of the rest alone."""
        cells: Cells = defaultdict(float)
        for bearers in (self._bearers[day] for day in days):
            for department, weight in bearers.rest.items() if bearers else ():
                cells[department, bearers.by if bearers else ""] += weight
        return dict(cells)


def _known(some: Iterable[Days], day: str, field: str) -> float:
    """The sum of a field of a day; what is not known adds nothing."""
    return sum(days.get(day, {}).get(field, 0.0) for days in some)


def _holds(first: date, last: date | None, day: date) -> bool:
    return first <= day and (last is None or day <= last)


def _with(line: BillLine, quantity: Decimal, amount: Decimal) -> BillLine:
    return type(line)(line.tariff, line.basis, line.what, quantity, line.unit, line.price, amount, line.part, line.peak)
