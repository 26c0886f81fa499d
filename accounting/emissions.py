"""What use emits: the CO2 factor in force on each local day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from accounting.local_time import day_number
from facility.factors import co2_factors

if TYPE_CHECKING:
    from accounting.arrays import Floats
    from accounting.calendars import SiteCalendar
    from accounting.local_time import Times
    from facility.model import Site
    from facility.quantities import Utility


class Emissions:
    """The CO2 factors of one site, those of its factor sets among them."""

    def __init__(self, site: Site, calendar: SiteCalendar) -> None:
        self._calendar = calendar
        self._all = co2_factors(site.co2, site.factor_sets)

    def has_factor(self, utility: Utility) -> bool:
        """Whether one was ever in force for a utility."""
        return any(one.carrier.utility is utility for one in self._all)

    def factors(self, utility: Utility, t_ms: Times) -> Floats:
        """Kg CO2 per unit of a utility at instants (n,), ms UTC; NaN before the first factor."""
        days = self._calendar.local_days(t_ms)
        found = np.full(len(days), np.nan)
        for one in self._all:
            if one.carrier.utility is utility:
                found[days >= day_number(one.valid_from)] = one.per_unit
        return found
