"""Numbers as people and spreadsheets write them: decimal points and commas, thousands separators, full-width digits."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imports.sheets import Cell

Decimal: TypeAlias = Literal["point", "comma"]

_SPACES = dict.fromkeys(
    map(ord, " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}'\N{RIGHT SINGLE QUOTATION MARK}")
)
_PLAIN = {
    "point": re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?"),
    "comma": re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?(?:[eE][+-]?\d+)?"),
}
_OPEN = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
"""``1.234`` and ``1,234`` may be a thousand or a little more than one."""


def number_in(cell: Cell, decimal: Decimal) -> float | None:
    """The number that a cell holds; None for what is none."""
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if not isinstance(cell, str):
        return None
    text = _written(cell)
    if not text or not _PLAIN[decimal].fullmatch(text) or not any(one.isdigit() for one in text):
        return None
    plain = text.replace(",", "") if decimal == "point" else text.replace(".", "").replace(",", ".")
    value = float(plain)
    return value if math.isfinite(value) else None


def decimal_of(cells: Iterable[Cell]) -> Decimal | None:
    """How the numbers of a column are written: by the first that can be read one way only. None: by none.

    A column without any sign is written either way; a column of ``1,234`` alone is not known.
    """
    is_open = False
    for cell in cells:
        if not isinstance(cell, str) or ("." not in cell and "," not in cell):
            continue
        text = _written(cell)
        as_point, as_comma = (_PLAIN[style].fullmatch(text) is not None for style in ("point", "comma"))
        if as_point != as_comma:
            return "point" if as_point else "comma"
        is_open = is_open or (as_point and _OPEN.fullmatch(text) is not None)
        if as_point and not _OPEN.fullmatch(text):
            return "comma" if "," in text else "point"
    return None if is_open else "point"


def _written(cell: str) -> str:
    text = cell.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    return text.translate(_SPACES)
