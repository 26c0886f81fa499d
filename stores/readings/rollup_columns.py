"""Columns of a rollup: figures as arrays of floats, whole numbers and texts as they are, and what is not there."""

from __future__ import annotations

from enum import Enum, unique
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from facility.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable

Column = npt.NDArray[Any]
"""(n,): of a float field float64, NaN where absent; of the others objects (int or str), None where absent."""

MOST_TEXT_BYTES = 65_535
"""Of one text in UTF-8: what an InfluxDB promises to take."""

_LEAST, _MOST = -(2**63), 2**63 - 1


@unique
class FieldType(Enum):
    """What a field holds, in every store alike; the value says it to a person."""

    FLOAT = "numbers"
    INTEGER = "whole numbers of 64 bits"
    TEXT = "texts of up to 65,535 bytes without a zero byte"


def column_of(kind: FieldType, values: Iterable[Any]) -> Column:
    """Values as they come from a store, None where absent, as a column (n,)."""
    given = list(values)
    if kind is FieldType.FLOAT:
        return np.array(given, np.float64)
    column = np.empty(len(given), object)
    column[:] = given
    return column


def values_of(column: Column) -> list[Any]:
    """The values of a column (n,) as Python has them, None where absent."""
    values: list[Any] = column.tolist()
    lacks = np.isnan(column) if column.dtype.kind == "f" else np.zeros(0, np.bool_)
    if not lacks.any():
        return values
    if lacks.all():
        return [None] * len(values)
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN differs from itself


def absent(column: Column) -> npt.NDArray[np.bool_]:
    """Where a column has nothing, (n,)."""
    if column.dtype == object:
        return np.array([value is None for value in column], np.bool_)
    if column.dtype.kind != "f":  # whole numbers or texts, of which none can be absent
        return np.zeros(len(column), np.bool_)
    return np.isnan(column)


def are_equal(one: Column, other: Column) -> bool:
    """Whether two columns (n,) hold the same, and nothing at the same places."""
    return np.array_equal(one, other, equal_nan=one.dtype != object)


def check_column(place: str, kind: FieldType, column: Column) -> None:
    """Raise ``Rejected`` where a column (n,) holds what its field cannot; ``place`` names the field to a person."""
    if kind is FieldType.FLOAT:
        if column.dtype.kind not in "fiu":
            raise Rejected("wrong_type", f"{place} is a column of {column.dtype} (allowed: {kind.value})")
        if np.isinf(column).any():
            raise Rejected("not_finite", f"{place} holds a number that is not finite")
        return
    fits = _is_integer if kind is FieldType.INTEGER else _is_text
    for value in column.tolist():
        if value is not None and not fits(value):
            raise Rejected("wrong_type", f"{place} holds {str(value)[:40]!r} (allowed: {kind.value})")


def _is_integer(value: object) -> bool:
    return type(value) is int and _LEAST <= value <= _MOST


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        return len(value.encode()) <= MOST_TEXT_BYTES
    except UnicodeEncodeError:  # half of a pair of surrogates
        return False
