"""Entries that adjust closed months, as lines of the bill of the month in which they were found out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Any

from facility.quantities import ACCOUNTED, Utility
from facility.remark import Remark, RemarkKind
from reports.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounting.calendars import SiteCalendar
    from facility.catalogue import Catalogue
    from stores.records.accounting.books_at_once import BooksAtOnce
    from stores.records.accounting.closed_months import Adjustment, ClosedMonth
    from stores.records.accounting.proposals import Proposal

_EVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AdjustingLine:
    """What a closed month turned out to be more or less, entered in this one."""

    month: str
    meter: str
    utility: str
    quantity: Decimal
    amount: Decimal
    reason: str


class AdjustedMonths:
    """The closed months of a building, and what was entered for the counters that their bills were made from.

    What is no head meter today may have been one then, and the other way round: the closed bill decides.
    """

    def __init__(self, catalogue: Catalogue, books: BooksAtOnce, calendar: SiteCalendar, building: str) -> None:
        self._catalogue, self._books, self._calendar, self._building = catalogue, books, calendar, building
        self._closed: dict[str, ClosedMonth | None] = {}

    def lines(self, start: datetime, end: datetime, smallest: Decimal) -> tuple[AdjustingLine, ...]:
        """The lines of the month between two instants: of a closed month, a meter and a reason one, in order.

        What turned out to be known better and no different (an estimate that was measured after all) has none.
        """
        sums: dict[tuple[str, str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for one in self._entries(self._first(start), end):
            both = sums[one.month, one.meter, one.utility, one.reason]
            both[0] += one.sum_of("qty")
            both[1] += one.sum_of("cost")
        lines = (
            AdjustingLine(month, meter, utility, rounded(qty), rounded(cost, smallest), reason)
            for (month, meter, utility, reason), (qty, cost) in sums.items()
        )
        return tuple(one for one in lines if one.quantity or one.amount)

    def proposed(self, end: datetime, smallest: Decimal) -> Iterator[Remark]:
        """What waits for a person and was proposed before ``end``; figures are text, as a kept bill has them."""
        for one in self._books.proposed(self._building):
            if one.at < end and self._was_billed(one):
                quantity, amount = rounded(one.sum_of("qty")), rounded(one.sum_of("cost"), smallest)
                figures = {"quantity": f"{quantity:+,}", "unit": Utility(one.utility).unit, "amount": f"{amount:+,}"}
                where = {"entry": one.number, "month": one.month, "meter": one.meter}
                yield Remark(RemarkKind.ENTRY_PROPOSED, {**where, **figures, "currency": self._catalogue.site.currency})

    def handed_in(self, utility: Utility, month: str) -> float | None:
        """What a closed month's bill says was used, with what was entered since; None where it says nothing."""
        bill = self.kept_bill(month)
        if "utilities" not in bill:
            return None
        billed = [one["quantity"] for one in bill["utilities"] if one["utility"] == utility.value]
        more = [
            one.sum_of("qty") for one in self._entries(*_EVER) if one.month == month and one.utility == utility.value
        ]
        return sum(float(one) for one in billed if one is not None) + sum(more)

    def _first(self, start: datetime) -> datetime:
        """Entries from here on belong on the bill of the month that begins at ``start``.

        That is the month's beginning, or the instant at which the month before it was closed before its end: nothing
        that was found out after that could stand on its bill.
        """
        before, _, _ = self._calendar.month_of(round(start.timestamp() * 1000) - 1)
        closed_at = self._books.closed_at(self._building, before)
        return min(start, closed_at) if closed_at else start

    def _entries(self, start: datetime, end: datetime) -> Iterator[Adjustment]:
        """Entries made in a time for counters that the closed month was billed by, oldest first."""
        return (one for one in self._books.adjustments(self._building, start, end) if self._was_billed(one))

    def _was_billed(self, one: Adjustment | Proposal) -> bool:
        bill = self.kept_bill(one.month)
        if days := bill.get("days"):
            return f"{one.meter}/{one.quantity}" in days
        if one.quantity != ACCOUNTED[Utility(one.utility)].word:
            return False
        if "utilities" in bill:
            return any(one.meter in utility["meters"] for utility in bill["utilities"])
        heads = self._catalogue.head_meters(self._building, Utility(one.utility))
        return one.meter in {meter.id for meter in heads}

    def kept_bill(self, month: str) -> dict[str, Any]:
        """The bill of a closed month as it is kept; nothing of an open one."""
        closed = self._month(month)
        return closed.bill if closed else {}

    def _month(self, month: str) -> ClosedMonth | None:
        if month not in self._closed:
            self._closed[month] = self._books.closed_month(self._building, month)
        return self._closed[month]
