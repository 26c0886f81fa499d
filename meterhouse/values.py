"""A value as a command shows it to a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from facility.quantities import Kind
from meterhouse.output import texts
from wording.names import state_word

if TYPE_CHECKING:
    from facility.quantities import Quantity


def shown_value(quantity: Quantity, x: float) -> str:
    """States as a word, counters to two digits after the point, the rest to six figures; never ``1e+06``."""
    if quantity.kind is Kind.STATE:
        return state_word(texts(), quantity, x)
    digits = 2 if quantity.is_counter else max(0, 5 - math.floor(math.log10(max(abs(x), 1))))
    text = f"{x:,.{digits}f}"
    return text if quantity.is_counter or "." not in text else text.rstrip("0").rstrip(".")
