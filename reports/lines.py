"""Lines of a bill: quantity times price, rounded line by line, so that the lines add up to the printed total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.charges import demand_parts, tier_parts
from facility.errors import ConfigError
from facility.tariff import PERIODS
from stores.counter_rows import read_counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from accounting.calendars import SiteCalendar
    from accounting.tariffs import Pricing, Tariffs
    from facility.catalogue import Catalogue
    from facility.quantities import Utility
    from facility.tariff import Tariff
    from reports.stored_use import StoredUse
    from stores.readings.port import ReadingStore, Values

_NOISE = 1e-9
CHARGES = ("capacity", "demand", "demand_above", "fixed")
"""What is charged for a month beside periods and tiers."""

CENT, THOUSANDTH = Decimal("0.01"), Decimal("0.001")


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: what is charged under which tariff, how much, at which price; ``amount`` is the product to the cent."""

    tariff: str
    basis: str
    what: str  # a period, or tier_1 …, capacity, demand, demand_above, fixed
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal


def rounded(quantity: float) -> Decimal:
    """A quantity as it is printed: to a thousandth, half up."""
    return Decimal(repr(float(quantity))).quantize(THOUSANDTH, ROUND_HALF_UP)


def billed_lines(
    store: ReadingStore,
    catalogue: Catalogue,
    calendar: SiteCalendar,
    tariffs: Tariffs,
    building: str,
    utility: Utility,
    use: StoredUse,
) -> tuple[BillLine, ...]:
    """Every line of a utility's month, tariff by tariff in the order of time."""
    pricing = tariffs.price(utility, building, use.edges_ms)
    lines = [*_period_lines(pricing, use, utility.unit)]
    for k in np.unique(pricing.tariff[pricing.tariff >= 0]).tolist():
        rows = pricing.tariff == k
        tariff, share = pricing.tariffs[k], float(use.hours[rows].sum() / use.hours.sum())
        before = _used_before(store, catalogue, calendar, building, utility, tariff, use, int(np.flatnonzero(rows)[0]))
        lines += _tier_lines(tariff, before, float(np.nansum(use.qty[rows])), utility.unit)
        lines += _month_lines(tariff, share, use.peak_kw[rows])
    return tuple(lines)


def _period_lines(pricing: Pricing, use: StoredUse, unit: str) -> Iterator[BillLine]:
    """Use of each tariff's periods; quantities are rounded together, so that they add up to the rounded whole."""
    cells = []
    for k in np.unique(pricing.tariff[pricing.tariff >= 0]).tolist():
        rows, tariff = pricing.tariff == k, pricing.tariffs[k]
        by_period = use.qty[rows][:, None] * pricing.shares[rows] if tariff.is_flat else use.by_period[rows]
        sums = np.nansum(by_period, axis=0)
        if abs(sums.sum() - np.nansum(use.qty[rows])) > _NOISE * (1 + abs(sums.sum())):
            raise ConfigError(
                f"the figures are not computed by tariff '{tariff.id}' yet; see meterhouse account recomputations"
            )
        cells += [(tariff, period, float(sums[p])) for p, period in enumerate(PERIODS) if period in tariff.price]
    quantities = round_together([qty for _, _, qty in cells])
    for (tariff, period, _), quantity in zip(cells, quantities, strict=True):
        if quantity or tariff.is_flat:
            yield _line(tariff, period.value, quantity, unit, tariff.price[period])


def round_together(values: list[float]) -> list[Decimal]:
    """Values to a thousandth such that they add up to their rounded sum: what is left over goes where most was lost."""
    exact = [Decimal(repr(value)) for value in values]
    floors = [value.quantize(THOUSANDTH, "ROUND_FLOOR") for value in exact]
    left = int((rounded(sum(values)) - sum(floors, Decimal(0))) / THOUSANDTH)
    most_lost = sorted(range(len(exact)), key=lambda i: floors[i] - exact[i])
    for i in most_lost[: max(left, 0)]:
        floors[i] += THOUSANDTH
    return floors


def _tier_lines(tariff: Tariff, before: float, qty: float, unit: str) -> Iterator[BillLine]:
    if not tariff.tiers:
        return
    parts = tier_parts(tariff.tiers, before, qty)
    for number, (step, part) in enumerate(zip(tariff.tiers.steps, parts.tolist(), strict=True), 2):
        if part > 0:
            yield _line(tariff, f"tier_{number}", rounded(part), unit, step.plus)


def _month_lines(tariff: Tariff, share: float, peaks_kw: Values) -> Iterator[BillLine]:
    """Charges of the month, by the share of it in which the tariff held."""
    part = Decimal(repr(round(share, 6)))
    if tariff.capacity:
        kva = Decimal(repr(tariff.capacity.kva)) * part
        yield _line(tariff, "capacity", kva.quantize(THOUSANDTH, ROUND_HALF_UP), "kVA", tariff.capacity.per_kva_month)
    if tariff.demand and (tariff.demand.declared_kw or np.isfinite(peaks_kw).any()):
        peak = float(np.nanmax(peaks_kw)) if np.isfinite(peaks_kw).any() else 0.0
        plain, above = demand_parts(tariff.demand, peak)
        price = tariff.demand.per_kw_month
        yield _line(tariff, "demand", rounded(plain * share), "kW", price)
        if above:
            yield _line(tariff, "demand_above", rounded(above * share), "kW", price * tariff.demand.penalty_factor)
    if tariff.fixed_per_month:
        yield _line(tariff, "fixed", part.quantize(THOUSANDTH, ROUND_HALF_UP), "month", tariff.fixed_per_month)


def _line(tariff: Tariff, what: str, quantity: Decimal, unit: str, price: float) -> BillLine:
    exact = Decimal(repr(price))
    amount = (quantity * exact).quantize(CENT, ROUND_HALF_UP)
    return BillLine(tariff.id, tariff.basis, what, quantity, unit, exact, amount)


def _used_before(
    store: ReadingStore,
    catalogue: Catalogue,
    calendar: SiteCalendar,
    building: str,
    utility: Utility,
    tariff: Tariff,
    use: StoredUse,
    row: int,
) -> float:
    """Use of the tier cycle before these hours: earlier days of the month and, by a yearly cycle, earlier months."""
    if not tariff.tiers:
        return 0.0
    earlier = float(np.nansum(use.qty[:row]))
    if tariff.tiers.cycle == "month":
        return earlier
    month_start = int(use.edges_ms[0])
    year_start, _ = calendar.month_edges(f"{calendar.local_date(month_start).year}-01")
    heads = catalogue.head_counters(building, utility)
    days = [read_counter(store, catalogue, head, "usage_1d", (year_start, month_start), ["qty"]) for head in heads]
    return earlier + sum(float(np.nansum(rows.fields["qty"])) for rows in days)
