"""What a device's face shows of a true value: the number that its registers or its message can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facility.profile import divisor_of
from facility.protocols.json_values import JsonPoint
from facility.protocols.modbus.coding import Coding
from facility.protocols.modbus.profile import RegisterPoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facility.profile import ProfilePoint

DECIMALS = 2
"""Decimals of numbers in JSON messages."""


def held(place: ProfilePoint, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers (n,) as the device holds them, before the profile's scale (the demo's meters have no transformers)."""
    assert isinstance(place, RegisterPoint | JsonPoint), f"the demo has no face that shows {place.name}"
    if isinstance(place, JsonPoint):
        return x if place.words else np.round(x / place.scale, DECIMALS)
    if place.coding is Coding.FLOAT32:
        return (x / place.scale).astype(np.float32).astype(np.float64)
    return x / place.scale if place.coding is Coding.FLOAT64 else np.rint(x / place.scale)


def shown(place: ProfilePoint, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values (n,) that a reader of the device decodes, bit for bit: 2315 x 0.1 is read as 2315 / 10."""
    numbers = held(place, x)
    assert isinstance(place, RegisterPoint | JsonPoint)
    divisor = divisor_of(place.scale)
    return numbers / divisor if divisor else numbers * place.scale
