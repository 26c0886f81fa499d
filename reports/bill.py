"""What a building's month cost: lines that add up to the cent, how much was measured, and the proof by registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal  # noqa: TC003
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from accounting.local_time import zone_called
from facility.model import Name  # noqa: TC001
from facility.remark import Remark, RemarkKind
from reports.adjusting import AdjustingLine  # noqa: TC001
from reports.department_lines import DepartmentBill  # noqa: TC001
from reports.lines import BillLine  # noqa: TC001
from reports.month_charges import CHARGES
from reports.proof import RegisterLine  # noqa: TC001
from reports.shares import Shares  # noqa: TC001
from stores.records.accounting.closed_months import Days  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class BilledTariff:
    """A tariff that was in force in the month, the document it rests on, and its first and last day (None: open)."""

    tariff: str
    basis: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class UtilityBill:
    """One utility of a building: its lines, their sum, and where they come from.

    ``quantity`` is None where nothing is known of its use: that is no use of zero. ``shares`` are those of the head
    meter that is known worst, ``heads`` those of each. Bills that were closed before 2026-12 have neither heads nor
    tariffs.
    """

    utility: str
    unit: str
    meters: tuple[str, ...]
    quantity: Decimal | None
    lines: tuple[BillLine, ...]
    amount: Decimal
    unpriced_days: tuple[date, ...]
    shares: Shares
    registers: tuple[RegisterLine, ...]
    counted: Decimal
    residual: Decimal
    heads: tuple[Shares, ...] = ()
    tariffs: tuple[BilledTariff, ...] = ()
    demand_unmeasured: bool = False
    """Whether demand is charged by what is measured, and no quarter-hour was."""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of its use; the shares are those of the head meter that is known worst."""
        return any(one.known_h for one in (*self.heads, self.shares))


@dataclass(frozen=True, slots=True)
class HandedIn:
    """When a month was closed, and by whom."""

    at: datetime
    by: str


def _both_names(name: Any) -> Any:
    """Months were closed with the English name alone, once."""
    return {"en": name} if isinstance(name, str) else name


@dataclass(frozen=True, slots=True)
class Bill:
    """A building's month. ``total`` is the sum of all lines as printed, to the cent."""

    site: str
    building: str
    name: Annotated[Name, BeforeValidator(_both_names)]
    month: str
    start: datetime
    end: datetime
    timezone: str
    currency: str
    utilities: tuple[UtilityBill, ...]
    adjustments: tuple[AdjustingLine, ...]
    total: Decimal
    closed: HandedIn | None = None
    doubts: tuple[Remark, ...] = ()
    """Why it is not fit to be closed yet, each with what to do; of a closed month, what was accepted as it is."""
    days: dict[str, Days] = field(default_factory=dict)
    """The days it was made from, by counter (meter/quantity): what a closed month is compared with later."""
    accepted_missing: str = ""
    """Why the month was closed although something is missing or in doubt."""
    proposed: tuple[Remark, ...] = ()
    """Entries for closed months that wait for a person; none of them is on this bill."""
    departments: tuple[DepartmentBill, ...] = ()
    """What each department bears; together they are this bill. None where nobody is named who bears it."""

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the month: use of any kind, or what an earlier one is adjusted by."""
        return any(one.is_known for one in self.utilities) or bool(self.adjustments)

    @property
    def due(self) -> Decimal | None:
        """The total; None where nothing is known and nothing is charged: that is no bill of zero."""
        return self.total if self.is_known or any(one.lines for one in self.utilities) else None

    @property
    def missing(self) -> tuple[Remark, ...]:
        """The hours that each head meter misses."""
        return tuple(note for utility in self.utilities for note in _missing_by_meter(utility))

    @property
    def notes(self) -> tuple[Remark, ...]:
        """What a person must know before handing it in: its doubts first."""
        zone = zone_called(self.timezone)
        charges = _monthly_charges(self)
        return (*self.doubts, *charges, *(note for one in self.utilities for note in _notes(one, zone)), *self.proposed)


def _monthly_charges(bill: Bill) -> Iterator[Remark]:
    """Of a month that is not over they stand beside use that is not all there yet."""
    if any(one.kind is RemarkKind.MONTH_NOT_OVER for one in bill.doubts) and any(
        line.what in CHARGES for one in bill.utilities for line in one.lines
    ):
        yield Remark(RemarkKind.MONTHLY_CHARGES_WHOLE)


def _missing_by_meter(bill: UtilityBill) -> Iterator[Remark]:
    for one in bill.heads:
        if one.missing_h > 0:
            hours = {"missing": _hours(one.missing_h), "hours": _hours(one.whole_h)}
            yield Remark(RemarkKind.METER_HOURS_MISSING, {"utility": bill.utility, "meter": one.meter, **hours})


def _missing(bill: UtilityBill) -> Iterator[Remark]:
    """By meter where there are several; what one meter misses is what the utility misses."""
    if len(bill.heads) > 1:
        yield from _missing_by_meter(bill)
    elif bill.shares.missing_h > 0:
        yield Remark(RemarkKind.HOURS_MISSING, {"utility": bill.utility, "hours": _hours(bill.shares.missing_h)})


def _hours(hours: float) -> str:
    """``240``, ``0.75``: to a hundredth of an hour, of what is less all that it has."""
    return f"{round(hours, 2) or hours:g}"


def _notes(bill: UtilityBill, zone: ZoneInfo) -> Iterator[Remark]:
    for line in bill.registers:
        for stood in line.standstills:
            first, last = (at.astimezone(zone).date() for at in (stood.start, stood.end - timedelta.resolution))
            params = {"meter": line.meter, "face": stood.face, "unit": bill.unit, "first": first, "last": last}
            yield Remark(RemarkKind.REGISTER_STOOD_STILL, params)
    yield from _missing(bill)
    if bill.demand_unmeasured:
        yield Remark(RemarkKind.DEMAND_UNMEASURED, {"utility": bill.utility})
    if bill.unpriced_days:
        yield Remark(RemarkKind.DAYS_WITHOUT_PRICE, {"utility": bill.utility, "days": len(bill.unpriced_days)})


BILL = TypeAdapter(Bill)
"""A bill to JSON and back, for a month that is closed."""
