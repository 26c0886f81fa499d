"""How many decimals the money of a currency has."""

from __future__ import annotations

from decimal import Decimal

_USUAL = 2

_OTHERS = {
    0: ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
        "XOF", "XPF"),
    3: ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"),
    4: ("CLF", "UYW"),
}  # fmt: skip
"""ISO 4217:2015, List One (SIX Financial Information), column "Minor unit": all that is not 2. CLDR, and so Babel, says
what is in circulation instead (no decimals for IQD, LBP or RSD), which is not what is billed."""

_DIGITS = {code: digits for digits, codes in _OTHERS.items() for code in codes}


def minor_digits(currency: str) -> int:
    """Decimals of a currency by its ISO 4217 code; 2 for one that the list does not know otherwise."""
    return _DIGITS.get(currency, _USUAL)


def smallest_unit(currency: str) -> Decimal:
    """The least that can be paid: ``Decimal("0.01")`` of a pound, ``Decimal("1")`` of a yen."""
    return Decimal(1).scaleb(-minor_digits(currency))
