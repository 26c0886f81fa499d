"""Rounding that loses nothing: figures that belong together add up to their rounded sum."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Number: TypeAlias = float | Decimal | Fraction

THOUSANDTH = Decimal("0.001")
"""To what a bill's quantities are rounded."""

_HALF = Fraction(1, 2)

_EXACT = Context(prec=400)
"""Digits enough for any double: only a change of the decimal point is asked of it."""


def exactly(value: Number) -> Fraction:
    """The value without loss; a double is what it prints as: 0.1 is a tenth."""
    return Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)


def _counts(values: Sequence[Number], to: Decimal) -> Sequence[Fraction] | Sequence[Decimal]:
    """How often ``to`` is in each, without loss; by decimals, which is ten times as fast, where they are enough."""
    digits = to.as_tuple()
    said = [Decimal(repr(float(one))) if isinstance(one, float) else one for one in values]
    decimals = [one for one in said if isinstance(one, Decimal)]
    if digits.digits != (1,) or len(decimals) < len(said):
        return [exactly(value) / Fraction(to) for value in values]
    return [_EXACT.scaleb(one, -int(digits.exponent)) for one in decimals]


def rounded(value: Number, to: Decimal = THOUSANDTH) -> Decimal:
    """A value as it is printed: to a whole number of ``to``, half away from zero."""
    count = exactly(value) / Fraction(to)
    whole = floor(abs(count) + _HALF)
    return (whole if count > 0 else -whole) * to


def round_together(values: Sequence[Number], to: Decimal = THOUSANDTH, total: Number | None = None) -> list[Decimal]:
    """Values rounded such that they add up to their rounded sum: what is left over goes where most was lost.

    ``total`` is that sum as it is printed elsewhere, where adding in another order may round another way.
    """
    exact = _counts(values, to)
    whole = [floor(value) for value in exact]
    printed = sum(map(Fraction, exact), Fraction(0)) if total is None else exactly(total) / Fraction(to)
    left = max(int(rounded(printed, Decimal(1))) - sum(whole), 0)
    most_lost = sorted(range(len(exact)), key=lambda i: whole[i] - exact[i])
    for i in most_lost[:left]:
        whole[i] += 1
    return [count * to for count in whole]
