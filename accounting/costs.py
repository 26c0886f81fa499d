"""What use costs at a flat price per unit that holds from a local day on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import day_number, day_of_number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from accounting.calendars import SiteCalendar
    from accounting.local_time import Times
    from accounting.registers import Floats
    from facility.model import Price
    from facility.quantities import Utility


def unit_prices(start_ms: Times, utility: Utility, prices: Iterable[Price], calendar: SiteCalendar) -> Floats:
    """Price per unit in force when each interval starts, NaN where none is."""
    dated = sorted((day_number(p.valid_from), p.per_unit) for p in prices if p.utility is utility)
    in_force = np.searchsorted([day for day, _ in dated], calendar.local_days(start_ms), side="right")
    found: Floats = np.array([np.nan, *(per_unit for _, per_unit in dated)])[in_force]
    return found


def flat_cost(
    qty: Floats, start_ms: Times, utility: Utility, prices: Iterable[Price], calendar: SiteCalendar
) -> Floats:
    """Cost of each interval's use; NaN where use is missing or no price is in force (``unpriced_days`` names them)."""
    return qty * unit_prices(start_ms, utility, prices, calendar)


def unpriced_days(
    start_ms: Times, utility: Utility, prices: Iterable[Price], calendar: SiteCalendar
) -> tuple[date, ...]:
    """Local days of the intervals for which no price is in force, in order."""
    missing = np.isnan(unit_prices(start_ms, utility, prices, calendar))
    return tuple(day_of_number(int(day)) for day in np.unique(calendar.local_days(start_ms)[missing]))
