"""A cell of a CSV file that no spreadsheet takes for a formula, whoever wrote the text in it."""

from __future__ import annotations

from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@")


def csv_cell(cell: object) -> str:
    """Numbers as they are; a text that would compute, also behind spaces or breaks, gets a quote before it."""
    text = str(cell)
    would_compute = text.startswith(("\t", "\r")) or text.lstrip().startswith(FORMULA_STARTS)
    if would_compute and not isinstance(cell, Decimal | float | int):
        return f"'{text}"
    return text
