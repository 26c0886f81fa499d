"""Makes a building's bill from what is stored, or brings back the one that was handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.calendars import SiteCalendar
from accounting.tariffs import Tariffs
from facility.errors import ConfigError, Problem
from facility.quantities import Utility
from reports.bill import BILL, AdjustingLine, Bill, HandedIn, Shares, UtilityBill
from reports.doubts import doubts
from reports.lines import CENT, billed_lines, rounded
from reports.proof import Proof, prove
from reports.stored_use import StoredUse, read_days, read_peak, read_use
from stores.counters import Counters

if TYPE_CHECKING:
    from accounting.spells import SpellBook
    from facility.catalogue import Catalogue
    from stores.readings.port import ReadingStore
    from stores.records.accounting.closed_months import Adjustment, ClosedMonths, Days


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
    if building not in catalogue.building:
        raise ConfigError(Problem("building", f"unknown building '{building}'", ", ".join(catalogue.building)))
    calendar = SiteCalendar(catalogue.site)
    start_ms, end_ms = calendar.month_edges(month)
    closed = books.closed_month(building, month)
    if closed:
        bill: Bill = BILL.validate_python({**closed.bill, "closed": None})
        return replace(bill, closed=HandedIn(closed.closed_at, closed.by))
    start, end = (datetime.fromtimestamp(t / 1000, calendar.zone) for t in (start_ms, end_ms))
    counters = Counters(store, catalogue, spells)
    found = (_utility_bill(store, counters, calendar, building, utility, (start_ms, end_ms)) for utility in Utility)
    utilities = tuple(one for one in found if one is not None)
    heads = {meter for one in utilities for meter in one.meters}
    adjustments = tuple(_adjusting(one) for one in books.adjustments(building, start, end) if one.meter in heads)
    amounts = [one.amount for one in utilities] + [one.amount for one in adjustments]
    return Bill(
        catalogue.site.id,
        building,
        catalogue.building[building].name,
        month,
        start,
        end,
        catalogue.site.timezone,
        catalogue.site.currency,
        utilities,
        adjustments,
        sum(amounts, Decimal(0)).quantize(CENT),
        days=_days(store, catalogue, calendar, building, (start_ms, end_ms)),
        doubts=tuple(doubts(catalogue, spells, building, (start, end), utilities, books.waiting(), now)),
    )


def _days(
    store: ReadingStore, catalogue: Catalogue, calendar: SiteCalendar, building: str, span: tuple[int, int]
) -> dict[str, Days]:
    """The stored days of every head counter."""
    points = [point for utility in Utility for point in catalogue.head_counters(building, utility)]
    return {f"{p.meter}/{p.quantity.word}": read_days(store, catalogue, calendar, p, *span) for p in points}


def _utility_bill(
    store: ReadingStore,
    counters: Counters,
    calendar: SiteCalendar,
    building: str,
    utility: Utility,
    span: tuple[int, int],
) -> UtilityBill | None:
    catalogue = counters.catalogue
    points = catalogue.head_counters(building, utility)
    if not points:
        return None
    edges_ms = calendar.hour_edges(*span)
    uses = [read_use(store, catalogue, point, edges_ms) for point in points]
    together = StoredUse.sum_of(uses, read_peak(store, building, utility, edges_ms))
    tariffs = Tariffs(catalogue.site, calendar)
    lines = billed_lines(store, catalogue, calendar, tariffs, building, utility, together)
    proofs = [prove(store, counters, calendar, point, *span) for point in points]
    return UtilityBill(
        utility=utility.value,
        unit=utility.unit,
        meters=tuple(meter.id for meter in catalogue.head_meters(building, utility)),
        quantity=rounded(together.total),
        lines=lines,
        amount=sum((line.amount for line in lines), Decimal(0)).quantize(CENT),
        unpriced_days=tariffs.unpriced_days(utility, building, together.edges_ms),
        shares=_shares(uses),
        registers=tuple(line for proof in proofs for line in proof.registers),
        counted=rounded(sum(proof.counted for proof in proofs)),
        residual=_residual(proofs, uses),
    )


def _residual(proofs: list[Proof], uses: list[StoredUse]) -> Decimal:
    """What registers and intervals differ by, to a millionth of a unit."""
    apart = sum(proof.counted for proof in proofs) - sum(use.total for use in uses)
    return abs(Decimal(apart)).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def _shares(uses: list[StoredUse]) -> Shares:
    """Time by how it is known, the mean over the head meters."""
    hours = uses[0].hours
    measured = sum(float(use.completeness @ hours) for use in uses) / len(uses)
    known = sum(float(hours[~np.isnan(use.qty)].sum()) for use in uses) / len(uses)
    part_known = max(known, measured)
    estimated = sum(float(np.nansum(use.est_qty)) for use in uses)
    return Shares(measured, part_known - measured, float(hours.sum()) - part_known, rounded(estimated))


def _adjusting(one: Adjustment) -> AdjustingLine:
    amount = Decimal(one.sum_of("cost")).quantize(CENT, ROUND_HALF_UP)
    return AdjustingLine(one.month, one.meter, one.utility, rounded(one.sum_of("qty")), amount, one.reason)
