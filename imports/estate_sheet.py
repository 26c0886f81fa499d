"""An estate's meters and both its trees as a table: CSV or a workbook, which an import reads back to the same."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import TYPE_CHECKING, Any

from facility.documents.site_export import site_tree
from facility.stated import Member
from imports.estate_columns import DEVICE, KEY_OF, OF_KIND, EstateColumn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from facility.catalogue import Catalogue

C = EstateColumn
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so gets a quote before it: no spreadsheet takes it for a formula."""

Cells = dict[EstateColumn, Any]


def estate_rows(estate: Catalogue) -> Iterator[Cells]:
    """Departments, buildings, spaces and meters, each followed by a row for every day on which it moved."""
    tree = site_tree(estate)
    for kind, part in _parts(tree):
        yield {C.KIND: kind.value, C.ID: part["id"], **_names(part), **_facts(estate, kind, part)}
        yield from _moves(tree["memberships"], kind, part["id"])


def _parts(tree: Mapping[str, Any]) -> Iterator[tuple[Member, dict[str, Any]]]:
    yield from ((Member.DEPARTMENT, one) for one in tree["departments"])
    yield from ((Member.BUILDING, one) for one in tree["buildings"])
    for building in tree["buildings"]:
        yield from ((Member.SPACE, {**one, "building": building["id"]}) for one in building.get("spaces", ()))
    yield from ((Member.METER, one) for one in tree["meters"])


def _names(part: Mapping[str, Any]) -> Cells:
    name = part["name"]
    return {C.NAME: name} if isinstance(name, str) else {C.NAME: name["en"], C.NAME_ZH: name["zh"]}


def _facts(estate: Catalogue, kind: Member, part: Mapping[str, Any]) -> Cells:
    """What is said of a thing itself; of a meter with a ledger the device that hangs there now, and its one level."""
    cells = {column: part.get(KEY_OF.get((kind, column), column.value)) for column in OF_KIND[kind]}
    if kind is Member.METER:
        meter = estate.meter[part["id"]]
        ratios = {C.CT_RATIO: meter.ct_ratio, C.PT_RATIO: meter.pt_ratio}
        cells |= {column: getattr(meter, column.value) for column in DEVICE if column not in ratios}
        cells |= {column: None if ratio == 1 else ratio for column, ratio in ratios.items()}
        levels = {point.level for point in estate.points_of(meter.id)}
        only = next(iter(levels)) if len(levels) == 1 else None
        cells[C.LEVEL] = only.word if only else None
        cells[C.SPACE] = meter.space
    if kind is Member.BUILDING:
        cells[C.DEPARTMENT] = part.get("department")
    return {column: value for column, value in cells.items() if value not in {None, ""}}


def _moves(memberships: Sequence[Mapping[str, Any]], kind: Member, one: str) -> Iterator[Cells]:
    own = [m for m in memberships if (m["member"], m["id"]) == (kind.value, one)]
    for day in sorted({m["valid_from"] for m in own}):
        places = {EstateColumn(tree): m[tree] for m in own if m["valid_from"] == day for tree in ("space", "department")
                  if tree in m}  # fmt: skip
        yield {C.KIND: kind.value, C.ID: one, C.VALID_FROM: day, **places}


def estate_csv(estate: Catalogue) -> bytes:
    """As CSV: UTF-8 with its mark, by which Excel tells it, and commas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(EstateColumn)
    for row in estate_rows(estate):
        writer.writerow([_written(row.get(column)) for column in EstateColumn])
    return out.getvalue().encode("utf-8-sig")


def estate_xlsx(estate: Catalogue) -> bytes:
    """As a workbook of one sheet: every cell is text, so that ids keep their zeros, and numbers their digits."""
    import xlsxwriter  # noqa: PLC0415 - a library of its own that only workbooks need

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("meters")
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet.write_row(0, 0, [*EstateColumn], bold)
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, len(EstateColumn) - 1, 14, text)
        for number, row in enumerate(estate_rows(estate), 1):
            for place, column in enumerate(EstateColumn):
                if column in row:
                    sheet.write_string(number, place, _plain(row[column]), text)
    return out.getvalue()


def _written(value: object) -> str:
    text = _plain(value)
    return f"'{text}" if isinstance(value, str) and text.startswith((*FORMULA_STARTS, "'")) else text


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    return value.isoformat() if isinstance(value, date) else str(value)
