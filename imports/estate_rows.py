"""Rows of the table of meters to typed cells, or what is wrong with each."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from facility.stated import Member
from imports.estate_columns import CHINESE, KINDS, OF_KIND, EstateColumn, EstateRow
from imports.estate_sheet import FORMULA_STARTS
from imports.faults import FaultKind, TableError, TableFault, whole
from imports.numbers import number_in
from imports.times import wall_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imports.sheets import Cell, TableSheet

C = EstateColumn
_TRUTHS = {"true": True, "yes": True, "1": True, "是": True, "false": False, "no": False, "0": False, "否": False}
_KIND_WORDS = {"部门": Member.DEPARTMENT, "建筑": Member.BUILDING, "空间": Member.SPACE, "表计": Member.METER}
_OF_ALL = frozenset({C.KIND, C.ID, C.NAME, C.NAME_ZH, C.VALID_FROM, C.SPACE, C.DEPARTMENT})


def columns_in(sheet: TableSheet) -> dict[int, EstateColumn]:
    """The columns of a table. Raises ``TableError`` for one that is none or stands twice, and without ids."""
    known = {_plain(word): column for column in C for word in (column.value, *CHINESE.get(column, ()))}
    found: dict[int, EstateColumn] = {}
    faults = []
    for place, header in enumerate(sheet.header):
        column = known.get(_plain(header))
        if not header.strip():
            continue
        if column is None:
            faults.append(whole(FaultKind.COLUMN_UNKNOWN, header, said=header, allowed=", ".join(C)))
        elif column in found.values():
            faults.append(whole(FaultKind.HEADER_TWICE, header, said=column.value))
        else:
            found[place] = column
    if C.ID not in found.values():
        faults.append(whole(FaultKind.NO_COLUMN, role="meter", allowed=C.ID.value))
    if faults:
        raise TableError(*faults)
    return found


def read_rows(sheet: TableSheet, columns: Mapping[int, EstateColumn]) -> tuple[list[EstateRow], list[TableFault]]:
    """Every row that can be read, and what is wrong with the others."""
    rows, faults = [], []
    is_text = not sheet.read_as.startswith("excel")
    for number, cells in sheet.rows:
        own = _row_faults(sheet, number, cells)
        said: dict[EstateColumn, Any] = {}
        for place, column in columns.items():
            cell = cells[place] if place < len(cells) else None
            if isinstance(cell, str):
                cell = _unquoted(cell.strip(), is_text=is_text)
            if cell in {"", None}:
                continue
            value = _typed(cell, column)
            if value is None:
                own.append(TableFault(number, sheet.name(place), *_misfit(cell, column)))
            else:
                said[column] = value
        row = _row(number, said, own)
        faults += own
        if row and not own:
            rows.append(row)
    return rows, faults


def _row(number: int, said: dict[EstateColumn, Any], own: list[TableFault]) -> EstateRow | None:
    """The row, with its kind: a meter, unless it says otherwise. A cell that its kind does not have is a fault."""
    word = str(said.pop(C.KIND, Member.METER.value)).lower()
    kind = _KIND_WORDS.get(word) or next((one for one in Member if one.value == word), None)
    if kind is None:
        own.append(
            TableFault(number, C.KIND.value, FaultKind.WORD_UNKNOWN, {"said": word, "allowed": ", ".join(Member)})
        )
        return None
    if C.ID not in said:
        own.append(TableFault(number, C.ID.value, FaultKind.EMPTY))
        return None
    idle = [column for column in said if column not in _OF_ALL and column not in OF_KIND[kind]]
    own += [TableFault(number, one.value, FaultKind.NOT_OF_KIND, {"said": kind.value}) for one in idle]
    return EstateRow(number, kind, said.pop(C.ID), said)


def _row_faults(sheet: TableSheet, number: int, cells: tuple[Cell, ...]) -> list[TableFault]:
    width = len(sheet.header)
    params = {"cells": len(cells), "allowed": width}
    if len(cells) < width:
        return [TableFault(number, sheet.name(len(cells)), FaultKind.ROW_SHORT, params)]
    if any(cell not in {"", None} for cell in cells[width:]):
        return [TableFault(number, sheet.name(width), FaultKind.ROW_LONG, params)]
    return []


def _typed(cell: Cell, column: EstateColumn) -> Any:
    """The cell as its column means it; None where it cannot be."""
    kind = KINDS.get(column, "text")
    if kind == "day":
        at = wall_time(cell, None)
        return at.date() if at else None
    if kind == "truth":
        return _TRUTHS.get(_text(cell).lower())
    if kind == "text":
        return _text(cell)
    value = number_in(cell, "point")
    if value is None or (kind == "whole" and not value.is_integer()):
        return None
    return int(value) if kind == "whole" else value


def _misfit(cell: Cell, column: EstateColumn) -> tuple[FaultKind, dict[str, Any]]:
    kind, said = KINDS.get(column), _text(cell)
    if kind == "day":
        return FaultKind.NOT_A_TIME, {"said": said}
    if kind == "truth":
        return FaultKind.WORD_UNKNOWN, {"said": said, "allowed": "true, false"}
    return FaultKind.NOT_A_NUMBER, {"said": said, "decimal": "point"}


def _text(cell: Cell) -> str:
    """A cell as text: workbooks keep 4711 as 4711.0."""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return str(cell).strip()


def _unquoted(text: str, *, is_text: bool) -> str:
    return text[1:] if is_text and text[:1] == "'" and text[1:].startswith((*FORMULA_STARTS, "'")) else text


def _plain(header: str) -> str:
    return "_".join(unicodedata.normalize("NFKC", header).lower().split())
