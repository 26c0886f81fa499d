"""Of a month's time, how much is measured, estimated and missing; of several head meters the worst is named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from reports.rounding import rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.stored_use import StoredUse
    from stores.readings.port import Values

_MILLIONTH = 6  # of an hour: shares of hours do not add up to one exactly


@dataclass(frozen=True, slots=True)
class Shares:
    """Of a meter's time, in hours: measured, estimated (known in total only), missing (unknown, not billed).

    Hours that are yet to come are none of them. ``estimated_quantity`` is the use that was estimated, and with the
    shares of a whole utility, which are its worst meter's, that of all its head meters. Bills of before 2026-12 name no
    meter: their shares are the mean.
    """

    measured_h: float
    estimated_h: float
    missing_h: float
    estimated_quantity: Decimal
    meter: str = ""

    @property
    def known_h(self) -> float:
        """Hours of which something is known."""
        return self.measured_h + self.estimated_h

    @property
    def whole_h(self) -> float:
        """All hours that are over."""
        return self.known_h + self.missing_h

    def share(self, hours: float) -> float:
        """A share of the whole time, 0–1, to a ten-thousandth."""
        return round(hours / max(self.whole_h, 1e-9), 4)


def shares_of(meter: str, use: StoredUse, past_h: Values) -> Shares:
    """The shares of one meter; ``past_h`` (n,) is how much of each hour is over."""
    measured = use.completeness * use.hours
    estimated = np.clip(use.estimated * use.hours, 0.0, np.maximum(past_h - measured, 0.0))
    missing = np.maximum(past_h - measured - estimated, 0.0)
    hours = [round(float(column.sum()), _MILLIONTH) for column in (measured, estimated, missing)]
    return Shares(hours[0], hours[1], hours[2], rounded(float(np.nansum(use.est_qty))), meter)


def worst_of(heads: Sequence[Shares]) -> Shares:
    """The shares of a utility: those of the head meter that misses most and then is estimated most."""
    worst = max(heads, key=lambda one: (one.missing_h, one.estimated_h))
    return replace(worst, estimated_quantity=sum((one.estimated_quantity for one in heads), Decimal(0)))
