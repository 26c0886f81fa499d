"""Rows of a table to reads and periods of points: each cell as it is meant, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar, cast, get_args

from facility.quantities import Kind
from imports.columns import ColumnRole
from imports.faults import FaultKind, TableError, TableFault, whole
from imports.meters_named import factor_in
from imports.numbers import decimal_of, number_in
from imports.registers import PeriodUse
from imports.times import PERIOD_MINUTES, Period, after, date_order_of, period_of, wall_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from facility.model import Point
    from imports.columns import TableColumns
    from imports.meters_named import MetersNamed
    from imports.numbers import Decimal
    from imports.sheets import Cell, TableSheet
    from imports.times import DateOrder, SiteClock

MINUTE_MS = 60_000
Found = TypeVar("Found")
LOOKED_AT = 5000
"""Rows by which it is told how dates and numbers are written."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody says of their table where a guess would not do; what is empty is guessed.

    ``columns``: role → header or letter. ``meter``: of tables that are about one. ``stamped``: which end of its period
    a time stands for.
    """

    columns: dict[str, str] = field(default_factory=dict)
    meter: str = ""
    quantity: str = ""
    unit: str = ""
    tells: str = ""
    decimal: str = ""
    date_order: str = ""
    period: str = ""
    stamped: str = ""
    encoding: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """How a table is written: its decimal sign, the order of day and month, and the period that a row of use is of."""

    decimal: Decimal
    date_order: DateOrder
    period: Period | Literal["said", ""]
    stamped: Literal["start", "end"]


@dataclass(slots=True)
class Said:
    """What the rows of a table say, by point: reads as (row, ms, register as the face shows it) and periods of use."""

    reads: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)
    uses: dict[str, list[PeriodUse]] = field(default_factory=dict)
    faults: list[TableFault] = field(default_factory=list)


def writing_of(sheet: TableSheet, columns: TableColumns, wishes: Wishes) -> Writing:
    """How the table is written. Raises ``TableError`` where that can be told in two ways."""
    figures = [*columns.of_meters] or [columns.place[columns.tells]]
    decimal = _wished(wishes.decimal, ("point", "comma")) or next(iter(_decimals(sheet, figures)), None)
    if decimal is None and sheet.is_parted_by_commas:
        decimal = "point"  # who writes decimal commas parts cells by another character
    if decimal is None:
        raise TableError(whole(FaultKind.DECIMAL_OPEN, sheet.name(figures[0]), allowed="point, comma"))
    times = [columns.place[role] for role in (ColumnRole.TIME, ColumnRole.END) if role in columns.place]
    cells = [row[column] for _, row in sheet.rows[:LOOKED_AT] for column in times if column < len(row)]
    order = _wished(wishes.date_order, ("dmy", "mdy")) or date_order_of(cells)
    if order is None:
        raise TableError(whole(FaultKind.DATE_ORDER_OPEN, sheet.name(times[0]), allowed="dmy, mdy"))
    stamped = _wished(wishes.stamped, ("start", "end")) or "start"
    period = _wished(wishes.period, get_args(Period))
    if ColumnRole.END in columns.place:
        period = "said"
    elif columns.tells is ColumnRole.USE and not period:
        said = (wall_time(cell, cast("DateOrder", order)) for cell in cells)
        period = period_of(at for at in said if at is not None) or ""
    return Writing(
        *cast("tuple[Decimal, DateOrder, Period, Literal['start', 'end']]", (decimal, order, period, stamped))
    )


def _wished(said: str, allowed: tuple[str, ...]) -> str:
    if said and said not in allowed:
        raise TableError(whole(FaultKind.WISH_UNKNOWN, wish=said, allowed=", ".join(allowed)))
    return said


def _decimals(sheet: TableSheet, columns: list[int]) -> list[Decimal]:
    """How the numbers of some columns are written, none where none can be told."""
    found = decimal_of(row[c] for _, row in sheet.rows[:LOOKED_AT] for c in columns if c < len(row))
    return [] if found is None else [found]


class RowReader:
    """Reads the rows of one table. What does not change from row to row is looked up once."""

    def __init__(
        self,
        sheet: TableSheet,
        columns: TableColumns,
        writing: Writing,
        wishes: Wishes,
        names: MetersNamed,
        clock: SiteClock,
    ) -> None:
        self._sheet, self._columns, self._writing, self._wishes = sheet, columns, writing, wishes
        self._names, self._clock = names, clock
        self._points: dict[tuple[str, str], Point | TableFault] = {}
        self._factors: dict[tuple[str, str], float | TableFault] = {}
        self._twice: set[tuple[str, int]] = set()
        self.said = Said()

    def read(self, number: int, row: tuple[Cell, ...]) -> None:
        """Take up one row; what is wrong with it stands in ``said.faults``."""
        try:
            for meter, column in self._meters(number, row):
                self._figure(number, row, meter, column)
        except _RowError as error:
            self.said.faults.append(error.fault)

    def _meters(self, number: int, row: tuple[Cell, ...]) -> Iterator[tuple[str, int]]:
        """The meters of a row, and the column of each one's figure."""
        self._check_width(number, row)
        if self._columns.of_meters:
            for column, meter in self._columns.of_meters.items():
                if column < len(row) and row[column] not in {"", None}:
                    yield meter, column
            return
        yield self._meter(number, row), self._columns.place[self._columns.tells]

    def _check_width(self, number: int, row: tuple[Cell, ...]) -> None:
        width = len(self._sheet.header)
        if width and len(row) < width:
            params = {"cells": len(row), "allowed": width}
            raise _RowError(TableFault(number, self._sheet.name(len(row)), FaultKind.ROW_SHORT, params))
        if width and any(cell not in {"", None} for cell in row[width:]):
            params = {"cells": len(row), "allowed": width}
            raise _RowError(TableFault(number, self._sheet.name(width), FaultKind.ROW_LONG, params))

    def _meter(self, number: int, row: tuple[Cell, ...]) -> str:
        place = self._columns.place.get(ColumnRole.METER)
        text = self._wishes.meter if place is None else _text(self._cell(number, row, place))
        column = "" if place is None else self._sheet.name(place)
        meter = self._names.called(text)
        if meter is None:
            raise _RowError(self._names.fault(number, column, text))
        return meter

    def _figure(self, number: int, row: tuple[Cell, ...], meter: str, column: int) -> None:
        point, name = self._point(number, row, meter), self._sheet.name(column)
        value = number_in(self._cell(number, row, column), self._writing.decimal)
        if value is None:
            params = {"said": _text(row[column]), "decimal": self._writing.decimal}
            raise _RowError(TableFault(number, name, FaultKind.NOT_A_NUMBER, params))
        value *= self._factor(number, row, point, column)
        if self._columns.tells is ColumnRole.REGISTER:
            t_ms = self._instant(number, row, ColumnRole.TIME, point.id)
            self.said.reads.setdefault(point.id, []).append((number, t_ms, value))
            return
        if point.quantity.kind is not Kind.COUNTER:
            raise _RowError(TableFault(number, name, FaultKind.NO_USE, {"quantity": point.quantity.word}))
        if value < 0:
            raise _RowError(TableFault(number, name, FaultKind.BELOW_ZERO, {"value": value}))
        start_ms, end_ms = self._period(number, row, point.id)
        self.said.uses.setdefault(point.id, []).append(PeriodUse(number, start_ms, end_ms, value))

    def _point(self, number: int, row: tuple[Cell, ...], meter: str) -> Point:
        place = self._columns.place.get(ColumnRole.QUANTITY)
        quantity = self._wishes.quantity if place is None else _text(self._cell(number, row, place))
        found = self._points.get((meter, quantity))
        if found is None:
            found = self._names.point(meter, quantity, number, "" if place is None else self._sheet.name(place))
            self._points[meter, quantity] = found
        return _or_fault(found, number)

    def _factor(self, number: int, row: tuple[Cell, ...], point: Point, column: int) -> float:
        place = self._columns.place.get(ColumnRole.UNIT)
        unit = self._columns.units.get(column, "") or self._wishes.unit
        if place is not None and (written := _text(row[place] if place < len(row) else "")):
            unit = written
        key = (unit, point.id)
        if key not in self._factors:
            named = self._sheet.name(column if place is None else place)
            self._factors[key] = factor_in(unit, point, number, named)
        return _or_fault(self._factors[key], number)

    def _period(self, number: int, row: tuple[Cell, ...], point: str) -> tuple[int, int]:
        period = self._writing.period
        if period == "said":
            start_ms = self._instant(number, row, ColumnRole.TIME, point)
            end_ms = self._instant(number, row, ColumnRole.END, "")
        elif not period:
            named = self._sheet.name(self._columns.place[ColumnRole.TIME])
            raise _RowError(TableFault(number, named, FaultKind.PERIOD_OPEN, {"allowed": ", ".join(get_args(Period))}))
        elif period in PERIOD_MINUTES:
            at_ms, width_ms = self._instant(number, row, ColumnRole.TIME, point), PERIOD_MINUTES[period] * MINUTE_MS
            start_ms = at_ms - width_ms if self._writing.stamped == "end" else at_ms
            end_ms = start_ms + width_ms
        else:
            at = self._wall_time(number, row, ColumnRole.TIME)
            start = after(at, period, periods=-1) if self._writing.stamped == "end" else at
            start_ms = self._ms(number, start, ColumnRole.TIME)
            end_ms = self._ms(number, after(start, period), ColumnRole.TIME)
        if end_ms <= start_ms:
            named = self._sheet.name(self._columns.place.get(ColumnRole.END, 0))
            raise _RowError(TableFault(number, named, FaultKind.ENDS_EARLY, {"at_ms": start_ms}))
        return start_ms, end_ms

    def _instant(self, number: int, row: tuple[Cell, ...], role: ColumnRole, point: str) -> int:
        """An instant; of an hour that the clocks go through twice the second one, the second time a point says it."""
        at = self._wall_time(number, row, role)
        first_ms = self._ms(number, at, role)
        if not self._clock.is_twice(at):
            return first_ms
        if not point or (point, first_ms) not in self._twice:
            self._twice.add((point, first_ms))
            return first_ms
        return self._clock.ms(at, again=True) or first_ms

    def _wall_time(self, number: int, row: tuple[Cell, ...], role: ColumnRole) -> datetime:
        place = self._columns.place[role]
        cell = self._cell(number, row, place)
        at = wall_time(cell, self._writing.date_order)
        if at is None:
            raise _RowError(TableFault(number, self._sheet.name(place), FaultKind.NOT_A_TIME, {"said": _text(cell)}))
        return at

    def _ms(self, number: int, at: datetime, role: ColumnRole) -> int:
        ms = self._clock.ms(at)
        if ms is None:
            params = {"said": f"{at:%Y-%m-%d %H:%M}", "zone": str(self._clock.zone)}
            raise _RowError(
                TableFault(number, self._sheet.name(self._columns.place[role]), FaultKind.TIME_SKIPPED, params)
            )
        return ms

    def _cell(self, number: int, row: tuple[Cell, ...], place: int) -> Cell:
        cell = row[place] if place < len(row) else None
        if cell in {"", None} or (isinstance(cell, str) and not cell.strip()):
            raise _RowError(TableFault(number, self._sheet.name(place), FaultKind.EMPTY))
        return cell


class _RowError(Exception):
    """What ends the reading of one row."""

    def __init__(self, fault: TableFault) -> None:
        self.fault = fault
        super().__init__(fault.kind)


def _or_fault(found: Found | TableFault, number: int) -> Found:
    if isinstance(found, TableFault):
        raise _RowError(TableFault(number, found.column, found.kind, found.params))
    return found


def _text(cell: Cell) -> str:
    """A cell as a name or a number of a meter is written: workbooks keep 4711 as 4711.0."""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    return "" if cell is None else str(cell).strip()
