"""What a counter's register may do from one reading to the next: said once, for the edge and for the accounting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from facility.quantities import GREATEST_RATES

if TYPE_CHECKING:
    from facility.model import Meter
    from facility.quantities import Quantity

RATE_FLOOR_MS = 900_000
"""A coarse register ticks in lumps: its rate is judged over a quarter of an hour at least."""

GLITCH_READINGS = 3
"""Readings that a wrong value may last; one that lasts longer is true: a reset, a new meter, a true leap."""

SMALL_STEP, LAST_DIGITS = 0.005, 0.01
"""A share of the register, and the last digits of a display, in the quantity's unit."""


def small_step(x: float) -> float:
    """How far a register that shows ``x`` may step back and yet be a meter after a power cut, not a wrong reading."""
    return max(SMALL_STEP * abs(x), LAST_DIGITS)


def most_per_hour(meter: Meter, quantity: Quantity) -> float:
    """The most units an hour that a counter's feeder can deliver; if unknown, the greatest flow ever accepted."""
    return meter.most_per_hour or GREATEST_RATES.get(quantity, math.inf)
