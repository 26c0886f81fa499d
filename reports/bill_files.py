"""A bill as a file: CSV for other programs, XLSX for people; the same rows in both.

The CSV has the same fields and codes in every language, names and notes are the reader's; the XLSX is all in words.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

from facility.currency import minor_digits
from reports.bill_words import BillCodes, BillWords
from reports.csv_cell import csv_cell
from reports.proof_rows import parts_of
from reports.table_rows import head_rows

if TYPE_CHECKING:
    import xlsxwriter

    from reports.bill import Bill
    from stores.access.exports import Taken
    from wording.formats import Formats

MONEY = frozenset({"total", "amount", "adjustments", "subtotal"})
SHARES_OF_TIME = frozenset({"measured", "estimated", "missing"})


def bill_csv(bill: Bill, formats: Formats, taken: Taken | None = None) -> str:
    """The bill as CSV: a block for each part, its name in the first column; ``taken`` is the export that it is."""
    out, words = io.StringIO(), BillCodes(formats)
    writer = csv.writer(out, lineterminator="\n")
    for row in head_rows(bill, words, taken):
        writer.writerow(["bill", *map(csv_cell, row)])
    for part in parts_of(bill):
        writer.writerow([part.field, *part.headings(words)])
        for cells in part.rows(bill, words):
            writer.writerow([part.field, *map(csv_cell, cells)])
    return out.getvalue()


def bill_xlsx(bill: Bill, formats: Formats, taken: Taken | None = None) -> bytes:
    """The bill as an XLSX workbook: a sheet for each part; ``taken`` is the export that it is."""
    out, words = io.BytesIO(), BillWords(formats)
    import xlsxwriter  # noqa: PLC0415 - one of three forms needs it

    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        title = f"{bill.name.in_language(formats.language)} {bill.month}"
        book.set_properties({"title": title, "created": bill.end.replace(tzinfo=None)})
        bold, styles = book.add_format({"bold": True}), _Styles(book, minor_digits(bill.currency))
        front = book.add_worksheet(words.heading("bill", "bill.part.bill"))
        front.set_column(0, 1, 32)
        for row, (key, value) in enumerate(head_rows(bill, words, taken)):
            front.write_string(row, 0, str(key), bold)
            _write(front, row, 1, value, styles.of(str(key), value))
        for part in parts_of(bill):
            sheet, fields = book.add_worksheet(words.heading(part.field, part.text_id)), list(part.columns)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(fields) - 1, 16)
            sheet.write_row(0, 0, part.headings(words), bold)
            for row, cells in enumerate(part.rows(bill, words), 1):
                for column, cell in enumerate(cells):
                    _write(sheet, row, column, cell, styles.of(fields[column], cell))
    return out.getvalue()


class _Styles:
    """How numbers are shown: money as it is paid, a decimal with all its digits, shares as a percentage."""

    def __init__(self, book: xlsxwriter.Workbook, money_digits: int) -> None:
        self._book, self._money_digits = book, money_digits
        self._known: dict[str, xlsxwriter.format.Format] = {}

    def of(self, field: str, cell: object) -> xlsxwriter.format.Format:
        """The style of a cell of that field."""
        return self._style(self._pattern(field, cell))

    def _pattern(self, field: str, cell: object) -> str:
        if field in MONEY:
            return _digits(self._money_digits)
        if field in SHARES_OF_TIME:
            return "0.00%"
        if isinstance(cell, Decimal):
            return _digits(max(0, -int(cell.as_tuple().exponent)))
        return "General" if isinstance(cell, int) else "#,##0.000"

    def _style(self, pattern: str) -> xlsxwriter.format.Format:
        if pattern not in self._known:
            self._known[pattern] = self._book.add_format({"num_format": pattern})
        return self._known[pattern]


def _digits(digits: int) -> str:
    return f"#,##0.{'0' * digits}" if digits else "#,##0"


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, cell: object, style: object) -> None:
    if isinstance(cell, Decimal | float | int):
        sheet.write_number(row, column, float(cell), style)
    else:
        sheet.write_string(row, column, str(cell))
