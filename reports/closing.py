"""Closes a building's month: its bill is kept as it is handed in, once its figures stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from facility.errors import ConfigError
from reports.bill import BILL
from wording.formats import Formats
from wording.remarks import remark_text

if TYPE_CHECKING:
    from datetime import datetime

    from reports.bill import Bill
    from stores.records.accounting.closed_months import ClosedMonth, ClosedMonths


def close_month(bill: Bill, books: ClosedMonths, *, based_on: int, by: str, at: datetime) -> ClosedMonth:
    """Keep the bill as the month's; afterwards it is adjusted, never rewritten.

    ``based_on`` is the version of the estate that the bill was made for. Raises ``ConfigError`` with everything that
    makes it unfit to be closed, and where it is closed already; ``Stale`` where the estate was changed since.
    """
    formats = Formats("en", bill.timezone, bill.currency)  # errors are in English
    doubts = [remark_text(doubt, formats) for doubt in bill.doubts]
    if doubts:
        raise ConfigError(*(f"{bill.building} {bill.month} cannot be closed: {doubt}" for doubt in doubts))
    return books.close(bill.building, bill.month, BILL.dump_python(bill, mode="json"), based_on=based_on, by=by, at=at)
