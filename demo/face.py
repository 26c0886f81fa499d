"""What a device's face shows of a true value: the number that its registers or its message can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facility.profile import Coding, JsonPoint, RegisterPoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIMALS = 2
"""Decimals of numbers in JSON messages."""


def held(place: RegisterPoint | JsonPoint, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The numbers as the device holds them, before the profile's scale (the demo's meters have no transformers)."""
    if isinstance(place, JsonPoint):
        return x if place.words else np.round(x / place.scale, DECIMALS)
    if place.coding is Coding.FLOAT32:
        return (x / place.scale).astype(np.float32).astype(np.float64)
    return x / place.scale if place.coding is Coding.FLOAT64 else np.rint(x / place.scale)


def shown(place: RegisterPoint | JsonPoint, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values that a reader of the device decodes, bit for bit: 2315 x 0.1 is read as 2315 / 10."""
    numbers = held(place, x)
    divisor = round(1 / place.scale)
    if divisor > 1 and np.isclose(divisor * place.scale, 1.0, rtol=1e-12, atol=0.0):
        return numbers / divisor
    return numbers * place.scale
