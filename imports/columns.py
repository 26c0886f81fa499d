"""Which column of a table says what: as its reader wishes, else guessed by headers and by what stands below them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import TYPE_CHECKING

from imports.faults import FaultKind, TableError, whole
from imports.numbers import number_in
from imports.times import wall_time
from imports.units import is_unit, unit_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from imports.sheets import Cell, TableSheet


@unique
class ColumnRole(StrEnum):
    """What a column says of each reading."""

    METER = "meter"
    QUANTITY = "quantity"
    TIME = "time"
    END = "end"
    REGISTER = "register"
    USE = "use"
    UNIT = "unit"


NAMES: dict[ColumnRole, tuple[str, ...]] = {
    ColumnRole.METER: (
        *("meter", "meter id", "meter no", "meter number", "serial", "serial number", "meter name", "zähler"),
        *(
            "表号",
            "表计",
            "仪表",
            "电表",
            "水表",
            "气表",
            "计量表",
            "表具",
            "表计编号",
            "电表号",
            "水表号",
            "表名",
            "仪表编号",
        ),
    ),
    ColumnRole.QUANTITY: ("quantity", "量", "计量项", "测量量"),
    ColumnRole.END: ("end", "to", "until", "period end", "结束", "结束时间", "截止", "截止时间", "结束日期", "止"),
    ColumnRole.TIME: (
        *("time", "date", "datetime", "timestamp", "start", "from", "begin", "month", "period", "read at", "day"),
        *("reading date", "period start", "date and time", "datum", "zeit", "日期", "时间", "抄表时间", "抄表日期"),
        *("月份", "年月", "开始", "开始时间", "起始时间", "开始日期", "起", "读数时间", "统计月份"),
    ),
    ColumnRole.REGISTER: (
        *("register", "reading", "meter reading", "index", "value", "count", "stand", "zählerstand", "total"),
        *("读数", "示数", "表底", "底数", "抄表读数", "止码", "数值", "值", "表码"),
    ),
    ColumnRole.USE: (
        *("use", "usage", "consumption", "energy", "volume", "used", "verbrauch", "quantity used"),
        *("用量", "用电量", "用水量", "用气量", "用热量", "能耗", "消耗量", "电量", "水量", "耗电量"),
    ),
    ColumnRole.UNIT: ("unit", "units", "einheit", "单位", "计量单位"),
}
"""What columns are called, without case, brackets and marks."""

LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The place of each role that a table has; ``of_meters``: columns that each hold the figures of one meter.

    ``figures`` is whether they are reads of registers or use. ``units`` are those that headers name.
    """

    place: Mapping[ColumnRole, int]
    tells: ColumnRole
    of_meters: Mapping[int, str] = field(default_factory=dict)
    units: Mapping[int, str] = field(default_factory=dict)


def columns_of(
    sheet: TableSheet, wished: Mapping[str, str], tells: str, meter_called: Callable[[str], str | None]
) -> TableColumns:
    """The columns of a table. ``wished`` is role → header or letter; ``tells`` is ``register``, ``use`` or empty.

    Raises ``TableError`` where a wish is for a column that is not there, and where times or figures are found nowhere.
    """
    place = _wished(sheet, wished)
    width = max([len(sheet.header), *(len(row) for _, row in sheet.rows[:LOOKED_AT])])
    free = [column for column in range(width) if column not in place.values()]
    of_meters = {c: meter for c in free if ColumnRole.METER not in place and (meter := meter_called(sheet.name(c)))}
    for column in (column for column in free if column not in of_meters):
        role = _called(sheet.name(column))
        if role is not None and role not in place and not (of_meters and role in {ColumnRole.REGISTER, ColumnRole.USE}):
            place[role] = column
    _by_content(sheet, place, [c for c in free if c not in of_meters], is_wide=bool(of_meters), known=meter_called)
    if ColumnRole.TIME not in place:
        raise TableError(whole(FaultKind.NO_COLUMN, role=ColumnRole.TIME, allowed=_headers(sheet, width)))
    figures = [role for role in (ColumnRole.REGISTER, ColumnRole.USE) if role in place]
    if not figures and not of_meters:
        raise TableError(whole(FaultKind.NO_COLUMN, role=ColumnRole.REGISTER, allowed=_headers(sheet, width)))
    units = {column: unit for column in range(width) if is_unit(unit := unit_in(sheet.name(column)))}
    return TableColumns(place, _figures_role(place, figures, tells, is_wide=bool(of_meters)), of_meters, units)


def _figures_role(
    place: dict[ColumnRole, int], figures: Sequence[ColumnRole], tells: str, *, is_wide: bool
) -> ColumnRole:
    """Whether figures are reads or use: as wished, else by the column's name, else by whether rows have an end."""
    if tells and tells not in {ColumnRole.REGISTER, ColumnRole.USE}:
        allowed = f"{ColumnRole.REGISTER}, {ColumnRole.USE}"
        raise TableError(whole(FaultKind.WISH_UNKNOWN, wish=tells, allowed=allowed))
    has_end = ColumnRole.END in place
    said = ColumnRole(tells) if tells else figures[0] if figures and not has_end else None
    if said is None:
        said = ColumnRole.USE if has_end or is_wide else ColumnRole.REGISTER
    if figures and said not in place:
        place[said] = place[figures[0]]
    return said


def _wished(sheet: TableSheet, wished: Mapping[str, str]) -> dict[ColumnRole, int]:
    place: dict[ColumnRole, int] = {}
    for word, header in wished.items():
        if word not in set(ColumnRole):
            raise TableError(whole(FaultKind.WISH_UNKNOWN, wish=word, allowed=", ".join(ColumnRole)))
        column = _named(sheet, header)
        if column in place.values():
            raise TableError(whole(FaultKind.COLUMN_TWICE, header, role=word))
        place[ColumnRole(word)] = column
    return place


def _named(sheet: TableSheet, header: str) -> int:
    width = max([len(sheet.header), *(len(row) for _, row in sheet.rows[:LOOKED_AT])])
    named = [column for column in range(width) if _plain(sheet.name(column)) == _plain(header)]
    if not named:
        raise TableError(whole(FaultKind.COLUMN_UNKNOWN, header, allowed=_headers(sheet, width)))
    return named[0]


def _called(header: str) -> ColumnRole | None:
    plain = _plain(header)
    return next((role for role, names in NAMES.items() if plain in names), None)


def _plain(header: str) -> str:
    """A header in small letters, without what stands in brackets, and with spaces for other marks."""
    text = unicodedata.normalize("NFKC", header).lower()
    for opened in "([":
        before = text.partition(opened)[0].strip()
        text = before or text
    return " ".join(text.replace("_", " ").replace("-", " ").strip(" :.").split())


def _by_content(
    sheet: TableSheet,
    place: dict[ColumnRole, int],
    free: list[int],
    *,
    is_wide: bool,
    known: Callable[[str], str | None],
) -> None:
    """What no header says is known by what stands below: times, then names of meters, then numbers."""
    left = [column for column in free if column not in place.values()]

    def take(role: ColumnRole, fits: Callable[[Cell], bool]) -> None:
        for column in left:
            if role not in place and _all(
                fits, (row[column] for _, row in sheet.rows[:LOOKED_AT] if column < len(row))
            ):
                place[role] = column
                left.remove(column)
                return

    take(ColumnRole.TIME, lambda cell: not isinstance(cell, float) and wall_time(cell, "dmy") is not None)
    if not is_wide:
        take(ColumnRole.METER, lambda cell: isinstance(cell, str) and known(cell) is not None)
    if not is_wide and not place.keys() & {ColumnRole.REGISTER, ColumnRole.USE}:
        take(ColumnRole.REGISTER, lambda cell: any(number_in(cell, style) is not None for style in ("point", "comma")))


def _all(fits: Callable[[Cell], bool], cells: Iterable[Cell]) -> bool:
    said = [cell for cell in cells if cell not in {"", None}]
    return bool(said) and all(map(fits, said))


def _headers(sheet: TableSheet, width: int) -> str:
    return ", ".join(sheet.name(column) for column in range(width))
