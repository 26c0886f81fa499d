"""Units in which people write what a quantity counts in one unit, and by what their numbers are multiplied."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from facility.quantities import Utility

if TYPE_CHECKING:
    from facility.quantities import Quantity

_TIMES: dict[str, dict[str, float]] = {
    "kWh": {
        "wh": 1e-3,
        "kwh": 1,
        "mwh": 1e3,
        "gwh": 1e6,
        "kj": 1 / 3600,
        "mj": 1 / 3.6,
        "gj": 1000 / 3.6,
        "度": 1,
        "千瓦时": 1,
        "万千瓦时": 1e4,
        "万度": 1e4,
        "兆瓦时": 1e3,
        "吉焦": 1000 / 3.6,
    },
    "m3": {"m3": 1, "m^3": 1, "cbm": 1, "l": 1e-3, "升": 1e-3, "立方米": 1, "立方": 1, "方": 1},
    "kvarh": {"kvarh": 1, "varh": 1e-3, "mvarh": 1e3},
    "W": {"w": 1, "kw": 1e3, "mw": 1e6, "瓦": 1, "千瓦": 1e3},
    "L/h": {"l/h": 1, "m3/h": 1e3},
    "m3/h": {"m3/h": 1, "l/h": 1e-3},
    "degC": {"degc": 1, "°c": 1, "c": 1},
    "V": {"v": 1, "kv": 1e3},
    "A": {"a": 1, "ma": 1e-3},
}
"""Unit of a quantity → unit as people write it, in small letters → factor."""

_WATER_BY_WEIGHT = {"t": 1.0, "吨": 1.0}
"""Water is often told by weight: a cubic metre of it is a tonne."""


def factor_of(unit: str, quantity: Quantity) -> float | None:
    """By what a number in ``unit`` is multiplied to be one of the quantity; None for a unit that does not convert."""
    return 1.0 if not unit.strip() else _units_of(quantity).get(_plain(unit))


def units_allowed(quantity: Quantity) -> list[str]:
    """The units that convert to a quantity's own."""
    return list(_units_of(quantity))


def unit_in(header: str) -> str:
    """The unit that a header names in brackets: ``kWh`` of ``Use (kWh)`` and of ``用电量（kWh）``."""
    text = unicodedata.normalize("NFKC", header)
    for opened, closed in ("()", "[]"):
        before, _, inside = text.partition(opened)
        if before.strip() and inside.rstrip().endswith(closed):
            return inside.rstrip()[:-1].strip()
    return ""


def is_unit(text: str) -> bool:
    """Whether a text is a unit of anything that is measured."""
    plain = _plain(text)
    return plain in _WATER_BY_WEIGHT or any(plain in units for units in _TIMES.values())


def _units_of(quantity: Quantity) -> dict[str, float]:
    units = _TIMES.get(quantity.unit, {quantity.unit.lower(): 1.0})
    return units | _WATER_BY_WEIGHT if quantity.utility is Utility.WATER and quantity.unit == "m3" else units


def _plain(unit: str) -> str:
    return unicodedata.normalize("NFKC", unit).replace("³", "3").strip().lower()
