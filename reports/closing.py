"""Closes a building's month: its bill is kept as it is handed in, once its figures stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.remark import RemarkKind
from reports.bill import BILL
from wording.formats import Formats
from wording.remarks import remark_text

if TYPE_CHECKING:
    from datetime import datetime

    from facility.remark import Remark
    from reports.bill import Bill
    from stores.records.accounting.closed_months import ClosedMonth, ClosedMonths

WILL_CHANGE = frozenset({RemarkKind.TO_BE_COMPUTED_AGAIN, RemarkKind.REGISTERS_DIFFER})
"""Doubts that no reason takes away: the figures are not those of the readings yet, and soon will be."""


def stops_closing(bill: Bill) -> tuple[Remark, ...]:
    """All that speaks against closing a month: its doubts, and the hours that each head meter misses."""
    return () if bill.closed else (*bill.doubts, *bill.missing)


def close_month(
    bill: Bill, books: ClosedMonths, *, based_on: int, by: str, at: datetime, accept_missing: str = ""
) -> ClosedMonth:
    """Keep the bill as the month's; afterwards it is adjusted, never rewritten.

    ``based_on`` is the version of the estate that the bill was made for. A month of which something is missing, in
    doubt or yet to come needs a reason why it is closed all the same: ``accept_missing`` is kept with it, sealed in the
    audit trail and printed on the bill. What is read of it later adjusts it, and stands on the bill of the next month.
    No reason closes a month that has not begun, or whose figures are still to be computed.

    Raises ``ConfigError`` with everything that makes it unfit to be closed, and where it is closed already; ``Stale``
    where the estate was changed since.
    """
    found = stops_closing(bill)
    waits = [one for one in found if one.kind in WILL_CHANGE or at < bill.start]
    if waits or (found and not accept_missing.strip()):
        raise ConfigError(*_refusal(bill, found, waits))
    accepted = accept_missing.strip() if found else ""
    kept = BILL.dump_python(replace(bill, accepted_missing=accepted), mode="json")
    return books.close(bill.building, bill.month, kept, based_on=based_on, by=by, at=at, accepted_missing=accepted)


def _refusal(bill: Bill, found: tuple[Remark, ...], waits: list[Remark]) -> list[Problem | str]:
    """What speaks against it, one by one; then what a person can do."""
    formats = Formats("en", bill.timezone, bill.currency)  # errors are in English
    sentences = [f"{bill.building} {bill.month} cannot be closed: {remark_text(one, formats)}" for one in found]
    if waits:
        return [*sentences]
    return [*sentences, Problem("--accept-missing", "is not given", "why the month is closed all the same")]
