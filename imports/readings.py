"""A table of readings, held to the estate and to what is stored: what an import of it would bring, or what is wrong.

Nothing is written here. A table with one wrong row brings nothing: it is mended and handed in again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from accounting.ledger import stretches_of
from accounting.local_time import DAY_MS
from facility.model import Quality, ReadingBatch
from imports.columns import ColumnRole, columns_of
from imports.faults import FaultKind, TableError, TableFault, whole
from imports.meters_named import MetersNamed
from imports.registers import registers_of
from imports.rows import RowReader, writing_of
from imports.sheets import read_sheet
from imports.times import SiteClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from facility.catalogue import Catalogue
    from imports.columns import TableColumns
    from imports.registers import KnownReadings, Reads
    from imports.rows import Said, Wishes, Writing
    from imports.sheets import TableSheet

AHEAD_MS = 5 * 60 * 1000
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00Z, as ingest's gate has it
SHOWN = 8
TOLD_EVERY = 2000
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Shown:
    """One reading of the preview: the row it comes from, whose it is, when, and the register as it would be stored."""

    row: int
    point: str
    t_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a table would bring. ``readings`` is what is new; with ``faults`` it brings nothing.

    ``columns`` are role or meter → header, ``known`` counts readings that are stored already as they are.
    """

    file: str
    digest: str
    read_as: str
    columns: Mapping[str, str]
    tells: str
    writing: Writing | None
    rows: int
    known: int
    readings: ReadingBatch
    shown: tuple[Shown, ...]
    faults: tuple[TableFault, ...]

    @property
    def meters(self) -> list[str]:
        """The meters that it is about."""
        return sorted({point.partition("/")[0] for point in self.readings.points})


def plan_import(
    content: bytes,
    file: str,
    catalogue: Catalogue,
    zone: ZoneInfo,
    stored: KnownReadings,
    wishes: Wishes,
    now_ms: int,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> ImportPlan:
    """Read a table and hold it to what is known. ``tell`` hears how many rows of how many are done."""
    digest = hashlib.sha256(content).hexdigest()
    nothing = ImportPlan(file, digest, "", {}, "", None, 0, 0, ReadingBatch([], [], [], []), (), ())
    names = MetersNamed(catalogue)
    try:
        sheet = read_sheet(content, encoding=wishes.encoding, sheet=wishes.sheet)
        nothing = replace(nothing, read_as=sheet.read_as, rows=len(sheet.rows))
        columns = columns_of(sheet, wishes.columns, wishes.tells, names.called)
        wishes = _about(catalogue, sheet, columns, wishes)
        nothing = replace(nothing, columns=_headers(sheet, columns), tells=columns.tells.value)
        writing = writing_of(sheet, columns, wishes)
    except TableError as error:
        return replace(nothing, faults=error.faults)
    reader = RowReader(sheet, columns, writing, wishes, names, SiteClock(zone))
    for done, (number, row) in enumerate(sheet.rows):
        if done % TOLD_EVERY == 0:
            tell(done, len(sheet.rows))
        reader.read(number, row)
    tell(len(sheet.rows), len(sheet.rows))
    said = reader.said
    reads = _reads(said, catalogue, stored, sheet.name(columns.place[ColumnRole.TIME]))
    new, known = _checked(reads, said, catalogue, stored, now_ms, _FigureHeaders(sheet, columns))
    faults = tuple(sorted(said.faults, key=lambda fault: fault.row))
    return replace(
        nothing,
        writing=writing,
        known=known,
        readings=_batch({} if faults else new),
        shown=tuple(_shown(reads)),
        faults=faults,
    )


@dataclass(frozen=True, slots=True)
class _FigureHeaders:
    """By which columns times and figures are said."""

    sheet: TableSheet
    columns: TableColumns

    @property
    def time(self) -> str:
        return self.sheet.name(self.columns.place[ColumnRole.TIME])

    @property
    def figure(self) -> str:
        place = self.columns.place.get(self.columns.tells)
        return "" if place is None else self.sheet.name(place)


def _about(catalogue: Catalogue, sheet: TableSheet, columns: TableColumns, wishes: Wishes) -> Wishes:
    """Which meter a table is about that names none: the one that is wished, or the only one there is."""
    if ColumnRole.METER in columns.place or columns.of_meters or wishes.meter:
        return wishes
    accounted = [meter.id for meter in catalogue.meters if catalogue.accounted_point(meter)]
    if len(accounted) == 1:
        return replace(wishes, meter=accounted[0])
    allowed = ", ".join(filter(None, sheet.header)) or "–"
    raise TableError(whole(FaultKind.NO_COLUMN, role=ColumnRole.METER, allowed=allowed))


def _headers(sheet: TableSheet, columns: TableColumns) -> dict[str, str]:
    named = {role.value: sheet.name(place) for role, place in columns.place.items()}
    return named | {meter: sheet.name(place) for place, meter in columns.of_meters.items()}


def _reads(said: Said, catalogue: Catalogue, stored: KnownReadings, time: str) -> dict[str, Reads]:
    """Every point's reads as they are stored: faces by the ratios that its agent multiplies by, use as registers."""
    found: dict[str, Reads] = {}
    for name, faces in said.reads.items():
        stretches = _stretches(catalogue, name)
        since = np.array([stretch.since_ms for stretch in stretches], np.int64)
        times = np.array([t_ms for _, t_ms, _ in faces], np.int64)
        devices = np.maximum(np.searchsorted(since, times, side="right") - 1, 0)
        factors = [stretches[device].told for device in devices.tolist()]
        found[name] = [(row, t_ms, x * factor) for (row, t_ms, x), factor in zip(faces, factors, strict=True)]
    for name, uses in said.uses.items():
        reads, faults = registers_of(name, uses, _stretches(catalogue, name), stored, time)
        said.faults += faults
        found[name] = reads
    return found


def _stretches(catalogue: Catalogue, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202
    point = catalogue.point[name]
    return stretches_of(catalogue.meter[point.meter], point, catalogue.installations_of(point.meter))


def _checked(
    reads: Mapping[str, Reads],
    said: Said,
    catalogue: Catalogue,
    stored: KnownReadings,
    now_ms: int,
    headers: _FigureHeaders,
) -> tuple[dict[str, Reads], int]:
    """What of the reads is new, and how many are stored already; faults go to ``said``."""
    alone = {name: list(_alone(rows, headers, said.faults)) for name, rows in reads.items()}
    for name, rows in alone.items():
        low, high = catalogue.point[name].range
        for row, t_ms, x in rows:
            if not low <= x <= high:
                params = {"value": x, "low": low, "high": high, "unit": catalogue.point[name].quantity.unit}
                said.faults.append(TableFault(row, headers.figure, FaultKind.OUT_OF_RANGE, params))
            if t_ms > now_ms + AHEAD_MS or t_ms < EARLIEST_MS:
                kind = FaultKind.IN_FUTURE if t_ms > now_ms else FaultKind.BEFORE_2000
                said.faults.append(TableFault(row, headers.time, kind, {"at_ms": t_ms}))
    there = _stored_at(alone, stored)
    new: dict[str, Reads] = {}
    known = 0
    for name, rows in alone.items():
        for row, t_ms, x in rows:
            before = there.get((name, t_ms))
            if before is None:
                new.setdefault(name, []).append((row, t_ms, x))
            elif abs(before - x) <= _NEAR * max(1.0, abs(x)):
                known += 1
            else:
                params = {"at_ms": t_ms, "value": before, "said": x}
                said.faults.append(TableFault(row, headers.figure, FaultKind.STORED_OTHERWISE, params))
    return new, known


def _alone(rows: Reads, headers: _FigureHeaders, faults: list[TableFault]) -> Iterator[tuple[int, int, float]]:
    """Each time of a point once; a table that says it twice has a fault, whether it says the same or not."""
    first: dict[int, int] = {}
    for row, t_ms, x in rows:
        if t_ms in first and first[t_ms] != row:
            faults.append(TableFault(row, headers.time, FaultKind.TWICE, {"at_ms": t_ms, "other": first[t_ms]}))
        elif t_ms not in first:
            first[t_ms] = row
            yield row, t_ms, x


def _stored_at(reads: Mapping[str, Reads], stored: KnownReadings) -> dict[tuple[str, int], float]:
    """What is stored at the very times of the reads: asked for where these are, not for all that lies between."""
    times = np.unique([t_ms for rows in reads.values() for _, t_ms, _ in rows])
    if not len(times):
        return {}
    wanted = {name: {t_ms for _, t_ms, _ in rows} for name, rows in reads.items()}
    found = {}
    for part in np.split(times, np.flatnonzero(np.diff(times) > DAY_MS) + 1):
        first, last = int(part[0]), int(part[-1])
        for name, series in stored.read(list(reads), first, last + 1).items():
            for t_ms, x in zip(series.t_ms.tolist(), series.x.tolist(), strict=True):
                if t_ms in wanted[name]:
                    found[name, t_ms] = x
    return found


def _batch(new: Mapping[str, Reads]) -> ReadingBatch:
    points = sorted(new)
    rows = [(p, t_ms, x) for p, name in enumerate(points) for _, t_ms, x in sorted(new[name], key=lambda one: one[1])]
    p, t, x = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    return ReadingBatch(points, p, t, x, [Quality.MANUAL.value] * len(rows))


def _shown(reads: Mapping[str, Reads]) -> Sequence[Shown]:
    first = sorted((row, name, t_ms, x) for name, rows in reads.items() for row, t_ms, x in rows[:SHOWN])
    return [Shown(row, name, t_ms, x) for row, name, t_ms, x in first[:SHOWN]]
