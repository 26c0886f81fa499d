"""How units are written."""

from __future__ import annotations

UNIT_SIGNS = {"m3": "m³", "m3/h": "m³/h", "degC": "°C", "1": ""}
"""Units whose written form differs from their word."""


def unit_sign(unit: str) -> str:
    """The unit as it is written after a number."""
    return UNIT_SIGNS.get(unit, unit)
