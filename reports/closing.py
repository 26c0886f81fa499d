"""Closes months of buildings: their bills are kept as they are handed in, once their figures stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facility.errors import ConfigError, Problem
from facility.remark import RemarkKind
from reports.bill import BILL
from stores.records.accounting.closed_months import ToClose
from wording.formats import Formats
from wording.remarks import remark_text

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    """Keep the bill as the month's, as ``close_months`` does those of several."""
    return close_months([bill], books, based_on=based_on, by=by, at=at, accept_missing=accept_missing)[0]


def close_months(
    bills: Sequence[Bill], books: ClosedMonths, *, based_on: int, by: str, at: datetime, accept_missing: str = ""
) -> list[ClosedMonth]:
    """Keep bills as those of their months, all or none; afterwards they are adjusted, never rewritten.

    ``based_on`` is the version of the estate that they were made for. A month of which something is missing, in
    doubt or yet to come needs a reason why it is closed all the same: ``accept_missing`` is kept with it, sealed in the
    audit trail and printed on the bill. What is read of it later adjusts it, and stands on the bill of the next month.
    No reason closes a month that has not begun, or whose figures are still to be computed.

    Raises ``ConfigError`` with everything that makes one of them unfit to be closed, and where it is closed already;
    ``Stale`` where the estate was changed since.
    """
    accepted = accept_missing.strip()
    refused: list[str] = []
    lacking = False
    for bill in bills:
        found = stops_closing(bill)
        waits = [one for one in found if one.kind in WILL_CHANGE or at < bill.start]
        if waits or (found and not accepted):
            refused += _refusal(bill, found)
            lacking |= not waits
    if refused:
        unsaid = Problem("--accept-missing", "is not given", "why the month is closed all the same")
        raise ConfigError(*refused, *([unsaid] if lacking else []))
    return books.close_all([_kept(bill, accepted) for bill in bills], based_on=based_on, by=by, at=at)


def _kept(bill: Bill, accepted: str) -> ToClose:
    why = accepted if stops_closing(bill) else ""
    return ToClose(bill.building, bill.month, BILL.dump_python(replace(bill, accepted_missing=why), mode="json"), why)


def _refusal(bill: Bill, found: Sequence[Remark]) -> list[str]:
    """What speaks against closing a month, one by one."""
    formats = Formats("en", bill.timezone, bill.currency)  # errors are in English
    return [f"{bill.building} {bill.month} cannot be closed: {remark_text(one, formats)}" for one in found]
