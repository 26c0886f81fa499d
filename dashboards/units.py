"""How Grafana calls our units: one word each, so that a panel says what its figures are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.numbers import get_currency_symbol

from facility.errors import Rejected
from facility.quantities import BY_WORD, Quantity, Utility
from wording.units import unit_sign

if TYPE_CHECKING:
    from collections.abc import Mapping

MONEY, MONEY_A_UNIT = "money", "money/unit"
SHARE, COUNT, SECONDS = "share", "count", "s"
INTENSITY, TONNES, RATING, DAYS, HOURS = "kWh/m2", "t", "rating", "K.d", "h"
LITRES = "L"

UNITS: Mapping[str, str] = {
    "W": "watt",
    "kW": "kwatt",
    "kWh": "kwatth",
    "m3": "m3",
    "m3/day": "suffix:m³/d",
    "m3/h": "suffix:m³/h",
    "L/h": "litreh",
    LITRES: "litre",
    "V": "volt",
    "A": "amp",
    "Hz": "hertz",
    "var": "voltampreact",
    "kvarh": "suffix:kvarh",
    "degC": "celsius",
    "%": "percent",
    "ppm": "ppm",
    "dBm": "dBm",
    "1": "none",
    SHARE: "percentunit",
    COUNT: "none",
    SECONDS: "s",
    INTENSITY: "suffix:kWh/m²",
    TONNES: "suffix:t",
    RATING: "none",
    DAYS: "suffix:K·d",
    HOURS: "suffix:h",
    "1/min": "suffix:/min",
}
"""Our word for a unit → its id in Grafana (packages/grafana-data/src/valueFormats/categories.ts of 12.3)."""

_MONEY = {MONEY: "currency:{sign}", MONEY_A_UNIT: "currency:{sign}"}


def grafana_unit(word: str, currency: str) -> str:
    """The id of a unit; raises ``Rejected`` for a word that no panel may use."""
    if word in _MONEY:
        return _MONEY[word].format(sign=money_sign(currency))
    try:
        return UNITS[word]
    except KeyError:
        raise Rejected("unknown_unit", f"'{word}' is not one of {', '.join((*UNITS, *_MONEY))}") from None


def known_units(currency: str) -> frozenset[str]:
    """Every id that a panel may hold."""
    return frozenset({*UNITS.values(), *(one.format(sign=money_sign(currency)) for one in _MONEY.values())})


def money_sign(currency: str) -> str:
    """``£``, ``¥``: the same in both languages, for a figure is no sentence."""
    return str(get_currency_symbol(currency, locale="zh_Hans_CN" if currency == "CNY" else "en_GB"))


def unit_of(quantity: str) -> str:
    """The unit of a quantity by its word; raises ``Rejected`` for an unknown one."""
    if quantity not in BY_WORD:
        raise Rejected("unknown_quantity", f"'{quantity}' is not one of {', '.join(BY_WORD)}")
    return BY_WORD[quantity].unit


def units_used(utilities: tuple[Utility, ...]) -> dict[str, tuple[Utility, ...]]:
    """The utilities of each unit in which use is accounted: a panel cannot add kWh and m³."""
    found: dict[str, tuple[Utility, ...]] = {}
    for utility in utilities:
        found[utility.unit] = (*found.get(utility.unit, ()), utility)
    return found


def written(unit: str) -> str:
    """A unit as people write it."""
    return unit_sign(unit)


GAUGES_SHOWN: tuple[Quantity, ...] = tuple(
    quantity for quantity in Quantity if not quantity.is_counter and quantity.unit != "1"
)
"""What a meter's page draws beside its use."""
