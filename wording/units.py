"""How units are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wording.texts import Texts

UNIT_SIGNS = {
    "m3": "m³",
    "m3/h": "m³/h",
    "degC": "°C",
    "1": "",
    "kgce/m2": "kgce/m²",
    "kWh/m2": "kWh/m²",
    "m3/person": "m³/person",
}
"""Units whose written form differs from their word."""


def unit_sign(unit: str) -> str:
    """The unit as it is written after a number."""
    return UNIT_SIGNS.get(unit, unit)


def unit_in(unit: str, texts: Texts) -> str:
    """The same in the reader's language: ``kgce/person``, ``kgce/人``."""
    return texts.text_or(f"unit.{unit}", unit_sign(unit))
