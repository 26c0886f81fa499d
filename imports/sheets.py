"""A file to rows of cells: CSV in any of the encodings and delimiters that spreadsheets write, or an Excel workbook."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeAlias

from imports.faults import FaultKind, TableError, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell: TypeAlias = str | float | datetime | date | None

MOST_BYTES = 64 * 2**20
MOST_ROWS = 1_000_000
DELIMITERS = ",;\t|"
LOOKED_AT = 50
"""Rows by which a delimiter is told."""

ENCODINGS = ("utf-8", "gb18030")
"""Without a mark at its beginning a text is one of these: whatever is UTF-8 is hardly ever anything else."""

_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class TableSheet:
    """Rows of cells with their number in the file, counted from 1; the first is ``header`` (empty: there is none)."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    read_as: str
    """``utf-8 ;`` or ``excel Sheet1``: how the file was read."""

    @property
    def is_parted_by_commas(self) -> bool:
        """Whether a comma is what parts the cells of a text."""
        return self.read_as.endswith(" ,")

    def name(self, column: int) -> str:
        """The header of a column, or its letter."""
        named = self.header[column].strip() if column < len(self.header) else ""
        return named or letters(column)


def read_sheet(content: bytes, *, encoding: str = "", sheet: str = "") -> TableSheet:
    """Rows of a file. Raises ``TableError`` for what is no table, with what is wrong."""
    if len(content) > MOST_BYTES:
        raise TableError(whole(FaultKind.TOO_MANY_ROWS, most=f"{MOST_BYTES // 2**20} MiB"))
    is_workbook = content.startswith((_ZIP, _OLE))
    cells, read_as = _workbook(content, sheet) if is_workbook else _text(content, encoding)
    filled = [(n, row) for n, row in enumerate(cells, 1) if any(cell not in {"", None} for cell in row)]
    if len(filled) > MOST_ROWS:
        raise TableError(whole(FaultKind.TOO_MANY_ROWS, most=f"{MOST_ROWS:,}"))
    header, rows = _headed(filled)
    if not rows:
        raise TableError(whole(FaultKind.NO_ROWS))
    return TableSheet(header, tuple((n, tuple(row)) for n, row in rows), read_as)


def letters(column: int) -> str:
    """``A`` for column 0, ``AA`` for 26: as a spreadsheet calls it."""
    first, last = divmod(column, 26)
    return (letters(first - 1) if first else "") + chr(ord("A") + last)


def _headed(rows: list[tuple[int, list[Cell]]]) -> tuple[tuple[str, ...], list[tuple[int, list[Cell]]]]:
    """The header is the first row of words alone with two filled cells at least; titles above it are left out."""
    for place, (_, row) in enumerate(rows[:10]):
        said = [cell for cell in row if cell not in {"", None}]
        if len(said) < 2:  # noqa: PLR2004 - a title
            continue
        if all(isinstance(cell, str) and not _is_figure(cell) for cell in said):
            return tuple(str(cell or "").strip() for cell in row), rows[place + 1 :]
        return (), rows[place:]
    return (), rows


def _is_figure(cell: str) -> bool:
    """Whether a text begins as numbers and times do."""
    text = cell.strip().lstrip("+-")
    return text[:1].isdigit() and sum(one.isdigit() for one in text) * 2 >= len(text)


def _text(content: bytes, encoding: str) -> tuple[list[list[Cell]], str]:
    text, named = _decoded(content, encoding)
    if "\0" in text:
        raise TableError(whole(FaultKind.NOT_TEXT, allowed=", ".join(ENCODINGS)))
    delimiter = _delimiter(text)
    try:
        rows: list[list[Cell]] = list(map(list, _rows(text, delimiter)))
    except csv.Error as error:
        raise TableError(whole(FaultKind.QUOTE_OPEN, why=str(error))) from None
    return rows, f"{named} {'tab' if delimiter == chr(9) else delimiter}"


def _decoded(content: bytes, encoding: str) -> tuple[str, str]:
    marked = next((named for mark, named in _MARKS.items() if content.startswith(mark)), "")
    for named in (encoding,) if encoding else (marked,) if marked else ENCODINGS:
        try:
            return content.decode(named), named.removesuffix("-sig")
        except UnicodeDecodeError:
            continue
        except LookupError:
            raise TableError(whole(FaultKind.WISH_UNKNOWN, wish=encoding, allowed=", ".join(ENCODINGS))) from None
    raise TableError(whole(FaultKind.NOT_TEXT, allowed=", ".join((encoding,) if encoding else ENCODINGS)))


def _delimiter(text: str) -> str:
    """The one that parts the first rows into most columns, as many in each as in most of them."""

    def fit(delimiter: str) -> tuple[int, int]:
        widths: list[int] = []
        with suppress(csv.Error):
            widths.extend(
                len(row) for _, row in zip(range(LOOKED_AT), _rows(text, delimiter), strict=False) if any(row)
            )
        usual = max(set(widths), key=widths.count, default=0)
        return (widths.count(usual) if usual > 1 else 0), usual

    return max(DELIMITERS, key=fit)


def _rows(text: str, delimiter: str) -> Sequence[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)  # type: ignore[return-value]


def _workbook(content: bytes, sheet: str) -> tuple[list[list[Cell]], str]:
    import python_calamine  # noqa: PLC0415 - a library of its own that only workbooks need

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise TableError(whole(FaultKind.NOT_A_TABLE, why=str(error))) from None
    names = [one.name for one in book.sheets_metadata if one.typ is python_calamine.SheetTypeEnum.WorkSheet]
    if sheet and sheet not in names:
        raise TableError(whole(FaultKind.NO_SHEET, wish=sheet, allowed=", ".join(names)))
    if not names:
        raise TableError(whole(FaultKind.NO_ROWS))
    chosen = sheet or names[0]
    try:
        found = book.get_sheet_by_name(chosen)
        rows = found.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, ValueError) as error:
        raise TableError(whole(FaultKind.NOT_A_TABLE, why=str(error))) from None
    return [[_cell(cell) for cell in row] for row in rows], f"excel {chosen}"


def _cell(value: object) -> Cell:
    """A cell of a workbook; a time of day alone is text, and truths are no numbers."""
    if isinstance(value, datetime | date):
        return value
    if isinstance(value, bool | time | timedelta):
        return str(value)
    if isinstance(value, int | float):
        return float(value)
    return "" if value is None else str(value)
