"""What a building's month cost: lines that add up to the cent, how much was measured, and the proof by registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime  # noqa: TC003 - pydantic reads the annotations
from decimal import Decimal  # noqa: TC003
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from facility.model import Name  # noqa: TC001
from facility.remark import Remark, RemarkKind
from reports.lines import BillLine  # noqa: TC001
from reports.proof import RegisterLine  # noqa: TC001
from stores.records.accounting.closed_months import Days  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Shares:
    """Of the month's time, in hours: measured, estimated (a silence, known in total), missing (unknown, not billed).

    ``estimated_quantity`` is the use that was spread over silences.
    """

    measured_h: float
    estimated_h: float
    missing_h: float
    estimated_quantity: Decimal

    def share(self, hours: float) -> float:
        """A share of the whole time, 0–1, to a ten-thousandth."""
        return round(hours / max(self.measured_h + self.estimated_h + self.missing_h, 1e-9), 4)


@dataclass(frozen=True, slots=True)
class UtilityBill:
    """One utility of a building: its lines, their sum, and where they come from."""

    utility: str
    unit: str
    meters: tuple[str, ...]
    quantity: Decimal
    lines: tuple[BillLine, ...]
    amount: Decimal
    unpriced_days: tuple[date, ...]
    shares: Shares
    registers: tuple[RegisterLine, ...]
    counted: Decimal
    residual: Decimal


@dataclass(frozen=True, slots=True)
class AdjustingLine:
    """What a closed month turned out to be more or less, entered in this one."""

    month: str
    meter: str
    utility: str
    quantity: Decimal
    amount: Decimal
    reason: str


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
    """Why it is not fit to be closed yet, each with what to do."""
    days: dict[str, Days] = field(default_factory=dict)
    """The days it was made from, by counter (meter/quantity): what a closed month is compared with later."""

    @property
    def notes(self) -> tuple[Remark, ...]:
        """What a person must know before handing it in: its doubts first."""
        return (*self.doubts, *(note for utility in self.utilities for note in _notes(utility)))


def _notes(bill: UtilityBill) -> Iterator[Remark]:
    for line in bill.registers:
        for stood in line.standstills:
            params = {"meter": line.meter, "face": stood.face, "first": stood.start.date(), "last": stood.end.date()}
            yield Remark(RemarkKind.REGISTER_STOOD_STILL, params)
    if bill.shares.missing_h > 0:
        yield Remark(RemarkKind.HOURS_MISSING, {"utility": bill.utility, "hours": f"{bill.shares.missing_h:g}"})
    if bill.unpriced_days:
        yield Remark(RemarkKind.DAYS_WITHOUT_PRICE, {"utility": bill.utility, "days": len(bill.unpriced_days)})


BILL = TypeAdapter(Bill)
"""A bill to JSON and back, for a month that is closed."""
