"""A cell of a CSV file that no spreadsheet takes for a formula, whoever wrote the text in it."""

from __future__ import annotations

from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_cell(cell: object) -> str:
    """Numbers as they are; a text that would compute gets a quote before it."""
    text = str(cell)
    if not isinstance(cell, Decimal | float | int) and text.startswith(FORMULA_STARTS):
        return f"'{text}"
    return text
