"""Use of periods as a register that counts on: from what is stored at its beginning, or back from what is at its end.

Registers alone are stored (ADR 3). Use that somebody tells of an hour or a month is what a register would have shown:
it goes on from the read at its beginning, or ends at the read at its end, or begins at 0 where the device has neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from imports.faults import FaultKind, TableFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accounting.ledger import Stretch
    from stores.readings.port import Latest, Series

_EVER = 2**62
_NEAR = 1e-6
"""A share of the register by which two reads that ought to be one may differ: arithmetic."""


class KnownReadings(Protocol):
    """What is stored already, as far as an import looks at it."""

    def read(self, points: Sequence[str], start_ms: int, end_ms: int) -> Mapping[str, Series]:
        """Readings of each point in the range."""

    def read_before(self, points: Sequence[str], t_ms: int) -> Mapping[str, Latest]:
        """The newest reading of each point at or before a time."""


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """What was used in ``[start_ms, end_ms)``, in true units, by which row of the table."""

    row: int
    start_ms: int
    end_ms: int
    used: float


Reads = list[tuple[int, int, float]]
"""Row of the table, time and register as it is stored."""


def registers_of(
    point: str, uses: Sequence[PeriodUse], stretches: Sequence[Stretch], known: KnownReadings, column: str
) -> tuple[Reads, list[TableFault]]:
    """The reads that tell some periods of one counter, or what is wrong with them; ``stretches`` are its devices."""
    ordered = sorted(uses, key=lambda use: (use.start_ms, use.end_ms, use.row))
    faults = list(_apart(ordered, column))
    if faults:
        return [], faults
    reads: Reads = []
    begins = [-_EVER, *(stretch.since_ms for stretch in stretches[1:]), _EVER]  # nothing is known before the first
    for stretch, (since_ms, end_ms) in zip(stretches, pairwise(begins), strict=True):
        mine = [use for use in ordered if since_ms <= use.start_ms < end_ms]
        late = next((use for use in mine if use.end_ms > end_ms), None)
        if late is not None:
            faults.append(TableFault(late.row, column, FaultKind.ACROSS_DEVICES, {"at_ms": end_ms}))
        elif mine:
            found = _counted(point, mine, (since_ms, end_ms), stretch.stored_per_true, known, column)
            reads, faults = reads + found[0], faults + found[1]
    return ([] if faults else reads), faults


def _apart(ordered: Sequence[PeriodUse], column: str) -> list[TableFault]:
    """Periods that overlap, or leave out time of which nobody knows what was used."""
    faults = []
    for before, use in pairwise(ordered):
        params = {"other": before.row, "at_ms": before.end_ms}
        if use.start_ms < before.end_ms:
            faults.append(TableFault(use.row, column, FaultKind.OVERLAPS, params))
        elif use.start_ms > before.end_ms:
            faults.append(TableFault(use.row, column, FaultKind.LEAVES_OUT, params))
    return faults


def _counted(
    point: str, uses: Sequence[PeriodUse], device: tuple[int, int], factor: float, known: KnownReadings, column: str
) -> tuple[Reads, list[TableFault]]:
    """The reads of one device's periods, which follow each other without a break."""
    first, last = uses[0], uses[-1]
    start_ms, end_ms = first.start_ms, last.end_ms
    within = _at(known.read_before([point], end_ms - 1).get(point), start_ms + 1)
    if within is not None:
        return [], [TableFault(first.row, column, FaultKind.READ_WITHIN, {"at_ms": within.t_ms})]
    before = _at(known.read_before([point], start_ms).get(point), device[0])
    newest = _at(known.read_before([point], device[1] - 1).get(point), end_ms)
    at_end = known.read([point], end_ms, end_ms + 1)[point]
    if before is not None and before.t_ms < start_ms:
        return [], [
            TableFault(first.row, column, FaultKind.NOT_JOINED_BEFORE, {"at_ms": before.t_ms, "value": before.x})
        ]
    if newest is not None and not len(at_end):
        return [], [TableFault(last.row, column, FaultKind.NOT_JOINED_AFTER, {"at_ms": newest.t_ms})]
    total = sum(use.used for use in uses) * factor
    level = before.x if before else float(at_end.x[0]) - total if len(at_end) else 0.0
    if level < 0:
        what = {"value": float(at_end.x[0]), "used": total}
        return [], [TableFault(last.row, column, FaultKind.BELOW_REGISTER, what)]
    if before and len(at_end) and abs(before.x + total - at_end.x[0]) > _NEAR * max(1.0, abs(at_end.x[0])):
        what = {"value": float(at_end.x[0]), "used": before.x + total}
        return [], [TableFault(last.row, column, FaultKind.ENDS_DIFFER, what)]
    reads: Reads = [] if before else [(first.row, start_ms, level)]
    for use in uses:
        level += use.used * factor
        reads.append((use.row, use.end_ms, level))
    return (reads[:-1] if len(at_end) else reads), []


def _at(latest: Latest | None, since_ms: int) -> Latest | None:
    """A reading, where it is not before a time."""
    return latest if latest is not None and latest.t_ms >= since_ms else None
