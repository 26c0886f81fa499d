"""What objects tell, to numbers in our units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from facility.errors import DriverError
from facility.profile import scaled
from facility.protocols.bacnet import UNITS

if TYPE_CHECKING:
    from edge_agent.drivers.bacnet.codec import Facts, Refusal
    from facility.protocols.bacnet import ObjectPoint

FLAGS = ((1, "is in fault"), (2, "is overridden"), (3, "is out of service"))
"""Clause 21, BACnetStatusFlags, by bit: then a present value may be what anybody wrote there. Bit 0 is an alarm."""


class BusyError(DriverError):
    """The device cannot tell it just now."""


class AilingError(DriverError):
    """The object says itself that it is not to be believed."""


def object_value(point: ObjectPoint, facts: Facts) -> float | None:
    """The value in the quantity's unit before ratios, None where there is none.

    Raises ``DriverError`` that says why it cannot be read.
    """
    if isinstance(flags := facts.get((point.object, "status-flags")), tuple):
        for bit, what in FLAGS:
            if bit < len(flags) and flags[bit]:
                raise AilingError(f"{point.object} says that it {what}")
    raw = _number(point, facts, "present-value")
    if raw is None or not math.isfinite(raw):
        return None
    if "scale" in point.properties:
        raw *= _said(point, facts, "scale")
    if "units" in point.properties:
        raw = _in_our_unit(point, raw, _said(point, facts, "units"))
    value = scaled(raw, point.scale) + point.offset
    return value if math.isfinite(value) else None


def _in_our_unit(point: ObjectPoint, raw: float, code: float) -> float:
    known = UNITS[point.quantity.unit].get(int(code))
    if known is None:
        raise DriverError(f"{point.object} is in unit {int(code)} of BACnet, which is no {point.quantity.unit}")
    factor, offset = known
    return scaled(raw, factor) + offset


def _said(point: ObjectPoint, facts: Facts, name: str) -> float:
    number = _number(point, facts, name)
    if number is None or not math.isfinite(number):
        raise DriverError(f"{point.object} does not say its {name}")
    return number


def _number(point: ObjectPoint, facts: Facts, name: str) -> float | None:
    value = facts.get((point.object, name))
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, tuple):
        raise DriverError(f"{name} of {point.object} is no number")
    raise _error(value)(f"{name} of {point.object}: {value}")


def _error(refusal: Refusal) -> type[DriverError]:
    return BusyError if refusal.is_busy else DriverError
