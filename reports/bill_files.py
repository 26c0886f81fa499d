"""A bill as a file: CSV for other programs, XLSX for people; the same rows in both."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

from reports import table_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import xlsxwriter

    from reports.bill import Bill

Rows = list[list[object]]

SECTIONS: tuple[tuple[str, tuple[str, ...], Callable[[Bill], Rows]], ...] = (
    ("lines", table_rows.LINE_HEADINGS, table_rows.line_rows),
    ("adjustments", table_rows.ADJUSTMENT_HEADINGS, table_rows.adjustment_rows),
    ("shares", table_rows.SHARE_HEADINGS, table_rows.share_rows),
    ("registers", table_rows.REGISTER_HEADINGS, table_rows.register_rows),
    ("proof", table_rows.PROOF_HEADINGS, table_rows.proof_rows),
    ("notes", table_rows.NOTE_HEADINGS, table_rows.note_rows),
)
"""Name, headings and rows of each part: a block of the CSV, a sheet of the XLSX."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def bill_csv(bill: Bill) -> str:
    """The bill as CSV: a block for each part, its name in the first column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in _head(bill):
        writer.writerow(["bill", *row])
    for name, headings, rows in SECTIONS:
        writer.writerow([name, *headings])
        for cells in rows(bill):
            writer.writerow([name, *map(_plain, cells)])
    return out.getvalue()


def bill_xlsx(bill: Bill) -> bytes:
    """The bill as an XLSX workbook: a sheet for each part."""
    out = io.BytesIO()
    import xlsxwriter  # noqa: PLC0415 - one of three forms needs it

    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": f"{bill.name} {bill.month}", "created": bill.end.replace(tzinfo=None)})
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        number = book.add_format({"num_format": "#,##0.000"})
        front = book.add_worksheet("bill")
        front.set_column(0, 1, 32)
        for row, (key, value) in enumerate(_head(bill)):
            front.write_string(row, 0, key, bold)
            _write(front, row, 1, value, money)
        for name, headings, rows in SECTIONS:
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(headings) - 1, 16)
            sheet.write_row(0, 0, headings, bold)
            for row, cells in enumerate(rows(bill), 1):
                for column, cell in enumerate(cells):
                    _write(sheet, row, column, cell, money if headings[column] == "amount" else number)
    return out.getvalue()


def _head(bill: Bill) -> Rows:
    return [
        ["building", f"{bill.building} ({bill.name})"],
        ["month", bill.month],
        ["time zone", bill.timezone],
        ["currency", bill.currency],
        ["closed", bill.closed or "no"],
        ["total", bill.total],
    ]


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: object, style: object) -> None:
    if isinstance(cell, Decimal | float | int):
        sheet.write_number(row, column, float(cell), style)
    else:
        sheet.write_string(row, column, str(cell))


def _plain(cell: object) -> str:
    """A cell as text that no spreadsheet takes for a formula."""
    text = str(cell)
    if not isinstance(cell, Decimal | float | int) and text.startswith(FORMULA_STARTS):
        return f"'{text}"
    return text
