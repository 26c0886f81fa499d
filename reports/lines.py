"""Lines of a bill: quantity times price, rounded line by line, so that the lines add up to the printed total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from accounting.charges import tier_parts
from facility.errors import ConfigError
from facility.tariff import PERIODS
from reports.month_charges import MonthPart, month_charges
from reports.peaks import Peak  # noqa: TC001 - pydantic reads the annotations
from reports.rounding import THOUSANDTH, round_together, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from accounting.tariffs import Pricing
    from facility.tariff import Tariff
    from reports.peaks import Peaks
    from stores.readings.port import Times, Values

_NOISE = 1e-9


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: what is charged under which tariff, how much, at which price.

    ``amount`` is the product, rounded to what can be paid. A charge of the month (capacity, demand, fixed) whose tariff
    held for a ``part`` of it is the product's share by days; such shares add up to the rounded whole. ``peak`` is what
    a demand was charged by.
    """

    tariff: str
    basis: str
    what: str  # a period, or tier_2 …, capacity, demand, demand_above, fixed
    quantity: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    part: MonthPart | None = None
    peak: Peak | None = None


@dataclass(frozen=True, slots=True)
class BilledUse:
    """What a utility's month is billed by: hours (n,) with their use, by period (n, 5), local day and peaks.

    ``used_before`` gives the use of a tariff's tier cycle before the month.
    """

    qty: Values
    by_period: Values
    local_days: Times
    peaks: Peaks
    used_before: Callable[[Tariff], float]

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the use."""
        return bool(np.isfinite(self.qty).any())


def billed_lines(pricing: Pricing, use: BilledUse, unit: str, smallest: Decimal) -> tuple[BillLine, ...]:
    """Every line of a utility's month, tariff by tariff in the order of time.

    ``smallest`` is the least that can be paid. Of use of which nothing is known there is no line: it is no use of zero.
    """
    lines = list(_period_lines(pricing, use, unit, smallest)) if use.is_known else []
    charges = month_charges(pricing, use.local_days, use.peaks, smallest)
    for k in np.unique(pricing.tariff[pricing.tariff >= 0]).tolist():
        tariff = pricing.tariffs[k]
        lines += _tier_lines(tariff, use, pricing.tariff == k, unit, smallest)
        lines += [
            BillLine(tariff.id, tariff.basis, one.what, one.quantity, one.unit, one.price, amount, one.part, one.peak)
            for one, amount in charges
            if one.tariff == k
        ]
    return tuple(lines)


def _period_lines(pricing: Pricing, use: BilledUse, unit: str, smallest: Decimal) -> Iterator[BillLine]:
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
    priced = float(np.nansum(use.qty[pricing.tariff >= 0]))  # in the order in which the printed quantity is added up
    quantities = round_together([qty for _, _, qty in cells], THOUSANDTH, priced)
    for (tariff, period, _), quantity in zip(cells, quantities, strict=True):
        if quantity or tariff.is_flat:
            yield _line(tariff, period.value, quantity, unit, tariff.price[period], smallest)


def _tier_lines(tariff: Tariff, use: BilledUse, rows: Values, unit: str, smallest: Decimal) -> Iterator[BillLine]:
    if not tariff.tiers:
        return
    earlier = float(np.nansum(use.qty[: int(np.flatnonzero(rows)[0])]))
    parts = tier_parts(tariff.tiers, use.used_before(tariff) + earlier, float(np.nansum(use.qty[rows])))
    for number, (step, part) in enumerate(zip(tariff.tiers.steps, parts.tolist(), strict=True), 2):
        if part > 0:
            yield _line(tariff, f"tier_{number}", rounded(part), unit, step.plus, smallest)


def _line(tariff: Tariff, what: str, quantity: Decimal, unit: str, price: float, smallest: Decimal) -> BillLine:
    exact = Decimal(repr(price))
    return BillLine(tariff.id, tariff.basis, what, quantity, unit, exact, rounded(quantity * exact, smallest))
